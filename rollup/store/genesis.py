"""Writing the genesis state into an empty database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rollup.crypto.tree import MemoryNodes, Tree
from rollup.errors import StoreError
from rollup.store import rooms
from rollup.store.database import Database
from rollup.store.draft import Draft

CHUNK: Final = 50_000
"""Leaves and nodes in one batch: a genesis may be larger than what one batch should hold in memory twice."""


def write_genesis(database: Database, leaves: Mapping[int, bytes], expected_root: bytes | None) -> bytes:
    """Write the state after block 0, a part at a time, the head last; return its root.

    A database without a head counts as empty, so what an interrupted attempt left behind is swept first. Raises
    StoreError, with nothing written, if the root is not `expected_root`.
    """
    nodes = MemoryNodes()
    root = Tree(nodes).update(leaves)
    if expected_root is not None and root != expected_root:
        raise StoreError(f"the genesis has root 0x{root.hex()}, not 0x{expected_root.hex()}")
    _sweep(database)
    for values, put in ((leaves, _put_leaves), (nodes.records, _put_nodes)):
        listed = list(values.items())
        for start in range(0, len(listed), CHUNK):
            draft = Draft(database)
            put(draft, dict(listed[start : start + CHUNK]))
            database.write(draft.puts)
    last = Draft(database)
    last.put(rooms.GENESIS, root)
    last.put_head(0, root)
    database.write(last.puts)
    return root


def _put_leaves(draft: Draft, leaves: dict[int, bytes]) -> None:
    draft.put_state(leaves, {})


def _put_nodes(draft: Draft, nodes: dict[int, bytes]) -> None:
    draft.put_state({}, nodes)


def _sweep(database: Database) -> None:
    for room in (rooms.LEAF, rooms.NODE):
        stale = [key for key, _ in database.iterate(*rooms.prefix_range(room))]
        for start in range(0, len(stale), CHUNK):
            database.write(dict.fromkeys(stale[start : start + CHUNK]))
