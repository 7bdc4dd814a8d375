"""What a liquidator reads of an auction is what the state transition then charges."""

from __future__ import annotations

from random import Random

import pytest

from rollup.replay.crash.cast import GREEDS, Gambler, Unwinder, draw_cast
from rollup.replay.crash.liquidators import read_offer, slices_value
from rollup.replay.crash.venue import Smiles, Venue
from rollup.replay.strategies import Holding, Scene
from rollup.replay.tape import Tape
from rollup.stf.receipts import Liquidated
from rollup.types.genesis import BTC_PERP
from rollup.types.keys import market_key
from rollup.types.leaves import Market
from rollup.types.limits import MILLION
from rollup.types.transactions import Flag
from tests.replay.crash.test_inspector import CRASH, LOW, Stage
from tests.replay.market import candles_of_a_crash
from tests.stf.venue import bid
from tests.stf.world import START, USD, price


@pytest.mark.parametrize("waited", [0, 13, 40, 59])
def test_an_offer_is_what_the_bid_then_gains(waited: int) -> None:
    """The gain read before, less what rounding slices up to lots makes of it."""
    stage = Stage()
    stage.venue.must(price(START + 1, LOW), Flag(2), at=START + 1)
    now = START + 1 + waited
    builder = stage.venue.builder(now)
    offer = read_offer(builder, 2)
    assert offer is not None
    value = slices_value(builder, stage.venue.account(2), offer.fraction)
    sale = stage.venue.done(Liquidated, bid(2, 0, 1, fraction=offer.fraction, limit=value), at=now)
    assert sale.fraction == offer.fraction
    gained = (value - sale.paid) * MILLION / (LOW * offer.fraction / MILLION)
    assert gained == pytest.approx(offer.gain, abs=2)
    assert (offer.gain > 0) == (waited > 0)


def test_an_insolvent_account_is_offered_whole() -> None:
    """What the fund would pay to be rid of it is the gain."""
    stage = Stage(equity=3_000 * USD)
    stage.venue.must(price(START + 1, CRASH), Flag(2), at=START + 1)
    offer = read_offer(stage.venue.builder(START + 21), 2)
    assert offer is not None
    assert offer.fraction == MILLION
    assert offer.gain == pytest.approx(0.205 * MILLION / 20, rel=0.01)  # half of a tenth of the maintenance margin


def test_nothing_is_offered_of_accounts_that_are_sound() -> None:
    """Neither of one that never fell, nor of one that recovered before its flag was cleared."""
    stage = Stage()
    assert read_offer(stage.venue.builder(START), 2) is None
    stage.venue.must(price(START + 1, LOW), Flag(2), at=START + 1)
    stage.venue.must(price(START + 2, LOW * 107 // 100), at=START + 2)
    assert read_offer(stage.venue.builder(START + 2), 2) is None


def test_the_cast_is_drawn_from_its_seed() -> None:
    """Liquidators and the buyer of options come last, each with its own account."""
    cast = draw_cast(40, 7, 20)
    assert draw_cast(40, 7, 20) == cast
    assert draw_cast(40, 8, 20) != cast
    assert len(cast.characters) == 40 + len(GREEDS) + 1
    assert cast.numbers("liquidator") == [40, 41, 42]
    assert cast.numbers("buyer") == [43]
    assert all(cast.numbers(kind) for kind in ("bull", "bear", "maker", "trend", "noise", "writer"))
    assert len({character.key for character in cast.characters}) == len(cast.characters)


def test_gamblers_build_up_and_never_shed() -> None:
    """Up to their leverage on their side; below maintenance they do nothing, above their target neither."""
    tape = Tape(candles_of_a_crash(5))
    genesis = Venue.of(tape.marks[0], tape.times[-1]).make_genesis()(tape.times[0] - 9, (b"\1" * 20,), 1)
    scene = Scene(tape, 0, Market.decode(genesis.leaves()[market_key(BTC_PERP)]))
    bull, bear, luck = Gambler(20.0, sell=False), Gambler(20.0, sell=True), Random(1)
    rich = Holding(10_000 * MILLION, 0, 0)
    assert [wish.sell for wish in bull.wishes(scene, rich, luck)] == [False]
    assert [wish.sell for wish in bear.wishes(scene, rich, luck)] == [True]
    assert bull.wishes(scene, Holding(10_000 * MILLION, 10_000 * MILLION, MILLION), luck) == []
    assert bull.wishes(scene, Holding(1_000 * MILLION, 10 * MILLION, 5 * MILLION), luck) == []
    (wish,) = Unwinder().wishes(scene, Holding(10_000 * MILLION, 0, 3 * MILLION), luck)
    assert wish.sell
    assert wish.reduce_only
    assert 0 < wish.size <= 3 * MILLION
    assert Unwinder().wishes(scene, rich, luck) == []


def test_surfaces_follow_the_tape_and_never_fall_below_their_level() -> None:
    """Volatility rises in the crash; every slice is admissible."""
    tape = Tape(candles_of_a_crash(60))
    venue = Venue.of(tape.marks[0], tape.times[-1])
    smiles = Smiles(tape, venue)
    levels = []
    for tick in range(len(tape)):
        (surface,) = smiles.surfaces(tick).values()
        assert surface.svi.is_admissible()
        assert surface.forward == tape.marks[tick]
        levels.append(float(surface.svi.floats().volatility(0.0)))
    assert min(levels) >= 0.599
    assert max(levels) > 1.5 * levels[0]
    assert len(venue.options) == 2 * len(venue.strikes)
