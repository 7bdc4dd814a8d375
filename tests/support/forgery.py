"""Everything a liar can change in the proof of a block: its transactions, its messages, its witness.

The header and the domain are L1's to say, so they are not here. Each forgery is named after what was done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, cycle
from typing import Final

from rollup.crypto.keccak import ZERO_HASH, keccak
from rollup.crypto.tree import LEVELS, leaf_hash
from rollup.crypto.witness import read_witness
from rollup.types.blocks import Header
from rollup.types.keys import KeyKind, kind_of


@dataclass(frozen=True, slots=True)
class Evidence:
    """What `prove` takes of a block beside its place in a batch; `messages` joined as the verifier reads them."""

    header: Header
    txs: bytes
    messages: bytes
    witness: bytes


@dataclass(frozen=True, slots=True)
class Forgery:
    """A changed proof, and how it was changed."""

    name: str
    evidence: Evidence


@dataclass(slots=True)
class Parts:
    """A witness taken apart. `count` is what its first two bytes say."""

    leaves: list[tuple[int, bytes]]
    masks: bytes
    siblings: bytes
    count: int = field(default=-1)

    @classmethod
    def of(cls, witness: bytes) -> Parts:
        """Take a canonical witness apart."""
        read = read_witness(witness)
        return cls(list(read.leaves.items()), read.masks, read.siblings)

    def join(self) -> bytes:
        """The parts as bytes, canonical or not."""
        count = len(self.leaves) if self.count < 0 else self.count
        leaves = b"".join(key.to_bytes(5, "big") + len(v).to_bytes(2, "big") + v for key, v in self.leaves)
        return count.to_bytes(2, "big") + leaves + self.masks + self.siblings


def forge(evidence: Evidence, messages: Sequence[bytes]) -> Iterator[Forgery]:
    """All forgeries of a proof; `messages` are those of the block, apart."""
    return (forgery for forgery in _forge(evidence, messages) if forgery.evidence != evidence)


def join_messages(messages: Sequence[bytes]) -> bytes:
    """Messages as the verifier takes them."""
    return b"".join(len(message).to_bytes(2, "big") + message for message in messages)


def _forge(evidence: Evidence, messages: Sequence[bytes]) -> Iterator[Forgery]:
    """Some change nothing: of two leaves with the same value, the hashes may be swapped."""
    for name, txs in _forge_bytes(evidence.txs, "transactions"):
        yield Forgery(name, replace(evidence, txs=txs))
    for name, joined in _forge_messages(messages):
        yield Forgery(name, replace(evidence, messages=joined))
    for name, witness in _forge_witness(evidence.witness):
        yield Forgery(name, replace(evidence, witness=witness))


# -- transactions and messages -----------------------------------------------------------------------------------------


def _forge_bytes(honest: bytes, what: str) -> Iterator[tuple[str, bytes]]:
    """Bytes changed at places spread over all of them, cut, added, repeated."""
    for position in spread(len(honest), 12):
        yield f"{what}: bit {position % 8} of byte {position}", flip(honest, position, position % 8)
    if honest:
        yield f"{what}: none", b""
        yield f"{what}: last byte cut", honest[:-1]
        yield f"{what}: first half", honest[: len(honest) // 2]
        yield f"{what}: twice", honest + honest
    yield f"{what}: a byte more", honest + b"\0"


def _forge_messages(messages: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """Messages dropped, moved, repeated, altered; their lengths wrong."""
    yield from _forge_bytes(join_messages(messages), "messages")
    yield "messages: an empty one more", join_messages([*messages, b""])
    yield "messages: a head cut short", join_messages(messages) + b"\0\1"
    for i in spread(len(messages), 4):
        others = [*messages[:i], *messages[i + 1 :]]
        yield f"messages: {i} dropped", join_messages(others)
        yield f"messages: {i} twice", join_messages([*messages[: i + 1], *messages[i:]])
        yield f"messages: {i} cut in two", join_messages([*messages[:i], messages[i][:5], messages[i][5:], *others[i:]])
        if others and messages[i] != messages[0]:
            yield f"messages: {i} first", join_messages([messages[i], *others])


# -- the witness -------------------------------------------------------------------------------------------------------


def _forge_witness(honest: bytes) -> Iterator[tuple[str, bytes]]:
    parts = Parts.of(honest)
    yield from _forge_frame(honest, parts)
    yield from _forge_leaves(parts)
    yield from _forge_hashes(parts)
    yield from _forge_listing(honest)


def _forge_frame(honest: bytes, parts: Parts) -> Iterator[tuple[str, bytes]]:
    """Cut at every kind of border, padded, counted wrong."""
    borders = [0, 1, 2]
    for _, value in parts.leaves:
        borders += [borders[-1] + 5, borders[-1] + 7, borders[-1] + 7 + len(value)]
    start = borders[-1] + len(parts.masks)
    borders += [start - 1, *(start + 32 * i for i in range(len(parts.siblings) // 32))]
    borders = sorted(set(borders))
    for i in spread(len(borders), 24):
        yield f"witness: cut at {borders[i]}", honest[: borders[i]]
    yield "witness: last byte cut", honest[:-1]
    for padding in (b"\0", b"\1", bytes(32), keccak(b"padding")):
        yield f"witness: 0x{padding.hex()} more", honest + padding
    for count in (0, len(parts.leaves) - 1, len(parts.leaves) + 1, 121, 0xFFFF):
        yield f"witness: count {count}", replace(parts, count=count).join()


def _forge_leaves(parts: Parts) -> Iterator[tuple[str, bytes]]:
    """Each leaf's key and value changed; leaves moved and repeated."""
    for i, (key, value) in enumerate(parts.leaves):
        for other in (key ^ 1, key ^ 1 << 14, key ^ 1 << 39):
            yield f"witness: key {key:#x} says {other:#x}", _with_leaf(parts, i, other, value)
        changed = [value[:-1], b"", flip(value, 0, 0), flip(value, len(value) - 1, 7)] if value else []
        for other_value in dict.fromkeys([*changed, *_with_fields_changed(key, value), value + b"\0"]):
            yield f"witness: value of {key:#x} says 0x{other_value.hex()}", _with_leaf(parts, i, key, other_value)
        yield f"witness: {key:#x} twice", _with_leaves(parts, [*parts.leaves[: i + 1], *parts.leaves[i:]])
        if i:
            moved = [*parts.leaves[: i - 1], parts.leaves[i], parts.leaves[i - 1], *parts.leaves[i + 1 :]]
            yield f"witness: {key:#x} out of order", _with_leaves(parts, moved)


