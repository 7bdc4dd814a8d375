"""Reads the rollup's events from an L1 node, in L1 order, with the calldata of every batch.

A range is read against one branch of L1: if the node's branch changes meanwhile, `Reorganised` says so and the caller
goes back to its last good point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import trio

from rollup.derive.anchor import Anchor
from rollup.derive.events import BatchPosted, Event, Finalised, MessageAdded, Position, Reverted
from rollup.derive.origin import Origin, first_block_at
from rollup.derive.pruning import says_pruned
from rollup.errors import L1Error, L1Pruned, L1Refused
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract
from rollup.l1.contract import Event as Log

IN_FLIGHT: Final = 8
"""Requests for calldata at once: hides the latency of a remote node, and is polite."""
_ROLLUP_EVENTS: Final = ("BatchPosted", "Reverted", "Finalised")


class Reorganised(L1Error):  # noqa: N818 - an event of L1, not a failure of the node
    """The branch of L1 that was read is no longer the node's branch."""

    def __init__(self, number: int) -> None:
        super().__init__(f"L1 block {number} was reorganised away", retryable=True)
        self.number = number


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last L1 block that was read, by number and hash."""

    number: int
    hash: bytes


class L1Source:
    """The event stream of one deployment on one node."""

    def __init__(self, l1: L1Client, origin: Origin) -> None:
        self.l1 = l1
        self.origin = origin
        self._rollup = Contract(l1, origin.rollup, load_artifact("Rollup"))
        self._inbox = Contract(l1, origin.inbox, load_artifact("Inbox"))

    @property
    def logs_from(self) -> int:
        """The first L1 block of which logs are asked for."""
        return self.origin.block

    async def head(self, confirmations: int) -> Cursor:
        """The newest block with at least `confirmations` blocks on top of it."""
        newest = await self.l1.block_number()
        return await self.cursor_at(max(self.origin.block, newest - confirmations))

    async def check(self, cursor: Cursor) -> None:
        """Raise `Reorganised` if the node no longer has the block that was read."""
        block = await self.l1.get_block(cursor.number)
        if block is None or block.hash != cursor.hash:
            raise Reorganised(cursor.number)

    async def has_anchor(self, anchor: Anchor) -> bool:
        """Whether the L1 block that holds an anchor is still the node's."""
        if anchor.batch.index == 0:
            return True
        block = await self.l1.get_block(anchor.batch.l1_block)
        return block is not None and block.hash == anchor.batch.l1_hash

    async def first_block(self, anchor: Anchor) -> int:
        """The block that holds the anchor's batch, or an earlier one with the first message which that left."""
        if anchor.batch.index == 0:
            return self.origin.block
        left, newest = anchor.batch.inbox_index, await self.l1.block_number()
        if left >= await self._inbox.call("count"):
            return anchor.batch.l1_block
        added = await first_block_at(self.l1, await self._inbox.call("timeAt", left), newest)
        return min(added, anchor.batch.l1_block)

    async def read(self, first: int, after: Cursor | None, until: Cursor) -> list[Event]:
        """All events from block `first` up to and including `until`, on the branch of `after`, the block before."""
        if first > until.number:
            return []
        topics = [self._rollup.abi.event(name).digest for name in _ROLLUP_EVENTS]
        topics.append(self._inbox.abi.event("MessageAdded").digest)
        try:
            logs = await self.l1.get_logs(
                [self.origin.rollup, self.origin.inbox], [topics], from_block=first, to_block=until.number
            )
        except L1Refused as refusal:
            if not says_pruned(refusal):
                raise
            raise L1Pruned(f"the logs of blocks {first} … {until.number}") from refusal
        decoded = [
            *self._rollup.decode_events(logs),
            *self._inbox.decode_events(logs),
        ]
        decoded.sort(key=lambda event: (event.log.block_number, event.log.index))
        events = await self._read_events(decoded)
        if after is not None:
            await self.check(after)
        await self.check(until)
        return events

    async def require_shown(self, messages: int, batches: int, until: Cursor | None = None) -> None:
        """Raise `L1Pruned` if L1 took message number `messages`, or batch number `batches`, before `until` (or ever).

        The contracts keep the time of each in storage, so a node that has dropped their logs is found out. (Development
        nodes may give one second to several blocks: so what has the second of `until` shows nothing.)
        """
        block = None if until is None else await self.l1.get_block(until.number)
        time = 2**40 if until is None else 0 if block is None else block.timestamp
        if messages < await self._inbox.call("count") and await self._inbox.call("timeAt", messages) < time:
            raise L1Pruned(f"message {messages} of the inbox")
        if batches < await self._rollup.call("batchCount") and (await self._rollup.call("batches", batches))[4] < time:
            raise L1Pruned(f"batch {batches}")

    async def cursor_at(self, number: int) -> Cursor:
        """The node's block of that number."""
        block = await self.l1.get_block(number)
        if block is None:
            raise L1Error(f"the node does not have its block {number}", retryable=True)
        return Cursor(number, block.hash)

    async def _read_events(self, logs: list[Log]) -> list[Event]:
        """The events of these logs, in their order; calldata is fetched several at a time."""
        events: dict[int, Event] = {}
        failures: list[L1Error] = []
        limiter = trio.CapacityLimiter(IN_FLIGHT)

        async def read(place: int, log: Log) -> None:
            async with limiter:
                try:
                    events[place] = await self._event(log)
                except L1Error as error:
                    failures.append(error)
                    nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            for place, log in enumerate(logs):
                nursery.start_soon(read, place, log)
        if failures:
            raise failures[0]
        return [events[place] for place in range(len(logs))]

    async def _event(self, event: Log) -> Event:
        log, values = event.log, event.values
        at = Position(log.block_number, log.block_hash, log.index, log.tx_hash)
        match event.name:
            case "MessageAdded":
                return MessageAdded(at, values["index"], values["message"], values["hash"], values["time"])
            case "Reverted":
                return Reverted(at, values["fromBatch"], values["fork"])
            case "Finalised":
                return Finalised(at, values["upTo"])
            case _:
                return await self._batch(at, event)

    async def _batch(self, at: Position, event: Log) -> BatchPosted:
        transaction = await self.l1.get_transaction(at.transaction_hash)
        if transaction is None or transaction.block_hash != at.block_hash:
            block = await self.l1.get_block(at.block_number)
            if transaction is None and block is not None and block.hash == at.block_hash:
                raise L1Pruned(
                    f"transaction 0x{at.transaction_hash.hex()}, which posted batch {event.values['index']},"
                )
            raise Reorganised(at.block_number)
        values = event.values
        if transaction.to != self.origin.rollup or transaction.sender != values["poster"]:
            raise L1Error("a batch was posted by another transaction than the node shows", retryable=True)
        return BatchPosted(
            at,
            values["index"],
            values["batchHash"],
            values["fork"],
            values["poster"],
            values["firstNumber"],
            values["lastNumber"],
            values["inboxIndex"],
            values["stateRoot"],
            transaction.data,
        )
