"""Derivation as one step: read what L1 has new, execute it, let go of what is final.

    follower (event loop) ─► chain ─► replica (worker thread)

Execution runs in a thread of its own limiter, one batch at a time, so that the process stays responsive and progress can
be shown; the store is touched by that one thread only while `advance` runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import trio

from rollup.derive.chain import DerivedBatch
from rollup.derive.events import BatchPosted, Finalised, Reverted
from rollup.derive.follower import Follower
from rollup.derive.replica import Replica

_EXECUTION: Final = 1
"""Threads that execute: the store has one writer, and the interpreter runs one thread at a time."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far derivation is: L1 block read and L1 head, batch and block executed."""

    l1_block: int
    l1_head: int
    batch: int
    block: int


class Pipeline:
    """A follower and the replica it feeds."""

    def __init__(
        self, follower: Follower, replica: Replica, *, on_progress: Callable[[Progress], None] = lambda _: None
    ) -> None:
        self.follower = follower
        self.replica = replica
        self._on_progress = on_progress
        self._limiter = trio.CapacityLimiter(_EXECUTION)

    async def advance(self) -> list[DerivedBatch]:
        """Derive up to the confirmed head of L1 and return the batches newly executed.

        A wrong block is left in `replica.fraud`. Raises `L1Error`, with everything so far kept; call again.
        """
        executed: list[DerivedBatch] = []
        head = (await self.follower.source.head(self.follower.confirmations)).number
        await self._execute(executed, head)
        async for event in self.follower.advance():
            if isinstance(event, BatchPosted | Reverted | Finalised):
                await self._execute(executed, head)
        await self._execute(executed, head)
        return executed

    async def _execute(self, executed: list[DerivedBatch], head: int) -> None:
        chain, replica = self.follower.chain, self.replica

        def work() -> list[DerivedBatch]:
            done = list(replica.execute(chain))
            replica.finalise(chain)
            return done

        executed += await trio.to_thread.run_sync(work, limiter=self._limiter)
        cursor = self.follower.cursor
        l1_block = self.follower.source.origin.block if cursor is None else cursor.number
        self._on_progress(Progress(l1_block, head, replica.batch, replica.store.committed))
