"""Where the sequencer's own chain stands against L1: what of it holds, what must go, what others have added.

L1 decides. Blocks in batches that L1 has are kept; blocks after them are kept while their fork and inbox are still
L1's, and are to be posted. Everything else is taken back, and batches of other posters are executed from L1.
"""

from __future__ import annotations

from rollup.derive.chain import Chain, DerivedBatch
from rollup.derive.replica import Replica
from rollup.errors import StoreError
from rollup.store.changes import Notes
from rollup.store.records import BatchRecord
from rollup.store.state import StateStore


def stands(store: StateStore, chain: Chain) -> bool:
    """Whether every committed block is L1's, or can still become so."""
    held = last_held(store, chain)
    return held == chain.head.index and last_kept(store, chain, held) == store.committed


def align(store: StateStore, replica: Replica, chain: Chain) -> bool:
    """Bring the store onto `chain`; False if L1 has a wrong batch now, on which nobody can build.

    The caller has stopped everything else that touches the store. Takes as long as the batches take to execute.
    """
    held = last_held(store, chain)
    kept = last_kept(store, chain, held)
    if kept < store.number:
        store.rollback(kept, notes_of(store, chain, held, drop=True))
    else:
        store.commit((), notes_of(store, chain, held, drop=True))
    while held < chain.head.index:
        batch = replica.execute_next(chain)
        if batch is None:
            return False
        held = batch.index
    chain.trim(chain.head.index)
    return True


def last_held(store: StateStore, chain: Chain) -> int:
    """The last batch on L1 of which the store has every block."""
    held = 0
    known = store.records.last_batch()
    if known is not None and known.index <= chain.head.index and _is_known(store, chain.batches[known.index]):
        held = known.index
    while held < chain.head.index and _has_blocks(store, chain.batches[held + 1]):
        held += 1
    if held == 0:
        for batch in reversed(chain.batches[1:]):
            if _is_known(store, batch):
                return batch.index
    return held


def last_kept(store: StateStore, chain: Chain, held: int) -> int:
    """The last block that may stay: after batch `held`, while fork and inbox are L1's and L1 has nothing else there."""
    kept = chain.batches[held].last_number
    if held < chain.head.index:
        return kept
    for record in store.records.blocks(kept + 1, store.committed):
        header = record.header
        seen = header.inbox_index < len(chain.inbox.hashes)
        if header.fork != chain.fork or (seen and chain.inbox.hashes[header.inbox_index] != header.inbox_hash):
            break
        kept = header.number
    return kept


def notes_of(store: StateStore, chain: Chain, held: int, *, drop: bool = False) -> Notes:
    """Records of the batches up to `held` that the store does not know yet, and the last final block."""
    batches: list[BatchRecord] = []
    for batch in reversed(chain.batches[1 : held + 1]):
        if _is_known(store, batch):
            break
        first = chain.batches[batch.index - 1].last_number + 1
        record = BatchRecord(
            batch.index, first, batch.last_number, batch.hash, batch.state_root, batch.l1_block, extra=batch.poster
        )
        batches.append(record)
    final = chain.batches[min(chain.finalised, held)].last_number
    return Notes(
        batches=batches[::-1],
        drop_batches_from=held + 1 if drop else None,
        final=final if final > store.records.final() else None,
    )


def _is_known(store: StateStore, batch: DerivedBatch) -> bool:
    record = store.records.batch(batch.index)
    return record is not None and record.batch_hash == batch.hash


def _has_blocks(store: StateStore, batch: DerivedBatch) -> bool:
    if _is_known(store, batch):
        return True
    for block in batch.blocks:
        record = store.records.block(block.header.number)
        if record is None or record.header != block.header:
            return False
    if not batch.blocks:
        raise StoreError(f"batch {batch.index} was let go before it was held")
    return True
