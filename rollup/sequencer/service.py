"""The sequencer process below its RPC: the whole nursery tree on one screen.

RPC ─► admission ─► engine ─► committer ─► answers, news
         threads      │           │ synced write
L1 ─► watcher ────────┘           ▼
L1 ◄─ batcher ◄──────────────── store
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
import trio

from rollup.batcher.alarms import Alarms
from rollup.batcher.contracts import RollupContract
from rollup.batcher.pack import PendingBlock
from rollup.batcher.post import Poster, Rhythm
from rollup.batcher.service import ensure_stake, run_batcher
from rollup.crypto.signatures import address_of
from rollup.derive.follower import Follower
from rollup.derive.origin import Origin, read_origin
from rollup.derive.replica import Replica
from rollup.derive.source import L1Source
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.sequencer.admission import Admission
from rollup.sequencer.archive import Archive
from rollup.sequencer.catalogue import Catalogue
from rollup.sequencer.committer import Committer
from rollup.sequencer.desk import Desk
from rollup.sequencer.engine import Engine, Input
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.faults import make_ledger
from rollup.sequencer.memo import Memo
from rollup.sequencer.options import SequencerOptions
from rollup.sequencer.standing import align
from rollup.sequencer.unit import Unit
from rollup.sequencer.views import StatusView
from rollup.sequencer.watch import Progress, Watcher
from rollup.store.blocks import Records
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from rollup.store.writer import StoreWriter
from rollup.types.blocks import Header
from rollup.types.genesis import decode_leaves

INPUTS: Final = 16
"""Batches of commands waiting for the engine; behind it admission's own queue fills, and callers hear `Busy`."""
UNITS: Final = 8
"""Units waiting for the disk; each holds the answers of one batch of commands."""
BATCH_BYTES: Final = 100_000
"""A batch this large is posted without waiting for its interval."""
STATE: Final = "state"
"""Folder of the LevelDB inside the data folder."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Sequencer:
    """A running sequencer: its door for requests, and what operators look at."""

    exchange: Exchange
    watcher: Watcher
    alarms: Alarms
    store: StateStore
    batch_listeners: list[Callable[[Progress], None]]


class StoredBlocks:
    """The committed blocks as the batcher wants them."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def header(self, number: int) -> Header | None:
        """Header of a committed block."""
        record = self._records.block(number)
        return None if record is None else record.header

    def pending(self, after: int) -> Iterator[PendingBlock]:
        """Committed blocks after `after`, ascending."""
        head = self._records.head()
        last = 0 if head is None else head[0]
        for record in self._records.blocks(after + 1, last):
            yield PendingBlock(record.header, len(record.messages), record.txs)


async def run_sequencer(
    options: SequencerOptions, *, task_status: trio.TaskStatus[Sequencer] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve until cancelled; started once the state stands where L1 and the database say it does.

    Raises `StoreError` if the database cannot be used (any more), `L1Error` if L1 cannot be read at the start.
    """
    async with L1Client(options.l1_url) as l1, _open_store(l1, options) as (origin, store):
        memo = Memo()
        account = L1Account(l1, options.key)
        contract, alarms = RollupContract(l1, options.rollup), Alarms()
        follower = Follower(L1Source(l1, origin), confirmations=options.confirmations)
        replica = Replica(store, origin, recover=memo.recover)
        await _catch_up(follower, replica, options.poll_interval)
        ledger = make_ledger(options, store, follower.chain.fork, origin.separator, memo.recover)
        desk = Desk(ledger, Catalogue.of_leaves(decode_leaves(origin.leaves)), memo, options.max_orders_per_account)
        desk.move(follower.chain.fork)
        into_engine, inputs = trio.open_memory_channel[list[Input]](INPUTS)
        into_committer, units = trio.open_memory_channel[Unit](UNITS)
        admission = Admission(into_engine, memo)
        writer = StoreWriter(store)
        listeners: list[Callable[[Progress], None]] = []
        watcher = Watcher(
            follower,
            replica,
            writer,
            into_engine,
            alarms,
            poll=options.poll_interval,
            desk=desk,
            news=lambda progress: _tell(listeners, progress),
        )
        status = partial(_status, options, origin, desk, watcher, alarms)
        archive = Archive(store.records, address_of(options.key))
        exchange = Exchange(desk, admission, archive, status, origin.separator, options.max_order_life)
        exchange.serving = lambda: watcher.in_order
        committer = Committer(writer, options.key, origin.separator, exchange.announce)
        rhythm = Rhythm(options.batch_interval, options.batch_blocks, BATCH_BYTES)
        poster = Poster(contract, account, StoredBlocks(store.records), alarms, rhythm)
        if options.post_batches:
            await ensure_stake(contract, account)
        async with trio.open_nursery() as nursery:
            await nursery.start(writer.run)
            nursery.start_soon(committer.run, units)
            nursery.start_soon(Engine(desk, inputs, into_committer, options.block_interval).run)
            nursery.start_soon(admission.run)
            nursery.start_soon(watcher.run)
            if options.post_batches:
                batcher = partial(
                    run_batcher,
                    poll=options.poll_interval,
                    low_balance=options.low_balance,
                    finalise=options.finalise,
                    posting=lambda: watcher.in_order,
                )
                await nursery.start(batcher, poster, contract, account, alarms)
            task_status.started(Sequencer(exchange, watcher, alarms, store, listeners))


@asynccontextmanager
async def _open_store(l1: L1Client, options: SequencerOptions) -> AsyncIterator[tuple[Origin, StateStore]]:
    origin = await read_origin(l1, options.rollup)
    options.data_dir.mkdir(parents=True, exist_ok=True)
    store = StateStore.open(options.data_dir / STATE, ChainIdentity(origin.chain_id, origin.rollup), create=True)
    try:
        yield origin, store
    finally:
        store.close()


async def _catch_up(follower: Follower, replica: Replica, poll: float) -> None:
    """Bring the store onto L1's chain before anything is served; waits while L1 has a wrong batch."""
    while True:
        while await follower.read_on():
            pass
        if await trio.to_thread.run_sync(align, replica.store, replica, follower.chain):
            return
        log.warning("l1_has_a_wrong_batch", batch=follower.chain.head.index)
        await trio.sleep(poll)


def _tell(listeners: list[Callable[[Progress], None]], progress: Progress) -> None:
    for listener in listeners:
        listener(progress)


def _status(options: SequencerOptions, origin: Origin, desk: Desk, watcher: Watcher, alarms: Alarms) -> StatusView:
    ledger, progress = desk.ledger, watcher.progress
    return StatusView(
        chain_id=origin.chain_id,
        rollup=origin.rollup,
        inbox=origin.inbox,
        separator=origin.separator,
        sequencer=address_of(options.key),
        number=ledger.store.committed,
        root=ledger.root,
        fork=ledger.fork,
        time=ledger.now(),
        inbox_index=ledger.inbox_index,
        posted=progress.block,
        posted_batch=progress.batch,
        finalised_batch=progress.finalised,
        open_orders=len(desk.orders),
        alarms=alarms.texts(),
        fault=options.fault,
    )
