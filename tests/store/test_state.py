from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.crypto.tree import MemoryNodes, Tree
from rollup.crypto.witness import build_witness, read_witness, roots_of
from rollup.errors import StoreError
from rollup.store.blocks import Status
from rollup.store.changes import Notes
from rollup.store.records import BatchRecord
from rollup.store.state import StateStore
from tests.store.building import GENESIS, IDENTITY, account, content, grow, random_writes, seal, state_content


@pytest.fixture(params=["leveldb", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StateStore]:
    """An initialised store over each kind of database."""
    if request.param == "leveldb":
        opened = StateStore.open(tmp_path / "db", IDENTITY, create=True)
    else:
        opened = StateStore.in_memory(IDENTITY)
    opened.initialise(GENESIS)
    yield opened
    opened.close()


def batch(index: int, first: int, last: int) -> BatchRecord:
    """A batch of some blocks."""
    return BatchRecord(index, first, last, bytes([index]) * 32, bytes(32), 100 + index, b"t" * 32, b"more")


def test_genesis_has_the_root_of_its_leaves(store: StateStore) -> None:
    """Block 0 is readable, viewable, and written only once."""
    assert (store.number, store.committed, store.root) == (0, 0, Tree(MemoryNodes()).update(GENESIS))
    assert {key: store.read(key) for key in GENESIS} == GENESIS
    assert dict(store.iterate_leaves()) == GENESIS
    with pytest.raises(StoreError, match="holds a state"):
        store.initialise(GENESIS)


def test_genesis_with_another_root_than_expected_is_refused() -> None:
    """A follower that rebuilt other leaves than L1 committed to stops before it writes them."""
    store = StateStore.in_memory(IDENTITY)
    with pytest.raises(StoreError, match="genesis has root"):
        store.initialise(GENESIS, expected_root=b"r" * 32)
    assert store.number == -1
    assert not state_content(store)


def test_interrupted_genesis_is_swept(tmp_path: Path) -> None:
    """Leaves and nodes without a head are those of a crash, and leave no trace in the next attempt."""
    store = StateStore.open(tmp_path, IDENTITY, create=True)
    store._database.write({b"l" + account(7).to_bytes(5, "big"): b"stray", b"n" + (1).to_bytes(5, "big"): b"s" * 128})
    store.close()
    store = StateStore.open(tmp_path, IDENTITY)
    assert store.number == -1
    assert store.initialise(GENESIS) == Tree(MemoryNodes()).update(GENESIS)
    assert dict(store.iterate_leaves()) == GENESIS
    store.close()


def test_committed_block_is_found_again_after_reopening(tmp_path: Path) -> None:
    """Header, transactions, messages, signature, receipts, index, meta and entries are all there."""
    store = StateStore.open(tmp_path, IDENTITY, create=True)
    store.initialise(GENESIS)
    block = seal(store.stage({0: b"new", account(1): b"a"}))
    notes = Notes(meta={"cursor": b"12"}, entries={b"order/1": b"o"}, batches=[batch(1, 1, 1)])
    store.commit([block], notes)
    root = store.root
    store.close()
    store = StateStore.open(tmp_path, IDENTITY)
    assert (store.number, store.committed, store.root) == (1, 1, root)
    assert store.read(account(1)) == b"a"
    records = store.records
    assert records.block(1) == block.record
    assert records.block_number(block.record.hash) == 1
    assert list(records.blocks(0, 9)) == [block.record]
    assert records.receipts(1) == b"receipts 1"
    assert list(records.indexes(b"account/")) == [(b"account/1", b"trade")]
    assert (records.meta("cursor"), records.entry(b"order/1")) == (b"12", b"o")
    assert records.batch_of(1) == records.last_batch() == records.batch(1) == batch(1, 1, 1)
    store.close()


def test_staged_block_is_read_at_once_and_gone_if_not_committed(tmp_path: Path) -> None:
    """Staging moves the head in memory only."""
    store = StateStore.open(tmp_path, IDENTITY, create=True)
    store.initialise(GENESIS)
    genesis_root = store.root
    store.stage({0: b"new"})
    assert (store.number, store.committed, store.read(0)) == (1, 0, b"new")
    assert store.root != genesis_root
    store.close()
    store = StateStore.open(tmp_path, IDENTITY)
    assert (store.number, store.root, store.read(0)) == (0, genesis_root, b"globals")
    store.close()


def test_group_of_blocks_is_one_batch_with_each_node_once(store: StateStore) -> None:
    """Eight blocks in one commit leave the same content as eight commits, with fewer bytes written."""
    alone = StateStore.in_memory(IDENTITY)
    alone.initialise(GENESIS)
    grow(alone, 8, random.Random(5))
    source = random.Random(5)
    blocks = []
    for _ in range(8):
        staged = store.stage(random_writes(source))
        blocks.append(seal(staged, staged.root))
    store.commit(blocks)
    assert content(store) == content(alone)
    one, eight = store.statistics(), alone.statistics()
    assert (one.batches_written, one.blocks_written) == (1, 8)
    assert (eight.batches_written, eight.blocks_written) == (8, 8)
    assert one.bytes_written < eight.bytes_written
    assert one.leaves.staged == one.nodes.staged == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["stage", "stage", "commit", "rollback", "prune"]), st.randoms())))
