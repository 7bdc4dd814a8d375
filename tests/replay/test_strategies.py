"""Strategies: what every order must be, and the one thing that makes each of them what it is."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.replay.population import draw_population
from rollup.replay.strategies import (
    BAND,
    Holder,
    Holding,
    Maker,
    MeanReverter,
    NoiseTrader,
    Scene,
    Strategy,
    TrendFollower,
)
from rollup.replay.tape import Tape
from rollup.types.genesis import BTC_PERP, devnet_genesis
from rollup.types.keys import market_key
from rollup.types.leaves import Market
from rollup.types.limits import MILLION
from tests.replay.test_tape import candles

MARKET = Market.decode(devnet_genesis(0, (b"\1" * 20,), 1).leaves()[market_key(BTC_PERP)])
RISING = [40_000 + 20 * n for n in range(300)]
RICH = Holding(equity=100_000 * MILLION, maintenance=0, size=0)
CHARACTERS = draw_population(60, 7, 40.0)


def scene(closes: list[int], tick: int = -1) -> Scene:
    """The market after these closes."""
    tape = Tape(candles(closes))
    return Scene(tape, len(tape) - 1 if tick < 0 else tick, MARKET)


@given(
    number=st.integers(0, len(CHARACTERS) - 1),
    tick=st.integers(0, len(RISING) - 1),
    equity=st.integers(-(10**12), 10**14),
    maintenance=st.integers(0, 10**13),
    lots=st.integers(-100_000, 100_000),
    seed=st.integers(0, 99),
)
def test_every_order_is_on_the_grid_within_the_band_and_repeatable(
    number: int, tick: int, equity: int, maintenance: int, lots: int, seed: int
) -> None:
    """Whatever a trader holds, static checks have nothing to refuse, and the same luck wishes the same."""
    now, holding = scene(RISING, tick), Holding(equity, maintenance, lots * MARKET.lot)
    strategy = CHARACTERS[number].strategy
    wishes = strategy.wishes(now, holding, Random(seed))
    assert wishes == strategy.wishes(now, holding, Random(seed))
    for wish in wishes:
        assert wish.size > 0
        assert wish.size % MARKET.lot == 0
        assert wish.price % MARKET.tick == 0
        assert abs(wish.price - now.mark) <= BAND * now.mark + MARKET.tick
        assert wish.life > 0
        assert not (wish.immediate and wish.post_only)
        assert wish.immediate or not wish.reduce_only


@pytest.mark.parametrize(
    "strategy", [Maker(2.0, 0.001), TrendFollower(2.0, 30, 0.01), MeanReverter(2.0, 60), NoiseTrader(2.0)]
)
@pytest.mark.parametrize("size", [500 * MARKET.lot, -500 * MARKET.lot])
def test_a_trader_without_equity_only_sheds(strategy: Strategy, size: int) -> None:
    """It never adds to what it holds, and asks for no more than it holds."""
    (wish,) = strategy.wishes(scene(RISING), Holding(-1, 5_000 * MILLION, size), Random(1))
    assert wish.reduce_only
    assert wish.sell == (size > 0)
    assert wish.size <= abs(size)


def test_a_trader_near_its_margin_sheds_a_quarter() -> None:
    """It does so while it is still solvent."""
    now = scene(RISING)
    (wish,) = NoiseTrader(2.0).wishes(now, Holding(1_300, 1_000, 400 * MARKET.lot), Random(1))
    assert wish.reduce_only
    assert wish.size == pytest.approx(100 * MARKET.lot, abs=MARKET.lot)


def test_a_trader_with_nothing_places_nothing() -> None:
    """No equity and no position: there is nothing to shed either."""
    nothing = Holding(0, 0, 0)
    for character in CHARACTERS:
        assert character.strategy.wishes(scene(RISING), nothing, Random(1)) == []


def test_a_maker_quotes_both_sides_and_leans_against_its_position() -> None:
    """Holding coins moves both quotes down; full of them it only offers."""
    now, maker = scene(RISING), Maker(2.0, 0.001)
    bid, ask = maker.wishes(now, RICH, Random(3))
    assert (bid.sell, ask.sell) == (False, True)
    assert bid.price < now.mark < ask.price
    assert bid.post_only
    assert ask.post_only
    half_full = Holding(RICH.equity, 0, int(RICH.equity * MILLION / now.mark))
    low_bid, low_ask = maker.wishes(now, half_full, Random(3))
    assert low_bid.price < bid.price
    assert low_ask.price < ask.price
    full = Holding(RICH.equity, 0, 3 * half_full.size)
    assert [wish.sell for wish in maker.wishes(now, full, Random(3))] == [True]


@pytest.mark.parametrize(("closes", "sells"), [(RISING, False), (RISING[::-1], True)])
def test_a_trend_follower_trades_with_the_move_and_a_mean_reverter_against_it(closes: list[int], sells: bool) -> None:
    """They are each other's counterparties."""
    (with_it,) = TrendFollower(2.0, 60, 0.01).wishes(scene(closes), RICH, Random(1))
    assert (with_it.sell, with_it.immediate) == (sells, True)
    (against,) = MeanReverter(2.0, 60).wishes(scene(closes), RICH, Random(1))
    assert (against.sell, against.immediate) == (not sells, False)


def test_noise_goes_both_ways_and_turns_back_when_full() -> None:
    """With an empty position both sides come up; at its leverage only the way back does."""
    now, trader = scene(RISING), NoiseTrader(2.0)
    sides = {trader.wishes(now, RICH, Random(seed))[0].sell for seed in range(50)}
    assert sides == {True, False}
    full = Holding(RICH.equity, 0, int(2.1 * RICH.equity * MILLION / now.mark))
    assert all(trader.wishes(now, full, Random(seed))[0].sell for seed in range(50))


def test_a_holder_buys_up_to_its_leverage_and_never_sells() -> None:
    """Not even when it should."""
    now, holder = scene(RISING), Holder(3.0)
    (wish,) = holder.wishes(now, RICH, Random(1))
    assert not wish.sell
    holds = int(2.95 * RICH.equity * MILLION / now.mark)
    assert holder.wishes(now, Holding(RICH.equity, 0, holds), Random(1)) == []
    assert holder.wishes(now, Holding(1, 1_000, holds), Random(1)) == []
    assert holder.wishes(now, Holding(-1, 1_000, holds), Random(1)) == []
