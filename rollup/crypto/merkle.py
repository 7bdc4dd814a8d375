"""Binary Keccak Merkle trees over block hashes: one root commits a batch, one path shows a block in it.

The list is padded with zero leaves to a power of two. A list of one hash is its own root, with an empty path. (Leaves
and nodes need no separate domains: the number of leaves is committed beside the root, so a path has a known length.)
"""

from __future__ import annotations

from collections.abc import Sequence

from rollup.crypto.keccak import ZERO_HASH, keccak


def merkle_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over at least one 32-byte hash."""
    return _levels(hashes)[-1][0]


def merkle_path(hashes: Sequence[bytes], position: int) -> list[bytes]:
    """Return the sibling hashes from the leaf at `position` up to below the root."""
    assert 0 <= position < len(hashes), f"position {position} of {len(hashes)} hashes"
    path = []
    for level in _levels(hashes)[:-1]:
        path.append(level[position ^ 1])
        position >>= 1
    return path


def verify_path(root: bytes, leaf: bytes, position: int, path: Sequence[bytes]) -> bool:
    """Say whether `leaf` stands at `position` of the tree of depth `len(path)` that has this root."""
    if not 0 <= position < 1 << len(path):
        return False
    node = leaf
    for sibling in path:
        node = keccak(sibling + node) if position & 1 else keccak(node + sibling)
        position >>= 1
    return node == root


def _levels(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Return the padded tree, leaves first and the root's own level last."""
    assert hashes, "a Merkle tree has at least one leaf"
    width = 1 << (len(hashes) - 1).bit_length()
    levels = [[*hashes, *[ZERO_HASH] * (width - len(hashes))]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([keccak(below[i] + below[i + 1]) for i in range(0, len(below), 2)])
    return levels
