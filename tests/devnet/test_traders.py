"""Demo traders' orders: on the tick, within the band, on the right side, and never towards ruin."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.cli.wallet import Wallet
from rollup.devnet.client import Instrument, Ticker
from rollup.devnet.traders import (
    HOLD_USD,
    LEVELS,
    OPTION_TURNS,
    Maker,
    Taker,
    Trader,
    choose,
    lots,
    notional,
    shifted,
)
from rollup.l1.devkeys import dev_key
from rollup.types.genesis import MarketConfig
from rollup.types.limits import MILLION
from rollup.types.transactions import FLAG_IMMEDIATE, FLAG_POST_ONLY

BTC = Instrument("BTC-PERP", 1, 1, 100_000, 1_000)
BAND = MarketConfig(1, 1, BTC.tick, BTC.lot).band
marks = st.integers(1_000 * MILLION, 200_000 * MILLION)
holdings = st.integers(-3 * 10**6, 3 * 10**6).map(lambda lots: lots * BTC.lot // 1_000 * 1_000)


def trader(seed: int = 1) -> Trader:
    """Somebody with luck."""
    return Trader(7, Wallet(dev_key(7), 31_337, bytes(20), clock=lambda: 1_000), Random(seed))


def ticker(mark: int, bid: int = 0, ask: int = 0) -> Ticker:
    """A market with this mark."""
    return Ticker(1_000, mark, mark, 1_000, bid, ask)


@given(marks, holdings)
def test_a_makers_quotes_lie_around_the_mark_and_never_cross_each_other(mark: int, held: int) -> None:
    """Bids below asks, all on the tick and in the band, all post-only."""
    orders = Maker(trader()).quotes(BTC, ticker(mark), held)
    bids = [order.price for order in orders if not order.is_sell]
    asks = [order.price for order in orders if order.is_sell]
    assert max(bids, default=0) < min(asks, default=1 << 60)
    for order in orders:
        assert order.flags & FLAG_POST_ONLY
        assert order.price % BTC.tick == 0
        assert order.size % BTC.lot == 0 < order.size
        assert abs(order.price - mark) * MILLION <= BAND * mark


@pytest.mark.parametrize("sign", [1, -1])
def test_a_maker_with_a_large_position_quotes_only_to_shed_it(sign: int) -> None:
    """Long ones stop buying, short ones stop selling."""
    mark = 50_000 * MILLION
    held = sign * lots(HOLD_USD + 100 * MILLION, mark, BTC)
    orders = Maker(trader()).quotes(BTC, ticker(mark), held)
    assert len(orders) == LEVELS
    assert {order.is_sell for order in orders} == {sign > 0}


def test_a_maker_does_not_quote_through_the_other_side_of_the_book() -> None:
    """Such quotes would be refused as post-only."""
    mark = 50_000 * MILLION
    orders = Maker(trader()).quotes(BTC, ticker(mark, bid=mark * 2, ask=mark * 3), 0)
    assert not [order for order in orders if order.is_sell]
    assert len(orders) == LEVELS


@given(marks, holdings, st.integers(0, 1_000))
def test_a_takers_order_is_immediate_and_within_the_band(mark: int, held: int, seed: int) -> None:
    """It may fill at what the market allows, and never rests."""
    order = Taker(trader(seed)).order(BTC, ticker(mark, bid=mark, ask=mark), held)
    assert order.flags & FLAG_IMMEDIATE
    assert order.price % BTC.tick == 0
    assert order.size % BTC.lot == 0 < order.size
    assert abs(order.price - mark) * MILLION <= BAND * mark
    assert (order.price < mark) == order.is_sell
    if abs(notional(held, mark)) >= HOLD_USD:
        assert order.is_sell == (held > 0)


@given(marks, st.integers(-100_000, 100_000), st.booleans())
def test_a_moved_price_is_rounded_away_to_the_next_tick(mark: int, ppm: int, up: bool) -> None:
    """Up or down as asked, by less than a tick."""
    exact = mark * (MILLION + ppm)
    price = shifted(mark, ppm, BTC, up=up)
    off = price * MILLION - exact
    assert price % BTC.tick == 0
    assert 0 <= (off if up else -off) < BTC.tick * MILLION


OPTION = Instrument("BTC-20261225-60000-C", 9, 1, MILLION, 10_000, "option")
spots = st.integers(20_000 * MILLION, 200_000 * MILLION)


@given(spots, st.integers(1, 300), st.integers(-10, 10), st.integers(0, 1_000))
def test_quotes_and_orders_of_options_stay_in_their_band_and_small(spot: int, share: int, held: int, seed: int) -> None:
    """The band of an option is a share of the forward; sizes are counted by the coin, not by the premium."""
    mark = spot * share // 1_000
    shown = Ticker(1_000, spot, mark, 1_000, mark, mark)
    quotes = Maker(trader()).quotes(OPTION, Ticker(1_000, spot, mark, 1_000, 0, 0), held * OPTION.lot)
    for order in [*quotes, Taker(trader(seed)).order(OPTION, shown, held * OPTION.lot)]:
        assert order.price % OPTION.tick == 0 < order.price
        assert order.size % OPTION.lot == 0
        assert notional(order.size, spot) <= max(HOLD_USD, notional(OPTION.lot, spot))
        assert abs(order.price - mark) * MILLION <= BAND * spot
    bids = [order.price for order in quotes if not order.is_sell]
    asks = [order.price for order in quotes if order.is_sell]
    assert max(bids, default=0) <= min(asks, default=1 << 60)


def test_traders_turn_to_open_markets_only_and_mostly_to_perpetuals() -> None:
    """What opens later or has expired is left alone."""
    closed = Instrument("BTC-20261225", 3, 1, 100_000, 1_000, "future", is_active=False)
    luck = Random(5)
    chosen = [choose(luck, [BTC, OPTION, closed]) for _ in range(2_000)]
    assert set(chosen) == {BTC, OPTION}
    assert abs(chosen.count(OPTION) / len(chosen) - OPTION_TURNS) < 0.05
    assert {choose(luck, [BTC, closed]) for _ in range(50)} == {BTC}
