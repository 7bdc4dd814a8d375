"""L1 as the sequencer follows it: messages in, the fate of its batches, and the moments when it must move.

follower ─► chain ─┬─► new messages ─► engine
                   ├─► batches, finality ─► store
                   └─► reverted, overtaken or reorganised ─► stop the engine, align the store, go on
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
import trio

from rollup.derive.follower import Follower
from rollup.derive.replica import Replica
from rollup.errors import L1Error
from rollup.sequencer.engine import Input, Pause, TakeMessages
from rollup.sequencer.standing import align, last_held, notes_of, stands
from rollup.store.writer import StoreWriter

MESSAGES: Final = 256
"""Inbox messages handed to the engine at once: eight blocks."""

log = structlog.get_logger(__name__)


class Alarm(Protocol):
    """Where operators look."""

    def raise_(self, key: str, text: str) -> None:
        """Raise an alarm."""

    def clear(self, key: str) -> None:
        """The cause is gone."""


class Movable(Protocol):
    """What starts over when the chain was moved; the desk."""

    @property
    def inbox_index(self) -> int:
        """Inbox messages consumed."""

    def move(self, fork: int) -> None:
        """Start over from the store, on this fork."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What L1 has: its last batch and the block that ends it, the last final batch, the fork."""

    batch: int
    block: int
    finalised: int
    fork: int


class Watcher:
    """Follows L1 for a running sequencer."""

    def __init__(
        self,
        follower: Follower,
        replica: Replica,
        writer: StoreWriter,
        inputs: trio.MemorySendChannel[list[Input]],
        alarms: Alarm,
        *,
        poll: float,
        desk: Movable,
        news: Callable[[Progress], None],
    ) -> None:
        self._follower = follower
        self._replica = replica
        self._writer = writer
        self._inputs = inputs
        self._alarms = alarms
        self._poll = poll
        self._desk = desk
        self._news = news
        self._sent = desk.inbox_index
        self._checked: tuple[int, int, int] | None = None
        self._reported: Progress | None = None
        self.in_order = True
        """False while the chain is being moved, or L1 has a wrong batch: nothing may be built or posted then."""

    @property
    def progress(self) -> Progress:
        """What L1 has of the chain."""
        chain = self._follower.chain
        return Progress(chain.head.index, chain.head.last_number, chain.finalised, chain.fork)

    async def run(self) -> None:
        """Serve until cancelled. L1 may fail for as long as it likes."""
        while True:
            try:
                while await self._follower.read_on():
                    await self._step()
                await self._step()
                self._alarms.clear("watch")
            except L1Error as error:
                self._alarms.raise_("watch", str(error))
            await trio.sleep(self._poll)

    async def _step(self) -> None:
        follower, store = self._follower, self._writer.store
        if not follower.whole:
            return  # batches may be yet to come that say where the chain stands
        chain = follower.chain
        key = (chain.fork, chain.head.index, follower.reorganisations)
        if key != self._checked and not stands(store, chain):
            await self._move()
        else:
            notes = notes_of(store, chain, last_held(store, chain))
            if notes.batches or notes.final is not None:
                await self._writer.commit((), notes)
            chain.trim(chain.head.index)
        self._checked = key
        await self._hand_on_messages()
        if self.progress != self._reported:
            self._reported = self.progress
            self._news(self.progress)

    async def _hand_on_messages(self) -> None:
        inbox = self._follower.chain.inbox
        while self._sent < len(inbox):
            messages = inbox.slice(self._sent, min(MESSAGES, len(inbox) - self._sent))
            await self._inputs.send([TakeMessages(self._sent, messages)])
            self._sent += len(messages)

    async def _move(self) -> None:
        """Stop the engine, align the store with L1, and start over from there."""
        follower, store = self._follower, self._writer.store
        log.warning("chain_moves", fork=follower.chain.fork, batch=follower.chain.head.index, block=store.number)
        self.in_order = False
        pause = Pause()
        await self._inputs.send([pause])
        await pause.stopped.wait()
        while store.committed < store.number:  # noqa: ASYNC110 - the writer has no such event
            await trio.sleep(0.005)  # what the engine sent on is being written
        while not await trio.to_thread.run_sync(align, store, self._replica, follower.chain):
            self._alarms.raise_("fraud", f"L1 has a wrong batch {follower.chain.head.index}; waiting for its reversion")
            await trio.sleep(self._poll)
            while await follower.read_on():
                pass
        self._alarms.clear("fraud")
        self._desk.move(follower.chain.fork)
        self._sent = self._desk.inbox_index
        self.in_order = True
        log.warning("chain_moved", fork=follower.chain.fork, block=store.number)
        pause.resume.set()
