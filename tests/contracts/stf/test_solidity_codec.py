"""Leaves and transactions have the same bytes in both twins."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rollup.crypto.keccak import keccak
from rollup.errors import Undecodable
from rollup.types.accounts import Account, Position, Slot, Status
from rollup.types.keys import GLOBALS, ORACLE_SET, account_key, market_key, series_key, slot_key, underlying_key
from rollup.types.leaves import Globals, Market, MarketKind, OracleSet, Series, Underlying
from rollup.types.transactions import decode_transaction
from tests.support.evm import Contract, Reverted, contract


def unsigned(bits: int) -> st.SearchStrategy[int]:
    """All values of a field, its ends more often."""
    top = (1 << bits) - 1
    return st.integers(0, top) | st.sampled_from([0, 1, top >> 1, (top >> 1) + 1, top])


def signed(bits: int) -> st.SearchStrategy[int]:
    """All values of a two's complement field, its ends more often."""
    low = -(1 << bits - 1)
    return st.integers(low, -low - 1) | st.sampled_from([low, -1, 0, -low - 1])


ADDRESS = st.binary(min_size=20, max_size=20)
WORD = st.binary(min_size=32, max_size=32)
GLOBALS_LEAF = st.builds(
    Globals, unsigned(40), WORD, unsigned(40), unsigned(64), unsigned(64), unsigned(64), unsigned(64), unsigned(24),
    unsigned(64), unsigned(24), unsigned(32).map(lambda auction: auction or 1),
)  # fmt: skip
UNDERLYINGS = st.builds(
    Underlying, unsigned(48), unsigned(48), unsigned(40), signed(64), unsigned(40),
    *[unsigned(32).map(lambda value: value or 1) for _ in range(14)], unsigned(48), unsigned(40), unsigned(40),
)  # fmt: skip
SERIES = st.builds(
    Series, unsigned(40), unsigned(40), unsigned(48), signed(48), unsigned(48), signed(32), signed(48), unsigned(48),
    unsigned(32), unsigned(48), unsigned(96), unsigned(32),
)  # fmt: skip
MARKETS = st.builds(
    Market, st.sampled_from(MarketKind), unsigned(16), unsigned(16), unsigned(48), unsigned(40), unsigned(48),
    unsigned(48), unsigned(32), unsigned(32), unsigned(32), unsigned(32), unsigned(64), unsigned(64), unsigned(64),
    signed(64),
)  # fmt: skip
POSITIONS = st.dictionaries(unsigned(16), st.tuples(signed(64).filter(bool), signed(64)), max_size=32).map(
    lambda held: tuple(Position(market, *held[market]) for market in sorted(held))
)
ACCOUNTS = st.builds(
    Account, ADDRESS, ADDRESS, signed(64), unsigned(64), unsigned(64), unsigned(64), POSITIONS,
    st.sampled_from(Status), unsigned(40),
)  # fmt: skip
SLOTS = st.builds(
    Slot, unsigned(64), unsigned(16), st.integers(0, 15), unsigned(48), unsigned(48), unsigned(40), unsigned(48)
)
LEAVES = st.one_of(
    st.tuples(st.just(GLOBALS), GLOBALS_LEAF.map(Globals.encode)),
    st.tuples(unsigned(16).map(underlying_key), UNDERLYINGS.map(Underlying.encode)),
    st.tuples(st.builds(series_key, unsigned(16), unsigned(16)), SERIES.map(Series.encode)),
    st.tuples(unsigned(16).map(market_key), MARKETS.map(Market.encode)),
    st.tuples(unsigned(24).map(account_key), ACCOUNTS.map(Account.encode)),
    st.tuples(st.builds(slot_key, unsigned(24), unsigned(64)), SLOTS.map(Slot.encode)),
)


@pytest.fixture(scope="module")
def libraries() -> Contract:
    """The libraries behind external functions."""
    return contract("StfLibraries")


