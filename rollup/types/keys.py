"""Keys of the state tree: 40 bits, kind (2 bits) ‖ index (38 bits). See SPEC section 2."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from rollup.errors import Undecodable, Unencodable
from rollup.types.limits import MAX_ACCOUNT, SLOT_COUNT

KEY_BITS: Final = 40
GLOBALS: Final = 0
ORACLE_SET: Final = 1

_UNDERLYINGS: Final = 1 << 32
_SERIES: Final = 2 << 32
_MARKETS: Final = 3 << 32
_ACCOUNTS: Final = 1 << 38
_ACCOUNTS_END: Final = 2 << 38
_SUBSLOT_BITS: Final = 14
_SUBSLOT_MASK: Final = (1 << _SUBSLOT_BITS) - 1
_U16: Final = 0xFFFF


class KeyKind(IntEnum):
    """What stands under a key."""

    GLOBALS = 0
    ORACLE_SET = 1
    UNDERLYING = 2
    SERIES = 3
    MARKET = 4
    ACCOUNT = 5
    SLOT = 6


def underlying_key(underlying: int) -> int:
    """Key of an underlying (u16)."""
    if not 0 <= underlying <= _U16:
        raise _outside(underlying, _U16, "underlying")
    return _UNDERLYINGS | underlying


def series_key(underlying: int, series: int) -> int:
    """Key of a series (u16), one expiry, of an underlying (u16)."""
    return _SERIES | _bounded(underlying, _U16, "underlying") << 16 | _bounded(series, _U16, "series")


def market_key(market: int) -> int:
    """Key of a market (u16)."""
    if not 0 <= market <= _U16:
        raise _outside(market, _U16, "market")
    return _MARKETS | market


def account_key(account: int) -> int:
    """Key of an account (u24)."""
    if not 0 <= account <= MAX_ACCOUNT:
        raise _outside(account, MAX_ACCOUNT, "account")
    return _ACCOUNTS | account << _SUBSLOT_BITS


def slot_key(account: int, nonce: int) -> int:
    """Key of the order slot that `nonce` falls into; a slot number below 8192 is its own nonce."""
    return account_key(account) | SLOT_COUNT | (nonce & (SLOT_COUNT - 1))


def kind_of(key: int) -> KeyKind:
    """The kind of a key; raises Undecodable for a key under which nothing can ever stand."""
    if key >= _ACCOUNTS:
        return _kind_of_account_key(key)
    if key <= ORACLE_SET:
        if key < 0:
            raise Undecodable(f"key {key} is negative")
        return KeyKind.ORACLE_SET if key else KeyKind.GLOBALS
    family, index = key >> 32, key & 0xFFFFFFFF
    if family == 1 and index <= _U16:
        return KeyKind.UNDERLYING
    if family == 2:
        return KeyKind.SERIES
    if family == 3 and index <= _U16:
        return KeyKind.MARKET
    raise Undecodable(f"key {key:#x} belongs to no kind")


def account_of(key: int) -> int:
    """The account that an account key or a slot key belongs to."""
    return (key - _ACCOUNTS) >> _SUBSLOT_BITS


def index_of(key: int) -> int:
    """The u16 number of an underlying, series or market key, the account of an account key, the slot of a slot key."""
    kind = kind_of(key)
    if kind is KeyKind.ACCOUNT:
        return account_of(key)
    return key & (SLOT_COUNT - 1) if kind is KeyKind.SLOT else key & _U16


def underlying_of(key: int) -> int:
    """The underlying (u16) that a series key belongs to."""
    return key >> 16 & _U16


def _kind_of_account_key(key: int) -> KeyKind:
    subslot = key & _SUBSLOT_MASK
    if key < _ACCOUNTS_END:
        if subslot == 0:
            return KeyKind.ACCOUNT
        if subslot >= SLOT_COUNT:
            return KeyKind.SLOT
    raise Undecodable(f"key {key:#x} belongs to no kind")


def _bounded(value: int, maximum: int, name: str) -> int:
    if 0 <= value <= maximum:
        return value
    raise _outside(value, maximum, name)


def _outside(value: int, maximum: int, name: str) -> Unencodable:
    return Unencodable(f"{name} {value} is outside 0 … {maximum}")
