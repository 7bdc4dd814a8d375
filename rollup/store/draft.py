"""A write batch in the making, readable as if it were already written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rollup.store import rooms
from rollup.store.database import Reader
from rollup.store.records import BatchRecord, BlockRecord, UndoRecord
from rollup.store.rooms import number_of, numbered, prefix_range


class Draft:
    """Puts over a reader. Later puts of a key replace earlier ones, so what blocks have in common is written once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.puts: dict[bytes, bytes | None] = {}

    def get(self, key: bytes) -> bytes | None:
        """Return the drafted value of `key`, else the stored one."""
        return self.puts[key] if key in self.puts else self._reader.get(key)

    def iterate(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys and values of a range, drafted ones in place of stored ones."""
        rows: dict[bytes, bytes | None] = dict(self._reader.iterate(start, stop))
        rows.update({key: value for key, value in self.puts.items() if start <= key < stop})
        for key in sorted(rows, reverse=reverse):
            value = rows[key]
            if value is not None:
                yield key, value

    def put(self, key: bytes, value: bytes | None) -> None:
        """Set a value; None deletes."""
        self.puts[key] = value

    def put_state(self, leaves: Mapping[int, bytes], nodes: Mapping[int, bytes]) -> None:
        """Set leaves and node records; an empty one is deleted."""
        puts = self.puts
        for room, values in ((rooms.LEAF, leaves), (rooms.NODE, nodes)):
            for number, value in values.items():
                puts[room + number.to_bytes(5, "big")] = value or None

    def put_head(self, number: int, root: bytes) -> None:
        """Set the state's number and root."""
        self.puts[rooms.HEAD] = root + number.to_bytes(5, "big")

    def put_block(self, record: BlockRecord, undo: UndoRecord, receipts: bytes, index: Mapping[bytes, bytes]) -> None:
        """Set everything that is kept of a block."""
        number = record.number
        self.puts[numbered(rooms.BLOCK, number)] = record.encode()
        self.puts[rooms.HASH + record.hash] = number.to_bytes(5, "big")
        self.puts[numbered(rooms.UNDO, number)] = undo.encode()
        if receipts:
            self.puts[numbered(rooms.RECEIPTS, number)] = receipts
        for key, value in index.items():
            self.puts[rooms.INDEX + key] = value

    def remove_block(self, record: BlockRecord, undo: UndoRecord) -> None:
        """Delete everything that `put_block` set."""
        for room in (rooms.BLOCK, rooms.RECEIPTS, rooms.UNDO):
            self.puts[numbered(room, record.number)] = None
        self.puts[rooms.HASH + record.hash] = None
        for key in undo.index:
            self.puts[rooms.INDEX + key] = None

    def put_batch(self, batch: BatchRecord) -> None:
        """Set a batch, in place of one of the same index."""
        self.remove_batches(batch.index, batch.index + 1)
        self.puts[numbered(rooms.BATCH, batch.index)] = batch.encode()
        self.puts[numbered(rooms.BATCH_END, batch.last)] = batch.index.to_bytes(5, "big")

    def remove_batches(self, first: int, stop: int) -> None:
        """Delete the batches with first ≤ index < stop."""
        for key, record in list(self.iterate(numbered(rooms.BATCH, first), numbered(rooms.BATCH, stop))):
            self.puts[key] = None
            self.puts[numbered(rooms.BATCH_END, BatchRecord.decode(record).last)] = None

    def remove_batches_above(self, number: int) -> None:
        """Delete every batch that holds a block above `number`."""
        _, stop = prefix_range(rooms.BATCH_END)
        for key, index in list(self.iterate(numbered(rooms.BATCH_END, number + 1), stop)):
            self.puts[key] = None
            self.puts[numbered(rooms.BATCH, number_of(index))] = None

    def put_final(self, number: int) -> None:
        """Note that block `number` is final, and delete what would undo it."""
        self.puts[rooms.FINAL] = number.to_bytes(5, "big")
        for key, _ in list(self.iterate(numbered(rooms.UNDO, 0), numbered(rooms.UNDO, number + 1))):
            self.puts[key] = None
