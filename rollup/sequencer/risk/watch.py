"""The task that has everybody screened: after each word of the oracle, and now and then because time passes too.

A look takes a copy of prices and changed leaves from the engine's task, works on it in a thread, and hands what it
found to the engine as one more input. Looks follow one another; while one is under way, the oracle's words add up to
one more.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
import trio

from rollup.sequencer.desk import Desk
from rollup.sequencer.risk.register import Findings, Register
from rollup.sequencer.unit import Unit

INTERVAL: Final = 5.0
"""Seconds between two looks when the oracle says nothing: funding accrues and options decay."""
SLOW: Final = 1.0
"""A look that takes longer (s) is worth a line in the log."""

log = structlog.get_logger(__name__)


class RiskWatch:
    """One desk's screening. `hand_on` gives findings to the engine."""

    def __init__(self, desk: Desk, hand_on: Callable[[Findings], Awaitable[None]]) -> None:
        self._desk = desk
        self._hand_on = hand_on
        self._register = Register()
        self._generation = -1
        self._spoken = trio.Event()
        self._limiter = trio.CapacityLimiter(1)
        self.seconds = 0.0
        """How long the last look took."""
        self.screened = 0
        """How many accounts it screened."""

    def hear(self, unit: Unit) -> None:
        """Something became durable; what the oracle said is a reason to look."""
        if unit.priced:
            self._spoken.set()

    def wake(self) -> None:
        """The oracle has spoken, which nobody has made durable yet."""
        self._spoken.set()

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            with trio.move_on_after(INTERVAL):
                await self._spoken.wait()
            self._spoken = trio.Event()
            await self._look()

    async def _look(self) -> None:
        desk = self._desk
        snapshot = desk.risk.snapshot(start_over=self._generation != desk.generation)
        begun = time.perf_counter()
        findings = await trio.to_thread.run_sync(self._register.look, snapshot, limiter=self._limiter)
        self._generation = snapshot.generation
        self.seconds, self.screened = time.perf_counter() - begun, findings.screened
        if self.seconds > SLOW:
            log.warning("slow_screening", accounts=findings.screened, seconds=round(self.seconds, 3))
        found = findings.doubtful or findings.unsettled or findings.flagged or findings.holders
        if found or desk.risk.awaited:
            await self._hand_on(findings)
