"""Everything that L1 alone can tell of a rollup, checked once: blocks, roots, invariants, and L1's own latest root."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import trio

from rollup.derive.ahead import Ahead
from rollup.derive.chain import DerivedBatch
from rollup.derive.follower import Follower
from rollup.derive.fraud import Fraud
from rollup.derive.pipeline import Pipeline, Progress
from rollup.derive.replica import Replica
from rollup.derive.vetting import open_source
from rollup.errors import BrokenInvariant, L1Error
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract
from rollup.stf.invariants import Report, check_invariants
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from rollup.types.transactions import decode_transactions


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `state_root` is the one computed here, `l1_root` the one that L1 stores for its latest batch.

    `batches` and `blocks` count what was executed and found right, `posted` the batches that stand on L1. `fraud` is
    the first wrong block, `broken` the invariant that does not hold (`report` has the figures if all do).
    """

    batches: int
    posted: int
    blocks: int
    transactions: int
    messages: int
    state_root: bytes
    l1_root: bytes
    l1_block: int
    finalised: int
    fork: int
    fraud: Fraud | None
    broken: str
    report: Report | None
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether everything on L1 is right."""
        return self.fraud is None and not self.broken and self.state_root == self.l1_root


@dataclass(slots=True)
class _Tally:
    """Counts of what was executed just now."""

    transactions: int = 0
    messages: int = 0

    def add(self, batch: DerivedBatch) -> None:
        """Count a batch."""
        self.transactions += sum(len(decode_transactions(block.txs)) for block in batch.blocks)
        self.messages += sum(len(block.messages) for block in batch.blocks)


async def verify_from_l1(
    l1: L1Client,
    rollup: bytes,
    *,
    store: StateStore | None = None,
    export: Path | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Verification:
    """Rebuild the rollup at this address from nothing but L1, and check all of it.

    Everything is executed in an empty store in memory, or on what `store` holds already. Raises `L1Error` if the node
    fails or contradicts itself; where it has dropped its old logs, an `export` stands in (`ExportRefused`).
    """
    started, tally = time.perf_counter(), _Tally()
    source = await open_source(l1, rollup, export)
    origin = source.origin
    kept = store or StateStore.in_memory(ChainIdentity(origin.chain_id, rollup))
    follower = Follower(source)
    with Ahead(origin.separator) as ahead:
        replica = Replica(kept, origin, ahead=ahead)
        await Pipeline(follower, replica, on_batch=tally.add, on_progress=on_progress).advance()
    cursor, chain = follower.cursor, follower.chain
    assert cursor is not None, "the block of the deployment was read at least"
    contract = Contract(l1, rollup, load_artifact("Rollup"))
    posted = await contract.call("batchCount", block=cursor.number)
    waiting = await Contract(l1, origin.inbox, load_artifact("Inbox")).call("count", block=cursor.number)
    if (posted - 1, waiting) != (chain.head.index, len(chain.inbox)):
        raise L1Error("the node's logs and its contracts count different batches or messages", retryable=True)
    latest = await contract.call("stateRootOf", posted - 1, block=cursor.number)
    report, broken = await trio.to_thread.run_sync(_check, kept)
    return Verification(
        batches=replica.batch,
        posted=posted - 1,
        blocks=kept.committed,
        transactions=tally.transactions,
        messages=tally.messages,
        state_root=kept.root,
        l1_root=latest,
        l1_block=cursor.number,
        finalised=chain.finalised,
        fork=chain.fork,
        fraud=replica.fraud,
        broken=broken,
        report=report,
        seconds=time.perf_counter() - started,
    )


def _check(store: StateStore) -> tuple[Report | None, str]:
    try:
        return check_invariants(store.iterate_leaves()), ""
    except BrokenInvariant as error:
        return None, str(error)
