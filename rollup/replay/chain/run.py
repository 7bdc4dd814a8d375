"""A replay of an option chain, part by part; whatever does not hold raises."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import trio

from rollup.errors import L1Error
from rollup.l1.client import L1Client
from rollup.quant.sources import Prices
from rollup.replay.chain.desks import draw_desks, load_books, place
from rollup.replay.chain.figures import book_figures, listing_figures, summary_figures, surface_figures, trade_figures
from rollup.replay.chain.plan import Plan, chain_genesis, make_plan
from rollup.replay.chain.settings import LISTING_DELAY, ROUND, ChainSettings
from rollup.replay.chain.table import make_rows, read_marks
from rollup.replay.chain.takers import DEPOSIT, Around, Taker, draw_orders, make_takers, taker_keys
from rollup.replay.challenger import Sample
from rollup.replay.ending import Ending, conclude
from rollup.replay.feed import Feed
from rollup.replay.run import is_posted
from rollup.replay.settings import LEAD, Observer
from rollup.replay.signing import Signer
from rollup.replay.stage import Stage, make_feed, open_owners, run_own_l1, sequencer_options, set_stage
from rollup.replay.tally import Tally
from rollup.replay.timekeeping import Timekeeper
from rollup.replay.waiting import wait_until
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.matching_orders import TimeInForce
from rollup.sequencer.service import Sequencer, run_sequencer
from rollup.types.leaves import Market
from rollup.types.limits import MILLION

BLOCK_INTERVAL: Final = 0.05
"""Seconds after which the sequencer seals: long enough for a round's trades to share blocks."""


async def run_chain_replay(settings: ChainSettings, observer: Observer) -> dict[str, Any]:
    """List, price, quote, trade, post, audit and rebuild; returns the summary's figures.

    Raises NoSurface for an expiry that cannot be fitted, BrokenInvariant, Diverged or TwinsDisagree where a promise is
    broken, and whatever the parts raise when they fail.
    """
    began = trio.current_time()
    plan = await trio.to_thread.run_sync(make_plan, settings.chain)
    summary: dict[str, Any] = {}
    async with trio.open_nursery() as nursery:
        url = settings.l1
        if url is None:
            url = await nursery.start(run_own_l1, plan.time - LEAD, settings.folder / "l1.log")
        async with L1Client(url) as l1:
            stage = await set_stage(l1, chain_genesis, LISTING_DELAY)
            if stage.opened_at + LISTING_DELAY > plan.time:
                raise L1Error("the node's clock is past the moment at which the chain was recorded", retryable=False)
            summary = await ChainReplay(settings, plan, stage, observer).run()
        nursery.cancel_scope.cancel()
    return summary | {"seconds": round(trio.current_time() - began, 3)}


