"""L1 as a node shows it that has dropped its old logs, with a checked export in their place.

Up to the export's end the events come from the file, after it from the node. What the export leaves out of a batch's
place on L1 (the log's number in its block, the transaction's hash) nothing in derivation needs.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import trio

from rollup.crypto.keccak import roll
from rollup.derive.calldata import encode_posted
from rollup.derive.events import BatchPosted, Event, Finalised, Forked, MessageAdded, Position, Reverted
from rollup.derive.exports import BatchItem, MessageItem, read_items
from rollup.derive.origin import Origin
from rollup.derive.source import IN_FLIGHT, Cursor, L1Source, Reorganised
from rollup.errors import L1Error, L1Reverted
from rollup.l1.client import L1Client

NOWHERE: Final = bytes(32)
"""Transaction of an event that an export tells of."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What L1's storage says of a batch that stands, and the block that holds it."""

    state_root: bytes
    batch_hash: bytes
    poster: bytes
    last_number: int
    block_count: int
    inbox_index: int
    fork: int
    l1_block: int
    l1_hash: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch stands in the chain: its number, its parent, and the inbox before the first of its new messages."""

    index: int
    parent_hash: bytes
    parent_fork: int
    first_message: int
    rolling: bytes


@dataclass(frozen=True, slots=True)
class VettedBatch:
    """A batch that L1 has as the file says; its part of the file begins at `offset`, with its new messages."""

    place: Place
    facts: Facts
    inbox_hash: bytes
    offset: int


@dataclass(slots=True)
class Export:
    """A checked export, as far as it holds.

    Up to L1 block `end` nothing is missing in it. Of one that was `cut`, because its last batches were reverted since
    or its end is open, what follows the last good batch is missing, and L1 is to be read from block `resume` on. The
    messages behind the last batch begin at offset `tail`, after the inbox hash `tail_rolling`; `fork` is the number of
    reversions up to the end, `finalised` L1's last final batch when it was checked.
    """

    path: Path
    origin: Origin
    tail: int = 0
    batches: list[VettedBatch] = field(default_factory=list)
    messages: int = 0
    tail_rolling: bytes = bytes(32)
    end: int = 0
    end_hash: bytes = bytes(32)
    resume: int = 0
    cut: bool = False
    finalised: int = 0
    fork: int = 0

    @property
    def consumed(self) -> int:
        """How many messages the last final batch has consumed: those behind it wait, or may wait again."""
        final = min(self.finalised, len(self.batches))
        return self.batches[final - 1].facts.inbox_index if final else 0

    def events(self, first: int, last: int) -> list[Event]:
        """All events of L1 blocks `first` to `last`, as far as the export has them."""
        found: list[Event] = []
        final = 0
        begin = bisect_left(self.batches, first, key=_block_of)
        for batch in self.batches[begin : bisect_right(self.batches, last, key=_block_of)]:
            found += self._events_of(batch)
            final = min(batch.place.index, self.finalised)
        if first <= self.end <= last and not self.cut:
            found += self._events_of_tail()
        if final:
            found.append(Finalised(found[-1].at, final))
        return found

    def knows(self, event: Event) -> bool:
        """Whether an event that L1's logs show from block `resume` on is in the export already."""
        last = self.batches[-1].place.index if self.batches else 0
        match event:
            case MessageAdded():
                return event.index < self.messages
            case BatchPosted():
                return event.index <= last and event.fork <= self.fork
            case Reverted() | Forked():
                return event.fork <= self.fork
            case Finalised():
                return event.up_to <= min(self.finalised, last)

    def _events_of(self, batch: VettedBatch) -> list[Event]:
        messages: list[bytes] = []
        for _, item in read_items(self.path, batch.offset):
            if isinstance(item, BatchItem):
                return batch_events(batch.place, batch.facts, messages, item.blocks, batch.inbox_hash)
            assert isinstance(item, MessageItem), "the file is as it was checked"
            messages.append(item.message)
        raise AssertionError("the file is as it was checked")

    def _events_of_tail(self) -> list[Event]:
        at = Position(self.end, self.end_hash, 0, NOWHERE)
        messages = [item.message for _, item in read_items(self.path, self.tail) if isinstance(item, MessageItem)]
        first = self.messages - len(messages)
        return [*message_events(at, first, self.tail_rolling, messages), Forked(at, self.fork)]


