"""A leveraged replay, part by part; whatever does not hold raises."""

from __future__ import annotations

from functools import partial
from typing import Any

import trio

from rollup.l1.client import L1Client
from rollup.replay.challenger import Sample
from rollup.replay.crash.acts import PATIENCE, Acts, Setting
from rollup.replay.crash.cast import draw_cast
from rollup.replay.crash.figures import liquidation_figures, summary_figures, venue_figures
from rollup.replay.crash.inspector import Inspector
from rollup.replay.crash.venue import Venue
from rollup.replay.ending import Ending, conclude
from rollup.replay.figures import trading_figures
from rollup.replay.run import is_posted
from rollup.replay.settings import LEAD, Observer, ReplaySettings
from rollup.replay.stage import Stage, open_accounts, run_own_l1, sequencer_options, set_stage
from rollup.replay.tally import Tally
from rollup.replay.timekeeping import Timekeeper
from rollup.replay.traders import Trader, make_traders
from rollup.replay.waiting import wait_until
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.service import Sequencer, run_sequencer


async def run_leveraged_replay(settings: ReplaySettings, observer: Observer) -> dict[str, Any]:
    """Replay with liquidation, check every block, post, finalise and rebuild; returns the summary's figures.

    Raises BrokenInvariant, Diverged or TwinsDisagree where a promise is broken, and whatever the parts raise.
    """
    began = trio.current_time()
    summary: dict[str, Any] = {}
    tape, stretch = settings.tape, settings.stretch
    async with trio.open_nursery() as nursery:
        url = settings.l1
        if url is None:
            url = await nursery.start(run_own_l1, tape.times[stretch.first] - LEAD, settings.folder / "l1.log")
        async with L1Client(url) as l1:
            venue = Venue.of(tape.marks[stretch.first], tape.times[stretch.last])
            stage = await set_stage(l1, venue.make_genesis())
            summary = await LeveragedReplay(settings, venue, stage, observer).run()
        nursery.cancel_scope.cancel()
    return summary | {"seconds": round(trio.current_time() - began, 3)}


class LeveragedReplay:
    """One replay on a stage that is set."""

    def __init__(self, settings: ReplaySettings, venue: Venue, stage: Stage, observer: Observer) -> None:
        self._settings = settings
        self._venue = venue
        self._stage = stage
        self._observer = observer
        self._tally = Tally()
        self._sample = Sample(settings.audit_ppm)
        self._timekeeper = Timekeeper(stage.l1, stage.opened_at)
        self._cast = draw_cast(settings.accounts, settings.seed, settings.orders_per_tick)

    async def run(self) -> dict[str, Any]:
        """All parts in order."""
        stage, settings, observer = self._stage, self._settings, self._observer
        late = stage.opened_at + LEAD // 2 - settings.tape.times[settings.stretch.first]
        settings.tape.delay(max(0, late))  # a node that was given may be later than the candles
        observer.step("network", venue_figures(stage, settings, self._venue))
        async with trio.open_nursery() as nursery:
            options = sequencer_options(stage, settings.folder, self._timekeeper, flag_patience=PATIENCE)
            sequencer: Sequencer = await nursery.start(run_sequencer, options)
            inspector = await self._perform(sequencer.exchange)
            observer.progress("posting the rest", 0, 0)
            await wait_until(lambda: is_posted(sequencer.exchange), "L1 has every block", step=0.1)
            status = sequencer.exchange.status()
            nursery.cancel_scope.cancel()
        inspector.require_sound()
        ending = Ending(stage, self._timekeeper, observer, settings.folder, self._tally, self._sample)
        outcome = await conclude(ending, status.number, status.root)
        return summary_figures(self._tally, inspector, outcome)

    async def _perform(self, exchange: Exchange) -> Inspector:
        """Everything in which the sequencer takes part."""
        inspector = Inspector(self._stage.genesis.leaves(), exchange.status().separator)
        for hear in (self._tally.hear, self._sample.hear, inspector.hear):
            exchange.listen(hear)
        traders = await self._gather(exchange)
        setting = Setting(exchange, inspector, self._stage, self._timekeeper, self._tally, self._cast, self._venue)
        acts = Acts(setting, traders, self._settings)
        started = trio.current_time()
        await acts.run(partial(self._observer.progress, "trading", total=len(self._settings.stretch)))
        figures = trading_figures(self._tally, None, acts.feed.clipped, trio.current_time() - started)
        self._observer.step("trading", figures)
        self._observer.step("liquidation", liquidation_figures(inspector))
        return inspector

    async def _gather(self, exchange: Exchange) -> list[Trader]:
        """Open the accounts through L1."""
        characters, started = self._cast.characters, trio.current_time()
        progress = partial(self._observer.progress, "opening accounts", total=len(characters))
        accounts = await open_accounts(self._stage.treasury, characters, progress)
        await wait_until(lambda: exchange.status().inbox_index >= len(accounts), "all accounts are open", step=0.02)
        deposited = sum(character.deposit for character in characters)
        figures = {"accounts": len(accounts), "deposited": deposited, "seconds": trio.current_time() - started}
        self._observer.step("accounts", figures)
        return make_traders(characters, accounts, exchange.status().separator, self._settings.seed)
