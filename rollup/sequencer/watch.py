"""L1 as the sequencer follows it: messages in, the fate of its batches, and the moments when it must move.

follower ─► chain ─┬─► new messages ─► gate ─► engine
                   ├─► batches, finality ─► store
                   └─► reverted, overtaken or reorganised ─► stop the engine, align the store, go on
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
import trio

from rollup.derive.follower import Follower
from rollup.derive.replica import Replica
from rollup.errors import L1Error
from rollup.sequencer.engine import Input, Pause, TakeMessages
from rollup.sequencer.gate import Gate
from rollup.sequencer.l1_time import L1Time
from rollup.sequencer.room import has_room
from rollup.sequencer.standing import Standing, align, awaited, is_empty, last_held, notes_of, stands
from rollup.sequencer.withdrawn import is_withdrawn
from rollup.store.writer import StoreWriter
from rollup.types.limits import MAX_TRANSACTIONS

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
    def fork(self) -> int:
        """The fork on which it builds."""

    @property
    def inbox_index(self) -> int:
        """Inbox messages consumed."""

    @property
    def inbox_hash(self) -> bytes:
        """The rolling hash after the last sealed block."""

    def move(self, fork: int) -> None:
        """Start over from the store, on this fork."""

    def take_block(self, messages: Sequence[bytes]) -> int:
        """Begin a block with as many of these messages as it has room for."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What L1 has: its last batch and the block that ends it, the last final batch, the fork."""

    batch: int
    block: int
    finalised: int
    fork: int


