"""The state tree: a sparse 4-ary Merkle tree of 20 levels over 40-bit keys.

A node's hash is keccak of its four children's hashes, and zero if all are zero; a leaf's is keccak of its value, and
zero if the value is empty. A node is known by one integer, its *path*: a leading 1, then two bits per level from the
root (`ROOT` = 1, the children of `p` are `p << 2 | c`). What is stored for a node, its *record*, is one of

* nothing: the subtree is empty;
* a *stub*, key (5 bytes) ‖ leaf hash (32): the subtree holds this one leaf, and the nodes below it are derived;
* a *block*, the four children's hashes (128 bytes): the subtree holds at least two leaves.

Most accounts of a large state are one leaf at the end of seven nodes with a single child: a stub replaces all of them.
The record of a node depends only on the leaves below it, never on the order of writes, so undoing a write by writing
the previous value restores every record as well as the root.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from rollup.crypto.keccak import ZERO_HASH, keccak, new_keccak

LEVELS: Final = 20
KEY_BITS: Final = 2 * LEVELS
ROOT: Final = 1
BLOCK: Final = 128
"""Length of a block record; a stub has 37 bytes."""

_ZEROS: Final = tuple(bytes(32 * n) for n in range(5))
_ONE_CHILD: Final = tuple((_ZEROS[c], _ZEROS[3 - c]) for c in range(4))
_Leaf = tuple[int, bytes]


class NodeReader(Protocol):
    """Where the records of nodes are read, by path."""

    def get(self, path: int, /) -> bytes:
        """Return the node's record, `b""` if it has none."""
        ...


class NodeStore(NodeReader, Protocol):
    """Where the records of nodes are kept, by path."""

    def put_many(self, records: Mapping[int, bytes], /) -> None:
        """Replace these records at once; `b""` removes one."""
        ...


class MemoryNodes:
    """Records in a dictionary, for tests, forks and states built in memory."""

    def __init__(self) -> None:
        self.records: dict[int, bytes] = {}

    def get(self, path: int) -> bytes:
        """Return the node's record, `b""` if it has none."""
        return self.records.get(path, b"")

    def put_many(self, records: Mapping[int, bytes]) -> None:
        """Replace these records; `b""` removes one."""
        for path, record in records.items():
            if record:
                self.records[path] = record
            else:
                self.records.pop(path, None)


class OverlayNodes:
    """Records written over another store without touching it."""

    def __init__(self, base: NodeReader) -> None:
        self._base = base
        self._records: dict[int, bytes] = {}

    def get(self, path: int) -> bytes:
        """Return the record written here, else the one of the store below."""
        record = self._records.get(path)
        return self._base.get(path) if record is None else record

    def put_many(self, records: Mapping[int, bytes]) -> None:
        """Replace these records here only."""
        self._records.update(records)


class Tree:
    """A state root with the nodes that lead to it."""

    def __init__(self, nodes: NodeStore, root: bytes = ZERO_HASH) -> None:
        self.nodes = nodes
        self.root = root

    def update(self, writes: Mapping[int, bytes]) -> bytes:
        """Set leaf values (`b""` empties a leaf) and return the new root; each node on a path is visited once."""
        self.root, records = self.changes(writes)
        self.nodes.put_many(records)
        return self.root

    def changes(self, writes: Mapping[int, bytes]) -> tuple[bytes, dict[int, bytes]]:
        """Return the root and the records that `update` would set, leaving the tree as it is."""
        return changes(self.nodes, self.root, writes)

    def fork(self) -> Tree:
        """Return a tree that starts as this one and can be updated without disturbing it.

        It reads this tree's nodes as they are when asked: use it before the next update here.
        """
        return Tree(OverlayNodes(self.nodes), self.root)

    def path_blocks(self, keys: Iterable[int]) -> list[dict[int, bytes]]:
        """Return, for each level from 0 to 19, the children's hashes of every node above one of `keys`, by index."""
        levels: list[dict[int, bytes]] = []
        records = {0: self.nodes.get(ROOT)}
        ordered = sorted(keys)
        for level in range(LEVELS):
            shift = KEY_BITS - 2 * level - 2
            levels.append({index: _expand(record, shift) for index, record in records.items()})
            if level < LEVELS - 1:
                records = {
                    child: self._child_record(records[child >> 2], child, shift)
                    for child in dict.fromkeys(key >> shift for key in ordered)
                }
        return levels

    def _child_record(self, parent: bytes, child: int, shift: int) -> bytes:
        """Return the record of the node `child`, whose level has `shift` key bits below it."""
        if len(parent) == BLOCK:
            return self.nodes.get(1 << (KEY_BITS - shift) | child)
        if parent and int.from_bytes(parent[:5], "big") >> shift == child:
            return parent
        return b""


def changes(nodes: NodeReader, root: bytes, writes: Mapping[int, bytes]) -> tuple[bytes, dict[int, bytes]]:
    """Return the root and the records that writing leaf values to the tree of `root` would set."""
    if not writes:
        return root, {}
    leaves = [(key, leaf_hash(writes[key])) for key in sorted(writes)]
    assert leaves[0][0] >= 0, "a key is not negative"
    assert leaves[-1][0] < 1 << KEY_BITS, "a key has 40 bits"
    records: dict[int, bytes] = {}
    return _update(nodes.get, ROOT, KEY_BITS, leaves, records), records


