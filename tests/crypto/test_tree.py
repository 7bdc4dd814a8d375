from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.crypto.keccak import ZERO_HASH, keccak
from rollup.crypto.tree import BLOCK, MemoryNodes, Tree
from tests.crypto.reference import ACCOUNT_KIND, keys, reference_root, states, values

writes = st.dictionaries(keys, st.one_of(values, st.just(b"")), min_size=1, max_size=12)


def test_empty_tree_has_zero_root_and_no_records() -> None:
    """Nothing written hashes to zero, and emptying what is empty stays so."""
    tree = Tree(MemoryNodes())
    assert tree.update({}) == ZERO_HASH
    assert tree.update({5: b""}) == ZERO_HASH
    assert tree.nodes.records == {}  # type: ignore[attr-defined]


def test_single_leaf_root_is_the_chain_of_its_nodes() -> None:
    """One leaf under key 0 is hashed twenty times as the first of four children."""
    expected = keccak(b"globals")
    for _ in range(20):
        expected = keccak(expected + bytes(96))
    assert Tree(MemoryNodes()).update({0: b"globals"}) == expected


@settings(max_examples=150, deadline=None)
@given(st.lists(writes, min_size=1, max_size=6))
def test_update_any_sequence_matches_reference_and_undo_restores_every_record(batches: list[dict[int, bytes]]) -> None:
    """Roots equal the definition after each batch; writing pre-values back restores root and records exactly."""
    nodes = MemoryNodes()
    tree = Tree(nodes)
    leaves: dict[int, bytes] = {}
    history = []
    for batch in batches:
        history.append(({key: leaves.get(key, b"") for key in batch}, tree.root, dict(nodes.records)))
        leaves.update(batch)
        assert tree.update(batch) == reference_root(leaves)
    for pre, root, records in reversed(history):
        assert tree.update(pre) == root
        assert nodes.records == records


@settings(max_examples=80, deadline=None)
@given(states, st.randoms(use_true_random=False))
def test_records_do_not_depend_on_the_order_of_writes(state: dict[int, bytes], order: random.Random) -> None:
    """Leaves written one by one in any order leave the same records as all at once."""
    at_once, one_by_one = MemoryNodes(), MemoryNodes()
    Tree(at_once).update(state)
    tree = Tree(one_by_one)
    shuffled = list(state)
    order.shuffle(shuffled)
    for key in shuffled:
        tree.update({key: state[key]})
    assert one_by_one.records == at_once.records


@settings(max_examples=60, deadline=None)
@given(states, writes)
def test_fork_updated_leaves_the_tree_undisturbed(state: dict[int, bytes], batch: dict[int, bytes]) -> None:
    """A fork computes its own roots; the tree it came from keeps root and records."""
    nodes = MemoryNodes()
    tree = Tree(nodes)
    root = tree.update(state)
    before = dict(nodes.records)
    fork = tree.fork()
    assert fork.update(batch) == reference_root({**state, **batch})
    assert (tree.root, nodes.records) == (root, before)
    assert tree.changes(batch)[0] == fork.root
    assert nodes.records == before


def test_accounts_without_orders_cost_one_short_record_each() -> None:
    """The chain of nodes below an account's only leaf is derived, not stored."""
    nodes = MemoryNodes()
    Tree(nodes).update({ACCOUNT_KIND | account << 14: b"account" for account in range(4096)})
    stubs = [record for record in nodes.records.values() if len(record) != BLOCK]
    assert len(stubs) == 4096
    assert len(nodes.records) < 4096 * 1.4


@pytest.mark.parametrize("key", [-1, 1 << 40])
def test_update_with_a_key_outside_forty_bits_is_a_bug_of_ours(key: int) -> None:
    """Keys are made by this package only, so another one stops the process."""
    with pytest.raises(AssertionError):
        Tree(MemoryNodes()).update({key: b"x"})
