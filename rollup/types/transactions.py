"""Transactions and their canonical bytes (SPEC section 4): exactly one encoding per value, no padding.

A transaction carries its signatures (64 bytes, EIP-2098). Amounts are µUSD, prices µUSD per coin, sizes µcoin, times
seconds.
Decoding raises Undecodable, encoding raises Unencodable when a field does not fit.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from rollup.errors import Undecodable, Unencodable
from rollup.types.value import value

SIGNATURE_SIZE: Final = 64
EMPTY_SIGNATURE: Final = bytes(SIGNATURE_SIZE)
"""Inside a forced message it stands for the L1 sender's own word."""

FLAG_SELL: Final = 1
FLAG_POST_ONLY: Final = 2
FLAG_REDUCE_ONLY: Final = 4
FLAG_IMMEDIATE: Final = 8
ORDER_FLAGS: Final = 0x0F


class TransactionType(IntEnum):
    """First byte of a transaction. 7 … 11 are reserved: settle, liquidate, deleverage, combo, surface."""

    TRADE = 1
    CANCEL = 2
    WITHDRAW = 3
    TRANSFER = 4
    SET_SIGNER = 5
    ORACLE_UPDATE = 6


@value(frozen=True, slots=True)
class FreshOrder:
    """An order with its terms and signature: what its first fill needs."""

    account: int
    market: int
    flags: int
    size: int
    price: int
    nonce: int
    expiry: int
    signature: bytes

    @property
    def is_sell(self) -> bool:
        """The side, from the flags."""
        return bool(self.flags & FLAG_SELL)


@value(frozen=True, slots=True)
class OrderRef:
    """A reference to an order whose terms already stand in the account's order slot."""

    account: int
    slot: int


@value(frozen=True, slots=True)
class Trade:
    """A fill of `fill` µcoin between two orders, at the maker's price."""

    maker: FreshOrder | OrderRef
    taker: FreshOrder | OrderRef
    fill: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """A hard cancel: of one nonce, or (`cancel_all`) of every order with a nonce below it."""

    account: int
    cancel_all: bool
    nonce: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Raise what the account may claim on L1 by `amount`."""

    account: int
    amount: int
    nonce: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Transfer:
    """Move cash between two accounts."""

    sender: int
    recipient: int
    amount: int
    nonce: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class SetSigner:
    """Set the account's session signer; the zero address removes it."""

    account: int
    signer: bytes
    nonce: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class OracleUpdate:
    """A price co-signed by the feeders whose bits stand in `signers`; one signature per bit, ascending."""

    underlying: int
    time: int
    spot: int
    mark: int
    signers: int
    signatures: tuple[bytes, ...]


Transaction = Trade | Cancel | Withdraw | Transfer | SetSigner | OracleUpdate

_LOW: Final = 0xFFFFFFFF
_U24: Final = (1 << 24) - 1
_TRADE: Final = struct.Struct(">BBHI")
_ORDER: Final = struct.Struct(">BHHBHIHIQBI64s")
_REFERENCE: Final = struct.Struct(">BHH")
_CANCEL: Final = struct.Struct(">BBHBQ64s")
_WITHDRAW: Final = struct.Struct(">BBHQQ64s")
_TRANSFER: Final = struct.Struct(">BBHBHQQ64s")
_SET_SIGNER: Final = struct.Struct(">BBH20sQ64s")
_ORACLE: Final = struct.Struct(">BHBIHIHIB")


def encode_transaction(tx: Transaction) -> bytes:
    """The canonical bytes of `tx`."""
    try:
        match tx:
            case Trade(maker, taker, fill):
                mode = isinstance(maker, FreshOrder) | isinstance(taker, FreshOrder) << 1
                return _TRADE.pack(1, mode, fill >> 32, fill & _LOW) + _encode_side(maker) + _encode_side(taker)
            case Cancel(account, cancel_all, nonce, signature):
                return _CANCEL.pack(2, *_u24(account), bool(cancel_all), nonce, _sized(signature, 64))
            case Withdraw(account, amount, nonce, signature):
                return _WITHDRAW.pack(3, *_u24(account), amount, nonce, _sized(signature, 64))
            case Transfer(sender, recipient, amount, nonce, signature):
                return _TRANSFER.pack(4, *_u24(sender), *_u24(recipient), amount, nonce, _sized(signature, 64))
            case SetSigner(account, signer, nonce, signature):
                return _SET_SIGNER.pack(5, *_u24(account), _sized(signer, 20), nonce, _sized(signature, 64))
            case OracleUpdate():
                return _encode_oracle_update(tx)
    except struct.error as error:
        raise Unencodable(f"{type(tx).__name__}: {error}") from error


