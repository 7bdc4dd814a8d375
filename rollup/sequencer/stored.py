"""The sequencer's database: opening it, and its blocks as the batcher wants them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final

from rollup.batcher.pack import PendingBlock
from rollup.derive.source import L1Source
from rollup.derive.vetting import open_source
from rollup.l1.client import L1Client
from rollup.sequencer.options import SequencerOptions
from rollup.store.blocks import Records
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from rollup.types.blocks import Header

STATE: Final = "state"
"""Folder of the LevelDB inside the data folder."""


class StoredBlocks:
    """The committed blocks, as far as L1 has the messages that they consume."""

    def __init__(self, records: Records, messages: Callable[[], int]) -> None:
        """`messages` tells how many inbox messages L1 has."""
        self._records = records
        self._messages = messages

    def header(self, number: int) -> Header | None:
        """Header of a committed block."""
        record = self._records.block(number)
        return None if record is None else record.header

    def batch_hash(self, index: int) -> bytes | None:
        """Hash of a batch on L1 of which every block is committed; None of any other."""
        record = self._records.batch(index)
        return None if record is None else record.batch_hash

    def pending(self, after: int) -> Iterator[PendingBlock]:
        """Committed blocks after `after`, ascending."""
        head = self._records.head()
        last = 0 if head is None else head[0]
        for record in self._records.blocks(after + 1, last):
            if record.header.inbox_index > self._messages():
                return  # a reorganisation took a message away; L1 would refuse the batch
            yield PendingBlock(record.header, len(record.messages), record.txs)


@asynccontextmanager
async def open_store(l1: L1Client, options: SequencerOptions) -> AsyncIterator[tuple[L1Source, StateStore]]:
    """L1 as it is to be read, and the database of this deployment in the data folder, made if there is none.

    `StoreError` if it is of another deployment, in use, or cannot be made; `L1Pruned` and `ExportRefused` as for any
    reader of L1.
    """
    source = await open_source(l1, options.rollup, options.export)
    origin = source.origin
    store = StateStore.open(options.data_dir / STATE, ChainIdentity(origin.chain_id, origin.rollup), create=True)
    try:
        yield source, store
    finally:
        store.close()
