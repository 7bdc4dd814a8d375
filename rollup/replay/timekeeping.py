"""Recorded time as everybody's time: the sequencer's clock is the tape, and the L1 chain is moved along with it.

A development node is needed for that: no other lets its clock be set.
"""

from __future__ import annotations

from typing import Final

from rollup.errors import ConfigError, L1Error, L1Refused
from rollup.l1.client import L1Client
from rollup.l1.dev import mine, set_next_timestamp

L1_EVERY: Final = 600
"""Seconds of recorded time between two L1 blocks that only move the clock; many, for each costs work on the node."""


class Timekeeper:
    """The present moment of a replay; call it for the time, as the sequencer does."""

    def __init__(self, l1: L1Client, now: int) -> None:
        self._l1 = l1
        self._now = now
        self._l1_due = 0

    def __call__(self) -> int:
        """Unix time of the moment replayed."""
        return self._now

    async def move_to(self, time: int) -> None:
        """Go on to `time`; L1 follows once `L1_EVERY` seconds have passed."""
        self._now = time
        if time >= self._l1_due:
            await self.move_l1(time)

    async def move_l1(self, time: int) -> None:
        """Mine an L1 block at `time`, unless L1 is there already; `ConfigError` if the node's clock cannot be set."""
        if await l1_time(self._l1) < time:
            try:
                await set_next_timestamp(self._l1, time)
                await mine(self._l1)
            except L1Refused as refusal:
                raise ConfigError(f"a replay needs a development node whose clock can be set: {refusal}") from refusal
        self._l1_due = time + L1_EVERY


async def l1_time(l1: L1Client) -> int:
    """Time of the newest L1 block."""
    head = await l1.get_block()
    if head is None:
        raise L1Error("the node has no newest block", retryable=True)
    return head.timestamp
