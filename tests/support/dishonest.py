"""A desk that turns dishonest, and what a replica says of the blocks that it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from rollup.derive.chain import Chain, DerivedBatch, DerivedBlock
from rollup.derive.fraud import Fraud
from rollup.derive.replica import Replica
from rollup.l1.devkeys import dev_address
from rollup.sequencer.faults import DishonestLedger, make_ledger
from rollup.sequencer.faults.rules import WrongRule
from rollup.sequencer.memo import Memo
from rollup.sequencer.options import SequencerOptions
from rollup.stf.block import BlockResult
from tests.stf.world import SEPARATOR
from tests.support.desk import Trading, new_store, origin_of

T = TypeVar("T", bound=Trading)
Seen = Callable[[DerivedBlock, BlockResult, bytes], None]


@contextmanager
def dishonest(fault: str | None, honest: T) -> Iterator[T]:
    """A desk that goes on from where an honest one stands; its rules are the true ones again when the block ends."""
    options = SequencerOptions(Path(), "http://127.0.0.1", bytes(20), b"\x22" * 32, fault=fault)
    ledger = make_ledger(options, honest.store, 0, SEPARATOR, Memo().recover, options.clock)
    trading = type(honest)(store=honest.store, time=honest.time, ledger=ledger)
    ledger._clock = lambda: trading.time
    try:
        yield trading
    finally:
        if isinstance(ledger, DishonestLedger) and isinstance(ledger.fault, WrongRule):
            ledger.fault.disarm(ledger)


def verdict(trading: Trading, leaves: dict[int, bytes], on_block: Seen) -> Fraud | None:
    """What a replica of this genesis says of all blocks, posted as one batch."""
    store = new_store(leaves)
    origin = origin_of(leaves, store.root)
    chain = Chain(origin.genesis)
    blocks = tuple(DerivedBlock(r.header, r.txs, r.messages) for r in trading.records())
    last = blocks[-1].header
    batch = DerivedBatch(
        1, b"\x44" * 32, 0, dev_address(0), 2, last.state_root, last.number, last.inbox_index, blocks, last.timestamp
    )
    chain.batches.append(batch)
    replica = Replica(store, origin, on_block=on_block)
    replica.execute_next(chain)
    return replica.fraud
