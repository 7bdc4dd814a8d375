"""The demo's own eyes on L1: what the contracts say, and the state that follows from L1 by replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rollup.demo.report import NotVerified, require_equal
from rollup.derive.mirror import Mirror
from rollup.errors import L1Error
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract, Event
from rollup.l1.deployment import Deployment
from rollup.l1.values import Receipt, Transaction
from rollup.stf.invariants import Report, check_invariants
from rollup.types.transactions import Trade, decode_transactions


@dataclass(frozen=True, slots=True)
class Posted:
    """A batch as the Rollup contract told of it when it was posted; it may have been reverted since."""

    index: int
    poster: bytes
    fork: int
    first_number: int
    last_number: int
    inbox_index: int
    state_root: bytes
    l1_block: int
    transaction: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """The Rollup contract at one moment: batches that stand, forks so far, last final batch, messages consumed."""

    batch_count: int
    fork: int
    finalised: int
    inbox_index: int


class Observer:
    """Reads one deployment."""

    def __init__(self, l1: L1Client, deployment: Deployment, mirror: Mirror) -> None:
        self.l1 = l1
        self.deployment = deployment
        self.mirror = mirror
        self.rollup = Contract(l1, deployment.rollup, load_artifact("Rollup"))
        self.inbox = Contract(l1, deployment.inbox, load_artifact("Inbox"))
        self.token = Contract(l1, deployment.token, load_artifact("TestUSD"))

    async def standing(self) -> Standing:
        """How things stand now."""
        return Standing(
            await self.rollup.call("batchCount"),
            await self.rollup.call("fork"),
            await self.rollup.call("finalised"),
            await self.rollup.call("latestInboxIndex"),
        )

    async def posted(self, poster: bytes, *, after: int) -> list[Posted]:
        """Batches that `poster` posted in L1 blocks after `after`, in order, reverted or not."""
        topics = [None, poster.rjust(32, b"\0")]
        events = await self.rollup.events(
            "BatchPosted", from_block=after + 1, to_block=await self.l1.block_number(), topics=topics
        )
        return [_posted(event) for event in events]

    async def events(self, names: str | Sequence[str], *, after: int) -> list[Event]:
        """The Rollup's events in L1 blocks after `after`."""
        newest = await self.l1.block_number()
        return [] if newest <= after else await self.rollup.events(names, from_block=after + 1, to_block=newest)

    async def holding_block(self, number: int) -> int | None:
        """The batch on L1 that holds block `number`; None while none does."""
        tip: int = await self.rollup.call("batchCount") - 1
        if (await self.rollup.call("batches", tip))[5] < number:
            return None
        while tip > 0 and (await self.rollup.call("batches", tip - 1))[5] >= number:
            tip -= 1
        return tip

    async def seconds_to_finality(self, batch: int) -> int:
        """Seconds on L1's clock until anybody may make a batch final; 0 once they may."""
        posted: int = (await self.rollup.call("batches", batch))[4]
        window: int = (await self.rollup.call("config"))[2]
        head = await self.l1.get_block()
        return 0 if head is None else max(0, posted + window + 1 - head.timestamp)

    async def receipt(self, transaction: bytes) -> Receipt:
        """Receipt of a mined transaction."""
        receipt = await self.l1.get_receipt(transaction)
        if receipt is None:
            raise L1Error(f"the node has no receipt of 0x{transaction.hex()}", retryable=True)
        return receipt

    async def transactions(self, sender: bytes, name: str, first: int, last: int) -> list[Transaction]:
        """Calls of the Rollup's function `name` by `sender` in a range of L1 blocks, successful or not."""
        selector = self.rollup.abi.function(name).selector
        found: list[Transaction] = []
        for number in range(first, last + 1):
            block = await self.l1.get_block(number, full=True)
            sent = () if block is None else block.transactions or ()
            found += [
                each
                for each in sent
                if each.sender == sender and each.to == self.rollup.address and each.data[:4] == selector
            ]
        return found

    async def replay(self) -> Report:
        """Derive and execute everything on L1, and check the promises of the whole state; raises NotVerified."""
        await self.mirror.advance()
        if self.mirror.fraud is not None:
            raise NotVerified(f"replay of L1 finds fraud where there should be none: {self.mirror.fraud}")
        root: bytes = await self.rollup.call("stateRootOf", self.mirror.batch)
        require_equal(f"state root after batch {self.mirror.batch}", self.mirror.store.root, root)
        return check_invariants(self.mirror.store.iterate_leaves())

    def trades_in(self, batch: int) -> int:
        """Trades in a batch that was replayed."""
        record = self.mirror.store.records.batch(batch)
        if record is None:
            raise NotVerified(f"batch {batch} was not replayed")
        blocks = self.mirror.store.records.blocks(record.first, record.last)
        return sum(isinstance(each, Trade) for block in blocks for each in decode_transactions(block.txs))

    async def gas_of(self, batches: range) -> tuple[int, int]:
        """Gas of the transactions that posted these batches, and their bytes of calldata."""
        events = await self.events("BatchPosted", after=self.deployment.block)
        standing = {event.values["index"]: event.log.tx_hash for event in events}  # the last posting of an index counts
        gas = size = 0
        for batch in batches:
            gas += (await self.receipt(standing[batch])).gas_used
            transaction = await self.l1.get_transaction(standing[batch])
            size += 0 if transaction is None else len(transaction.data)
        return gas, size


def _posted(event: Event) -> Posted:
    values: dict[str, Any] = event.values
    return Posted(
        values["index"],
        values["poster"],
        values["fork"],
        values["firstNumber"],
        values["lastNumber"],
        values["inboxIndex"],
        values["stateRoot"],
        event.log.block_number,
        event.log.tx_hash,
    )
