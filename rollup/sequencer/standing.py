"""Where the sequencer's own chain stands against L1: what of it holds, what must go, what others have added.

L1 decides. Blocks in batches that L1 has are kept; blocks after them are kept while their fork and inbox are still
L1's, and are to be posted. Everything else is taken back, and batches of other posters are executed from L1.
"""

from __future__ import annotations

from enum import Enum, auto

from rollup.derive.chain import Chain, DerivedBatch
from rollup.derive.replica import Replica
from rollup.sequencer.withdrawn import follows, inbox_hash_after, outdated, promised, reinstate, withdraw
from rollup.store.changes import Notes
from rollup.store.records import BatchRecord
from rollup.store.state import StateStore


class Standing(Enum):
    """How the store stands against L1 after it was aligned."""

    ALIGNED = auto()  # it holds all that L1 has, and may go on from there
    WRONG_BATCH = auto()  # L1 has a batch on which nobody can build
    UNREAD = auto()  # L1 brought back a batch whose blocks were let go: it has to be read again
    OVERTAKEN = auto()  # signed blocks lost their place to others, and L1 has not passed their numbers yet


def stands(store: StateStore, chain: Chain) -> bool:
    """Whether every committed block is L1's, or can still become so."""
    held = last_held(store, chain)
    return held == chain.head.index and last_kept(store, chain, held) == store.committed


def align(store: StateStore, replica: Replica, chain: Chain) -> Standing:
    """Bring the store onto `chain`.

    The caller has stopped everything else that touches the store. Takes as long as the batches take to execute.
    """
    held = last_held(store, chain)
    kept = last_kept(store, chain, held)
    if kept < store.number:
        gone = withdraw(store.records, kept, store.committed)
        store.rollback(kept, notes_of(store, chain, held, entries=gone))
    else:
        store.commit((), notes_of(store, chain, held))
    while held < chain.head.index:
        if not chain.batch(held + 1).blocks:
            return Standing.UNREAD
        batch = replica.execute_next(chain)
        if batch is None:
            return Standing.WRONG_BATCH
        held = batch.index
    store.commit((), notes_of(store, chain, held))
    chain.trim(chain.head.index)
    reinstate(store, chain.inbox, chain.fork, replica.origin.separator, replica.recover)
    return Standing.OVERTAKEN if awaited(store, chain) else Standing.ALIGNED


def awaited(store: StateStore, chain: Chain) -> int:
    """The block that L1 has to pass before others than those already signed may be built; 0 if there is none."""
    return promised(store.records, chain.inbox, chain.fork, store.committed)


def last_held(store: StateStore, chain: Chain) -> int:
    """The last batch on L1 of which the store has every block."""
    known = store.records.last_batch()
    held = 0 if known is None else min(known.index, chain.head.index)
    while held and not _is_known(store, chain.batch(held)):
        held -= 1
    while held < chain.head.index and _has_blocks(store, chain.batch(held + 1)):
        held += 1
    return held


def last_kept(store: StateStore, chain: Chain, held: int) -> int:
    """The last block that may stay: after batch `held`, while fork and inbox are L1's and L1 has nothing else there."""
    kept = chain.batch(held).last_number
    if held < chain.head.index:
        return kept
    if store.committed <= kept or _is_last_word(store, chain):
        return store.committed
    before = inbox_hash_after(store.records, kept)
    for record in store.records.blocks(kept + 1, store.committed):
        if record.header.fork != chain.fork or not follows(record, before, chain.inbox):
            break
        kept, before = record.header.number, record.header.inbox_hash
    return kept


def _is_last_word(store: StateStore, chain: Chain) -> bool:
    """Whether the last block is L1's by fork and inbox; the rolling hash speaks for all blocks before it as well."""
    last = store.records.block(store.committed)
    if last is None or last.header.fork != chain.fork or last.header.inbox_index > len(chain.inbox):
        return False
    return chain.inbox.hash_at(last.header.inbox_index) == last.header.inbox_hash


def notes_of(
    store: StateStore, chain: Chain, held: int, *, entries: dict[bytes, bytes | None] | None = None
) -> Notes:  # fmt: skip
    """What the store does not know of L1 yet: batches up to `held`, batches that are gone, the last final block."""
    batches: list[BatchRecord] = []
    for index in range(held, 0, -1):
        batch = chain.batch(index)
        if _is_known(store, batch):
            break
        first = chain.batch(index - 1).last_number + 1
        record = BatchRecord(
            index, first, batch.last_number, batch.hash, batch.state_root, batch.l1_block, extra=batch.poster
        )
        batches.append(record)
    keep = held - len(batches)
    known = store.records.last_batch()
    final = chain.batch(min(chain.finalised, held)).last_number
    is_news = final > store.records.final()
    return Notes(
        batches=batches[::-1],
        drop_batches_from=keep + 1 if known is not None and known.index > keep else None,
        final=final if is_news else None,
        entries={**(outdated(store.records, final) if is_news else {}), **(entries or {})},
    )


def is_empty(notes: Notes) -> bool:
    """Whether there is nothing to write."""
    return not notes.batches and notes.final is None and notes.drop_batches_from is None


def _is_known(store: StateStore, batch: DerivedBatch) -> bool:
    record = store.records.batch(batch.index)
    return record is not None and record.batch_hash == batch.hash


def _has_blocks(store: StateStore, batch: DerivedBatch) -> bool:
    """Whether the store has a batch's blocks; one whose own were let go is as good as unknown."""
    if _is_known(store, batch):
        return True
    for block in batch.blocks:
        record = store.records.block(block.header.number)
        if record is None or record.header != block.header:
            return False
    return bool(batch.blocks)
