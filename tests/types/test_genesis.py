"""The genesis state and instrument names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.errors import ConfigError, Undecodable, Unencodable
from rollup.types.genesis import (
    BTC,
    Genesis,
    MarketConfig,
    SeriesConfig,
    UnderlyingConfig,
    decode_leaves,
    devnet_genesis,
    encode_leaves,
)
from rollup.types.instruments import Instruments, expiries_of, instrument_name
from rollup.types.keys import GLOBALS, ORACLE_SET, account_key, market_key, series_key, underlying_key
from rollup.types.leaves import Globals, Market, MarketKind, OracleSet, Series, Underlying

FEEDERS = (b"a" * 20, b"b" * 20, b"c" * 20)
DEVNET = devnet_genesis(1_700_000_000, FEEDERS, 2)
SERIES = SeriesConfig(BTC, 1, 1_798_185_600)


def with_market(**terms: Any) -> Genesis:
    """A genesis of one market with other terms."""
    return replace(DEVNET, markets=(replace(DEVNET.markets[0], **terms),))


def with_coin(**limits: Any) -> Genesis:
    """A genesis whose first coin has other limits."""
    return replace(DEVNET, underlyings=(replace(DEVNET.underlyings[0], **limits), DEVNET.underlyings[1]))


def test_the_devnet_genesis_lists_two_perpetuals() -> None:
    """Globals, oracle set, two coins without a price, two markets; the list of leaves gives them back."""
    leaves = DEVNET.leaves()
    assert sorted(leaves) == [GLOBALS, ORACLE_SET, *map(underlying_key, (1, 2)), *map(market_key, (1, 2))]
    assert Globals.decode(leaves[GLOBALS]).time == 1_700_000_000
    assert OracleSet.decode(leaves[ORACLE_SET]) == OracleSet(2, FEEDERS)
    assert Underlying.decode(leaves[underlying_key(1)]).time == 0
    markets = {number: Market.decode(leaves[market_key(number)]) for number in (1, 2)}
    assert Instruments.of(markets, {}).names == {1: "BTC-PERP", 2: "ETH-PERP"}
    assert Instruments.of(markets, {}).markets["ETH-PERP"] == 2
    assert decode_leaves(encode_leaves(leaves)) == leaves


@pytest.mark.parametrize(
    "genesis",
    [
        with_market(tick=100_001),
        with_market(tick=0),
        with_market(tick=1 << 48),
        with_market(lot=0),
        with_market(lot=7),
        with_market(max_position=(1 << 62) + 1),
        with_market(max_position=0),
        with_market(max_open_interest=(1 << 62) + 1),
        with_market(taker_fee=100_001),
        with_market(maker_fee=100_001),
        with_market(maker_fee=-1),
        with_market(band=1_000_001),
        with_market(contingency=1_000_001),
        with_market(series=1),
        with_market(kind=4),
        with_market(kind=MarketKind.FUTURE),
        with_market(kind=MarketKind.FUTURE, series=2),
        replace(with_market(kind=MarketKind.FUTURE, series=1, strike=1), series=(SERIES,)),
        replace(with_market(kind=MarketKind.CALL, series=1), series=(SERIES,)),
        replace(with_market(kind=MarketKind.PUT, series=1, strike=1 << 47), series=(SERIES,)),
        with_market(strike=1),
        replace(DEVNET, series=(SERIES, SERIES)),
        replace(DEVNET, series=(replace(SERIES, number=0),)),
        replace(DEVNET, series=(replace(SERIES, underlying=9),)),
        replace(DEVNET, series=(replace(SERIES, expiry=1_700_000_000),)),
        replace(DEVNET, auction=0),
        with_market(underlying=9),
        with_market(number=1 << 16),
        with_coin(spot_step=200_001),
        with_coin(spot_step=0),
        with_coin(funding_cap=1_000_001),
        with_coin(max_age=0),
        with_coin(max_age=86_401),
        with_coin(max_age=1 << 32),
        with_coin(max_move=0),
        with_coin(max_basis=1_000_001),
        with_coin(vol_up=1_000_001),
        with_coin(vol_down=1_000_001),
        with_coin(call_contingency=1_000_001),
        with_coin(confidence_factor=1_000_001),
        with_coin(max_vol_move=1_000_001),
        with_coin(halt_move=0),
        with_coin(halt_move=1_000_001),
        with_coin(halt_window=0),
        with_coin(halt_window=86_401),
        with_coin(halt_period=-1),
        with_coin(halt_period=86_401),
        with_coin(settlement_window=0),
        with_coin(settlement_window=86_401),
        with_coin(number=2),
        replace(DEVNET, threshold=0),
        replace(DEVNET, threshold=4),
        replace(DEVNET, feeders=FEEDERS[:1] * 2),
        replace(DEVNET, feeders=(bytes(20), *FEEDERS)),
        replace(DEVNET, feeders=tuple(bytes([n]) * 20 for n in range(1, 10))),
        replace(DEVNET, feeders=(b"short", *FEEDERS)),
        replace(DEVNET, time=-1),
        replace(DEVNET, markets=(DEVNET.markets[0], replace(DEVNET.markets[1], number=1))),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(genesis: Genesis) -> None:
    """There is no changing a market later, so everything is checked before the chain exists."""
    with pytest.raises(ConfigError):
        genesis.leaves()


def test_all_kinds_of_markets_can_be_listed() -> None:
    """Futures and options are named by the expiry of their series."""
    dated = {"underlying": BTC, "tick": 10_000_000, "lot": 10_000, "series": 1}
    strike = 60_000 * 1_000_000
    markets = (
        MarketConfig(3, kind=MarketKind.FUTURE, **dated),
        MarketConfig(4, kind=MarketKind.CALL, strike=strike, **dated),
        MarketConfig(5, kind=MarketKind.PUT, strike=strike + 500_000, **dated),
        MarketConfig(6, kind=MarketKind.FUTURE, **dated),
    )
    leaves = Genesis(0, FEEDERS, 1, (UnderlyingConfig(BTC),), markets, (SERIES,), auction=60).leaves()
    assert Globals.decode(leaves[GLOBALS]).auction == 60
    assert Series.decode(leaves[series_key(BTC, 1)]) == Series(SERIES.expiry)
    listed = {n: Market.decode(leaves[market_key(n)]) for n in (3, 4, 5, 6)}
    names = Instruments.of(listed, expiries_of(leaves)).names
    assert names == {3: "BTC-20261225", 4: "BTC-20261225-60000-C", 5: "BTC-20261225-60000.5-P", 6: "BTC-20261225-6"}


def test_two_series_of_one_day_have_names_of_their_own_that_never_change() -> None:
    """The first to open has the plain name, later ones their numbers behind it, whatever numbers they were given."""
    market = Market(MarketKind.CALL, 1, 1, 60_000 * 1_000_000, 500, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0)
    expiries = {(1, 1): 1_798_185_600, (1, 2): 1_798_189_200, (1, 3): 1_798_192_800}
    listed = {57: market}
    assert Instruments.of(listed, expiries).names == {57: "BTC-20261225-60000-C"}
    listed[40] = replace(market, series=2, opens=600)
    listed[41] = replace(market, series=3, opens=600)
    found = Instruments.of(listed, expiries)
    assert found.names == {57: "BTC-20261225-60000-C", 40: "BTC-20261225-60000-C-40", 41: "BTC-20261225-60000-C-41"}
    assert {found.markets[name]: name for name in found.names.values()} == found.names


@given(st.integers(1, 2**33))
def test_expiries_are_named_by_their_utc_day(expiry: int) -> None:
    """The integer calendar agrees with the library's."""
    market = Market(MarketKind.FUTURE, 77, 5, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0)
    assert instrument_name(market, expiry) == f"U77-{datetime.fromtimestamp(expiry, UTC):%Y%m%d}"


keys = st.one_of(st.integers(0, 0xFFFF).map(market_key), st.integers(0, 0xFFFFFF).map(account_key))


@given(st.dictionaries(keys, st.binary(min_size=1, max_size=50), max_size=8))
def test_leaf_lists_survive_their_encoding(leaves: dict[int, bytes]) -> None:
    """Ascending by key whatever the order of insertion."""
    assert decode_leaves(encode_leaves(dict(reversed(leaves.items())))) == leaves


def test_broken_leaf_lists_are_refused() -> None:
    """Cut, unsorted, duplicate, empty, or of an unknown key."""
    one = encode_leaves({0: b"x"})
    two = encode_leaves({1: b"y"})
    stray = (2).to_bytes(5, "big") + b"\x00\x01x"
    for data in (one[:-1], one[:3], one[:6], two + one, one + one, bytes(7), stray):
        with pytest.raises(Undecodable):
            decode_leaves(data)
    for leaves in ({-1: b"x"}, {1 << 40: b"x"}, {0: b""}, {0: bytes(1 << 16)}):
        with pytest.raises(Unencodable):
            encode_leaves(leaves)
