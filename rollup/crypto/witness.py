"""Witnesses: the touched leaves of a block with what is needed to hash them up to the state root.

    n u16 ‖ n times (key u40 ‖ length u16 ‖ value)     touched keys and pre-values, strictly ascending
    masks: one byte per parent node                level 19 up to level 0, within a level ascending by index
    siblings: 32 bytes each                        to the end

Bit i of a parent's mask says that its child i is on no path of a listed key and not empty; its hash is then the next
sibling. A set of leaves in a tree has exactly one witness: everything else is refused with a `WitnessFault` of one of
the kinds below, the same cases in which the verifier on L1 reverts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rollup.crypto.keccak import ZERO_HASH, keccak
from rollup.crypto.tree import LEVELS, Tree, leaf_hash
from rollup.errors import WitnessFault

__all__ = [
    "EMPTY",
    "KINDS",
    "LEFTOVER",
    "MASK_LISTED",
    "MASK_RESERVED",
    "SIBLING_ZERO",
    "TRUNCATED",
    "UNLISTED_WRITE",
    "UNSORTED",
    "Witness",
    "WitnessFault",
    "build_witness",
    "read_witness",
    "roots_of",
]

EMPTY: Final = "empty"  # no leaf is listed
TRUNCATED: Final = "truncated"  # the bytes end within a leaf, the masks or a sibling that a mask announces
UNSORTED: Final = "unsorted"  # keys do not ascend strictly (a duplicate included)
MASK_RESERVED: Final = "mask_reserved"  # one of bits 4 to 7 is set
MASK_LISTED: Final = "mask_listed"  # a mask announces a sibling where a listed key's own path goes
SIBLING_ZERO: Final = "sibling_zero"  # an empty subtree is listed as a sibling
LEFTOVER: Final = "leftover"  # bytes follow the last sibling
UNLISTED_WRITE: Final = "unlisted_write"  # a post-value is given for a key that is not listed

KINDS: Final = (EMPTY, TRUNCATED, UNSORTED, MASK_RESERVED, MASK_LISTED, SIBLING_ZERO, LEFTOVER, UNLISTED_WRITE)


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness in canonical form. `leaves` are the pre-values by ascending key; masks and siblings are as encoded."""

    leaves: dict[int, bytes]
    masks: bytes
    siblings: bytes


def build_witness(tree: Tree, pre: Mapping[int, bytes]) -> bytes:
    """Return the witness of the leaves `pre` (key → value, `b""` for an absent leaf) in `tree`, before it is updated.

    The values must be those of the tree; if they are not, the witness leads to another root.
    """
    assert 0 < len(pre) < 1 << 16, f"a witness lists 1 to 65,535 leaves, not {len(pre)}"
    keys = sorted(pre)
    blocks = tree.path_blocks(keys)
    masks = bytearray()
    siblings = bytearray()
    below = set(keys)
    for level in range(LEVELS - 1, -1, -1):
        parents = sorted({index >> 2 for index in below})
        for parent in parents:
            block = blocks[level][parent]
            mask = 0
            for child in range(4):
                sibling = block[32 * child : 32 * child + 32]
                if parent << 2 | child not in below and sibling != ZERO_HASH:
                    mask |= 1 << child
                    siblings += sibling
            masks.append(mask)
        below = set(parents)
    leaves = b"".join(key.to_bytes(5, "big") + len(pre[key]).to_bytes(2, "big") + pre[key] for key in keys)
    return len(keys).to_bytes(2, "big") + leaves + bytes(masks) + bytes(siblings)


def read_witness(data: bytes) -> Witness:
    """Return the witness, or raise WitnessFault if `data` is not the canonical encoding of one. Hashes nothing."""
    leaves, position = _read_leaves(data)
    listed = _children_listed(list(leaves))
    masks = data[position : position + len(listed)]
    siblings = data[position + len(listed) :]
    if len(masks) < len(listed):
        raise WitnessFault(TRUNCATED, f"{len(masks)} masks for {len(listed)} parents")
    for position, (mask, children) in enumerate(zip(masks, listed, strict=True)):
        if mask > 0b1111:
            raise WitnessFault(MASK_RESERVED, f"mask {position} is {mask:#x}")
        if mask & children:
            raise WitnessFault(MASK_LISTED, f"mask {position} is {mask:#x}, listed children {children:#x}")
    announced = 32 * sum(mask.bit_count() for mask in masks)
    if len(siblings) < announced:
        raise WitnessFault(TRUNCATED, f"{len(siblings)} bytes of siblings, {announced} announced")
    if len(siblings) > announced:
        raise WitnessFault(LEFTOVER, f"{len(siblings)} bytes of siblings, {announced} announced")
    for position in range(0, announced, 32):
        if siblings[position : position + 32] == ZERO_HASH:
            raise WitnessFault(SIBLING_ZERO, f"sibling {position // 32}")
    return Witness(leaves, masks, siblings)


def roots_of(witness: Witness, post: Mapping[int, bytes]) -> tuple[bytes, bytes]:
    """Return the root of the listed pre-values and the root once `post` (listed keys only) is written, in one pass."""
    for key in post:
        if key not in witness.leaves:
            raise WitnessFault(UNLISTED_WRITE, f"key {key:#x}")
    nodes = {
        key: (hashed := leaf_hash(value), leaf_hash(post[key]) if key in post else hashed)
        for key, value in witness.leaves.items()
    }
    next_mask = iter(witness.masks)
    position = 0
    for _ in range(LEVELS):
        above: dict[int, tuple[bytes, bytes]] = {}
        for parent in dict.fromkeys(index >> 2 for index in nodes):
            mask = next(next_mask)
            before, after = bytearray(), bytearray()
            for child in range(4):
                pair = nodes.get(parent << 2 | child)
                if pair is None:
                    taken = 32 * (mask >> child & 1)
                    sibling = witness.siblings[position : position + taken] or ZERO_HASH
                    pair = (sibling, sibling)
                    position += taken
                before += pair[0]
                after += pair[1]
            above[parent] = (_node_hash(before), _node_hash(after))
        nodes = above
    return nodes[0]


def _read_leaves(data: bytes) -> tuple[dict[int, bytes], int]:
    """Return the listed leaves and the offset behind them."""
    if len(data) < 2:
        raise WitnessFault(TRUNCATED, "no count")
    count = int.from_bytes(data[:2], "big")
    if count == 0:
        raise WitnessFault(EMPTY, "no leaf is listed")
    leaves: dict[int, bytes] = {}
    position, last = 2, -1
    for _ in range(count):
        start = position + 7
        end = start + int.from_bytes(data[start - 2 : start], "big")
        if start > len(data) or end > len(data):
            raise WitnessFault(TRUNCATED, f"{len(leaves)} of {count} leaves are whole")
        key = int.from_bytes(data[position : position + 5], "big")
        if key <= last:
            raise WitnessFault(UNSORTED, f"key {key:#x} follows {last:#x}")
        leaves[key] = data[start:end]
        position, last = end, key
    return leaves, position


def _children_listed(keys: list[int]) -> list[int]:
    """Return for each parent, in the order of the masks, the bits of the children on a path of one of sorted `keys`."""
    listed: list[int] = []
    for _ in range(LEVELS):
        parents: dict[int, int] = {}
        for key in keys:
            parents[key >> 2] = parents.get(key >> 2, 0) | 1 << (key & 3)
        listed.extend(parents.values())
        keys = list(parents)
    return listed


def _node_hash(children: bytearray) -> bytes:
    return keccak(bytes(children)) if any(children) else ZERO_HASH
