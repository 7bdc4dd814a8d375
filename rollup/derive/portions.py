"""The checks of an export's items against L1's storage: each batch with the inbox messages before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import trio

from rollup.crypto.keccak import roll
from rollup.derive.chain import Chain
from rollup.derive.events import Finalised, Position
from rollup.derive.export_source import NOWHERE, Export, Facts, Place, VettedBatch, batch_events
from rollup.derive.exports import BatchItem, End
from rollup.derive.origin import first_block_at
from rollup.errors import ExportRefused, L1Error
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract
from rollup.l1.values import Block

IN_FLIGHT: Final = 8
"""Requests at once."""


@dataclass(frozen=True, slots=True)
class Portion:
    """A batch with the messages before it, which begin at `offset` of the file; the last portion has no batch."""

    offset: int
    messages: list[bytes]
    batch: BatchItem | None


@dataclass(frozen=True, slots=True)
class _Known:
    """What L1 says of a batch (None: it does not stand), and of the block in which the file says that it was posted."""

    batch: tuple[Any, ...] | None
    block: Block | None


class PortionCheck:
    """Checks portions in order, and collects what holds in `export`."""

    def __init__(self, l1: L1Client, export: Export) -> None:
        self.export = export
        self._l1 = l1
        self._rollup = Contract(l1, export.origin.rollup, load_artifact("Rollup"))
        self._inbox = Contract(l1, export.origin.inbox, load_artifact("Inbox"))
        self._chain = Chain(export.origin.genesis)
        self._checked = 0
        self._rolling = bytes(32)
        self._count = self._standing = self._fork = 0

    async def prepare(self) -> None:
        """Ask L1 what there is."""
        self._count, self._standing = await self._inbox.call("count"), await self._rollup.call("batchCount")
        self._fork, self.export.finalised = await self._rollup.call("fork"), await self._rollup.call("finalised")

    async def check(self, portions: list[Portion]) -> None:
        """Check the next portions; `ExportRefused`."""
        known = await self._look_up(portions)
        wrong = await self._first_wrong_message(portions)
        for portion, facts in zip(portions, known, strict=True):
            number = self._checked + len(portion.messages)
            if wrong is not None and wrong < number:
                raise ExportRefused(f"message {wrong}", "the inbox's rolling hash on L1 is another")
            if portion.batch is None:
                self.export.tail, self.export.tail_rolling = portion.offset, self._rolling
            elif not self.export.cut:
                self._check_batch(portion, portion.batch, facts)
            self._checked = number
            for message in portion.messages:
                self._rolling = roll(self._rolling, message)

    async def finish(self, end: End, batches: int) -> Export:
        """Check the end, by which nothing may be missing, and return what holds."""
        export = self.export
        if (end.messages, end.batches) != (self._checked, batches):
            raise ExportRefused("the end", f"it counts {end.messages} messages and {end.batches} batches")
        block = None if end.is_open else await self._check_end(end)
        if block is None or export.cut:
            export.cut = True
            await self._resume_in_the_middle()
            return export
        export.messages, export.end, export.end_hash, export.resume = (
            self._checked, end.l1_block, end.l1_hash, end.l1_block + 1,
        )  # fmt: skip
        await self._check_nothing_is_missing(block)
        export.fork = await self._fork_at(block)
        return export

    async def _check_end(self, end: End) -> Block:
        """L1's block at the end."""
        batches, block = self.export.batches, await self._l1.get_block(end.l1_block)
        if block is None:
            raise ExportRefused("the end", f"the node has no L1 block {end.l1_block} (yet)")
        if block.hash != end.l1_hash:
            raise ExportRefused("the end", f"L1's block {end.l1_block} is another; if L1 has reorganised, make it anew")
        if batches and batches[-1].facts.l1_block > end.l1_block:
            raise ExportRefused("the end", "it is before the last batch")
        return block

    # -- batches -------------------------------------------------------------------------------------------------------

    def _check_batch(self, portion: Portion, item: BatchItem, known: _Known) -> None:
        export, chain = self.export, self._chain
        index = chain.head.index + 1
        name, facts = f"batch {index}", known.batch
        there = self._fork if facts is None else facts[9]
        if there > item.fork and index > export.finalised:
            export.cut = True  # reverted since, so the export is none of what follows
            return
        if facts is None:
            raise ExportRefused(name, f"on L1 stand {self._standing - 1}, and none was reverted since")
        if facts[3] != item.poster:
            raise ExportRefused(name, f"L1 says that 0x{facts[3].hex()} posted it")
        if known.block is None or known.block.timestamp != facts[4]:
            raise ExportRefused(name, f"it was not posted in L1 block {item.l1_block}")
        if facts[9] != item.fork:
            raise ExportRefused(name, f"its fork is {facts[9]} on L1")
        found = Facts(
            facts[1], facts[2], facts[3], facts[5], facts[6], facts[8], facts[9], item.l1_block, known.block.hash
        )
        place = Place(index, chain.head.hash, chain.fork, self._checked, self._rolling)
        self._apply(name, place, found, portion.messages, item.blocks, portion.offset)

    def _apply(self, name: str, place: Place, facts: Facts, messages: list[bytes], blocks: bytes, offset: int) -> None:
        """Have the chain derive the batch: only the bytes that L1 has lead to the hash that it keeps."""
        chain = self._chain
        hashes = [chain.inbox.hash_at(len(chain.inbox))]
        for message in messages:
            hashes.append(roll(hashes[-1], message))
        since = facts.inbox_index - len(chain.inbox)
        if since >= len(hashes):
            raise ExportRefused(name, f"it consumes message {facts.inbox_index - 1}, which is not before it")
        inbox_hash = hashes[since] if since >= 0 else chain.inbox.hash_at(facts.inbox_index)
        try:
            for event in batch_events(place, facts, messages, blocks, inbox_hash):
                chain.apply(event)
        except L1Error as error:
            raise ExportRefused(name, f"its bytes are not those that L1 took: {error}") from error
        self.export.batches.append(VettedBatch(place, facts, inbox_hash, offset))
        at = Position(facts.l1_block, facts.l1_hash, place.index, NOWHERE)
        chain.apply(Finalised(at, min(place.index, self.export.finalised)))
        chain.forget(chain.mark())
        chain.trim(place.index)

    async def _look_up(self, portions: list[Portion]) -> list[_Known]:
        """What L1 says of the portions' batches, several at a time."""
        first, known = self._chain.head.index + 1, [_Known(None, None)] * len(portions)
        limiter = trio.CapacityLimiter(IN_FLIGHT)
        failures: list[L1Error] = []

        async def ask(place: int, item: BatchItem) -> None:
            async with limiter:
                try:
                    stands = first + place < self._standing
                    batch = await self._rollup.call("batches", first + place) if stands else None
                    known[place] = _Known(batch, await self._l1.get_block(item.l1_block))
                except L1Error as error:
                    failures.append(error)
                    nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            for place, portion in enumerate(portions):
                if portion.batch is not None:
                    nursery.start_soon(ask, place, portion.batch)
        if failures:
            raise failures[0]
        return known

    # -- messages ------------------------------------------------------------------------------------------------------

    async def _first_wrong_message(self, portions: list[Portion]) -> int | None:
        """The first message that L1 does not have so: a hash that is right vouches for all before it."""
        hashes = [self._rolling]
        for portion in portions:
            for message in portion.messages:
                hashes.append(roll(hashes[-1], message))
        good, bad = 0, len(hashes)
        if await self._is_hash(self._checked + bad - 1, hashes[-1]):
            return None
        while bad - good > 1:  # `good` messages are right, `bad` are not all
            middle = (good + bad) // 2
            if await self._is_hash(self._checked + middle, hashes[middle]):
                good = middle
            else:
                bad = middle
        return self._checked + good

    async def _is_hash(self, count: int, rolling: bytes) -> bool:
        return count <= self._count and bool(await self._inbox.call("hashAt", count) == rolling)

    # -- the end -------------------------------------------------------------------------------------------------------

    async def _check_nothing_is_missing(self, end: Block) -> None:
        messages, batches = self._checked, self._chain.head.index + 1
        if messages < self._count and await self._inbox.call("timeAt", messages) < end.timestamp:
            raise ExportRefused("the end", f"message {messages} is missing, which L1 took before")
        if batches < self._standing and (await self._rollup.call("batches", batches))[4] < end.timestamp:
            raise ExportRefused("the end", f"batch {batches} is missing, which L1 took before")

    async def _fork_at(self, end: Block) -> int:
        """How many reversions there were up to the end."""
        if await self._rollup.call("lastReversion") <= end.timestamp:
            return self._fork
        newest = await self._l1.block_number()
        later = await self._rollup.events("Reverted", from_block=end.number + 1, to_block=newest)
        return later[0].values["fork"] - 1 if later else self._fork

    async def _resume_in_the_middle(self) -> None:
        """Find where L1's logs must go on: at the last batch that still stands, or at the first message it left."""
        export, head = self.export, self._chain.head
        export.end = export.resume = export.batches[-1].facts.l1_block if export.batches else export.origin.block
        export.fork, export.messages = head.fork, len(self._chain.inbox)
        if export.messages < self._count:
            left = await self._inbox.call("timeAt", export.messages)
            export.resume = min(export.resume, await first_block_at(self._l1, left, await self._l1.block_number()))