def _block_of(batch: VettedBatch) -> int:
    return batch.facts.l1_block


def batch_events(
    place: Place, facts: Facts, messages: Iterable[bytes], blocks: bytes, inbox_hash: bytes
) -> list[Event]:
    """A batch as the chain takes it: its new messages, a change of fork if there was one, the batch."""
    at = Position(facts.l1_block, facts.l1_hash, place.index, NOWHERE)
    events: list[Event] = message_events(at, place.first_message, place.rolling, messages)
    if facts.fork > place.parent_fork:
        events.append(Forked(at, facts.fork))
    first_number = facts.last_number - facts.block_count + 1
    calldata = encode_posted(place.parent_hash, blocks, inbox_hash)
    numbers = (first_number, facts.last_number, facts.inbox_index)
    events.append(
        BatchPosted(at, place.index, facts.batch_hash, facts.fork, facts.poster, *numbers, facts.state_root, calldata)
    )
    return events


def message_events(at: Position, first: int, rolling: bytes, messages: Iterable[bytes]) -> list[Event]:
    """Messages as the chain takes them; an export keeps no times, so they are 0 until L1 is asked."""
    events: list[Event] = []
    for index, message in enumerate(messages, first):
        rolling = roll(rolling, message)
        events.append(MessageAdded(at, index, message, rolling, 0))
    return events


class ExportSource(L1Source):
    """A deployment's events: from a checked export as far as it goes, then from the node."""

    def __init__(self, l1: L1Client, export: Export) -> None:
        super().__init__(l1, export.origin)
        self.export = export

    @property
    def logs_from(self) -> int:
        """The first L1 block of which logs are asked for."""
        return self.export.resume

    async def read(self, first: int, after: Cursor | None, until: Cursor) -> list[Event]:
        """All events from block `first` up to and including `until`, on the branch of `after`, the block before."""
        export = self.export
        events = await self._with_times(export.events(first, until.number), until)
        logs_from = max(first, export.resume)
        if first <= export.end <= until.number:
            logs_from = export.resume
        if logs_from <= until.number and until.number >= export.end:
            shown = await super().read(logs_from, after, until)
            return events + [event for event in shown if not export.knows(event)]
        if after is not None:
            await self.check(after)
        await self.check(until)
        return events

    async def require_shown(self, messages: int, batches: int, until: Cursor | None = None) -> None:
        """As of any node, behind the export's end; before it nothing is missing."""
        if until is None or until.number > self.export.end:
            await super().require_shown(messages, batches, until)

    async def _with_times(self, events: list[Event], until: Cursor) -> list[Event]:
        """These events, with L1's time for each message that waits or may wait again, several asked at once.

        Whoever goes on with the chain reckons by it how long a message may still wait. What is final needs none.
        """
        timed = list(events)
        limiter = trio.CapacityLimiter(IN_FLIGHT)
        failures: list[L1Error] = []

        async def ask(place: int, event: MessageAdded) -> None:
            async with limiter:
                try:
                    timed[place] = replace(event, time=await self._inbox.call("timeAt", event.index))
                except L1Reverted:
                    failures.append(Reorganised(until.number))  # L1 had it when the export was checked
                    nursery.cancel_scope.cancel()
                except L1Error as error:
                    failures.append(error)
                    nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            for place, event in enumerate(events):
                if isinstance(event, MessageAdded) and event.index >= self.export.consumed:
                    nursery.start_soon(ask, place, event)
        if failures:
            raise failures[0]
        return timed
