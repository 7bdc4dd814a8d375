"""What is durable: blocks, batches, transactions and trades, as the exchange shows them."""

from __future__ import annotations

from itertools import islice
from typing import Final

import trio

from rollup.sequencer.commands import TradeReport, TransactionReport
from rollup.sequencer.committer import TRANSACTIONS
from rollup.sequencer.journal import decode_trades, trade_prefix
from rollup.sequencer.rejections import UnknownBlock
from rollup.sequencer.views import BatchView, BlockView
from rollup.store.blocks import Records

SCANNED: Final = 10_000
"""Trades of a market that one request may page through, newest first."""


class Archive:
    """Reads the committed records of one store."""

    def __init__(self, records: Records, signer: bytes) -> None:
        self._records = records
        self._signer = signer

    def block(self, number: int) -> BlockView:
        """A durable block; UnknownBlock."""
        record = self._records.block(number)
        if record is None:
            raise UnknownBlock(f"block {number} is not stored", number=number)
        batch = self._records.batch_of(number)
        signer = self._signer if record.signature else bytes(20)
        return BlockView(
            record.header,
            record.hash,
            record.txs,
            record.messages,
            record.signature,
            signer,
            None if batch is None else batch.index,
        )

    def batch(self, index: int) -> BatchView:
        """A batch that L1 is known to have; UnknownBlock."""
        batch = self._records.batch(index)
        if batch is None:
            raise UnknownBlock(f"batch {index} is not known to be on L1", number=index)
        last = self.block(batch.last).header
        return BatchView(
            index=batch.index,
            hash=batch.batch_hash,
            fork=last.fork,
            poster=batch.extra or bytes(20),
            l1_block=batch.l1_block,
            first_number=batch.first,
            last_number=batch.last,
            state_root=batch.state_root,
            inbox_index=last.inbox_index,
            is_final=batch.last <= self._records.final(),
        )

    def transaction(self, tx_id: bytes) -> TransactionReport:
        """Where a transaction stands; UnknownBlock."""
        place = self._records.index(TRANSACTIONS + tx_id)
        if place is None:
            raise UnknownBlock("no such transaction is stored", transaction_id=f"0x{tx_id.hex()}")
        return TransactionReport(tx_id, int.from_bytes(place[:5], "big"), int.from_bytes(place[5:], "big"))

    async def trades(
        self, markets: list[int], account: int | None, page: int, size: int
    ) -> tuple[int, list[TradeReport]]:
        """How many trades there are to page through, and one page of them (from 1), newest first."""
        found = await trio.to_thread.run_sync(self._trades, markets, account)
        return len(found), found[(page - 1) * size : page * size]

    def _trades(self, markets: list[int], account: int | None) -> list[TradeReport]:
        found: list[TradeReport] = []
        for market in markets:
            rows = islice(self._records.indexes(trade_prefix(market), reverse=True), SCANNED)
            found += decode_trades(record for _, record in rows)
        if account is not None:
            found = [trade for trade in found if account in (trade.maker, trade.taker)]
        found.sort(key=lambda trade: (trade.block, trade.index), reverse=True)
        return found