@settings(deadline=None, max_examples=300)
@given(leaf=LEAVES)
def test_leaf_survives_decoding_and_encoding(libraries: Contract, leaf: tuple[int, bytes]) -> None:
    """Every field keeps every value of its range, in its place."""
    key, value = leaf
    assert libraries.call("reencode", key, value) == (keccak(value), keccak(value))


@pytest.mark.parametrize("key", [underlying_key(3), series_key(3, 1), market_key(3), account_key(3), slot_key(3, 9)])
def test_absent_leaf_stays_absent(libraries: Contract, key: int) -> None:
    """A leaf that is touched and not written keeps the zero hash."""
    assert libraries.call("reencode", key, b"") == (bytes(32), bytes(32))


@settings(deadline=None)
@given(leaf=LEAVES, change=st.sampled_from([-1, 1, 18]))
def test_leaf_of_wrong_length_reverts(libraries: Contract, leaf: tuple[int, bytes], change: int) -> None:
    """A value that is no leaf of its kind is a fault of the proof."""
    key, value = leaf
    wrong = value[:change] if change < 0 else value + bytes(change)
    with pytest.raises(Reverted) as caught:
        libraries.call("reencode", key, wrong)
    assert caught.value.name == "MalformedLeaf"


def test_oracle_set_of_wrong_length_reverts(libraries: Contract) -> None:
    """Its count says how long it must be."""
    value = OracleSet(1, (b"\x01" * 20, b"\x02" * 20)).encode()
    assert libraries.call("reencode", ORACLE_SET, value) == (keccak(value), keccak(value))
    for wrong in (value[:-1], value + b"\x00", b""):
        with pytest.raises(Reverted):
            libraries.call("reencode", ORACLE_SET, wrong)


def test_account_with_too_many_positions_reverts(libraries: Contract) -> None:
    """33 positions have no place in memory."""
    value = Account(b"\x01" * 20, bytes(20), 0, 0, 0, 0).encode()[:-1] + bytes([33]) + bytes(33 * 18)
    with pytest.raises(Reverted) as caught:
        libraries.call("reencode", account_key(1), value)
    assert caught.value.name == "MalformedLeaf"


def python_length(data: bytes) -> int:
    """Length of the transaction at the start, 0 if there is none."""
    try:
        return decode_transaction(data)[1]
    except Undecodable:
        return 0


HEADS = st.builds(
    lambda kind, second, rest: bytes([kind, second]) + rest,
    st.integers(0, 13),
    st.integers(0, 5) | st.integers(0, 255),
    st.binary(max_size=24),
)


@settings(deadline=None, max_examples=400)
@given(head=HEADS, size=st.integers(0, 560), fill=st.sampled_from([0, 1, 2, 3, 15, 16, 31, 32, 255]))
@example(head=b"", size=0, fill=0)
@example(head=b"\x01\x03" + bytes(11) + b"\x10", size=198, fill=0)
@example(head=b"\x01\x04" + bytes(11), size=198, fill=0)
@example(head=b"\x02\x00\x00\x00\x02", size=77, fill=0)
def test_transactions_end_where_python_says(libraries: Contract, head: bytes, size: int, fill: int) -> None:
    """Both twins find the same length, or the same bytes undecodable."""
    data = (head + bytes([fill]) * size)[:size]
    assert libraries.call("transactionLength", data) == python_length(data)


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        (1, 18),
        (2, 77),
        (3, 84),
        (4, 87),
        (5, 96),
        (6, 21),
        (7, 4),
        (8, 5),
        (9, 16),
        (11, 49),
        (0, 0),
        (10, 0),
        (12, 0),
        (255, 0),
    ],
)
def test_shortest_transaction_of_each_kind(libraries: Contract, kind: int, size: int) -> None:
    """Zeros behind the type are the shortest transaction; one byte less is none, and reserved types are none at all."""
    data = bytes([kind]) + bytes(99)
    assert libraries.call("transactionLength", data[: size or 100]) == size == python_length(data[: size or 100])
    assert libraries.call("transactionLength", data[: size - 1] if size else data) == 0
