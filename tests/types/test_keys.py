"""Keys of the state tree."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.errors import Undecodable, Unencodable
from rollup.types import keys
from rollup.types.keys import KeyKind

u16 = st.integers(0, 0xFFFF)
u24 = st.integers(0, 0xFFFFFF)
u64 = st.integers(0, 2**64 - 1)


@given(u16, u16, u24, u64)
def test_keys_know_their_kind_and_index(number: int, series: int, account: int, nonce: int) -> None:
    """Every constructor's key is recognised as its kind and gives back its number."""
    assert keys.kind_of(keys.underlying_key(number)) is KeyKind.UNDERLYING
    assert keys.kind_of(keys.market_key(number)) is KeyKind.MARKET
    assert keys.kind_of(keys.series_key(number, series)) is KeyKind.SERIES
    assert keys.kind_of(keys.account_key(account)) is KeyKind.ACCOUNT
    assert keys.kind_of(keys.slot_key(account, nonce)) is KeyKind.SLOT
    assert keys.index_of(keys.market_key(number)) == keys.index_of(keys.underlying_key(number)) == number
    assert keys.index_of(keys.series_key(number, series)) == series
    assert keys.underlying_of(keys.series_key(number, series)) == number
    assert keys.index_of(keys.account_key(account)) == keys.account_of(keys.slot_key(account, nonce)) == account
    assert keys.index_of(keys.slot_key(account, nonce)) == nonce % 8192


def test_keys_have_the_bits_of_the_spec() -> None:
    """The layout is consensus, so literal values are pinned."""
    assert (keys.GLOBALS, keys.ORACLE_SET) == (0, 1)
    assert keys.underlying_key(1) == 0x01_0000_0001
    assert keys.series_key(1, 2) == 0x02_0001_0002
    assert keys.market_key(7) == 0x03_0000_0007
    assert keys.account_key(0xFFFFFF) == 0x7F_FFFF_C000
    assert keys.slot_key(1, 8192 + 5) == (1 << 38) | (1 << 14) | 8192 | 5


@given(st.integers(-1, 2**40))
def test_kind_of_any_number_is_a_kind_or_refused(key: int) -> None:
    """No key has two readings: a recognised key is the one its own parts build."""
    try:
        kind = keys.kind_of(key)
    except Undecodable:
        return
    builders: dict[KeyKind, Callable[[], int]] = {
        KeyKind.UNDERLYING: lambda: keys.underlying_key(keys.index_of(key)),
        KeyKind.MARKET: lambda: keys.market_key(keys.index_of(key)),
        KeyKind.ACCOUNT: lambda: keys.account_key(keys.index_of(key)),
        KeyKind.SLOT: lambda: keys.slot_key(keys.account_of(key), keys.index_of(key)),
        KeyKind.SERIES: lambda: keys.series_key(key >> 16 & 0xFFFF, key & 0xFFFF),
        KeyKind.GLOBALS: lambda: keys.GLOBALS,
        KeyKind.ORACLE_SET: lambda: keys.ORACLE_SET,
    }
    assert builders[kind]() == key


@pytest.mark.parametrize(
    "key", [-1, 2, 1 << 31, (1 << 32) + 0x10000, (3 << 32) + 0x10000, 4 << 32, (1 << 38) + 1, (1 << 38) + 8191, 1 << 39]
)
def test_kind_of_a_stray_key_is_refused(key: int) -> None:
    """Keys between the ranges hold nothing."""
    with pytest.raises(Undecodable):
        keys.kind_of(key)


@pytest.mark.parametrize("number", [-1, 1 << 24])
def test_numbers_outside_of_their_field_have_no_key(number: int) -> None:
    """A number too large never runs over into another leaf."""
    for build in (keys.underlying_key, keys.market_key, keys.account_key):
        with pytest.raises(Unencodable):
            build(number)
