"""Keeps a `Chain` in step with L1, through restarts and reorganisations.

After each range of L1 blocks a checkpoint is kept; when the node's branch changes, the chain goes back to the newest
checkpoint that is still on it, and reading goes on from there. Without one (a reorganisation deeper than all
checkpoints) the chain is read again from its anchor, or from the deployment if L1 no longer has that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rollup.derive.anchor import Anchor
from rollup.derive.chain import Chain
from rollup.derive.events import BatchPosted, Event, MessageAdded
from rollup.derive.source import Cursor, L1Source, Reorganised

CHECKPOINTS: Final = 128
"""How many positions are kept to go back to; more than any reorganisation seen on Ethereum's main chain."""
RANGE: Final = 500
"""L1 blocks read at a time while catching up: progress shows, and at most as many batches are held in memory."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where the chain stood after the L1 block `cursor`; `mark` is the chain's own name for it."""

    cursor: Cursor
    mark: int


class Follower:
    """Reads L1 into a chain. `confirmations` blocks must lie on top of a block before it is read."""

    def __init__(
        self, source: L1Source, *, anchor: Anchor | None = None, confirmations: int = 0, span: int = RANGE
    ) -> None:
        """Begin at `anchor`, a final batch that was executed in an earlier life, or at the genesis."""
        self.source = source
        self._anchor = anchor or source.origin.anchor
        self.chain = self._new_chain()
        self.confirmations = confirmations
        self.head: Cursor | None = None
        """The newest confirmed block when L1 was last asked."""
        self.reorganisations = 0
        self._span = span
        self._caught_up = False
        """Whether the head was reached once: from then on the node shows what is new, or nobody's logs would help."""
        self._checkpoints: list[Checkpoint] = []

    @property
    def cursor(self) -> Cursor | None:
        """The last L1 block that was read, None before the first."""
        return self._checkpoints[-1].cursor if self._checkpoints else None

    @property
    def whole(self) -> bool:
        """Whether the chain holds everything up to the confirmed head, as far as it is known."""
        return self.head is not None and self.cursor is not None and self.cursor.number >= self.head.number

    async def read_on(self) -> bool:
        """Read the next range of L1 blocks; False if there was none to read.

        After an `L1Error` the chain stands at the last checkpoint, so calling again goes on without loss.
        """
        self.head = head = await self.source.head(self.confirmations)
        await self._return_to_branch()
        cursor = self.cursor
        if cursor is not None and cursor.number >= head.number:
            return False
        first = await self._begin() if cursor is None else cursor.number + 1
        last = first + self._span - 1
        until = head if last >= head.number else await self.source.cursor_at(last)
        mark = self.chain.mark()
        try:
            events = [event for event in await self.source.read(first, cursor, until) if self._anchor.is_news(event)]
            for event in events:
                await self._require_next(event)
                self.chain.apply(event)
            if not events and not self._caught_up:
                await self.source.require_shown(len(self.chain.inbox), self.chain.head.index + 1, until)
        except BaseException:
            self.chain.back_to(mark)
            raise
        self._keep(until)
        self._caught_up = until.number >= head.number
        return True

    async def _require_next(self, event: Event) -> None:
        """Where an event leaves a gap, find out whether the node has dropped what belongs there; `L1Pruned`."""
        messages, batches = len(self.chain.inbox), self.chain.head.index + 1
        match event:
            case MessageAdded(index=index) if index > messages:
                await self.source.require_shown(messages, batches)
            case BatchPosted(index=index) if index > batches:
                await self.source.require_shown(messages, batches)
            case _:
                pass

    def start_over(self) -> None:
        """Forget everything read, so that `read_on` begins at the anchor again: for whoever let go of too much."""
        self._checkpoints.clear()
        self.chain = self._new_chain()

    async def _return_to_branch(self) -> None:
        while self._checkpoints:
            try:
                await self.source.check(self._checkpoints[-1].cursor)
            except Reorganised:
                self.reorganisations += 1
                self._go_back()
            else:
                return

    def _go_back(self) -> None:
        self._checkpoints.pop()
        if self._checkpoints:
            self.chain.back_to(self._checkpoints[-1].mark)
        else:
            self.chain = self._new_chain()

    async def _begin(self) -> int:
        """The L1 block to read first; the genesis becomes the anchor if L1 does not have the anchor any more."""
        if not await self.source.has_anchor(self._anchor):
            self._anchor = self.source.origin.anchor
            self.chain = self._new_chain()
        return await self.source.first_block(self._anchor)

    def _new_chain(self) -> Chain:
        return Chain(self._anchor.batch, self._anchor.inbox_hash)

    def _keep(self, cursor: Cursor) -> None:
        self._checkpoints.append(Checkpoint(cursor, self.chain.mark()))
        if len(self._checkpoints) > CHECKPOINTS:
            del self._checkpoints[:-CHECKPOINTS]
            self.chain.forget(self._checkpoints[0].mark)