WIDTHS: Final[Mapping[KeyKind, tuple[int, ...]]] = {
    KeyKind.GLOBALS: (5, 32, 5, 8, 8, 8, 8, 3, 8, 3, 4),
    KeyKind.ORACLE_SET: (1, 1),
    KeyKind.UNDERLYING: (6, 6, 5, 8, 5, 6, 5, 5, *(4,) * 14),
    KeyKind.SERIES: (5, 5, 6, 6, 6, 4, 6, 6, 4, 6, 12, 4),
    KeyKind.MARKET: (1, 2, 2, 6, 5, 6, 6, 4, 4, 4, 4, 8, 8, 8, 8),
    KeyKind.ACCOUNT: (20, 20, 8, 8, 8, 8, 1, 5, 1),
    KeyKind.SLOT: (8, 2, 1, 6, 6, 5, 6),
}
"""Bytes of each field of a leaf, in order; behind them an oracle set has its feeders, an account its positions."""
BEHIND: Final[Mapping[KeyKind, tuple[int, ...]]] = {KeyKind.ORACLE_SET: (20,), KeyKind.ACCOUNT: (2, 8, 8)}


def _with_fields_changed(key: int, value: bytes) -> Iterator[bytes]:
    """The leaf with the lowest bit of each field changed, so that the value stays a likely one."""
    if not value:
        return
    kind = kind_of(key)
    widths = cycle(BEHIND.get(kind, (len(value),)))
    end = 0
    for width in chain(WIDTHS[kind], widths):
        end += width
        if end > len(value):
            return
        yield flip(value, end - 1, 0)


