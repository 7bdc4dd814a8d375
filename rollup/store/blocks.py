"""Reading blocks, batches, receipts and entries, from the database or from a snapshot of it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from rollup.errors import StoreError
from rollup.store import rooms
from rollup.store.database import Reader
from rollup.store.records import BatchRecord, BlockRecord, UndoRecord
from rollup.store.rooms import number_of, numbered


class Status(StrEnum):
    """How far a block has come."""

    SEALED = "sealed"  # durable here, promised by the sealer's signature
    POSTED = "posted"  # in a batch on L1, still disputable
    FINAL = "final"  # in a final batch: nothing takes it back


class Records:
    """What is stored beside the state, as committed."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def head(self) -> tuple[int, bytes] | None:
        """Return the number of the last block and the root after it; None before the genesis."""
        record = self._reader.get(rooms.HEAD)
        if record is not None and len(record) != 37:
            raise StoreError("the record of the head is torn")
        return None if record is None else (number_of(record), record[:32])

    def block(self, number: int) -> BlockRecord | None:
        """Return the block, None if there is none of this number (there is none for the genesis, 0)."""
        record = self._reader.get(numbered(rooms.BLOCK, number))
        return None if record is None else BlockRecord.decode(record)

    def root_after(self, number: int) -> bytes | None:
        """Return the state root after block `number`, the genesis (0) included."""
        if number == 0:
            return self._reader.get(rooms.GENESIS)
        block = self.block(number)
        return None if block is None else block.header.state_root

    def block_number(self, block_hash: bytes) -> int | None:
        """Return the number of the block with this header hash."""
        number = self._reader.get(rooms.HASH + block_hash)
        return None if number is None else number_of(number)

    def blocks(self, first: int, last: int) -> Iterator[BlockRecord]:
        """Yield the blocks from `first` to `last`, both included, as far as they exist."""
        for _, record in self._reader.iterate(numbered(rooms.BLOCK, first), numbered(rooms.BLOCK, last + 1)):
            yield BlockRecord.decode(record)

    def receipts(self, number: int) -> bytes | None:
        """Return the receipts committed with a block, in the committer's own encoding."""
        return self._reader.get(numbered(rooms.RECEIPTS, number))

    def index(self, key: bytes) -> bytes | None:
        """Return an index value committed with a block."""
        return self._reader.get(rooms.INDEX + key)

    def indexed(self, number: int) -> dict[bytes, bytes]:
        """Return the index values committed with a block that can still be undone; none of any other."""
        undo = self._reader.get(numbered(rooms.UNDO, number))
        keys = UndoRecord.decode(undo).index if undo is not None else ()
        return {key: value for key in keys if (value := self.index(key)) is not None}

    def indexes(self, prefix: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield the index keys that begin with `prefix`, with their values, in order of keys."""
        return self._scan(rooms.INDEX, prefix, reverse=reverse)

    def batch(self, index: int) -> BatchRecord | None:
        """Return a batch known to be on L1."""
        record = self._reader.get(numbered(rooms.BATCH, index))
        return None if record is None else BatchRecord.decode(record)

    def last_batch(self) -> BatchRecord | None:
        """Return the latest batch."""
        for _, record in self._reader.iterate(*rooms.prefix_range(rooms.BATCH), reverse=True):
            return BatchRecord.decode(record)
        return None

    def batch_of(self, number: int) -> BatchRecord | None:
        """Return the batch that holds block `number`."""
        _, stop = rooms.prefix_range(rooms.BATCH_END)
        for _, index in self._reader.iterate(numbered(rooms.BATCH_END, number), stop):
            batch = self.batch(number_of(index))
            if batch is None:
                raise StoreError(f"batch {number_of(index)} is indexed but missing")
            return batch if batch.first <= number else None
        return None

    def final(self) -> int:
        """Return the number of the last final block; the genesis, 0, is final from the start."""
        number = self._reader.get(rooms.FINAL)
        return 0 if number is None else number_of(number)

    def status(self, number: int) -> Status | None:
        """Say how far block `number` has come; None if there is no such block."""
        if number <= self.final():
            return Status.FINAL
        if self._reader.get(numbered(rooms.BLOCK, number)) is None:
            return None
        return Status.SEALED if self.batch_of(number) is None else Status.POSTED

    def meta(self, name: str) -> bytes | None:
        """Return a named value, such as a follower's cursor on L1."""
        return self._reader.get(rooms.META + name.encode())

    def entry(self, key: bytes) -> bytes | None:
        """Return one of the owner's own entries."""
        return self._reader.get(rooms.ENTRY + key)

    def entries(self, prefix: bytes = b"", *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield the owner's entries whose keys begin with `prefix`, in order of keys."""
        return self._scan(rooms.ENTRY, prefix, reverse=reverse)

    def _scan(self, room: bytes, prefix: bytes, *, reverse: bool) -> Iterator[tuple[bytes, bytes]]:
        for key, value in self._reader.iterate(*rooms.prefix_range(room + prefix), reverse=reverse):
            yield key[1:], value
