"""What ends positions without an order of their holder: settlement at expiry, liquidation, deleveraging (SPEC 4)."""

from __future__ import annotations

import struct
from typing import Final

from rollup.errors import Undecodable
from rollup.types.fields import LOW, SIGNATURE_SIZE, u24, word
from rollup.types.value import value

_SETTLE: Final = struct.Struct(">BBH")
_ACCOUNT: Final = struct.Struct(">BBBH")
_BID: Final = struct.Struct(">BBBHBHIqQBI64s")
_DELEVERAGE: Final = struct.Struct(">BBBHBHHHI")


@value(frozen=True, slots=True)
class Settle:
    """Pay out an account's positions in markets that have ended; anybody may ask for it."""

    account: int


@value(frozen=True, slots=True)
class Flag:
    """Look at an account: raise its liquidation flag, clear it, or begin anew; anybody may ask for it."""

    account: int


@value(frozen=True, slots=True)
class Bid:
    """`liquidator` takes over `fraction` (ppm) of a flagged account's portfolio for at most `limit` (µUSD, signed)."""

    account: int
    liquidator: int
    fraction: int
    limit: int
    nonce: int
    expiry: int
    signature: bytes


@value(frozen=True, slots=True)
class Deleverage:
    """Close `size` (µcoin) of a flagged account's position against an opposite one: at the mark, or as it can pay."""

    account: int
    counterparty: int
    market: int
    size: int


@value(frozen=True, slots=True)
class WriteOff:
    """Clear the debt of an account without positions: from the fund, else as bad debt."""

    account: int


def encode_settle(tx: Settle) -> bytes:
    """The transaction's bytes, as of all below; struct.error or Unencodable if a field does not fit."""
    return _SETTLE.pack(7, *u24(tx.account))


def decode_settle(data: bytes, offset: int) -> tuple[Settle, int]:
    """The transaction at `offset`, and the offset after it, as of all below."""
    _, high, low = _SETTLE.unpack_from(data, offset)
    return Settle(high << 16 | low), offset + _SETTLE.size


def encode_liquidation(tx: Flag | Bid) -> bytes:
    """A flag has mode 0, a bid mode 1."""
    if isinstance(tx, Flag):
        return _ACCOUNT.pack(8, 0, *u24(tx.account))
    return _BID.pack(
        8, 1, *u24(tx.account), *u24(tx.liquidator), tx.fraction, tx.limit, tx.nonce, tx.expiry >> 32, tx.expiry & LOW,
        word(tx.signature, SIGNATURE_SIZE),
    )  # fmt: skip


def decode_liquidation(data: bytes, offset: int) -> tuple[Flag | Bid, int]:
    """A flag or a bid."""
    _, mode, high, low = _ACCOUNT.unpack_from(data, offset)
    account = high << 16 | low
    if mode == 0:
        return Flag(account), offset + _ACCOUNT.size
    if mode > 1:
        raise Undecodable(f"liquidation mode {mode}")
    *_, high, low, fraction, limit, nonce, eh, el, signature = _BID.unpack_from(data, offset)
    return Bid(account, high << 16 | low, fraction, limit, nonce, eh << 32 | el, signature), offset + _BID.size


def encode_deleveraging(tx: Deleverage | WriteOff) -> bytes:
    """A write-off has mode 1."""
    if isinstance(tx, WriteOff):
        return _ACCOUNT.pack(9, 1, *u24(tx.account))
    return _DELEVERAGE.pack(
        9, 0, *u24(tx.account), *u24(tx.counterparty), tx.market, tx.size >> 32, tx.size & LOW
    )  # fmt: skip


def decode_deleveraging(data: bytes, offset: int) -> tuple[Deleverage | WriteOff, int]:
    """A deleveraging or a write-off."""
    _, mode, high, low = _ACCOUNT.unpack_from(data, offset)
    account = high << 16 | low
    if mode == 1:
        return WriteOff(account), offset + _ACCOUNT.size
    if mode > 1:
        raise Undecodable(f"deleveraging mode {mode}")
    *_, high, low, market, sh, sl = _DELEVERAGE.unpack_from(data, offset)
    return Deleverage(account, high << 16 | low, market, sh << 32 | sl), offset + _DELEVERAGE.size
