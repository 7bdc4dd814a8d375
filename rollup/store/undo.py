"""The way back from the head, over the values that each block replaced."""

from __future__ import annotations

from collections.abc import Iterator

from rollup.crypto.tree import Tree
from rollup.errors import StoreError
from rollup.store import rooms
from rollup.store.blocks import Records
from rollup.store.database import Reader
from rollup.store.draft import Draft
from rollup.store.records import UndoRecord
from rollup.store.rooms import number_of, numbered


def undo_records(reader: Reader, head: int, number: int) -> Iterator[tuple[int, UndoRecord]]:
    """Yield the undo records from block `head` down to block `number + 1`; raises StoreError if one is gone."""
    expected = head
    for key, record in reader.iterate(numbered(rooms.UNDO, number + 1), numbered(rooms.UNDO, head + 1), reverse=True):
        if number_of(key) != expected:
            break
        yield expected, UndoRecord.decode(record)
        expected -= 1
    if expected != number:
        raise StoreError(f"block {expected} is final: it cannot be undone, and the state before it is not kept")


def draft_rollback(reader: Reader, tree: Tree, head: int, number: int) -> tuple[Draft, bytes]:
    """Return the batch that takes block `head` back to block `number` (and the root there), `tree` being the head's.

    Raises StoreError if a block is final or missing, or if undoing does not lead to the root after block `number`.
    """
    draft, records = Draft(reader), Records(reader)
    pre: dict[int, bytes] = {}
    for undone, undo in undo_records(reader, head, number):
        record = records.block(undone)
        if record is None:
            raise StoreError(f"block {undone} is missing")
        pre.update(undo.leaves)
        draft.remove_block(record, undo)
    root, nodes = tree.changes(pre)
    if root != records.root_after(number):
        raise StoreError(f"undoing leads to root 0x{root.hex()}, which is not the root after block {number}")
    draft.put_state(pre, nodes)
    draft.remove_batches_above(number)
    draft.put_head(number, root)
    return draft, root
