"""The single writer of a store under Trio: callers wait, their commits share one synced batch.

While one batch is on its way to the disk the next commits queue up; all of them go into the batch after it. So the
wait for the disk is paid once per batch, however many callers there are, and each is told only once its own is durable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import trio

from rollup.errors import StoreError
from rollup.store.changes import BlockCommit, Notes
from rollup.store.state import StateStore

QUEUE: Final = 256
"""Commits that may wait; the caller of one more waits for its place, so that sealing cannot run away from the disk."""
GROUP: Final = 128
"""Commits in one batch: a batch of this many full blocks has about 10 MB."""


@dataclass(frozen=True, slots=True)
class WriterStatistics:
    """Commits durable, batches they took, the most in one batch, and how many wait now."""

    commits: int
    groups: int
    largest_group: int
    waiting: int


@dataclass(slots=True, eq=False)
class _Request:
    blocks: Sequence[BlockCommit]
    notes: Notes | None
    rollback_to: int | None = None
    done: trio.Event = field(default_factory=trio.Event)
    error: StoreError | None = None


class StoreWriter:
    """Runs a store's commits in a thread of their own, one batch at a time.

    Blocks are committed in the order of the calls, which must be that of staging. The first failed write stops the
    writer: nobody is told that a later commit is durable, and `run` raises.
    """

    def __init__(self, store: StateStore) -> None:
        self.store = store
        self._send, self._receive = trio.open_memory_channel[_Request](QUEUE)
        self._limiter = trio.CapacityLimiter(1)
        self._current: list[_Request] = []
        self._held: _Request | None = None
        self._commits = self._groups = self._largest = 0

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write until `close` was called and the queue is empty; raises StoreError if the disk fails."""
        task_status.started()
        error = StoreError("the writer stopped before this was written")
        try:
            while group := await self._next_group():
                await self._write(group)
        except StoreError as failure:
            error = failure
            raise
        finally:
            self._send.close()
            self._refuse_rest(error)

    async def commit(self, blocks: Sequence[BlockCommit] = (), notes: Notes | None = None) -> None:
        """Return once the blocks (the next staged ones) and the notes are durable; raises StoreError if they are not.

        If the caller is cancelled, they may or may not become durable.
        """
        await self._submit(_Request(tuple(blocks), notes))

    async def rollback(self, number: int, notes: Notes | None = None) -> None:
        """Take back every block above `number`, after all commits already queued; see `StateStore.rollback`.

        It runs in the writer's thread: until it returns, nobody else may touch the store.
        """
        await self._submit(_Request((), notes, rollback_to=number))

    def close(self) -> None:
        """Accept no more; `run` returns once everything accepted is durable."""
        self._send.close()

    def statistics(self) -> WriterStatistics:
        """Return the writer's counts."""
        waiting = self._send.statistics().current_buffer_used + len(self._current)
        return WriterStatistics(self._commits, self._groups, self._largest, waiting)

    async def _submit(self, request: _Request) -> None:
        try:
            await self._send.send(request)
        except (trio.ClosedResourceError, trio.BrokenResourceError) as error:
            raise StoreError("the writer has stopped") from error
        await request.done.wait()
        if request.error is not None:
            raise StoreError(str(request.error)) from request.error

    async def _next_group(self) -> list[_Request]:
        """Return the requests of the next batch, at least one; none if there will be no more."""
        group = [self._held] if self._held else []
        self._held = None
        try:
            if not group:
                group.append(await self._receive.receive())
            while len(group) < GROUP and group[0].rollback_to is None:
                request = self._receive.receive_nowait()
                if request.rollback_to is not None:  # is a batch of its own
                    self._held = request
                    break
                group.append(request)
        except (trio.WouldBlock, trio.EndOfChannel):
            pass
        return group

    async def _write(self, group: list[_Request]) -> None:
        self._current = group
        first = group[0]
        if first.rollback_to is not None:
            rollback = partial(self.store.rollback, first.rollback_to, first.notes)
            await trio.to_thread.run_sync(rollback, limiter=self._limiter)
        else:
            blocks = [block for request in group for block in request.blocks]
            prepared = self.store.prepare(blocks, [request.notes for request in group if request.notes])
            await trio.to_thread.run_sync(self.store.write, prepared, limiter=self._limiter)
            self.store.settle(prepared)
        self._current = []
        self._commits += len(group)
        self._groups += 1
        self._largest = max(self._largest, len(group))
        for request in group:
            request.done.set()

    def _refuse_rest(self, error: StoreError) -> None:
        rest = [*self._current, *([self._held] if self._held else [])]
        with self._receive:
            while True:
                try:
                    rest.append(self._receive.receive_nowait())
                except (trio.WouldBlock, trio.EndOfChannel):
                    break
        for request in rest:
            request.error = error
            request.done.set()
