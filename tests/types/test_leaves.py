"""State leaves: sizes, round trips, canonical bytes only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.errors import Undecodable, Unencodable
from rollup.types.leaves import Account, Globals, Market, OracleSet, Position, Series, Slot, Underlying


def u(bits: int) -> st.SearchStrategy[int]:
    """Unsigned numbers of so many bits."""
    return st.integers(0, 2**bits - 1)


i32 = st.integers(-(2**31), 2**31 - 1)
i48 = st.integers(-(2**47), 2**47 - 1)
i64 = st.integers(-(2**63), 2**63 - 1)
address = st.binary(min_size=20, max_size=20)
positions = st.lists(
    st.builds(Position, u(16), i64.filter(bool), i64), max_size=32, unique_by=lambda position: position.market
).map(lambda found: tuple(sorted(found, key=lambda position: position.market)))

globals_ = st.builds(
    Globals,
    u(40),
    st.binary(min_size=32, max_size=32),
    u(40),
    u(64),
    u(64),
    u(64),
    u(64),
    u(24),
    u(64),
    u(24),
    st.integers(1, 2**32 - 1),
)
oracle_sets = st.lists(address, min_size=1, max_size=8).flatmap(
    lambda feeders: st.builds(OracleSet, st.integers(1, len(feeders)), st.just(tuple(feeders)))
)
underlyings = st.builds(Underlying, u(48), u(48), u(40), i64, u(40), *[u(32)] * 14, u(48), u(40), u(40))
series = st.builds(Series, u(40), u(40), u(48), i48, u(48), i32, i48, u(48), u(32), u(48), u(96), u(32))
markets = st.builds(
    Market,
    st.integers(0, 3),
    u(16),
    u(16),
    u(48),
    u(40),
    u(48),
    u(48),
    u(32),
    u(32),
    u(32),
    u(32),
    u(64),
    u(64),
    u(64),
    i64,
)
accounts = st.builds(Account, address, address, i64, u(64), u(64), u(64), positions, st.integers(0, 2), u(40))
slots = st.builds(Slot, u(64), u(16), u(4), u(48), u(48), u(40), u(48))
leaves = st.one_of(globals_, oracle_sets, underlyings, series, markets, accounts, slots)
LEAF_TYPES = (Globals, OracleSet, Underlying, Series, Market, Account, Slot)


@given(leaves)
def test_a_leaf_survives_its_encoding(leaf: Any) -> None:
    """Decoding gives back what was encoded, at the size the spec states."""
    data = leaf.encode()
    assert type(leaf).decode(data) == leaf
    fixed = {Globals: 92, Underlying: 102, Series: 70, Market: 76, Slot: 34}
    if isinstance(leaf, Account):
        assert len(data) == 79 + 18 * len(leaf.positions)
    elif isinstance(leaf, OracleSet):
        assert len(data) == 2 + 20 * len(leaf.feeders)
    else:
        assert len(data) == fixed[type(leaf)]


@given(st.sampled_from(LEAF_TYPES), st.one_of(st.binary(max_size=140), leaves.map(lambda leaf: leaf.encode())))
def test_whatever_decodes_is_canonical(kind: Any, data: bytes) -> None:
    """No leaf has a second encoding: decoded bytes encode to themselves, others are refused."""
    try:
        leaf = kind.decode(data)
    except Undecodable:
        return
    assert leaf.encode() == data


@given(leaves, st.data())
def test_a_cut_or_padded_leaf_is_refused(leaf: Any, data: st.DataObject) -> None:
    """Every byte counts."""
    encoded = leaf.encode()
    cut = data.draw(st.integers(0, len(encoded) - 1))
    for wrong in (encoded[:cut], encoded + b"\0"):
        with pytest.raises(Undecodable):
            type(leaf).decode(wrong)


ACCOUNT = Account(bytes(20), bytes(20), 0, 0, 0, 0, (Position(1, 5, 0), Position(2, -5, 0)))


@pytest.mark.parametrize(
    "broken",
    [
        Account(bytes(19), bytes(20), 0, 0, 0, 0),
        replace(ACCOUNT, cash=1 << 63),
        replace(ACCOUNT, withdrawn=-1),
        replace(ACCOUNT, positions=ACCOUNT.positions[::-1]),
        replace(ACCOUNT, positions=(Position(1, 0, 0),)),
        replace(ACCOUNT, positions=(Position(1, 1, 0), Position(1, 1, 0))),
        replace(ACCOUNT, positions=tuple(Position(market, 1, 0) for market in range(33))),
        Slot(0, 0, 16, 1, 1, 0, 0),
        Slot(0, 0, 0, 1 << 48, 1, 0, 0),
        Globals(0, bytes(31), 0, 0, 0, 0, 0, 0),
        Globals(1 << 40, bytes(32), 0, 0, 0, 0, 0, 0),
        Globals(0, bytes(32), 0, 0, 0, 0, 0, 1 << 24),
        Underlying(1 << 48, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        Market(4, *[0] * 14),
        Market(0, 1 << 16, *[0] * 13),
        Series(1 << 40),
        Series(1, a=1 << 47),
        Series(1, sum=1 << 96),
        replace(ACCOUNT, status=3),
        replace(ACCOUNT, flagged=1 << 40),
        Globals(0, bytes(32), 0, 0, 0, 0, 0, 0, insolvent=1 << 24),
        Globals(0, bytes(32), 0, 0, 0, 0, 0, 0, auction=0),
        OracleSet(0, (bytes(20),)),
        OracleSet(2, (bytes(20),)),
        OracleSet(1, (bytes(20),) * 9),
        OracleSet(1, (bytes(21),)),
    ],
)
def test_a_leaf_that_does_not_fit_has_no_encoding(broken: Any) -> None:
    """Nothing is truncated or wrapped on its way into the state."""
    with pytest.raises(Unencodable):
        broken.encode()


def test_unsorted_and_empty_positions_are_refused_on_decoding() -> None:
    """Bytes that name a market twice, out of order or with size 0 are not an account."""
    head = replace(ACCOUNT, positions=()).encode()[:-1]
    one, two = (ACCOUNT.encode()[79:97], ACCOUNT.encode()[97:])
    zero = one[:2] + bytes(16)
    for count, body in ((2, two + one), (2, one + one), (1, zero), (33, one)):
        with pytest.raises(Undecodable):
            Account.decode(head + bytes([count]) + body)


def test_position_in_finds_the_signed_size() -> None:
    """A market without a position counts as zero."""
    assert [ACCOUNT.position_in(market) for market in (1, 2, 3)] == [5, -5, 0]
