"""Executes derived blocks on a state of one's own, and says which block is the first that L1 got wrong.

The replica never believes a state root: it executes every block with `rollup.stf` on the state it computed itself.
Where a root differs, or a block breaks a rule, it stops before that batch and keeps all that a proof needs as `Fraud`;
it goes on when L1 has reverted the batch. Which batches it holds is written in the same atomic batch as their blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from rollup.crypto.signatures import Recover, recover
from rollup.crypto.witness import build_witness
from rollup.derive.ahead import Ahead
from rollup.derive.anchor import META, Anchor
from rollup.derive.chain import Chain, DerivedBatch, DerivedBlock
from rollup.derive.fraud import Fraud
from rollup.derive.origin import Origin
from rollup.derive.outcomes import index_messages
from rollup.errors import StoreError
from rollup.stf.block import BlockResult, execute_block
from rollup.store.changes import BlockCommit, Notes
from rollup.store.records import BatchRecord, BlockRecord
from rollup.store.state import StateStore
from rollup.types.genesis import decode_leaves
from rollup.types.reasons import Reason

GENESIS: Final = "genesis"
"""Name under which a store keeps the leaves of the genesis, as L1 has them: an export needs them."""

OnBlock = Callable[[DerivedBlock, BlockResult, bytes], None]
"""Hears every block that was found right, with its result and its witness."""


class Replica:
    """A state that follows a `Chain`. Owns the store's writes; every method belongs to one thread at a time."""

    def __init__(
        self,
        store: StateStore,
        origin: Origin,
        *,
        recover: Recover = recover,
        ahead: Ahead | None = None,
        on_block: OnBlock | None = None,
    ) -> None:
        """Start on `store`, writing the genesis into an empty one; `StoreError` if the genesis root is not L1's.

        Signatures are asked for by `recover`, or by `ahead`, the caller's to close, which has them before that.
        """
        self.store = store
        self.origin = origin
        self.fraud: Fraud | None = None
        self.recover = recover if ahead is None else ahead.recover
        self._ahead = ahead
        self._on_block = on_block
        if store.committed < 0:
            store.initialise(decode_leaves(origin.leaves), expected_root=origin.genesis.state_root)
            store.commit((), Notes(meta={GENESIS: origin.leaves}))

    @property
    def batch(self) -> int:
        """Index of the last batch that was executed and found right; 0 for the genesis."""
        last = self.store.records.last_batch()
        return 0 if last is None else last.index

    def reconcile(self, chain: Chain, *, whole: bool = True) -> int:
        """Take back the batches that are no longer on `chain`; returns the batch that the state now stands after.

        A chain that is not yet `whole` (still being read) says nothing of batches beyond its head, so they stay.
        Raises `StoreError` if a final batch was taken from L1: no honest L1 does that.
        """
        last = good = self.batch
        while good > 0 and not self._holds(chain, good, whole=whole):
            good -= 1
        if self.fraud is not None and not _stands(chain, self.fraud.batch):
            self.fraud = None
        if good < last or self.store.committed != self._end_of(good):
            self.store.rollback(self._end_of(good), Notes(drop_batches_from=good + 1))
        return good

    def execute_next(self, chain: Chain, *, whole: bool = True) -> DerivedBatch | None:
        """Execute the first batch of `chain` that is beyond the state, and return it if it is right.

        None if there is none, or if a fraud stands: then `fraud` says so, until L1 reverts it.
        """
        good = self.reconcile(chain, whole=whole)
        if self.fraud is not None or good >= chain.head.index:
            return None
        batch = chain.batch(good + 1)
        if not batch.blocks:
            raise StoreError(f"batch {batch.index} must be executed again and was let go: start anew to read it again")
        return batch if self._execute_batch(batch) else None

    def let_go(self, chain: Chain) -> None:
        """Drop what could undo final batches that were executed, and what executed batches hold in memory."""
        executed = min(self.batch, chain.head.index)
        if executed < chain.base:
            return
        final = chain.batch(max(chain.base, min(chain.finalised, executed)))
        if final.last_number > self.store.records.final():
            anchor = Anchor(replace(final, blocks=()), chain.inbox.hash_at(final.inbox_index))
            self.store.prune(final.last_number, Notes(meta={META: anchor.encode()}))
        chain.trim(executed)

    @property
    def anchor(self) -> Anchor | None:
        """The last final batch that was executed, where a follower may begin; None for the genesis."""
        record = self.store.records.meta(META)
        return None if record is None else Anchor.decode(record)

    def _holds(self, chain: Chain, index: int, *, whole: bool) -> bool:
        if index > chain.head.index:
            return not whole
        record = self.store.records.batch(index)
        return record is not None and chain.batch(index).hash == record.batch_hash

    def _end_of(self, index: int) -> int:
        """Number of the last block of an executed batch."""
        if index == 0:
            return self.origin.genesis.last_number
        record = self.store.records.batch(index)
        if record is None:
            raise StoreError(f"batch {index} is missing")
        return record.last

    def _execute_batch(self, batch: DerivedBatch) -> bool:
        """Execute a whole batch and make it durable at once; False, with nothing kept, if a block of it is wrong."""
        before = self.store.committed
        commits: list[BlockCommit] = []
        if self._ahead is not None:
            self._ahead.begin([block.txs for block in batch.blocks])
        try:
            for position, block in enumerate(batch.blocks):
                if self._ahead is not None:
                    self._ahead.next_block()
                commit = self._execute_block(batch, position, block)
                if commit is None:
                    break
                commits.append(commit)
            else:
                end = batch.last_number
                record = BatchRecord(batch.index, before + 1, end, batch.hash, batch.state_root, batch.l1_block)
                self.store.commit(commits, Notes(batches=[record]))
        finally:
            if self.store.committed == before:
                self.store.rollback(before)
        return self.fraud is None

    def _execute_block(self, batch: DerivedBatch, position: int, block: DerivedBlock) -> BlockCommit | None:
        header, store = block.header, self.store
        result = execute_block(store.read, header, block.txs, block.messages, self.origin.separator, self.recover)
        witness = build_witness(store.tree, result.pre) if self._on_block or result.reason else b""
        root = b""
        if result.reason is Reason.NONE:
            before = store.number
            staged = store.stage(result.writes)
            if staged.root == header.state_root:
                if self._on_block is not None:
                    self._on_block(block, result, witness)
                record = BlockRecord(header, block.txs, block.messages)
                return BlockCommit(staged, record, index=index_messages(block, result))
            root = staged.root
            store.rollback(before)
            witness = witness or build_witness(store.tree, result.pre)
        self.fraud = Fraud(batch, position, block, result.reason, result.index, root, witness)
        return None


def _stands(chain: Chain, batch: DerivedBatch) -> bool:
    return batch.index <= chain.head.index and chain.batch(batch.index).hash == batch.hash
