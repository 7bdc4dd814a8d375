"""Keeps a `Chain` in step with L1, through restarts and reorganisations.

After each range of L1 blocks a checkpoint of the chain is kept; when the node's branch changes, the newest checkpoint
that is still on it is restored and reading goes on from there. Without one (a reorganisation deeper than all
checkpoints) the chain is read again from the deployment.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from rollup.derive.chain import Chain, Snapshot
from rollup.derive.events import BatchPosted, Event
from rollup.derive.source import Cursor, L1Source, Reorganised

CHECKPOINTS: Final = 128
"""How many positions are kept to go back to; more than any reorganisation seen on Ethereum's main chain."""
RANGE: Final = 2_000
"""L1 blocks read at a time while catching up, so that progress shows and memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The chain as it stood after the L1 block `cursor`."""

    cursor: Cursor
    snapshot: Snapshot


class Follower:
    """Reads L1 into a chain. `confirmations` blocks must lie on top of a block before it is read."""

    def __init__(
        self,
        source: L1Source,
        *,
        confirmations: int = 0,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.source = source
        self.chain = Chain(source.origin.genesis)
        self.confirmations = confirmations
        self.cursor: Cursor | None = None
        self.reorganisations = 0
        self._checkpoints: list[Checkpoint] = []
        self._on_progress = on_progress

    async def advance(self) -> AsyncIterator[Event]:
        """Yield every event up to the confirmed head, each after the chain has taken it.

        `L1Error` leaves the chain at the last checkpoint, so calling again goes on without loss.
        """
        head = await self.source.head(self.confirmations)
        await self._return_to_branch()
        while self.cursor is None or self.cursor.number < head.number:
            first = self.source.origin.block if self.cursor is None else self.cursor.number + 1
            until = head if first + RANGE > head.number else await self.source.cursor_at(first + RANGE - 1)
            try:
                events = await self.source.read(self.cursor, until)
                for event in events:
                    self.chain.apply(event)
                    yield event
            except BaseException:
                self._restore()
                raise
            self._keep(until)
            if self._on_progress is not None:
                self._on_progress(until.number, head.number)

    async def run_once(self) -> list[BatchPosted]:
        """Advance to the confirmed head; returns the batches that were posted meanwhile."""
        return [event async for event in self.advance() if isinstance(event, BatchPosted)]

    async def _return_to_branch(self) -> None:
        while self.cursor is not None:
            try:
                await self.source.check(self.cursor)
            except Reorganised:
                self.reorganisations += 1
                self._checkpoints.pop()
                self._restore()
            else:
                return

    def _keep(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self._checkpoints.append(Checkpoint(cursor, self.chain.snapshot()))
        del self._checkpoints[:-CHECKPOINTS]

    def _restore(self) -> None:
        if self._checkpoints:
            last = self._checkpoints[-1]
            self.cursor = last.cursor
            self.chain.restore(last.snapshot)
        else:
            self.cursor = None
            self.chain = Chain(self.source.origin.genesis)