def leaf_hash(value: bytes) -> bytes:
    """Return keccak of a leaf's value, or zero if it is empty."""
    return keccak(value) if value else ZERO_HASH


def record_hash(record: bytes, bits: int = KEY_BITS) -> bytes:
    """Return the hash of the node that has this record and `bits` key bits below it (default: the root)."""
    if len(record) == BLOCK:
        return keccak(record)
    return _climb(int.from_bytes(record[:5], "big"), record[5:], bits) if record else ZERO_HASH


def _update(get: Callable[[int], bytes], path: int, bits: int, leaves: list[_Leaf], records: dict[int, bytes]) -> bytes:
    """Write `leaves` (sorted) below the node at `path` with `bits` key bits left; add its records; return its hash."""
    record = get(path)
    if len(record) != BLOCK:
        return _build(path, bits, _merge(record, leaves), records, stored=record)
    shift = bits - 2
    first = leaves[0][0] >> shift
    if first == leaves[-1][0] >> shift:  # one child takes them all: the common case deep in the tree
        child = first & 3
        new = _update(get, path << 2 | child, shift, leaves, records) if shift else leaves[0][1]
        before, after = record[: 32 * child], record[32 * child + 32 :]
        block = before + new + after
        sparse = new == ZERO_HASH or (
            shift and (before, after) == _ONE_CHILD[child] and len(records[path << 2 | child]) != BLOCK
        )
    else:
        hashes = [record[:32], record[32:64], record[64:96], record[96:]]
        for child, part in _split(leaves, shift):
            hashes[child] = _update(get, path << 2 | child, shift, part, records) if shift else part[0][1]
        block = b"".join(hashes)
        sparse = hashes.count(ZERO_HASH) >= 3
    records[path] = block
    if sparse:
        return _condense(get, path, bits, block, records)
    digest: bytes = new_keccak(block).digest()
    return digest


def _build(path: int, bits: int, leaves: list[_Leaf], records: dict[int, bytes], *, stored: bytes = b"") -> bytes:
    """Make the node at `path` from all leaves below it, of which nothing but the record `stored` exists yet."""
    if len(leaves) <= 1:
        record = leaves[0][0].to_bytes(5, "big") + leaves[0][1] if leaves else b""
        if record or stored:
            records[path] = record
        return _climb(leaves[0][0], leaves[0][1], bits) if leaves else ZERO_HASH
    shift = bits - 2
    hashes = [ZERO_HASH] * 4
    for child, part in _split(leaves, shift):
        hashes[child] = _build(path << 2 | child, shift, part, records) if shift else part[0][1]
    block = records[path] = b"".join(hashes)
    return keccak(block)


def _condense(get: Callable[[int], bytes], path: int, bits: int, block: bytes, records: dict[int, bytes]) -> bytes:
    """Replace the block written at `path` if at most one leaf is left below it; return the node's hash."""
    full = [child for child in range(4) if block[32 * child : 32 * child + 32] != ZERO_HASH]
    if not full:
        records[path] = b""
        return ZERO_HASH
    if len(full) == 1:
        child = path << 2 | full[0]
        if bits == 2:  # the child is a leaf, and its path without the leading 1 its key
            key = child ^ 1 << KEY_BITS
            records[path] = key.to_bytes(5, "big") + block[32 * full[0] : 32 * full[0] + 32]
        else:
            record = records[child] if child in records else get(child)
            if len(record) != BLOCK:
                records[path], records[child] = record, b""
    return keccak(block)


def _merge(stub: bytes, leaves: list[_Leaf]) -> list[_Leaf]:
    """Return the leaves of a subtree that held only `stub` (or nothing), once `leaves` are written."""
    merged = [leaf for leaf in leaves if leaf[1] != ZERO_HASH]
    if stub:
        key = int.from_bytes(stub[:5], "big")
        if all(leaf[0] != key for leaf in leaves):
            merged.append((key, stub[5:]))
            merged.sort()
    return merged


def _split(leaves: list[_Leaf], shift: int) -> list[tuple[int, list[_Leaf]]]:
    """Return sorted leaves by the child (0 … 3) they belong to, children ascending."""
    parts: list[tuple[int, list[_Leaf]]] = []
    start = 0
    child = leaves[0][0] >> shift
    for end, leaf in enumerate(leaves):
        if leaf[0] >> shift != child:
            parts.append((child & 3, leaves[start:end]))
            start, child = end, leaf[0] >> shift
    parts.append((child & 3, leaves[start:]))
    return parts


def _expand(record: bytes, shift: int) -> bytes:
    """Return the four children's hashes of a node from its record; a child has `shift` key bits below it."""
    if len(record) == BLOCK:
        return record
    if not record:
        return _ZEROS[4]
    key = int.from_bytes(record[:5], "big")
    before, after = _ONE_CHILD[key >> shift & 3]
    return before + _climb(key, record[5:], shift) + after


def _climb(key: int, leaf: bytes, bits: int) -> bytes:
    """Return the hash of the node `bits` key bits above a leaf that is alone in it."""
    node = leaf
    for shift in range(0, bits, 2):
        before, after = _ONE_CHILD[key >> shift & 3]
        node = new_keccak(before + node + after).digest()
    return node