def test_any_history_equals_the_plain_model(steps: list[tuple[str, random.Random]]) -> None:
    """Staging, committing in groups, rolling back and pruning leave the leaves and root of a list of dictionaries."""
    store = StateStore.in_memory(IDENTITY)
    store.initialise(GENESIS)
    store._leaves._capacity, store._nodes._capacity = 3, 5  # turn the caches over all the time
    states = [dict(GENESIS)]
    staged, final = [], 0
    for step, source in steps:
        if step == "stage":
            writes = random_writes(source)
            staged.append(store.stage(writes))
            states.append({**states[-1], **writes})
        elif step == "commit":
            count = source.randrange(len(staged) + 1)
            store.commit([seal(block) for block in staged[:count]])
            staged = staged[count:]
        elif step == "rollback":
            number = source.randrange(final, store.number + 1)
            store.rollback(number)
            del states[number + 1 :]
            staged = [block for block in staged if block.number <= number]
        else:
            final = max(final, source.randrange(store.committed + 1))
            store.prune(final)
        assert store.number == len(states) - 1
        assert {key: store.read(key) for key in states[-1]} == states[-1]
        assert store.root == Tree(MemoryNodes()).update(states[-1])
        committed = {key: value for key, value in store.iterate_leaves() if value}
        assert committed == states[store.committed]
        assert store.records.final() == final
        view = store.view(final)
        assert dict(view.leaves()) == states[final]


def test_rollback_restores_every_byte(store: StateStore) -> None:
    """After it the database is what it was, block by block."""
    source = random.Random(3)
    contents = [content(store)]
    for _ in range(12):
        grow(store, 1, source)
        contents.append(content(store))
    for number in (11, 8, 3, 0):
        store.rollback(number)
        assert content(store) == contents[number]
        assert store.number == store.committed == number
    grow(store, 12, random.Random(3))
    assert content(store) == contents[12]


def test_rollback_takes_index_keys_and_batches_along_but_no_entries(store: StateStore) -> None:
    """What describes a block goes with it; the owner's own entries stay, and notes are written in the same batch."""
    grow(store, 4, random.Random(1))
    notes = Notes(meta={"cursor": b"1"}, entries={b"o": b"1"}, batches=[batch(1, 1, 2), batch(2, 3, 4)])
    store.commit((), notes)
    gone = store.records.block(4)
    store.rollback(3, Notes(meta={"cursor": b"2"}))
    assert gone is not None
    assert store.records.block_number(gone.hash) is None
    assert store.records.receipts(4) is None
    assert [key for key, _ in store.records.indexes(b"")] == [b"account/1", b"account/2", b"account/3"]
    assert [store.records.batch_of(n) for n in (1, 2, 3)] == [batch(1, 1, 2), batch(1, 1, 2), None]
    assert (store.records.meta("cursor"), store.records.entry(b"o")) == (b"2", b"1")


def test_rollback_below_the_final_block_is_refused_and_changes_nothing(store: StateStore) -> None:
    """What is final stays."""
    grow(store, 6, random.Random(2))
    store.prune(4)
    before = content(store)
    with pytest.raises(StoreError, match="block 4 is final"):
        store.rollback(3)
    with pytest.raises(StoreError, match="block 4 is final"):
        store.view(3)
    with pytest.raises(StoreError, match="no state after block 7"):
        store.rollback(7)
    assert content(store) == before
    store.rollback(4)
    assert store.number == 4


def test_rollback_among_staged_blocks_keeps_the_earlier_ones(store: StateStore) -> None:
    """Only what is above the number goes; the rest can still be committed."""
    source = random.Random(4)
    grow(store, 2, source)
    staged = [store.stage(random_writes(source)) for _ in range(4)]
    root = staged[1].root
    store.rollback(4)
    assert (store.number, store.committed, store.root) == (4, 2, root)
    store.commit([seal(block) for block in staged[:2]])
    assert (store.committed, store.root) == (4, root)
    store.stage(random_writes(source))
    store.rollback(1)
    assert (store.number, store.committed) == (1, 1)


