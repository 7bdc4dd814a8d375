"""The state of one rollup on disk: leaves and tree of the head, its blocks, and the way back to the last final block.

Blocks pass through twice. `stage` applies one in memory and returns its root, so that it can be sealed and the next one
executed on it; `commit` then makes any number of staged blocks durable in one synced batch, in which nodes written by
several of them (all upper levels) are written once. A store belongs to one thread, but for `proof_at`, for views and
records, and for the middle part of a commit, `write`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from rollup.crypto.keccak import ZERO_HASH
from rollup.crypto.tree import ROOT, OverlayNodes, Tree, changes, record_hash
from rollup.errors import StoreError
from rollup.store import rooms
from rollup.store.blocks import Records
from rollup.store.cache import RoomStatistics, StagedRoom
from rollup.store.changes import BlockCommit, Notes, Staged, WriteSet
from rollup.store.database import Database, LevelDatabase, MemoryDatabase
from rollup.store.draft import Draft
from rollup.store.genesis import write_genesis
from rollup.store.identity import ChainIdentity, identify
from rollup.store.records import UndoRecord
from rollup.store.undo import draft_rollback
from rollup.store.view import ProofKeeper, View

NODES_CACHED: Final = 150_000
"""Per generation of the cache, about 300 bytes each: the inner nodes of a state of half a million accounts."""
LEAVES_CACHED: Final = 100_000
"""Per generation of the cache, about 300 bytes each."""


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """What the store holds, and what it has written since it was opened (`bytes_written`: keys and values)."""

    number: int
    committed: int
    final: int
    batches_written: int
    blocks_written: int
    bytes_written: int
    bytes_on_disk: int
    leaves: RoomStatistics
    nodes: RoomStatistics


class StateStore:
    """One rollup's state and blocks over a `Database`."""

    def __init__(self, database: Database, identity: ChainIdentity, *, create: bool = True) -> None:
        identify(database, identity, create=create)
        self._database = database
        self.identity = identity
        self.records = Records(database)
        """Committed blocks, batches, receipts, meta values and entries."""
        self._leaves = StagedRoom(database, rooms.LEAF, LEAVES_CACHED)
        self._nodes = StagedRoom(database, rooms.NODE, NODES_CACHED)
        self._staged: deque[Staged] = deque()
        self._proofs = ProofKeeper(self.view)
        self._batches_written = self._blocks_written = self._bytes_written = 0
        self._load_head()

    @classmethod
    def open(cls, path: Path, identity: ChainIdentity, *, create: bool = False) -> Self:
        """Open the LevelDB directory of this deployment, or make one; raises StoreError if it is not to be used."""
        database = LevelDatabase(path, create=create)
        try:
            return cls(database, identity, create=create)
        except BaseException:
            database.close()
            raise

    @classmethod
    def in_memory(cls, identity: ChainIdentity) -> Self:
        """Return an empty store that is gone with the process."""
        return cls(MemoryDatabase(), identity)

    @property
    def number(self) -> int:
        """The last block, staged or committed; 0 after the genesis, -1 before it."""
        return self._number

    @property
    def root(self) -> bytes:
        """The state root after block `number`."""
        return self._root

    @property
    def committed(self) -> int:
        """The last durable block."""
        return self._committed

    @property
    def tree(self) -> Tree:
        """A fork of the head's tree, for witnesses and trials; to be used before the next `stage` or `rollback`."""
        return Tree(OverlayNodes(self._nodes), self._root)

    def read(self, key: int) -> bytes:
        """Return a leaf's value after block `number`, `b""` if it is absent."""
        return self._leaves.get(key)

    def initialise(self, leaves: Mapping[int, bytes], *, expected_root: bytes | None = None) -> bytes:
        """Write the genesis state, block 0, into an empty store and return its root; raises StoreError."""
        if self._committed >= 0:
            raise StoreError("the store holds a state already")
        write_genesis(self._database, leaves, expected_root)
        self._load_head()
        return self._root

    def stage(self, writes: Mapping[int, bytes]) -> Staged:
        """Apply the next block's writes in memory. The head moves on at once, the disk with `commit`."""
        assert self._committed >= 0, "a store is initialised first"
        leaves = dict(writes)
        pre = {key: self._leaves.get(key) for key in leaves}
        root, nodes = changes(self._nodes, self._root, leaves)
        staged = Staged(self._number + 1, root, leaves, nodes, pre)
        self._apply(staged)
        return staged

    def commit(self, blocks: Sequence[BlockCommit] = (), notes: Notes | None = None) -> None:
        """Make the next staged blocks, in order, and the notes durable in one batch; raises StoreError if it cannot."""
        prepared = self.prepare(blocks, [notes] if notes else [])
        self.write(prepared)
        self.settle(prepared)

    def prepare(self, blocks: Sequence[BlockCommit], notes: Iterable[Notes] = ()) -> WriteSet:
        """First part of `commit`: collect what is to be written."""
        leaves: dict[int, bytes] = {}
        nodes: dict[int, bytes] = {}
        draft = Draft(self._database)
        for staged, block in zip(self._staged, blocks, strict=False):
            assert block.staged is staged, "blocks are committed as they were staged, in order"
            assert block.record.number == staged.number, "a record is that of its block"
            assert block.record.header.state_root == staged.root, "a header states the root of its own block"
            leaves.update(staged.leaves)
            nodes.update(staged.nodes)
            draft.put_block(block.record, UndoRecord(staged.pre, tuple(block.index)), block.receipts, block.index)
        assert len(blocks) <= len(self._staged), "a block is staged before it is committed"
        number, root = self._committed, self._committed_root
        if blocks:
            number, root = blocks[-1].staged.number, blocks[-1].staged.root
            draft.put_head(number, root)
        draft.put_state(leaves, nodes)
        for note in notes:
            note.add_to(draft, number)
        return WriteSet(number, root, leaves, nodes, draft.puts, len(blocks))

    def write(self, prepared: WriteSet) -> None:
        """Second part, for any thread: the synced write. Raises StoreError; nothing is acknowledged then."""
        if not prepared.puts:
            return
        self._database.write(prepared.puts)
        self._batches_written += 1
        self._bytes_written += sum(map(len, prepared.puts)) + sum(map(len, filter(None, prepared.puts.values())))

    def settle(self, prepared: WriteSet) -> None:
        """Last part: take note that it is durable."""
        self._committed, self._committed_root = prepared.number, prepared.root
        self._leaves.settle(prepared.number, prepared.leaves)
        self._nodes.settle(prepared.number, prepared.nodes)
        for _ in range(prepared.blocks):
            self._staged.popleft()
        self._blocks_written += prepared.blocks
        if rooms.FINAL in prepared.puts:
            self._proofs.expire()

    def rollback(self, number: int, notes: Notes | None = None) -> None:
        """Take back every block above `number`, with its index keys and its batch, in one batch with the notes.

        Restores leaves and nodes exactly. Raises StoreError, changing nothing, if a block to take back is final.
        """
        if not 0 <= number <= self._number:
            raise StoreError(f"there is no state after block {number}; the head is {self._number}")
        kept = [staged for staged in self._staged if staged.number <= number]
        if number < self._committed:
            committed = Tree(OverlayNodes(StagedRoom(self._database, rooms.NODE, NODES_CACHED)), self._committed_root)
            draft, root = draft_rollback(self._database, committed, self._committed, number)
        else:
            draft, root = Draft(self._database), self._committed_root
        if notes is not None:
            notes.add_to(draft, min(number, self._committed))
        self.write(WriteSet(number, root, {}, {}, draft.puts, 0))
        self._proofs.expire()
        self._load_head()
        for staged in kept:
            self._apply(staged)

    def prune(self, final_number: int, notes: Notes | None = None) -> None:
        """Note that `final_number` is final, and delete what would undo it; the state after it can still be viewed."""
        self.commit((), replace(notes or Notes(), final=final_number))

    def view(self, number: int | None = None) -> View:
        """Return the committed state after `number` (default: the last committed block), to be closed by the caller."""
        snapshot = self._database.snapshot()
        try:
            return View(snapshot, number)
        except BaseException:
            snapshot.close()
            raise

    def proof_at(self, number: int, keys: Iterable[int]) -> bytes:
        """Return the witness of leaves under the root after block `number`, committed and not below the last final."""
        return self._proofs.proof(number, keys)

    def iterate_leaves(self) -> Iterator[tuple[int, bytes]]:
        """Yield every committed leaf, ascending by key, as of the first step."""
        view = self.view()
        try:
            yield from view.leaves()
        finally:
            view.close()

    def statistics(self) -> StoreStatistics:
        """Return what the store holds and has done."""
        return StoreStatistics(
            self._number,
            self._committed,
            self.records.final(),
            self._batches_written,
            self._blocks_written,
            self._bytes_written,
            self._database.size(),
            self._leaves.statistics(),
            self._nodes.statistics(),
        )

    def close(self) -> None:
        """Release the directory. What was staged but not committed is lost; nobody was told otherwise."""
        self._proofs.close()
        self._database.close()

    def _apply(self, staged: Staged) -> None:
        self._leaves.stage(staged.number, staged.leaves)
        self._nodes.stage(staged.number, staged.nodes)
        self._staged.append(staged)
        self._number, self._root = staged.number, staged.root

    def _load_head(self) -> None:
        """Take number and root from disk, forgetting all else; raises StoreError if the tree has another root."""
        self._leaves.forget()
        self._nodes.forget()
        self._staged.clear()
        self._committed, self._committed_root = self.records.head() or (-1, ZERO_HASH)
        self._number, self._root = self._committed, self._committed_root
        if self._committed >= 0 and record_hash(self._nodes.get(ROOT)) != self._root:
            raise StoreError(f"the stored tree does not have the root after block {self._committed}")
