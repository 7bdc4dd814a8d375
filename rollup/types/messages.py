"""Inbox messages: what L1 tells the rollup, in the order in which L1 was told (SPEC sections 4 and 7)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from rollup.errors import Undecodable, Unencodable
from rollup.types.fields import LOW
from rollup.types.limits import MAX_ACCOUNT
from rollup.types.listing import Item, decode_item, encode_item


@dataclass(frozen=True, slots=True)
class Open:
    """A new account with its first deposit (µUSD). L1 numbers accounts."""

    account: int
    owner: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class Deposit:
    """Money (µUSD) for an account that exists."""

    account: int
    amount: int


@dataclass(frozen=True, slots=True)
class Forced:
    """A transaction sent through L1 by `sender`; `data` is not yet known to be one."""

    sender: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class List:
    """The market admin's listing of an underlying, a series or a market, which opens at `opens` (s)."""

    opens: int
    item: Item


Message = Open | Deposit | Forced | List

_OPEN: Final = struct.Struct(">BBH20sQ")
_DEPOSIT: Final = struct.Struct(">BBHQ")
_FORCED_HEAD: Final = 21
_LIST: Final = struct.Struct(">BBI")


def encode_message(message: Message) -> bytes:
    """The canonical bytes of `message`, as the Inbox contract emits them."""
    if isinstance(message, Forced):
        return b"\x03" + _address(message.sender) + message.data
    try:
        if isinstance(message, List):
            return _LIST.pack(4, message.opens >> 32, message.opens & LOW) + encode_item(message.item)
        if not 0 <= message.account <= MAX_ACCOUNT:
            raise Unencodable(f"account {message.account}")
        high, low = message.account >> 16, message.account & 0xFFFF
        if isinstance(message, Open):
            return _OPEN.pack(1, high, low, _address(message.owner), message.amount)
        return _DEPOSIT.pack(2, high, low, message.amount)
    except struct.error as error:
        raise Unencodable(f"{type(message).__name__}: {error}") from error


def decode_message(data: bytes) -> Message:
    """Inverse of `encode_message`; raises Undecodable for bytes of no kind or of a wrong length."""
    kind, size = (data[0] if data else 0), len(data)
    if kind == 1 and size == _OPEN.size:
        _, high, low, owner, amount = _OPEN.unpack(data)
        return Open(high << 16 | low, owner, amount)
    if kind == 2 and size == _DEPOSIT.size:
        _, high, low, amount = _DEPOSIT.unpack(data)
        return Deposit(high << 16 | low, amount)
    if kind == 3 and size >= _FORCED_HEAD:
        return Forced(data[1:_FORCED_HEAD], data[_FORCED_HEAD:])
    if kind == 4 and size >= _LIST.size:
        _, high, low = _LIST.unpack_from(data)
        return List(high << 32 | low, decode_item(data[_LIST.size :]))
    raise Undecodable(f"message of kind {kind} with {size} bytes")


def _address(data: bytes) -> bytes:
    if len(data) != 20:
        raise Unencodable(f"an address has 20 bytes, not {len(data)}")
    return data