def decode_transaction(data: bytes, offset: int = 0) -> tuple[Transaction, int]:
    """The transaction that starts at `offset`, and the offset after it."""
    if not 0 <= offset < len(data):
        raise Undecodable("no transaction here")
    try:
        match data[offset]:
            case 1:
                return _decode_trade(data, offset)
            case 2:
                _, high, low, cancel_all, nonce, signature = _CANCEL.unpack_from(data, offset)
                if cancel_all > 1:
                    raise Undecodable(f"cancel mode {cancel_all}")
                return Cancel(high << 16 | low, bool(cancel_all), nonce, signature), offset + _CANCEL.size
            case 3:
                _, high, low, amount, nonce, signature = _WITHDRAW.unpack_from(data, offset)
                return Withdraw(high << 16 | low, amount, nonce, signature), offset + _WITHDRAW.size
            case 4:
                _, fh, fl, th, tl, amount, nonce, signature = _TRANSFER.unpack_from(data, offset)
                return Transfer(fh << 16 | fl, th << 16 | tl, amount, nonce, signature), offset + _TRANSFER.size
            case 5:
                _, high, low, signer, nonce, signature = _SET_SIGNER.unpack_from(data, offset)
                return SetSigner(high << 16 | low, signer, nonce, signature), offset + _SET_SIGNER.size
            case 6:
                return _decode_oracle_update(data, offset)
            case kind:
                raise Undecodable(f"transaction type {kind}")
    except struct.error as error:
        raise Undecodable("transaction cut short") from error


def decode_transactions(data: bytes) -> list[Transaction]:
    """All transactions of `data`, which they fill exactly."""
    found: list[Transaction] = []
    offset = 0
    while offset < len(data):
        tx, offset = decode_transaction(data, offset)
        found.append(tx)
    return found


def _encode_side(side: FreshOrder | OrderRef) -> bytes:
    if isinstance(side, OrderRef):
        if not 0 <= side.slot < 8192:
            raise Unencodable(f"slot {side.slot}")
        return _REFERENCE.pack(*_u24(side.account), side.slot)
    if side.flags & ~ORDER_FLAGS:
        raise Unencodable(f"order flags {side.flags:#x}")
    return _ORDER.pack(
        *_u24(side.account), side.market, side.flags, side.size >> 32, side.size & _LOW, side.price >> 32,
        side.price & _LOW, side.nonce, side.expiry >> 32, side.expiry & _LOW, _sized(side.signature, 64),
    )  # fmt: skip


def _encode_oracle_update(tx: OracleUpdate) -> bytes:
    if tx.signers.bit_count() != len(tx.signatures):
        raise Unencodable(f"oracle update: {len(tx.signatures)} signatures for signers {tx.signers:#x}")
    head = _ORACLE.pack(
        6, tx.underlying, tx.time >> 32, tx.time & _LOW, tx.spot >> 32, tx.spot & _LOW, tx.mark >> 32, tx.mark & _LOW,
        tx.signers,
    )  # fmt: skip
    return head + b"".join(_sized(signature, SIGNATURE_SIZE) for signature in tx.signatures)


def _decode_trade(data: bytes, offset: int) -> tuple[Trade, int]:
    _, mode, high, low = _TRADE.unpack_from(data, offset)
    if mode > 3:
        raise Undecodable(f"trade mode {mode:#x}")
    maker, offset = _decode_side(data, offset + _TRADE.size, mode & 1)
    taker, offset = _decode_side(data, offset, mode & 2)
    return Trade(maker, taker, high << 32 | low), offset


def _decode_side(data: bytes, offset: int, fresh: int) -> tuple[FreshOrder | OrderRef, int]:
    if not fresh:
        high, low, slot = _REFERENCE.unpack_from(data, offset)
        if slot >= 8192:
            raise Undecodable(f"slot {slot}")
        return OrderRef(high << 16 | low, slot), offset + _REFERENCE.size
    ah, al, market, flags, sh, sl, ph, pl, nonce, eh, el, signature = _ORDER.unpack_from(data, offset)
    if flags & ~ORDER_FLAGS:
        raise Undecodable(f"order flags {flags:#x}")
    order = FreshOrder(ah << 16 | al, market, flags, sh << 32 | sl, ph << 32 | pl, nonce, eh << 32 | el, signature)
    return order, offset + _ORDER.size


def _decode_oracle_update(data: bytes, offset: int) -> tuple[OracleUpdate, int]:
    _, underlying, th, tl, sh, sl, mh, ml, signers = _ORACLE.unpack_from(data, offset)
    start = offset + _ORACLE.size
    end = start + SIGNATURE_SIZE * signers.bit_count()
    if end > len(data):
        raise Undecodable("oracle update cut short")
    signatures = tuple(data[at : at + SIGNATURE_SIZE] for at in range(start, end, SIGNATURE_SIZE))
    return OracleUpdate(underlying, th << 32 | tl, sh << 32 | sl, mh << 32 | ml, signers, signatures), end


def _u24(value: int) -> tuple[int, int]:
    if 0 <= value <= _U24:
        return value >> 16, value & 0xFFFF
    raise Unencodable(f"account {value}")


def _sized(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise Unencodable(f"{size} bytes expected, {len(data)} given")
    return data
