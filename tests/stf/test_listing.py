"""Listings through the inbox: what the market admin may add, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rollup.types.genesis import BTC, MarketConfig, SeriesConfig, UnderlyingConfig
from rollup.types.keys import market_key, series_key, underlying_key
from rollup.types.leaves import Market, MarketKind, Series, Underlying
from rollup.types.listing import Item
from rollup.types.messages import List, encode_message
from rollup.types.reasons import Reason
from tests.stf.venue import EXPIRY, SERIES, Venue, dated
from tests.stf.world import START, USD, price, trade

OPENS = START + 100
COIN = UnderlyingConfig(7)
DATED = SeriesConfig(BTC, 2, EXPIRY + 1)
PERP = MarketConfig(50, BTC, tick=100_000, lot=1_000)
FUTURE = replace(PERP, kind=MarketKind.FUTURE, series=SERIES)
CALL = replace(PERP, kind=MarketKind.CALL, series=SERIES, strike=40_000 * USD)


def listed(item: Item, opens: int = OPENS) -> Callable[[Venue], Reason]:
    """The reason in the receipt of a listing."""
    return lambda venue: venue.must(messages=[List(opens, item)]).receipts[0].reason


def changed(item: Item, **terms: Any) -> Callable[[Venue], Reason]:
    """The same of an item with other parameters."""
    return listed(replace(item, **terms))


CASES: dict[str, tuple[Reason, Callable[[Venue], Reason]]] = {
    "a coin": (Reason.NONE, listed(COIN)),
    "a coin that is there": (Reason.LISTED, changed(COIN, number=BTC)),
    **{
        f"a coin with no {name}": (Reason.LISTING_INVALID, changed(COIN, **{name: 0}))
        for name in ("spot_step", "max_age", "max_move", "halt_move", "halt_window", "settlement_window")
    },
    **{
        f"a coin with {name} above all": (Reason.LISTING_INVALID, changed(COIN, **{name: 10**6 + 1}))
        for name in (
            "funding_cap", "max_move", "max_basis", "vol_up", "vol_down", "call_contingency", "confidence_factor",
            "max_vol_move", "halt_move",
        )
    },
    "a coin with too large a step": (Reason.LISTING_INVALID, changed(COIN, spot_step=200_001)),
    "a coin at every edge": (
        Reason.NONE,
        changed(
            COIN, spot_step=200_000, funding_cap=10**6, max_move=10**6, max_basis=10**6, vol_up=10**6, vol_down=10**6,
            call_contingency=10**6, confidence_factor=10**6, max_vol_move=10**6, halt_move=10**6, max_age=86_400,
            halt_window=86_400, halt_period=86_400, settlement_window=86_400,
        ),
    ),
    **{
        f"a coin with {name} longer than a day": (Reason.LISTING_INVALID, changed(COIN, **{name: 86_401}))
        for name in ("max_age", "halt_window", "halt_period", "settlement_window")
    },
    "a coin that never halts": (Reason.NONE, changed(COIN, halt_period=0)),
    "a series": (Reason.NONE, listed(DATED)),
    "a series that is there": (Reason.LISTED, changed(DATED, number=SERIES)),
    "a series of no coin": (Reason.UNDERLYING_UNKNOWN, changed(DATED, underlying=9)),
    "a series without number": (Reason.LISTING_INVALID, changed(DATED, number=0)),
    "a series that expires before it opens": (Reason.LISTING_INVALID, listed(DATED, DATED.expiry)),
    "a series that expires just after": (Reason.NONE, listed(DATED, DATED.expiry - 1)),
    "a perpetual": (Reason.NONE, listed(PERP)),
    "a future": (Reason.NONE, listed(FUTURE)),
    "a call": (Reason.NONE, listed(CALL)),
    "a put": (Reason.NONE, changed(CALL, kind=MarketKind.PUT)),
    "a market that is there": (Reason.LISTED, changed(PERP, number=1)),
    "a market of no coin": (Reason.UNDERLYING_UNKNOWN, changed(PERP, underlying=9)),
    "a market of no series": (Reason.SERIES_UNKNOWN, changed(FUTURE, series=9)),
    "a market of another coin's series": (Reason.SERIES_UNKNOWN, changed(FUTURE, underlying=2)),
    "a kind that there is not": (Reason.LISTING_INVALID, changed(CALL, kind=4)),
    "a kind that there is not, without series": (Reason.SERIES_UNKNOWN, changed(PERP, kind=4)),
    "a perpetual with a series": (Reason.LISTING_INVALID, changed(PERP, series=SERIES)),
    "a perpetual with a strike": (Reason.LISTING_INVALID, changed(PERP, strike=1)),
    "a future with a strike": (Reason.LISTING_INVALID, changed(FUTURE, strike=1)),
    "a call without a strike": (Reason.LISTING_INVALID, changed(CALL, strike=0)),
    "a strike too high": (Reason.LISTING_INVALID, changed(CALL, strike=1 << 47)),
    "a market that opens after its expiry": (Reason.LISTING_INVALID, listed(FUTURE, EXPIRY)),
    "no tick": (Reason.LISTING_INVALID, changed(PERP, tick=0)),
    "no lot": (Reason.LISTING_INVALID, changed(PERP, lot=0)),
    "notional that is rounded": (Reason.LISTING_INVALID, changed(PERP, lot=1_001)),
    "taker fee": (Reason.LISTING_INVALID, changed(PERP, taker_fee=100_001)),
    "maker fee": (Reason.LISTING_INVALID, changed(PERP, maker_fee=100_001)),
    "band": (Reason.LISTING_INVALID, changed(PERP, band=10**6 + 1)),
    "contingency": (Reason.LISTING_INVALID, changed(PERP, contingency=10**6 + 1)),
    "no position allowed": (Reason.LISTING_INVALID, changed(PERP, max_position=0)),
    "positions too large": (Reason.LISTING_INVALID, changed(PERP, max_position=2**62 + 1)),
    "no open interest allowed": (Reason.LISTING_INVALID, changed(PERP, max_open_interest=0)),
    "open interest too large": (Reason.LISTING_INVALID, changed(PERP, max_open_interest=2**62 + 1)),
    "a market at every edge": (
        Reason.NONE,
        changed(
            PERP, taker_fee=100_000, maker_fee=100_000, band=10**6, contingency=10**6, max_position=2**62,
            max_open_interest=2**62,
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_listing_is(name: str) -> None:
    """Taken in, or a no-op with exactly this reason: a bad listing never stops the chain."""
    reason, case = CASES[name]
    venue = dated()
    before = dict(venue.leaves)
    assert case(venue) is reason
    new = {key for key in venue.leaves if key not in before}
    assert len(new) == (1 if reason is Reason.NONE else 0)
    assert all(venue.leaves[key] == value for key, value in before.items() if key >> 33)


def test_a_new_coin_begins_without_a_price() -> None:
    """At the time of its block, with its parameters."""
    venue = dated()
    venue.must(messages=[List(OPENS, replace(COIN, max_age=77))], at=START + 5)
    coin = Underlying.decode(venue.leaves[underlying_key(7)])
    assert (coin.time, coin.funding_index, coin.funding_time, coin.max_age) == (0, 0, START + 5, 77)
    assert (coin.anchor_time, coin.halted_until) == (0, 0)


def test_a_new_market_opens_after_its_delay() -> None:
    """A coin, a series and a market in one block; trading begins at the second that L1 announced."""
    venue = dated()
    items = (COIN, SeriesConfig(7, 1, EXPIRY), MarketConfig(50, 7, tick=100_000, lot=1_000))
    receipts = venue.must(messages=[List(OPENS, item) for item in items]).receipts
    assert [receipt.reason for receipt in receipts] == [Reason.NONE] * 3
    assert Series.decode(venue.leaves[series_key(7, 1)]) == Series(EXPIRY)
    assert Market.decode(venue.leaves[market_key(50)]).opens == OPENS
    venue.must(price(OPENS - 1, 100 * USD, underlying=7), at=OPENS - 1)
    assert venue.refusal(trade(1_000, 100 * USD, 1, market=50)) is Reason.MARKET_CLOSED
    assert venue.refusal(trade(1_000, 100 * USD, 1, market=50), at=OPENS) is Reason.NONE


def test_bytes_that_are_no_listing_are_undecodable() -> None:
    """Cut, padded, or of no kind."""
    venue = dated()
    data = encode_message(List(OPENS, PERP))
    for wrong in (data[:-1], data + b"\0", data[:6] + b"\x04" + data[7:], data[:6]):
        receipt = venue.must(messages=[wrong]).receipts[0]
        assert (receipt.reason, receipt.subject) == (Reason.UNDECODABLE, None)
