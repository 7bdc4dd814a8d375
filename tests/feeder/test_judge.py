"""What a feeder signs for others, and what it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from rollup.feeder.judge import SKEW, Judge, NotSigned
from rollup.feeder.panel import OwnKey, Panel
from rollup.feeder.rounds import Leader
from rollup.feeder.statements import Statement, Subject, price_statement, surface_statement
from rollup.l1.devkeys import dev_key
from rollup.quant.sources import Prices
from rollup.types.genesis import BTC, ETH
from rollup.types.limits import MILLION
from tests.feeder.market import FEEDERS, PRICE, SEPARATOR, SOON, START, WINDOW, Market, Scripted, opinion, panel

TOLERANCE = 5_000


def judge(market: Market, source: Scripted) -> Judge:
    """A feeder with this source, and the market's node for its own."""
    return Judge(opinion(source), market.venue.known, market.clock, TOLERANCE)


def price(time: int, spot: int = PRICE) -> Statement:
    """A proposal for BTC."""
    return price_statement(BTC, time, Prices(spot, spot))


async def refuses(judging: Judge, statement: Statement, why: str) -> None:
    """It does not sign, and says why."""
    with pytest.raises(NotSigned, match=why):
        await judging.accept(statement)


async def test_a_price_within_the_tolerance_is_signed_and_another_is_not(autojump_clock: MockClock) -> None:
    """Spot and mark are judged each for itself."""
    market = Market(autojump_clock)
    judging = judge(market, Scripted())
    near, far = PRICE * TOLERANCE // MILLION, PRICE * (TOLERANCE + 2) // MILLION
    await refuses(judging, price(START, PRICE + far), "spot")
    await refuses(judging, price_statement(BTC, START, Prices(PRICE, PRICE - far)), "mark")
    await judging.accept(price(START, PRICE + near))


async def test_nothing_is_signed_twice_for_one_time_but_the_very_same(autojump_clock: MockClock) -> None:
    """Two different prices of one second must never both have k signatures; a repeated question is answered again."""
    market = Market(autojump_clock)
    judging = judge(market, Scripted())
    await judging.accept(price(START))
    await judging.accept(price(START))
    await refuses(judging, price(START, PRICE + 1), "already")
    await refuses(judging, price(START - 1), "already")
    await judging.accept(price(START + 1, PRICE + 1))


@pytest.mark.parametrize("away", [-SKEW - 1, SKEW + 1])
async def test_a_time_far_from_the_own_clock_is_refused(autojump_clock: MockClock, away: int) -> None:
    """Neither old prices nor such as could be kept for later."""
    await refuses(judge(Market(autojump_clock), Scripted()), price(START + away), "away from the clock")


async def test_a_price_on_its_way_from_the_last_signed_to_the_own_one_is_signed(autojump_clock: MockClock) -> None:
    """A crash arrives in steps; but not one that stands still, goes the other way or beyond."""
    market, source = Market(autojump_clock), Scripted()
    judging = judge(market, source)
    await judging.accept(price(START))
    source.spot = PRICE // 2
    await refuses(judging, price(START + 1), "spot")
    await refuses(judging, price(START + 1, PRICE + 1), "spot")
    await refuses(judging, price(START + 1, PRICE // 2 * 98 // 100), "spot")
    await judging.accept(price(START + 1, PRICE * 9 // 10))


async def test_a_feeder_that_starts_takes_the_first_step_from_the_state(autojump_clock: MockClock) -> None:
    """Else all feeders started again after a fast market would wait for each other for ever."""
    market = Market(autojump_clock)
    await Leader(market.venue, panel(), opinion(Scripted()), lambda _: None).go_round()
    judging = judge(market, Scripted(PRICE // 2))
    await trio.sleep(1)
    await refuses(judging, price(START, PRICE + 1), "there is one")
    await judging.accept(price(START + 1, PRICE * 9 // 10))


async def test_a_coin_or_series_that_the_feeder_knows_nothing_of_is_refused(autojump_clock: MockClock) -> None:
    """It has no opinion to hold against the proposal."""
    market, source = Market(autojump_clock), Scripted()
    judging = judge(market, source)
    await refuses(judging, price_statement(ETH, START, Prices(PRICE, PRICE)), "no source")
    said = surface_statement(Subject(BTC, 9), START, source.surface(0, 0))
    await refuses(judging, said, "no series 9")
    source.silent = True
    await refuses(judging, replace(said, series=2), "nothing is quoted")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"forward": PRICE * 102 // 100}, "forward"),
        ({"a": 10**9, "b": 10**9}, "volatility"),
        ({"rho": 700_000_000}, "smile|volatility"),
        ({"confidence": 900_000}, "confidence"),
        ({"sigma": 0}, "admissible"),
    ],
)
async def test_every_part_of_a_surface_is_judged(autojump_clock: MockClock, change: dict[str, Any], why: str) -> None:
    """The surface as it is would be signed."""
    market, source = Market(autojump_clock), Scripted()
    judging = judge(market, source)
    said = surface_statement(Subject(BTC, 2), START, source.surface(0, 0))
    await refuses(judging, replace(said, **change), why)
    await judging.accept(said)


async def test_of_a_surface_that_closes_a_series_only_the_forward_matters(autojump_clock: MockClock) -> None:
    """It must be spot, as in the whole window before."""
    market, source = Market(autojump_clock), Scripted()
    judging = judge(market, source)
    await trio.sleep(SOON - WINDOW - START)
    carried = surface_statement(Subject(BTC, 1), market.time, source.surface(0, 0))
    await refuses(judging, carried, "forward")
    await trio.sleep(WINDOW)
    any_slice = replace(carried, time=market.time, forward=PRICE, a=10**9)
    await refuses(judging, replace(any_slice, forward=carried.forward), "forward")
    await judging.accept(any_slice)


async def test_judges_of_one_opinion_sign_a_whole_crash(autojump_clock: MockClock) -> None:
    """Whatever the leader proposes within the limits passes them, step by step: spot, forward, volatility."""
    market, source = Market(autojump_clock), Scripted()
    judging = judge(market, source)

    signers = Panel(SEPARATOR, [OwnKey(dev_key(key), judging) for key in FEEDERS])
    leading = Leader(market.venue, signers, opinion(source), lambda _: None)
    await leading.go_round()
    source.spot, source.volatility = PRICE // 3, 3.0
    for _ in range(20):
        await trio.sleep(1)
        await leading.go_round()
    assert market.coin().spot == PRICE // 3
    assert market.series(2).forward == round(PRICE // 3 * 1.01)
    assert len(market.prices()) == len(market.surfaces(2)) == 21