class Watcher:
    """Follows L1 for a running sequencer. Nothing is built or posted before its first look at L1."""

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
        gate: Gate,
        time: L1Time,
        posts: bool,
        news: Callable[[Progress], None],
    ) -> None:
        """`posts`: whether this sequencer posts its blocks itself, so that old ones are a reason to stop."""
        self._follower = follower
        self._replica = replica
        self._writer = writer
        self._inputs = inputs
        self._alarms = alarms
        self._poll = poll
        self._desk = desk
        self._gate = gate
        self._time = time
        self._posts = posts
        self._news = news
        self._trouble = ""
        self._sent, self._sent_hash = desk.inbox_index, desk.inbox_hash
        self._pause: Pause | None = None
        self._aligned = False
        self._reported: Progress | None = None

    @property
    def may_build(self) -> bool:
        """Whether commands are taken in: the chain is in place, L1 has every message consumed, and it is not far.

        Not while old messages are being taken: L1 admits a batch that leaves such behind only if each block took some.
        Nor while one waits late for its price, which has to fit the same batch.
        """
        return self._may_go_on and not self.holds_late

    @property
    def may_price(self) -> bool:
        """Whether the oracle's updates are taken in: as commands are, and while a message waits late for them."""
        return self._may_go_on and (not self.holds_late or self._has_room())

    @property
    def holds_late(self) -> bool:
        """Whether a message waits for a price that the next batch must not leave behind."""
        return self._gate.holds_late

    @property
    def _may_go_on(self) -> bool:
        return self.may_post and self._sent <= self.messages and not self._trouble and not self._is_urgent()

    def _has_room(self) -> bool:
        return has_room(self._writer.store, self.progress.block, self.messages - self._desk.inbox_index)

    @property
    def may_post(self) -> bool:
        """Whether the stored blocks are those that L1 is to have; not while the chain is being moved."""
        return self._pause is None and self._aligned

    @property
    def progress(self) -> Progress:
        """What L1 has of the chain."""
        chain = self._follower.chain
        return Progress(chain.head.index, chain.head.last_number, chain.finalised, chain.fork)

    @property
    def messages(self) -> int:
        """How many inbox messages L1 has."""
        return len(self._follower.chain.inbox)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled, started after the first look. L1 may fail for as long as it likes."""
        looked = False
        while True:
            try:
                while await self._follower.read_on():
                    await self._step()
                await self._step()
                await self._hear()
                self._alarms.clear("watch")
            except L1Error as error:
                self._alarms.raise_("watch", str(error))
            self._look_at_time()
            if not looked:
                looked = True
                task_status.started()
            await trio.sleep(self._poll)

    async def _hear(self) -> None:
        head = await self._follower.source.l1.get_block("latest")
        if head is not None:
            self._time.hear(head.timestamp)

    def _look_at_time(self) -> None:
        """Stop taking commands in while L1 is too far away, and say if the machine's clock is not to be believed."""
        number = self.progress.block + 1
        first = self._writer.store.records.block(number) if self._posts else None
        self._trouble = self._time.trouble(number, None if first is None else first.header.timestamp)
        self._say("late", self._trouble)
        off = self._time.deviation()
        self._say("clock", f"this machine's clock is {off:+} s off what L1 allows and is not followed" if off else "")

    def _say(self, key: str, text: str) -> None:
        if text:
            self._alarms.raise_(key, text)
        else:
            self._alarms.clear(key)

    async def _step(self) -> None:
        """One look at the chain. Whatever is begun here and not ended, as a move is, goes on in the next step."""
        if not self._follower.whole:
            return  # batches may be yet to come that say where the chain stands
        if self._pause is None and not (self._aligned and self._stands()):
            await self._stop()  # also at the start: the first block must not be built before waiting messages are taken
        if self._pause is None:
            await self._take_note()
        elif not await self._move(self._pause):
            return
        await self._hand_on_messages()
        self._look_at_inbox()
        if self.progress != self._reported:
            self._reported = self.progress
            self._news(self.progress)

    def _stands(self) -> bool:
        """Whether what was built, and what the engine is still building, is on L1's chain."""
        chain = self._follower.chain
        if self._desk.fork != chain.fork:
            return False
        if self._sent <= len(chain.inbox) and chain.inbox.hash_at(self._sent) != self._sent_hash:
            return False
        return stands(self._writer.store, chain)

    async def _take_note(self) -> None:
        """Write down what L1 has now of the chain; let go of the rest."""
        chain, store = self._follower.chain, self._writer.store
        notes = notes_of(store, chain, last_held(store, chain))
        if not is_empty(notes):
            await self._writer.commit((), notes)
        chain.trim(chain.head.index)

    async def _hand_on_messages(self) -> None:
        inbox = self._follower.chain.inbox
        while admitted := self._gate.admit(inbox, self._sent, self._l1_now(), room=self._has_room):
            first = self._sent
            messages = inbox.slice(first, admitted)
            self._note_sent(first + admitted)
            urgent = self._gate.is_urgent(inbox, first, self._l1_now())
            await self._inputs.send([TakeMessages(first, messages, urgent)])
        self._say("held", self._gate.text)

    def _is_urgent(self) -> bool:
        taken = self._desk.inbox_index
        return taken < self._sent and self._gate.is_urgent(self._follower.chain.inbox, taken, self._l1_now())

    def _l1_now(self) -> int:
        now = self._time.l1
        assert now is not None, "L1 was heard before anything was read from it"
        return now

    def _note_sent(self, count: int) -> None:
        self._sent, self._sent_hash = count, self._follower.chain.inbox.hash_at(count)

    def _look_at_inbox(self) -> None:
        lost = self._sent - self.messages
        text = (
            f"L1 lost {lost} inbox messages that blocks have consumed; it must bring them back, or others in their "
            f"place (any deposit will do), before anything more is taken in"
        )
        self._say("inbox", text if lost > 0 else "")

    async def _stop(self) -> None:
        """Have the engine stop, with everything that it did on disk."""
        chain = self._follower.chain
        if self._aligned:
            log.warning("chain_moves", fork=chain.fork, batch=chain.head.index, block=self._writer.store.number)
        pause = self._pause = Pause()
        await self._inputs.send([pause])
        await pause.stopped.wait()

    async def _move(self, pause: Pause) -> bool:
        """Align the store with L1 and start over from there; False if that is not possible yet."""
        follower, store = self._follower, self._writer.store
        chain = follower.chain
        standing = await trio.to_thread.run_sync(align, store, self._replica, chain)
        self._alarm_of(standing)
        if standing is Standing.UNREAD:
            follower.start_over()
        if standing is not Standing.ALIGNED:
            return False
        self._desk.move(chain.fork)
        self._sent, self._sent_hash = self._desk.inbox_index, self._desk.inbox_hash
        # The next block has to consume the messages by which L1 now differs: one with the number of a withdrawn block
        # and with an inbox hash that both branches have would be a second signature for the same place. No patience
        # is worth the stake.
        inbox = chain.inbox
        waiting = min(MAX_TRANSACTIONS, len(inbox) - self._sent)
        if waiting > 0 and is_withdrawn(store.records, chain.fork, store.committed + 1):
            self._note_sent(self._sent + self._desk.take_block(inbox.slice(self._sent, waiting)))
        if self._aligned:
            log.warning("chain_moved", fork=chain.fork, block=store.number)
        self._pause, self._aligned = None, True
        pause.resume.set()
        return True

    def _alarm_of(self, standing: Standing) -> None:
        chain, store = self._follower.chain, self._writer.store
        wrong = f"L1 has a wrong batch after block {store.committed}; waiting for its reversion"
        self._say("fraud", wrong if standing is Standing.WRONG_BATCH else "")
        last = awaited(store, chain) if standing is Standing.OVERTAKEN else 0
        overtaken = f"others posted in place of signed blocks; nothing may be built before L1 has block {last}"
        self._say("overtaken", overtaken if last else "")
