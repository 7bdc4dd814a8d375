from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.crypto import witness as w
from rollup.crypto.tree import MemoryNodes, Tree
from rollup.crypto.witness import WitnessFault, build_witness, read_witness, roots_of
from tests.crypto.reference import keys, reference_witness, states, values

touches = st.sets(keys, min_size=1, max_size=10)


def make(state: dict[int, bytes], touched: set[int]) -> tuple[Tree, dict[int, bytes], bytes]:
    """A tree, the pre-values of `touched`, and their witness."""
    tree = Tree(MemoryNodes())
    tree.update(state)
    pre = {key: state.get(key, b"") for key in touched}
    return tree, pre, build_witness(tree, pre)


@settings(max_examples=150, deadline=None)
@given(states, touches, st.data())
def test_witness_of_any_leaves_gives_both_roots(
    state: dict[int, bytes], touched: set[int], data: st.DataObject
) -> None:
    """It equals the definition byte for byte, returns its leaves, and leads to the roots before and after writes."""
    touched |= set(data.draw(st.lists(st.sampled_from(sorted(state)), max_size=8))) if state else set()
    tree, pre, encoded = make(state, touched)
    assert encoded == reference_witness(state, touched)
    witness = read_witness(encoded)
    assert witness.leaves == pre
    assert list(witness.leaves) == sorted(pre)
    post = data.draw(st.dictionaries(st.sampled_from(sorted(touched)), st.one_of(values, st.just(b"")), max_size=6))
    assert roots_of(witness, post) == (tree.root, tree.fork().update(post))


@settings(max_examples=60, deadline=None)
@given(states, touches, st.integers(0, 2**32), st.integers(1, 255))
def test_any_byte_changed_is_refused_or_the_witness_of_other_keys_or_another_root(
    state: dict[int, bytes], touched: set[int], position: int, flip: int
) -> None:
    """What leads to the root is the one witness of the keys that it lists."""
    tree, _, encoded = make(state, touched)
    changed = bytearray(encoded)
    changed[position % len(changed)] ^= flip
    try:
        witness = read_witness(bytes(changed))
    except WitnessFault:
        return
    is_of_the_tree = roots_of(witness, {})[0] == tree.root
    assert is_of_the_tree == (bytes(changed) == reference_witness(state, witness.leaves))


@settings(max_examples=40, deadline=None)
@given(states, touches, st.data())
def test_any_truncation_is_refused(state: dict[int, bytes], touched: set[int], data: st.DataObject) -> None:
    """A prefix of a witness is none."""
    encoded = make(state, touched)[2]
    with pytest.raises(WitnessFault) as caught:
        read_witness(encoded[: data.draw(st.integers(0, len(encoded) - 1))])
    assert caught.value.kind == w.TRUNCATED


@settings(max_examples=40, deadline=None)
@given(states, touches, st.binary(min_size=1, max_size=40))
def test_any_padding_is_refused(state: dict[int, bytes], touched: set[int], padding: bytes) -> None:
    """Nothing may follow the last sibling."""
    with pytest.raises(WitnessFault) as caught:
        read_witness(make(state, touched)[2] + padding)
    assert caught.value.kind == w.LEFTOVER


def encode(leaves: list[tuple[int, bytes]], masks: bytes, siblings: bytes = b"") -> bytes:
    """A witness of any leaves, in any order."""
    listed = b"".join(key.to_bytes(5, "big") + len(value).to_bytes(2, "big") + value for key, value in leaves)
    return len(leaves).to_bytes(2, "big") + listed + masks + siblings


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (w.EMPTY, bytes(2)),
        (w.TRUNCATED, b"\x00"),
        (w.TRUNCATED, encode([(1, b"x")], bytes(19))),
        (w.TRUNCATED, encode([(1, b"x")], b"\x01" + bytes(19), bytes(31))),
        (w.UNSORTED, encode([(2, b"x"), (1, b"y")], bytes(20))),
        (w.UNSORTED, encode([(1, b"x"), (1, b"x")], bytes(20))),
        (w.MASK_RESERVED, encode([(1, b"x")], b"\x10" + bytes(19))),
        (w.MASK_LISTED, encode([(1, b"x")], b"\x02" + bytes(19), b"s" * 32)),
        (w.MASK_LISTED, encode([(1, b"x")], bytes(19) + b"\x01", b"s" * 32)),
        (w.SIBLING_ZERO, encode([(1, b"x")], b"\x01" + bytes(19), bytes(32))),
        (w.LEFTOVER, encode([(1, b"x")], bytes(20), b"s" * 32)),
    ],
)
def test_faults_are_told_apart(kind: str, data: bytes) -> None:
    """Each way not to be canonical has its own kind."""
    with pytest.raises(WitnessFault) as caught:
        read_witness(data)
    assert caught.value.kind == kind


def test_write_of_an_unlisted_key_is_refused() -> None:
    """A post-value can only replace a listed pre-value."""
    witness = read_witness(make({1: b"x"}, {1})[2])
    with pytest.raises(WitnessFault) as caught:
        roots_of(witness, {2: b"y"})
    assert caught.value.kind == w.UNLISTED_WRITE


def test_wrong_pre_value_leads_to_another_root() -> None:
    """A witness that lies about a leaf cannot show the root it lies about."""
    tree, pre, _ = make({1: b"x", 2: b"y"}, {1})
    lie = read_witness(build_witness(tree, {**pre, 1: b"z"}))
    assert roots_of(lie, {})[0] != tree.root