class ChainReplay:
    """One replay on a stage that is set."""

    def __init__(self, settings: ChainSettings, plan: Plan, stage: Stage, observer: Observer) -> None:
        self._settings = settings
        self._plan = plan
        self._stage = stage
        self._observer = observer
        self._books, self._trades = Tally(), Tally()
        self._sample = Sample(settings.audit_ppm)
        self._timekeeper = Timekeeper(stage.l1, stage.opened_at)
        self._markets: dict[int, Market] = {}

    async def run(self) -> dict[str, Any]:
        """All parts in order."""
        stage, folder = self._stage, self._settings.folder
        async with trio.open_nursery() as nursery:
            options = sequencer_options(stage, folder, self._timekeeper, BLOCK_INTERVAL)
            sequencer: Sequencer = await nursery.start(run_sequencer, options)
            await self._perform(sequencer.exchange)
            self._observer.progress("posting the rest", 0, 0)
            await wait_until(lambda: is_posted(sequencer.exchange), "L1 has every block", step=0.1)
            status = sequencer.exchange.status()
            nursery.cancel_scope.cancel()
        ending = Ending(stage, self._timekeeper, self._observer, folder, self._trades, self._sample)
        outcome = await conclude(ending, status.number, status.root)
        return summary_figures(self._plan, self._books, self._trades, outcome)

    async def _perform(self, exchange: Exchange) -> None:
        """Everything in which the sequencer takes part."""
        exchange.listen(self._sample.hear)
        await self._list_markets(exchange)
        await self._timekeeper.move_to(self._plan.time)
        feed = make_feed(exchange)
        await self._say(feed, self._plan.time)
        self._show_agreement(exchange)
        takers = await self._open_books(exchange)
        exchange.listen(self._trades.hear)
        await self._trade(exchange, feed, takers)

    async def _list_markets(self, exchange: Exchange) -> None:
        """Series and options through the inbox, as the market admin; L1Error if the rollup did not accept one."""
        started, items = trio.current_time(), self._plan.items()
        progress = partial(self._observer.progress, "listing through L1", total=len(items))
        await self._stage.treasury.list_items(items, progress)
        await wait_until(lambda: exchange.status().inbox_index >= len(items), "everything is listed", step=0.02)
        for number, quote in self._plan.options.items():
            instrument = exchange.catalogue.by_number(number)
            if instrument.name != quote.name:
                raise L1Error(f"market {number} is {instrument.name}, not {quote.name}", retryable=False)
            self._markets[number] = instrument.market
        self._observer.step("listing", listing_figures(self._stage, self._plan, trio.current_time() - started))

    async def _say(self, feed: Feed, time: int) -> None:
        """The chain's index and all of its surfaces."""
        index = round(self._plan.chain.index * MILLION)
        surfaces = {dated.series: dated.surface for dated in self._plan.dated}
        await feed.publish(Prices(index, index), time, surfaces)

    def _show_agreement(self, exchange: Exchange) -> None:
        oracle = exchange.oracle()
        marks = read_marks(oracle, self._markets)
        self._observer.step("surface", surface_figures(make_rows(self._plan, marks, oracle), oracle))

    async def _open_books(self, exchange: Exchange) -> list[Taker]:
        """Accounts for everybody, and the recorded books; returns the takers."""
        settings, plan, started = self._settings, self._plan, trio.current_time()
        desks = draw_desks(plan, settings.seed)
        keys = taker_keys(settings.takers, settings.seed)
        owners = [(desk.key, desk.deposit) for desk in desks] + [(key, DEPOSIT) for key in keys]
        signers = await self._open_accounts(exchange, owners)
        orders = sum(len(desk.levels) for desk in desks)
        progress = partial(self._observer.progress, "loading the books", total=orders)
        staffed = list(zip(desks, signers, strict=False))
        await load_books(exchange, staffed, self._timekeeper(), self._books, progress)
        figures = book_figures(desks, len(keys), self._books, trio.current_time() - started)
        self._observer.step("books", figures)
        return make_takers(signers[len(desks) :], plan.options, settings.seed)

    async def _open_accounts(self, exchange: Exchange, owners: list[tuple[bytes, int]]) -> list[Signer]:
        progress = partial(self._observer.progress, "opening accounts", total=len(owners))
        accounts = await open_owners(self._stage.treasury, owners, progress)
        messages = await self._stage.treasury.messages()
        await wait_until(lambda: exchange.status().inbox_index >= messages, "all accounts are open", step=0.02)
        separator = exchange.status().separator
        return [Signer(account, key, separator) for account, (key, _) in zip(accounts, owners, strict=True)]

    async def _trade(self, exchange: Exchange, feed: Feed, takers: list[Taker]) -> None:
        """Round after round: time goes on, the oracle speaks, everybody takes."""
        settings, started = self._settings, trio.current_time()
        for done in range(settings.rounds):
            now = self._plan.time + ROUND * (done + 1)
            await self._timekeeper.move_to(now)
            await self._say(feed, now)
            around = self._around(exchange)
            async with trio.open_nursery() as nursery:
                for order in draw_orders(takers, exchange, around, settings.orders, now):
                    await nursery.start(place, exchange, order, TimeInForce.IOC, self._trades)
            self._observer.progress("trading", done + 1, settings.rounds)
        seconds = trio.current_time() - started
        self._observer.step("trading", trade_figures(exchange, self._trades, settings, takers, seconds))

    def _around(self, exchange: Exchange) -> dict[int, Around]:
        """Every option's mark, and its price band."""
        oracle = exchange.oracle()
        marks = read_marks(oracle, self._markets)
        around = {}
        for number, market in self._markets.items():
            forward = oracle.series[market.underlying, market.series].forward
            around[number] = Around(marks[number], market.band * forward // MILLION)
        return around
