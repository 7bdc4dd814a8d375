"""The leader: what reaches the state round by round, on the state transition itself."""

from __future__ import annotations

from itertools import pairwise

import trio
from trio.testing import MockClock

from rollup.feeder.rounds import Leader, Update, publish_prices
from rollup.quant.sources import Prices
from rollup.types.genesis import BTC, ETH
from rollup.types.limits import MILLION
from tests.feeder.market import LATE, PRICE, SOON, START, WINDOW, Market, Scripted, opinion, panel


async def lead(leader: Leader, seconds: float) -> None:
    """Let it lead for a while."""
    with trio.move_on_after(seconds):
        await leader.lead(1.0)


def leader(market: Market, *sources: Scripted, told: list[Update] | None = None, standby: float = 0.0) -> Leader:
    """A leader with all keys."""
    tell = (lambda _: None) if told is None else told.append
    return Leader(market.venue, panel(), opinion(*sources), tell, standby)


async def test_a_round_prices_all_coins_and_series(autojump_clock: MockClock) -> None:
    """Each once a second, at rising times, with signatures that the state transition checks."""
    market, told = Market(autojump_clock), list[Update]()
    await lead(leader(market, Scripted(), Scripted(3_000 * MILLION), told=told), 4.5)
    assert not market.refused
    assert len(market.prices(BTC)) == len(market.prices(ETH)) == len(market.surfaces(1)) == len(market.surfaces(2)) == 5
    assert all(later.time == earlier.time + 1 for earlier, later in pairwise(market.prices()))
    assert market.coin(BTC).spot == PRICE
    assert market.series(2).forward == round(PRICE * 1.01)
    assert [update.statement for update in told] == market.updates
    assert {update.signers for update in market.updates} <= {0b011, 0b101, 0b110}


async def test_a_crash_arrives_in_the_steps_that_the_rollup_allows(autojump_clock: MockClock) -> None:
    """Spot, forward and volatility all lag and catch up; nothing is refused on the way."""
    market, source = Market(autojump_clock), Scripted()
    crashing = leader(market, source)
    await crashing.go_round()
    source.spot, source.volatility = PRICE // 3, 4.0
    await trio.sleep(1)
    await crashing.go_round()
    assert market.coin().spot == PRICE - PRICE * market.coin().max_move // MILLION
    assert market.series(2).forward > PRICE * 0.8
    await lead(crashing, 30)
    assert market.coin().spot == PRICE // 3
    assert market.series(2).forward == round(PRICE // 3 * 1.01)
    assert not market.refused


async def test_while_a_series_settles_its_forward_is_spot_and_it_closes_once(
    autojump_clock: MockClock,
) -> None:
    """It settles at the average of the window, and nobody sends it anything afterwards."""
    market, source, told = Market(autojump_clock), Scripted(), list[Update]()
    feeding = leader(market, source, told=told)
    await lead(feeding, SOON - WINDOW / 2 - START)
    assert [s.forward for s in market.surfaces(1) if s.time >= SOON - WINDOW] == [PRICE] * (WINDOW // 2)
    assert all(s.forward > PRICE for s in market.surfaces(1) if s.time < SOON - WINDOW)
    source.spot = PRICE + 1_000 * MILLION
    await lead(feeding, WINDOW)
    assert market.series(1).settlement == PRICE + 500 * MILLION
    assert max(s.time for s in market.surfaces(1)) == SOON
    assert market.surfaces(2)[-1].time > SOON
    (closing,) = [update for update in told if update.settles is not None]
    assert closing.settles is not None
    assert closing.settles.expiry == SOON
    assert not market.refused


async def test_a_series_that_no_source_knows_still_settles(autojump_clock: MockClock) -> None:
    """At spot, with a slice that nobody is sure of: holders of its futures are paid."""
    market, source = Market(autojump_clock), Scripted()
    source.silent = True
    await lead(leader(market, source), SOON + 2 - START)
    assert market.series(1).settlement == PRICE
    assert {s.time >= SOON - WINDOW for s in market.surfaces(1)} == {True}
    assert {s.confidence for s in market.surfaces(1)} == {0}
    assert not market.surfaces(2)
    assert market.series(2).expiry == LATE


async def test_a_series_settles_even_if_its_feeders_come_back_long_after_the_expiry(autojump_clock: MockClock) -> None:
    """The first update closes it, whatever time it is."""
    market = Market(autojump_clock)
    await trio.sleep(SOON + 5_000 - START)
    await leader(market, Scripted()).go_round()
    assert market.series(1).settlement == PRICE


async def test_feeders_go_on_after_refusals(autojump_clock: MockClock) -> None:
    """The next round begins with the state anew."""
    market = Market(autojump_clock)
    feeding = leader(market, Scripted())
    market.closed = True
    await lead(feeding, 3.5)
    assert market.refused
    assert not market.updates
    market.closed = False
    await lead(feeding, 3.5)
    assert len(market.prices()) == len(market.surfaces(2)) > 1


async def test_a_standby_leads_only_while_the_price_is_old(autojump_clock: MockClock) -> None:
    """In place of a leader that is gone, and not beside one that is there."""
    market = Market(autojump_clock)
    await leader(market, Scripted()).go_round()
    waiting = leader(market, Scripted(PRICE + MILLION), standby=5)
    await trio.sleep(4)
    await waiting.go_round()
    assert len(market.prices()) == 1
    await trio.sleep(1)
    await waiting.go_round()
    assert len(market.prices()) == 2


async def test_a_published_price_waits_for_its_second(autojump_clock: MockClock) -> None:
    """Two prices never carry one time; the second goes as far as it may."""
    market = Market(autojump_clock)
    await publish_prices(market.venue, panel(), BTC, Prices(PRICE, PRICE))
    update = await publish_prices(market.venue, panel(), BTC, Prices(2 * PRICE, 2 * PRICE))
    assert update.time == START + 1
    assert update.spot == PRICE + PRICE * market.coin().max_move // MILLION
    assert update.mark == update.spot + update.spot * market.coin().max_basis // MILLION
