from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.crypto.keccak import ZERO_HASH, keccak
from rollup.crypto.merkle import merkle_path, merkle_root, verify_path

hashes = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=33, unique=True)


def test_single_hash_is_its_own_root() -> None:
    """A batch of one block commits to the block's hash itself."""
    assert merkle_root([b"a" * 32]) == b"a" * 32
    assert merkle_path([b"a" * 32], 0) == []


def test_three_hashes_are_padded_with_zero_to_four() -> None:
    """Padding is the zero hash, hashed like any other."""
    a, b, c = b"a" * 32, b"b" * 32, b"c" * 32
    assert merkle_root([a, b, c]) == keccak(keccak(a + b) + keccak(c + ZERO_HASH))


@given(hashes, st.data())
def test_path_verifies_only_at_its_own_position_and_leaf(leaves: list[bytes], data: st.DataObject) -> None:
    """Each leaf has a path to the root, which shows no other leaf and no other position."""
    position = data.draw(st.integers(0, len(leaves) - 1))
    root, path = merkle_root(leaves), merkle_path(leaves, position)
    assert verify_path(root, leaves[position], position, path)
    assert not verify_path(root, keccak(leaves[position]), position, path)
    assert not verify_path(root, leaves[position], position + (1 << len(path)), path)
    assert not verify_path(root, leaves[position], -1, path)
    for i, sibling in enumerate(path):
        assert not verify_path(root, leaves[position], position, [*path[:i], keccak(sibling), *path[i + 1 :]])
    for other in range(1 << len(path)):
        if other != position and ZERO_HASH not in leaves:
            assert not verify_path(root, leaves[position], other, path)


def test_root_of_nothing_is_a_bug_of_ours() -> None:
    """An empty batch is refused long before it is hashed."""
    with pytest.raises(AssertionError):
        merkle_root([])
    with pytest.raises(AssertionError):
        merkle_path([b"a" * 32], 1)
