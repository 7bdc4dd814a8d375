"""The replay itself: tick after tick the oracle speaks, traders act, and nothing goes on before all of it is durable.

Waiting for the answers of a tick keeps block times on the tape's, and makes the order of events a function of the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import trio

from rollup.errors import Rejected
from rollup.replay.errands import Errands
from rollup.replay.feed import Feed
from rollup.replay.strategies import Scene
from rollup.replay.tally import Health, Tally, worse
from rollup.replay.tape import Stretch, Tape
from rollup.replay.timekeeping import Timekeeper
from rollup.replay.traders import Trader, health_of, sign_all, turns_of
from rollup.replay.waiting import wait_until
from rollup.sequencer.catalogue import Instrument
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.matching_orders import TimeInForce
from rollup.types.transactions import FLAG_IMMEDIATE, Cancel, FreshOrder

HEALTH_EVERY: Final = 30
"""Ticks between two looks at everybody's margin."""
BACKLOG: Final = 1_500
"""Blocks that may wait for L1 before trading waits too; a slow L1 would otherwise fall behind without end."""


@dataclass(frozen=True, slots=True)
class Players:
    """Everything that acts in a replay."""

    exchange: Exchange
    feed: Feed
    traders: Sequence[Trader]
    errands: Errands
    timekeeper: Timekeeper
    tally: Tally


class Simulation:
    """One replay of a stretch of the tape in one market."""

    def __init__(self, players: Players, tape: Tape, instrument: Instrument) -> None:
        self.health: Health | None = None
        """The worst seen so far."""
        self._players = players
        self._tape = tape
        self._instrument = instrument

    async def run(self, stretch: Stretch, on_tick: Callable[[int], None]) -> None:
        """Replay the stretch; `on_tick` hears how many ticks are done."""
        players = self._players
        await players.errands.appoint_sessions(players.timekeeper())
        for done, tick in enumerate(range(stretch.first, stretch.last + 1)):
            now = self._tape.times[tick]
            await players.timekeeper.move_to(now)
            await players.feed.publish(self._tape.quote(tick), now)
            players.tally.oracle_updates += 1
            await players.errands.run(done, now)
            await self.trade(tick, now)
            if done % HEALTH_EVERY == HEALTH_EVERY - 1 or tick == stretch.last:
                self._examine()
            await self.hold_back()
            players.tally.ticks = done + 1
            on_tick(done + 1)
        await players.errands.finish()

    async def trade(self, tick: int, now: int) -> None:
        """Have everybody act who acts at this tick."""
        players, market = self._players, self._instrument.number
        scene = Scene(self._tape, tick, self._instrument.market)
        turns = turns_of(players.traders, players.exchange, scene, market)
        requests = await trio.to_thread.run_sync(sign_all, turns, market, now)
        async with trio.open_nursery() as nursery:
            for request in requests:
                # A task started this way runs up to the exchange's queue before the next one starts, so that requests
                # arrive as they were drawn; tasks started together run in any order.
                await nursery.start(self._send, request)

    async def _send(
        self, request: Cancel | FreshOrder, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        exchange, tally = self._players.exchange, self._players.tally
        task_status.started()
        try:
            if isinstance(request, Cancel):
                tally.soft_cancels += len(await exchange.cancel(request))
            else:
                time_in_force = TimeInForce.IOC if request.flags & FLAG_IMMEDIATE else TimeInForce.GTC
                tally.acknowledge(await exchange.place(request, time_in_force))
        except Rejected as error:
            tally.refuse(error)

    def _examine(self) -> None:
        now = health_of(self._players.traders, self._players.exchange, self._instrument.number)
        if now is not None:
            self.health = now if self.health is None else worse(self.health, now)

    async def hold_back(self) -> None:
        """Wait while L1 lags behind too far."""
        if self._backlog() > BACKLOG:
            await wait_until(lambda: self._backlog() <= BACKLOG // 2, "L1 has the blocks that wait for it", step=0.05)

    def _backlog(self) -> int:
        status = self._players.exchange.status()
        return status.number - status.posted