def test_undo_record_that_leads_elsewhere_is_refused(store: StateStore) -> None:
    """A damaged undo record is noticed by its root, and nothing is written."""
    grow(store, 2, random.Random(2))
    key = b"u" + (2).to_bytes(5, "big")
    undo = store._database.get(key)
    assert undo is not None
    store._database.write({key: undo[:-20] + bytes([undo[-20] ^ 1]) + undo[-19:]})
    before = content(store)
    with pytest.raises(StoreError):
        store.rollback(1)
    assert content(store) == before


def test_proof_at_any_kept_number_leads_to_its_root(store: StateStore) -> None:
    """Proofs of older states, of present and absent leaves, equal those made at the time."""
    source = random.Random(9)
    keys = [0, account(1), account(29), account(5) | 8192]
    made = []
    for _ in range(10):
        grow(store, 1, source)
        made.append((store.number, store.root, build_witness(store.tree, {key: store.read(key) for key in keys})))
    store.prune(4)
    for number, root, witness in made[3:]:
        proof = store.proof_at(number, keys)
        assert proof == witness
        assert roots_of(read_witness(proof), {})[0] == root
    grow(store, 1, source)
    assert store.proof_at(10, keys) == made[9][2]
    store.rollback(8)
    grow(store, 1, source)
    assert store.proof_at(9, keys) != made[8][2]


def test_proofs_below_a_new_final_block_are_no_longer_given(store: StateStore) -> None:
    """A kept view does not outlive what it was kept for."""
    grow(store, 5, random.Random(9))
    assert store.proof_at(2, [0]) == store.proof_at(2, [0])
    store.prune(3)
    with pytest.raises(StoreError, match="block 3 is final"):
        store.proof_at(2, [0])
    assert roots_of(read_witness(store.proof_at(3, [0])), {})[0] == store.records.root_after(3)


def test_view_is_frozen_while_the_store_goes_on(store: StateStore) -> None:
    """A reader in another thread sees one state."""
    grow(store, 3, random.Random(9))
    view = store.view()
    before, root = dict(view.leaves()), view.root
    grow(store, 3, random.Random(10))
    store.rollback(1)
    assert (dict(view.leaves()), view.root, view.number) == (before, root, 3)
    assert view.read(0) == before[0]
    view.close()


def test_status_follows_batches_and_finality(store: StateStore) -> None:
    """Sealed, posted, final; and back to sealed when L1 forgets a batch."""
    grow(store, 4, random.Random(1))
    store.commit((), Notes(batches=[batch(1, 1, 2), batch(2, 3, 3)]))
    store.prune(2)
    expected = [Status.FINAL, Status.FINAL, Status.FINAL, Status.POSTED, Status.SEALED, None]
    assert [store.records.status(n) for n in range(6)] == expected
    store.commit((), Notes(drop_batches_from=2))
    assert store.records.status(3) is Status.SEALED
    assert store.records.last_batch() == batch(1, 1, 2)
    store.commit((), Notes(batches=[batch(2, 3, 4), batch(2, 3, 3)]))
    assert [store.records.batch_of(n) for n in (3, 4)] == [batch(2, 3, 3), None]


def test_notes_that_contradict_the_state_are_refused(store: StateStore) -> None:
    """A block that is not stored can be neither posted nor final."""
    with pytest.raises(StoreError, match="cannot be final"):
        store.prune(1)
    with pytest.raises(StoreError, match="ends with block 1"):
        store.commit((), Notes(batches=[batch(1, 1, 1)]))


def test_entries_are_scanned_by_prefix_and_deleted(store: StateStore) -> None:
    """Prefixes may end in 0xff, and order is that of keys in both directions."""
    store.commit((), Notes(entries={b"a\xff": b"1", b"a\xff\x00": b"2", b"b": b"3", b"a": b"4"}))
    assert [key for key, _ in store.records.entries(b"a")] == [b"a", b"a\xff", b"a\xff\x00"]
    assert [key for key, _ in store.records.entries(b"a\xff")] == [b"a\xff", b"a\xff\x00"]
    assert next(key for key, _ in store.records.entries(reverse=True)) == b"b"
    store.commit((), Notes(entries={b"a\xff": None}))
    assert store.records.entry(b"a\xff") is None


def test_blocks_committed_out_of_order_are_a_bug_of_ours(store: StateStore) -> None:
    """A later block cannot become durable before an earlier one."""
    source = random.Random(1)
    first, second = store.stage(random_writes(source)), store.stage(random_writes(source))
    with pytest.raises(AssertionError):
        store.commit([seal(second)])
    store.commit([seal(first), seal(second)])
    with pytest.raises(AssertionError):
        store.commit([seal(second)])
