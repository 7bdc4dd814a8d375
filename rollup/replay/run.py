"""One replay from an empty chain to the verdict, part by part; whatever does not hold raises."""

from __future__ import annotations

from functools import partial
from typing import Any

import trio

from rollup.l1.client import L1Client
from rollup.replay.challenger import Sample
from rollup.replay.ending import Ending, conclude
from rollup.replay.errands import Errands
from rollup.replay.feed import Feed
from rollup.replay.figures import stretch_figures, summary_figures, trading_figures
from rollup.replay.population import draw_population
from rollup.replay.settings import LEAD, Observer, ReplaySettings
from rollup.replay.simulation import Players, Simulation
from rollup.replay.stage import Stage, make_feed, open_accounts, run_own_l1, sequencer_options, set_stage
from rollup.replay.tally import Tally
from rollup.replay.timekeeping import Timekeeper
from rollup.replay.traders import Trader, make_traders
from rollup.replay.waiting import wait_until
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.service import Sequencer, run_sequencer
from rollup.types.genesis import BTC_PERP


async def run_replay(settings: ReplaySettings, observer: Observer) -> dict[str, Any]:
    """Replay, post, finalise, check and rebuild; returns the summary's figures.

    Raises BrokenInvariant or Diverged where a promise is broken, and whatever the parts raise when they fail.
    """
    began = trio.current_time()
    summary: dict[str, Any] = {}
    async with trio.open_nursery() as nursery:
        url = settings.l1
        if url is None:
            begins = settings.tape.times[settings.stretch.first] - LEAD
            url = await nursery.start(run_own_l1, begins, settings.folder / "l1.log")
        async with L1Client(url) as l1:
            summary = await Replay(settings, await set_stage(l1), observer).run()
        nursery.cancel_scope.cancel()
    return summary | {"seconds": round(trio.current_time() - began, 3)}


class Replay:
    """One replay on a stage that is set."""

    def __init__(self, settings: ReplaySettings, stage: Stage, observer: Observer) -> None:
        self._settings = settings
        self._stage = stage
        self._observer = observer
        self._tally = Tally()
        self._sample = Sample(settings.audit_ppm)
        self._timekeeper = Timekeeper(stage.l1, stage.opened_at)
        self._seconds: dict[str, float] = {}

    async def run(self) -> dict[str, Any]:
        """All parts in order."""
        settings, stage, observer = self._settings, self._stage, self._observer
        late = stage.opened_at + LEAD // 2 - settings.tape.times[settings.stretch.first]
        settings.tape.delay(max(0, late))  # a node that was given may be later than the candles
        observer.step("network", stretch_figures(stage, settings))
        number, root = await self._run_sequencer()
        ending = Ending(stage, self._timekeeper, observer, settings.folder, self._tally, self._sample)
        outcome = await conclude(ending, number, root)
        self._seconds["verification"] = outcome.seconds
        return summary_figures(self._tally, outcome.posting, outcome.head, self._seconds)

    async def _run_sequencer(self) -> tuple[int, bytes]:
        """Everything in which the sequencer takes part; returns the last block's number and root, all of it posted."""
        settings, stage = self._settings, self._stage
        async with trio.open_nursery() as nursery:
            sequencer: Sequencer = await nursery.start(
                run_sequencer, sequencer_options(stage, settings.folder, self._timekeeper)
            )
            exchange = sequencer.exchange
            exchange.listen(self._tally.hear)
            exchange.listen(self._sample.hear)
            traders = await self._gather(exchange)
            await self._trade(exchange, traders)
            self._observer.progress("posting the rest", 0, 0)
            await wait_until(lambda: is_posted(exchange), "L1 has every block", step=0.1)
            status = exchange.status()
            nursery.cancel_scope.cancel()
        return status.number, status.root

    async def _gather(self, exchange: Exchange) -> list[Trader]:
        """Open the accounts through L1."""
        settings, observer = self._settings, self._observer
        characters = draw_population(settings.accounts, settings.seed, settings.orders_per_tick)
        progress = partial(observer.progress, "opening accounts", total=len(characters))
        started = trio.current_time()
        accounts = await open_accounts(self._stage.treasury, characters, progress)
        await wait_until(lambda: exchange.status().inbox_index >= len(accounts), "all accounts are open", step=0.02)
        self._seconds["accounts"] = trio.current_time() - started
        deposited = sum(character.deposit for character in characters)
        figures = {"accounts": len(accounts), "deposited": deposited, "seconds": self._seconds["accounts"]}
        observer.step("accounts", figures)
        return make_traders(characters, accounts, exchange.status().separator, settings.seed)

    async def _trade(self, exchange: Exchange, traders: list[Trader]) -> None:
        settings, tally = self._settings, self._tally
        errands = Errands(exchange, self._stage.treasury, traders, BTC_PERP, tally, settings.seed)
        feed: Feed = make_feed(exchange)
        players = Players(exchange, feed, traders, errands, self._timekeeper, tally)
        simulation = Simulation(players, settings.tape, exchange.catalogue.by_number(BTC_PERP))
        started = trio.current_time()
        await simulation.run(settings.stretch, partial(self._observer.progress, "trading", total=len(settings.stretch)))
        self._seconds["trading"] = trio.current_time() - started
        figures = trading_figures(tally, simulation.health, feed.clipped, self._seconds["trading"])
        self._observer.step("trading", figures)


def is_posted(exchange: Exchange) -> bool:
    """Whether L1 has every block that is durable."""
    status = exchange.status()
    return status.posted >= status.number
