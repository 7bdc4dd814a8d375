"""Executes derived blocks on a state of one's own, and says which block is the first that L1 got wrong.

The replica never believes a state root: it executes every block with `rollup.stf` on the state it computed itself.
Where a root differs, or a block breaks a rule, it stops before that block and keeps everything a proof needs as `Fraud`;
it goes on when L1 has reverted the batch. Which batches it holds is written in the same atomic batch as their blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rollup.crypto.keccak import keccak
from rollup.crypto.signatures import Recover, recover
from rollup.crypto.witness import build_witness
from rollup.derive.chain import Chain, DerivedBatch, DerivedBlock
from rollup.derive.source import Origin
from rollup.errors import StoreError
from rollup.stf.block import BlockResult, execute_block
from rollup.store.changes import BlockCommit, Notes
from rollup.store.records import BatchRecord, BlockRecord
from rollup.store.state import StateStore
from rollup.types.genesis import decode_leaves
from rollup.types.reasons import Reason

OnBlock = Callable[[DerivedBlock, BlockResult, bytes], None]
"""Hears every block that was found right, with its result and its witness."""


@dataclass(frozen=True, slots=True)
class Fraud:
    """A block on L1 that is wrong: where it stands, why, and the witness of what it touches.

    `reason` is the STF's verdict (NONE: every rule was kept, the root is wrong), `root` the right root (empty if the
    block is invalid).
    """

    batch: DerivedBatch
    position: int
    block: DerivedBlock
    reason: Reason
    index: int
    root: bytes
    witness: bytes


class Replica:
    """A state that follows a `Chain`. Owns the store's writes; every method belongs to one thread at a time."""

    def __init__(
        self, store: StateStore, origin: Origin, *, recover: Recover = recover, on_block: OnBlock | None = None
    ) -> None:
        """Start on `store`, writing the genesis into an empty one; `StoreError` if the genesis root is not L1's."""
        self.store = store
        self.origin = origin
        self.fraud: Fraud | None = None
        self._recover = recover
        self._on_block = on_block
        if store.committed < 0:
            store.initialise(decode_leaves(origin.leaves), expected_root=origin.genesis.state_root)

    @property
    def batch(self) -> int:
        """Index of the last batch that was executed and found right; 0 for the genesis."""
        last = self.store.records.last_batch()
        return 0 if last is None else last.index

    def reconcile(self, chain: Chain) -> int:
        """Take back the batches that are no longer on `chain`; returns the batch that the state now stands after.

        Raises `StoreError` if a final batch was taken from L1: no honest L1 does that.
        """
        good = self.batch
        while good > 0 and not self._holds(chain, good):
            good -= 1
        if self.fraud is not None and not _stands(chain, self.fraud.batch):
            self.fraud = None
        target = chain.batches[good].last_number
        if self.store.committed > target:
            self.store.rollback(target, Notes(drop_batches_from=good + 1))
        elif self.store.committed < target:
            raise StoreError(f"the store ends with block {self.store.committed}, inside batch {good}")
        return good

    def execute(self, chain: Chain) -> Iterator[DerivedBatch]:
        """Execute what `chain` has beyond the state, batch by batch; stops for good at a fraud until L1 reverts it."""
        good = self.reconcile(chain)
        for batch in chain.batches[good + 1 :]:
            if self.fraud is not None:
                return
            if self._execute_batch(batch):
                yield batch

    def finalise(self, chain: Chain) -> None:
        """Let go of what could undo final batches that were executed."""
        final = min(chain.finalised, self.batch)
        number = chain.batches[final].last_number
        if number > self.store.records.final():
            self.store.prune(number)
            chain.trim(final)

    def _holds(self, chain: Chain, index: int) -> bool:
        record = self.store.records.batch(index)
        return record is not None and index <= chain.head.index and chain.batches[index].hash == record.batch_hash

    def _execute_batch(self, batch: DerivedBatch) -> bool:
        """Execute a whole batch and make it durable at once; False, with nothing kept, if a block of it is wrong."""
        before = self.store.committed
        commits: list[BlockCommit] = []
        for position, block in enumerate(batch.blocks):
            commit = self._execute_block(batch, position, block)
            if commit is None:
                self.store.rollback(before)
                return False
            commits.append(commit)
        record = BatchRecord(batch.index, before + 1, batch.last_number, batch.hash, batch.state_root, batch.l1_block)
        self.store.commit(commits, Notes(batches=[record]))
        return True

    def _execute_block(self, batch: DerivedBatch, position: int, block: DerivedBlock) -> BlockCommit | None:
        header = block.header
        result = execute_block(self.store.read, header, block.txs, block.messages, self.origin.separator, self._recover)
        valid = result.reason is Reason.NONE
        root, _ = self.store.tree.changes(result.writes)
        if valid and root == header.state_root:
            witness = build_witness(self.store.tree, result.pre) if self._on_block is not None else b""
            staged = self.store.stage(result.writes)
            if self._on_block is not None:
                self._on_block(block, result, witness)
            return BlockCommit(staged, BlockRecord(header, block.txs, block.messages))
        self.fraud = Fraud(
            batch,
            position,
            block,
            result.reason,
            result.index,
            root if valid else b"",
            build_witness(self.store.tree, result.pre),
        )
        return None


def _stands(chain: Chain, batch: DerivedBatch) -> bool:
    return batch.index <= chain.head.index and chain.batches[batch.index].hash == batch.hash


def block_hashes(batch: DerivedBatch) -> list[bytes]:
    """Hashes of a batch's blocks, the leaves of its Merkle root on L1."""
    return [keccak(block.header.encode()) for block in batch.blocks]
