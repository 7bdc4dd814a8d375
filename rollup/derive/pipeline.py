"""Derivation as one step: read what L1 has new, execute it, let go of what is final.

    follower (event loop) ─► chain ─► replica (worker thread)

Execution runs in a thread of its own limiter, one batch at a time, so that the process stays responsive, progress can
be shown, and a cancellation waits for one batch at most. The store is touched by that one thread only while `advance`
runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import trio

from rollup.derive.chain import DerivedBatch
from rollup.derive.follower import Follower
from rollup.derive.replica import Replica

_EXECUTION: Final = 1
"""Threads that execute: the store has one writer, and the interpreter runs one thread at a time."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far derivation is: L1 block read and L1 head; batch and block executed, and the last batch known."""

    l1_block: int
    l1_head: int
    batch: int
    block: int
    last_batch: int


class Pipeline:
    """A follower and the replica it feeds."""

    def __init__(
        self,
        follower: Follower,
        replica: Replica,
        *,
        on_batch: Callable[[DerivedBatch], None] = lambda _: None,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        """`on_batch` hears every batch that was executed and found right, `on_progress` every step."""
        self.follower = follower
        self.replica = replica
        self._on_batch = on_batch
        self._on_progress = on_progress
        self._limiter = trio.CapacityLimiter(_EXECUTION)

    async def advance(self) -> None:
        """Derive up to the confirmed head of L1. A wrong block is left in `replica.fraud`.

        Raises `L1Error`, with everything so far kept; call again. `StoreError` is for good.
        """
        while await self.follower.read_on():
            await self._execute()
        await self._execute()

    async def _execute(self) -> None:
        while (batch := await self._in_thread(self._execute_next)) is not None:
            self._on_batch(batch)
            self._report()
        await self._in_thread(self._let_go)
        self._report()

    def _execute_next(self) -> DerivedBatch | None:
        return self.replica.execute_next(self.follower.chain, whole=self.follower.whole)

    def _let_go(self) -> None:
        self.replica.let_go(self.follower.chain)

    async def _in_thread(self, work: Callable[[], DerivedBatch | None]) -> DerivedBatch | None:
        return await trio.to_thread.run_sync(work, limiter=self._limiter)

    def _report(self) -> None:
        follower, replica = self.follower, self.replica
        block = follower.source.origin.block if follower.cursor is None else follower.cursor.number
        head = block if follower.head is None else follower.head.number
        last = follower.chain.head.index
        self._on_progress(Progress(block, head, replica.batch, replica.store.committed, last))
