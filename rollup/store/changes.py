"""What the owner of a store hands to it: staged blocks with their records, and notes to write along with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rollup.errors import StoreError
from rollup.store import rooms
from rollup.store.blocks import Records
from rollup.store.draft import Draft
from rollup.store.records import BatchRecord, BlockRecord

_ALL: Final = (1 << 40) - 1


@dataclass(frozen=True, slots=True)
class Staged:
    """A block applied to the state in memory: what it wrote, the nodes that changed, and the values before it."""

    number: int
    root: bytes
    leaves: dict[int, bytes]
    nodes: dict[int, bytes]
    pre: dict[int, bytes]


@dataclass(frozen=True, slots=True)
class BlockCommit:
    """A staged block and its record.

    `receipts` are opaque. `index` keys are new ones: they are deleted if the block is undone.
    """

    staged: Staged
    record: BlockRecord
    receipts: bytes = b""
    index: Mapping[bytes, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notes:
    """What else goes into the same atomic batch.

    `meta` and `entries` set the owner's own values (None deletes), which no rollback touches. Batches from
    `drop_batches_from` on are no longer on L1; then `batches` are. `final` is the last block that nothing takes back.
    """

    meta: Mapping[str, bytes | None] = field(default_factory=dict)
    entries: Mapping[bytes, bytes | None] = field(default_factory=dict)
    batches: Sequence[BatchRecord] = ()
    drop_batches_from: int | None = None
    final: int | None = None

    def add_to(self, draft: Draft, number: int) -> None:
        """Put the notes into a batch that leaves the state at block `number`; raises StoreError if they deny it."""
        for name, value in self.meta.items():
            draft.put(rooms.META + name.encode(), value)
        for key, value in self.entries.items():
            draft.put(rooms.ENTRY + key, value)
        if self.drop_batches_from is not None:
            draft.remove_batches(self.drop_batches_from, _ALL)
        for batch in self.batches:
            if not batch.first <= batch.last <= number:
                raise StoreError(f"batch {batch.index} ends with block {batch.last}, the state with block {number}")
            draft.put_batch(batch)
        if self.final is not None:
            if self.final > number:
                raise StoreError(f"block {self.final} is not stored yet and cannot be final")
            if self.final > Records(draft).final():
                draft.put_final(self.final)


@dataclass(frozen=True, slots=True)
class WriteSet:
    """A batch made ready: its puts, and what the store has to know once they are durable."""

    number: int
    root: bytes
    leaves: dict[int, bytes]
    nodes: dict[int, bytes]
    puts: dict[bytes, bytes | None]
    blocks: int