def _forge_hashes(parts: Parts) -> Iterator[tuple[str, bytes]]:
    """Masks and siblings changed."""
    for i in spread(len(parts.masks), 16):
        for bit in (i % 4, 4 + i % 4):
            yield f"witness: mask {i}, bit {bit}", replace(parts, masks=flip(parts.masks, i, bit)).join()
    words = [parts.siblings[i : i + 32] for i in range(0, len(parts.siblings), 32)]
    for i in spread(len(words), 10):
        changes: Mapping[str, list[bytes]] = {
            "changed": [flip(words[i], i % 32, i % 8)],
            "zero": [ZERO_HASH],
            "dropped": [],
            "twice": [words[i], words[i]],
        }
        for name, new in changes.items():
            joined = b"".join([*words[:i], *new, *words[i + 1 :]])
            yield f"witness: sibling {i} {name}", replace(parts, siblings=joined).join()
        if i:
            swapped = [*words[: i - 1], words[i], words[i - 1], *words[i + 1 :]]
            yield f"witness: siblings {i - 1} and {i} swapped", replace(parts, siblings=b"".join(swapped)).join()


def _forge_listing(honest: bytes) -> Iterator[tuple[str, bytes]]:
    """True witnesses of the same state, canonical in every bit, that list one leaf too few or too many."""
    leaves = read_witness(honest).leaves
    nodes = known_nodes(honest)
    for key in leaves if len(leaves) > 1 else ():
        fewer = {other: value for other, value in leaves.items() if other != key}
        yield f"witness: without {key:#x}", witness_of(fewer, nodes)
    empty = [index for index, found in nodes[LEVELS].items() if found == ZERO_HASH and index not in leaves]
    for i in spread(len(empty), 6):
        yield f"witness: with {empty[i]:#x}", witness_of(leaves | {empty[i]: b""}, nodes)


def known_nodes(witness: bytes) -> list[dict[int, bytes]]:
    """For each level (0 the root's) the hashes of all nodes that a witness tells, empty ones included."""
    read = read_witness(witness)
    levels: list[dict[int, bytes]] = [{} for _ in range(LEVELS + 1)]
    below = {key: leaf_hash(value) for key, value in read.leaves.items()}
    masks, position = iter(read.masks), 0
    for level in range(LEVELS, 0, -1):
        above: dict[int, bytes] = {}
        for parent in dict.fromkeys(index >> 2 for index in below):
            mask, children = next(masks), b""
            for index in range(parent << 2, (parent << 2) + 4):
                found = below.get(index)
                if found is None:
                    taken = 32 * (mask >> (index & 3) & 1)
                    found = read.siblings[position : position + taken] or ZERO_HASH
                    position += taken
                levels[level][index] = found
                children += found
            above[parent] = keccak(children) if any(children) else ZERO_HASH
        below = above
    levels[0] = below
    return levels


def witness_of(leaves: Mapping[int, bytes], nodes: list[dict[int, bytes]]) -> bytes:
    """The canonical witness of `leaves` in a tree of which these nodes are known."""
    below = sorted(leaves)
    masks, siblings = bytearray(), bytearray()
    for level in range(LEVELS, 0, -1):
        listed = set(below)
        below = list(dict.fromkeys(index >> 2 for index in below))
        for parent in below:
            mask = 0
            for child in range(4):
                found = nodes[level][parent << 2 | child]
                if parent << 2 | child not in listed and found != ZERO_HASH:
                    mask |= 1 << child
                    siblings += found
            masks.append(mask)
    return Parts(sorted(leaves.items()), bytes(masks), bytes(siblings)).join()


# -- small parts -------------------------------------------------------------------------------------------------------


def spread(size: int, count: int) -> list[int]:
    """At most `count` indices below `size`, spread over all of them, both ends included."""
    if size <= count:
        return list(range(size))
    return sorted({i * (size - 1) // (count - 1) for i in range(count)})


def flip(data: bytes, position: int, bit: int) -> bytes:
    """The bytes with one bit changed."""
    return data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :]


def _with_leaf(parts: Parts, place: int, key: int, value: bytes) -> bytes:
    return _with_leaves(parts, [*parts.leaves[:place], (key, value), *parts.leaves[place + 1 :]])


def _with_leaves(parts: Parts, leaves: list[tuple[int, bytes]]) -> bytes:
    return replace(parts, leaves=leaves).join()
