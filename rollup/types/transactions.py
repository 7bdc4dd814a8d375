"""Transactions and their canonical bytes (SPEC section 4): exactly one encoding per value, no padding.

A transaction carries its signatures (64 bytes, EIP-2098). Amounts are µUSD, prices µUSD per coin, sizes µcoin, times
seconds.
Decoding raises Undecodable, encoding raises Unencodable when a field does not fit. Trades, combos, oracle updates and
what ends positions have modules of their own; all names can be had from here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Final

from rollup.errors import Undecodable, Unencodable
from rollup.types.combos import ComboTrade, Leg, decode_combo, encode_combo
from rollup.types.fields import SIGNATURE_SIZE, u24, word
from rollup.types.liquidations import (
    Bid,
    Deleverage,
    Flag,
    Settle,
    WriteOff,
    decode_deleveraging,
    decode_liquidation,
    decode_settle,
    encode_deleveraging,
    encode_liquidation,
    encode_settle,
)
from rollup.types.orders import (
    FLAG_IMMEDIATE,
    FLAG_POST_ONLY,
    FLAG_REDUCE_ONLY,
    FLAG_SELL,
    ORDER_FLAGS,
    FreshOrder,
    OrderRef,
    Trade,
    decode_trade,
    encode_trade,
)
from rollup.types.prices import (
    OracleUpdate,
    SurfaceUpdate,
    decode_oracle_update,
    decode_surface_update,
    encode_oracle_update,
    encode_surface_update,
)
from rollup.types.value import value

__all__ = [
    "EMPTY_SIGNATURE", "FLAG_IMMEDIATE", "FLAG_POST_ONLY", "FLAG_REDUCE_ONLY", "FLAG_SELL", "ORDER_FLAGS",
    "SIGNATURE_SIZE", "Bid", "Cancel", "ComboTrade", "Deleverage", "Flag", "FreshOrder", "Leg", "OracleUpdate",
    "OrderRef", "SetSigner", "Settle", "SurfaceUpdate", "Trade", "Transaction", "TransactionType", "Transfer",
    "Withdraw", "WriteOff", "decode_transaction", "decode_transactions", "encode_transaction",
]  # fmt: skip

EMPTY_SIGNATURE: Final = bytes(SIGNATURE_SIZE)
"""Inside a forced message it stands for the L1 sender's own word."""


class TransactionType(IntEnum):
    """First byte of a transaction."""

    TRADE = 1
    CANCEL = 2
    WITHDRAW = 3
    TRANSFER = 4
    SET_SIGNER = 5
    ORACLE_UPDATE = 6
    SETTLE = 7
    LIQUIDATE = 8
    DELEVERAGE = 9
    COMBO_TRADE = 10
    SURFACE_UPDATE = 11


@value(frozen=True, slots=True)
class Cancel:
    """A hard cancel: of one nonce, or (`cancel_all`) of every order with a nonce below it."""

    account: int
    cancel_all: bool
    nonce: int
    signature: bytes


@value(frozen=True, slots=True)
class Withdraw:
    """Raise what the account may claim on L1 by `amount`."""

    account: int
    amount: int
    nonce: int
    signature: bytes


@value(frozen=True, slots=True)
class Transfer:
    """Move cash to another account, or (`recipient` INSURANCE_FUND) into the insurance fund."""

    sender: int
    recipient: int
    amount: int
    nonce: int
    signature: bytes


@value(frozen=True, slots=True)
class SetSigner:
    """Set the account's session signer; the zero address removes it."""

    account: int
    signer: bytes
    nonce: int
    signature: bytes


Transaction = (
    Trade | Cancel | Withdraw | Transfer | SetSigner | OracleUpdate | Settle | Flag | Bid | Deleverage | WriteOff
    | ComboTrade | SurfaceUpdate
)  # fmt: skip

_CANCEL: Final = struct.Struct(">BBHBQ64s")
_WITHDRAW: Final = struct.Struct(">BBHQQ64s")
_TRANSFER: Final = struct.Struct(">BBHBHQQ64s")
_SET_SIGNER: Final = struct.Struct(">BBH20sQ64s")


