"""Proofs against the fullest state that the keys admit: every sibling that can exist does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from rollup.crypto.keccak import keccak
from rollup.crypto.tree import KEY_BITS, LEVELS
from rollup.crypto.witness import read_witness, roots_of
from tests.differential.twins import NO_ROOT, Proof

_U16: Final = (1 << 16) - 1
_SYSTEM: Final = ((0, 1), (1 << 32, (1 << 32) + _U16), (2 << 32, (3 << 32) - 1), (3 << 32, (3 << 32) + _U16))


def can_be_inhabited(level: int, index: int) -> bool:
    """Whether any leaf can ever stand below a node."""
    shift = KEY_BITS - 2 * level
    first = index << shift
    last = first + (1 << shift) - 1
    if any(first <= high and last >= low for low, high in _SYSTEM):
        return True
    if last < 1 << 38 or first >= 2 << 38:
        return False
    if shift >= 14:
        return True
    return first & 0x3FFF == 0 or last & 0x3FFF >= 8_192


def make_full_witness(pre: Mapping[int, bytes]) -> bytes:
    """The largest witness of these leaves: every sibling that can exist does."""
    masks, siblings = bytearray(), bytearray()
    below = set(pre)
    for level in range(LEVELS - 1, -1, -1):
        parents = sorted({index >> 2 for index in below})
        for parent in parents:
            mask = 0
            for child in range(4):
                index = parent << 2 | child
                if index not in below and can_be_inhabited(level + 1, index):
                    mask |= 1 << child
                    siblings += keccak(index.to_bytes(5, "big") + bytes([level]))
            masks.append(mask)
        below = set(parents)
    leaves = b"".join(key.to_bytes(5, "big") + len(pre[key]).to_bytes(2, "big") + pre[key] for key in sorted(pre))
    return len(pre).to_bytes(2, "big") + leaves + bytes(masks) + bytes(siblings)


def fill_tree(proof: Proof) -> Proof:
    """The same block on a state where every possible sibling of its leaves exists."""
    witness = make_full_witness(proof.result.pre)
    before, after = roots_of(read_witness(witness), proof.result.writes)
    root = NO_ROOT if proof.result.reason else after
    header = replace(proof.header, parent_root=before, state_root=root)
    return replace(proof, header=header, witness=witness, root=root)
