"""What happens in each tick of a leveraged replay, in this order: prices, flags, bids, errands, options, trades."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import trio

from rollup.replay.crash.cast import GREEDS, Cast
from rollup.replay.crash.inspector import Inspector, unflagged
from rollup.replay.crash.liquidators import Auctioneers, Liquidator
from rollup.replay.crash.venue import Smiles, Venue
from rollup.replay.crash.writers import Writers
from rollup.replay.errands import Errands
from rollup.replay.settings import ReplaySettings
from rollup.replay.simulation import Players, Simulation
from rollup.replay.stage import Stage, make_feed
from rollup.replay.tally import Tally
from rollup.replay.timekeeping import Timekeeper
from rollup.replay.traders import Trader
from rollup.sequencer.exchange import Exchange
from rollup.types.genesis import BTC_PERP

PATIENCE: Final = 60.0
"""Seconds of this machine's time until a sequencer that does not flag whom it must is told to have failed."""
MINUTE: Final = 60
OVERTIME: Final = 60
"""Minutes after the last candle in which messages that wait for auctions are taken: they wait for two at most."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where it happens."""

    exchange: Exchange
    inspector: Inspector
    stage: Stage
    timekeeper: Timekeeper
    tally: Tally
    cast: Cast
    venue: Venue


class Acts:
    """One replay of a stretch; `traders` stand in the order of the cast."""

    def __init__(self, setting: Setting, traders: Sequence[Trader], settings: ReplaySettings) -> None:
        exchange, tally, cast = setting.exchange, setting.tally, setting.cast
        self.feed = make_feed(exchange)
        self._setting = setting
        self._tape, self._stretch = settings.tape, settings.stretch
        self._smiles = Smiles(settings.tape, setting.venue)
        bidders = zip(cast.numbers("liquidator"), GREEDS, strict=True)
        liquidators = [Liquidator(traders[place].signer, greed) for place, greed in bidders]
        self._auctioneers = Auctioneers(exchange, setting.inspector, liquidators, tally)
        players = traders[: settings.accounts]
        self._errands = Errands(exchange, setting.stage.treasury, players, BTC_PERP, tally, settings.seed)
        writers = [traders[place] for place in cast.numbers("writer")]
        buyer = traders[cast.numbers("buyer")[0]]
        self._writers = Writers(exchange, writers, buyer, setting.venue.options, tally, settings.seed)
        parts = Players(exchange, self.feed, traders, self._errands, setting.timekeeper, tally)
        self._simulation = Simulation(parts, settings.tape, exchange.catalogue.by_number(BTC_PERP))

    async def run(self, on_tick: Callable[[int], None]) -> None:
        """Replay the stretch; `on_tick` hears how many ticks are done."""
        for done, tick in enumerate(range(self._stretch.first, self._stretch.last + 1)):
            now = self._tape.times[tick]
            await self._price(tick, now)
            await self._auctioneers.act(now)
            await self._errands.run(done, now)
            await self._writers.act(done, now)
            await self._simulation.trade(tick, now)
            await self._simulation.hold_back()
            self._setting.tally.ticks = done + 1
            on_tick(done + 1)
        await self._run_out()

    async def _run_out(self) -> None:
        """Auctions go on at the last prices while they hold back what was sent through L1."""
        now = self._tape.times[self._stretch.last]
        for _ in range(OVERTIME):
            if self._errands.idle:
                break
            now += MINUTE
            await self._price(self._stretch.last, now)
            await self._setting.timekeeper.move_l1(now)
            await self._auctioneers.act(now)
            await self._simulation.hold_back()
        await self._errands.finish()

    async def _price(self, tick: int, now: int) -> None:
        """Move the clock, have the oracle speak, and wait until everybody is flagged who must be."""
        await self._setting.timekeeper.move_to(now)
        await self.feed.publish(self._tape.quote(tick), now, self._smiles.surfaces(tick))
        self._setting.tally.oracle_updates += 1
        inspector = self._setting.inspector
        with trio.move_on_after(PATIENCE):
            while not inspector.is_quiet:  # noqa: ASYNC110 - the sequencer tells nobody when it is done
                await trio.sleep(0.002)
        inspector.require_sound()
        if not inspector.is_quiet:
            raise unflagged(inspector.late)
