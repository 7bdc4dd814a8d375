"""Makes units durable and then public: header signatures, one group commit, answers, news, in this order.

While one batch is being written the engine works on; whatever it sent meanwhile goes into the next batch together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgpack
import trio

from rollup.crypto.eip712 import header_digest
from rollup.crypto.keccak import keccak
from rollup.crypto.signatures import Signer
from rollup.errors import StoreError
from rollup.sequencer.commands import TradeReport
from rollup.sequencer.journal import encode_trade, trade_key
from rollup.sequencer.ledger import NewBlock
from rollup.sequencer.rejections import StoppedServing
from rollup.sequencer.unit import Unit
from rollup.stf.receipts import Receipt
from rollup.store.changes import BlockCommit, Notes
from rollup.store.records import BlockRecord
from rollup.store.writer import StoreWriter

TRANSACTIONS: Final = b"x"
"""Index of transactions: this and the keccak of the bytes lead to block (u40) and index (u16)."""
GROUP: Final = 64
"""Units that share one synced write; more would only lengthen the wait of the first."""


class Committer:
    """Writes units in the order in which the engine made them."""

    def __init__(self, writer: StoreWriter, key: bytes, separator: bytes, announce: Callable[[Unit], None]) -> None:
        self._writer = writer
        self._signer = Signer(key)
        self._separator = separator
        self._announce = announce
        self.failed = False
        """Whether the disk refused a write: nothing is acknowledged any more, everybody who waits is refused."""

    async def run(self, units: trio.MemoryReceiveChannel[Unit]) -> None:
        """Serve until the engine ends."""
        async for first in units:
            group = [first]
            while len(group) < GROUP:
                try:
                    group.append(units.receive_nowait())
                except (trio.WouldBlock, trio.EndOfChannel):
                    break
            try:
                await self._commit(group)
            except StoreError as error:
                self.failed = True
                _refuse(group, error)

    async def _commit(self, group: Sequence[Unit]) -> None:
        if self.failed:
            raise StoreError("an earlier write failed")
        entries: dict[bytes, bytes | None] = {}
        blocks: list[BlockCommit] = []
        for unit in group:
            entries.update(unit.records)
            blocks += [self._record(block, unit.trades) for block in unit.blocks]
        if blocks or entries:
            await self._writer.commit(blocks, Notes(entries=entries) if entries else None)
        for unit in group:
            for reply in unit.replies:
                reply.release()
            self._announce(unit)

    def _record(self, block: NewBlock, trades: Sequence[TradeReport]) -> BlockCommit:
        number = block.header.number
        digest = header_digest(self._separator, keccak(block.header.encode()))
        record = BlockRecord(block.header, block.txs, block.messages, self._signer.sign(digest))
        index = block.index | {trade_key(trade): encode_trade(trade) for trade in trades if trade.block == number}
        for place, transaction in enumerate(block.transactions, start=len(block.messages)):
            index[TRANSACTIONS + keccak(transaction)] = number.to_bytes(5, "big") + place.to_bytes(2, "big")
        return BlockCommit(block.staged, record, encode_receipts(block.receipts), index)


def _refuse(group: Sequence[Unit], error: StoreError) -> None:
    """Tell everybody who waits for these units that it is not known whether they are on disk."""
    for unit in group:
        for reply in unit.replies:
            reply.fail(StoppedServing(f"the sequencer cannot write: {error}"))
            reply.release()


def encode_receipts(receipts: Sequence[Receipt]) -> bytes:
    """What became of each message and transaction: [index, kind, reason, forced] each."""
    packed: bytes = msgpack.packb([[r.index, int(r.kind), int(r.reason), r.forced] for r in receipts])
    return packed