def encode_transaction(tx: Transaction) -> bytes:
    """The canonical bytes of `tx`."""
    try:
        return _encode(tx)
    except struct.error as error:
        raise Unencodable(f"{type(tx).__name__}: {error}") from error


def decode_transaction(data: bytes, offset: int = 0) -> tuple[Transaction, int]:
    """The transaction that starts at `offset`, and the offset after it."""
    if not 0 <= offset < len(data):
        raise Undecodable("no transaction here")
    decode = _DECODERS.get(data[offset])
    if decode is None:
        raise Undecodable(f"transaction type {data[offset]}")
    try:
        return decode(data, offset)
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


def _encode(tx: Transaction) -> bytes:
    match tx:
        case Trade():
            return encode_trade(tx)
        case Cancel(account, cancel_all, nonce, signature):
            return _CANCEL.pack(2, *u24(account), bool(cancel_all), nonce, word(signature, SIGNATURE_SIZE))
        case Withdraw(account, amount, nonce, signature):
            return _WITHDRAW.pack(3, *u24(account), amount, nonce, word(signature, SIGNATURE_SIZE))
        case Transfer(sender, recipient, amount, nonce, signature):
            return _TRANSFER.pack(4, *u24(sender), *u24(recipient), amount, nonce, word(signature, SIGNATURE_SIZE))
        case SetSigner(account, signer, nonce, signature):
            return _SET_SIGNER.pack(5, *u24(account), word(signer, 20), nonce, word(signature, SIGNATURE_SIZE))
        case OracleUpdate():
            return encode_oracle_update(tx)
        case Settle():
            return encode_settle(tx)
        case Flag() | Bid():
            return encode_liquidation(tx)
        case Deleverage() | WriteOff():
            return encode_deleveraging(tx)
        case ComboTrade():
            return encode_combo(tx)
        case SurfaceUpdate():
            return encode_surface_update(tx)


def _decode_cancel(data: bytes, offset: int) -> tuple[Cancel, int]:
    _, high, low, cancel_all, nonce, signature = _CANCEL.unpack_from(data, offset)
    if cancel_all > 1:
        raise Undecodable(f"cancel mode {cancel_all}")
    return Cancel(high << 16 | low, bool(cancel_all), nonce, signature), offset + _CANCEL.size


def _decode_withdraw(data: bytes, offset: int) -> tuple[Withdraw, int]:
    _, high, low, amount, nonce, signature = _WITHDRAW.unpack_from(data, offset)
    return Withdraw(high << 16 | low, amount, nonce, signature), offset + _WITHDRAW.size


def _decode_transfer(data: bytes, offset: int) -> tuple[Transfer, int]:
    _, fh, fl, th, tl, amount, nonce, signature = _TRANSFER.unpack_from(data, offset)
    return Transfer(fh << 16 | fl, th << 16 | tl, amount, nonce, signature), offset + _TRANSFER.size


def _decode_set_signer(data: bytes, offset: int) -> tuple[SetSigner, int]:
    _, high, low, signer, nonce, signature = _SET_SIGNER.unpack_from(data, offset)
    return SetSigner(high << 16 | low, signer, nonce, signature), offset + _SET_SIGNER.size


_DECODERS: Final[Mapping[int, Callable[[bytes, int], tuple[Transaction, int]]]] = {
    TransactionType.TRADE: decode_trade,
    TransactionType.CANCEL: _decode_cancel,
    TransactionType.WITHDRAW: _decode_withdraw,
    TransactionType.TRANSFER: _decode_transfer,
    TransactionType.SET_SIGNER: _decode_set_signer,
    TransactionType.ORACLE_UPDATE: decode_oracle_update,
    TransactionType.SETTLE: decode_settle,
    TransactionType.LIQUIDATE: decode_liquidation,
    TransactionType.DELEVERAGE: decode_deleveraging,
    TransactionType.COMBO_TRADE: decode_combo,
    TransactionType.SURFACE_UPDATE: decode_surface_update,
}
