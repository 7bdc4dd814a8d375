"""The sequencer process below its RPC: the whole nursery tree on one screen.

RPC ─► admission ─► engine ─► committer ─► answers, news
         threads      │           │ synced write
risk ─────────────────┤           ▼
L1 ─► watcher ────────┘           │
L1 ◄─ batcher ◄──────────────── store
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog
import trio

from rollup.batcher.alarms import Alarms
from rollup.batcher.contracts import RollupContract
from rollup.crypto.signatures import address_of
from rollup.derive.follower import Follower
from rollup.derive.origin import Origin
from rollup.derive.replica import Replica
from rollup.errors import StoreError
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.sequencer.admission import Admission
from rollup.sequencer.archive import Archive
from rollup.sequencer.catalogue import Catalogue, listed_leaves
from rollup.sequencer.committer import Committer
from rollup.sequencer.desk import Desk
from rollup.sequencer.engine import Engine, Input
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.faults import make_ledger
from rollup.sequencer.gate import Gate
from rollup.sequencer.l1_time import L1Time
from rollup.sequencer.memo import Memo
from rollup.sequencer.options import SequencerOptions
from rollup.sequencer.patience import Bounds
from rollup.sequencer.posting import Posting, run_posting
from rollup.sequencer.risk.watch import RiskWatch
from rollup.sequencer.standing import Standing, align
from rollup.sequencer.stored import open_store
from rollup.sequencer.tuning import tuned
from rollup.sequencer.unit import Unit
from rollup.sequencer.views import StatusView
from rollup.sequencer.watch import Progress, Watcher
from rollup.store.state import StateStore
from rollup.store.writer import StoreWriter

INPUTS: Final = 16
"""Batches of commands waiting for the engine; behind it admission's own queue fills, and callers hear `Busy`."""
UNITS: Final = 8
"""Units waiting for the disk; each holds the answers of one batch of commands."""
LAST_WORDS: Final = 1.0
"""Seconds between a disk that fails and the end, in which refusals reach their callers."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Sequencer:
    """A running sequencer: its door for requests, and what operators look at."""

    exchange: Exchange
    watcher: Watcher
    alarms: Alarms
    store: StateStore
    batch_listeners: list[Callable[[Progress], None]]


async def run_sequencer(
    options: SequencerOptions, *, task_status: trio.TaskStatus[Sequencer] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve until cancelled; started once the state stands where L1 and the database say it does.

    Raises `StoreError` if the database cannot be used (any more), `L1Error` if L1 cannot be read at the start.
    """
    async with L1Client(options.l1_url) as l1, open_store(l1, options) as (source, store):
        origin = source.origin
        memo, alarms, writer = Memo(), Alarms(), StoreWriter(store)
        account, contract = L1Account(l1, options.key), RollupContract(l1, options.rollup)
        time = await _make_time(contract, options)
        follower = Follower(source, confirmations=options.confirmations)
        replica = Replica(store, origin, recover=memo.recover)
        await _catch_up(follower, replica, options.poll_interval)
        ledger = make_ledger(options, store, follower.chain.fork, origin.separator, memo.recover, time.now)
        desk = Desk(ledger, Catalogue.of_leaves(listed_leaves(store)), memo, options.max_orders_per_account)
        desk.move(follower.chain.fork)
        into_engine, inputs = trio.open_memory_channel[list[Input]](INPUTS)
        into_committer, units = trio.open_memory_channel[Unit](UNITS)
        admission = Admission(into_engine, memo)
        listeners: list[Callable[[Progress], None]] = []
        watcher = Watcher(
            follower,
            replica,
            writer,
            into_engine,
            alarms,
            poll=options.poll_interval,
            desk=desk,
            gate=Gate(desk, await _bounds(contract)),
            time=time,
            posts=options.post_batches,
            news=lambda progress: _tell(listeners, progress),
        )
        status = partial(_status, options, origin, desk, watcher, alarms)
        archive = Archive(store.records, address_of(options.key))
        exchange = Exchange(desk, admission, archive, status, origin.separator, options.max_order_life)
        committer = Committer(writer, options.key, origin.separator, exchange.announce)
        risk = RiskWatch(desk, lambda findings: into_engine.send([findings]))
        exchange.listen(risk.hear)
        if options.flag_patience:
            desk.listen_to_prices(risk.wake)
        async with _tuned_nursery() as nursery:
            posting = None
            if options.post_batches:
                post = partial(
                    run_posting, options, contract, account, alarms, writer, watcher, origin.separator, ledger
                )
                posting = await nursery.start(partial(_speak_last, committer, post))
            able = partial(_is_able, committer, posting)
            exchange.serving = lambda: watcher.may_build and able()
            exchange.pricing = lambda: watcher.may_price and able()
            nursery.start_soon(_speak_last, committer, writer.run)
            nursery.start_soon(committer.run, units)
            engine = Engine(desk, inputs, into_committer, options.block_interval, options.flag_patience)
            engine.restrained = lambda: watcher.holds_late
            nursery.start_soon(engine.run)
            nursery.start_soon(admission.run)
            nursery.start_soon(risk.run)
            await nursery.start(_speak_last, committer, watcher.run)
            task_status.started(Sequencer(exchange, watcher, alarms, store, listeners))


@asynccontextmanager
async def _tuned_nursery() -> AsyncIterator[trio.Nursery]:
    with tuned():
        async with trio.open_nursery() as nursery:
            yield nursery


async def _speak_last(
    committer: Committer, work: Callable[..., Awaitable[None]], *, task_status: Any = trio.TASK_STATUS_IGNORED
) -> None:
    """Run something that needs the disk. If that fails the process ends, but who waits for an answer hears of it."""
    try:
        await work(task_status=task_status)
    except StoreError:
        committer.failed = True
        await trio.sleep(LAST_WORDS)
        raise


async def _bounds(contract: RollupContract) -> Bounds:
    terms = await contract.terms()
    return Bounds(terms.force_deadline, terms.freeze_grace, terms.max_time_lag)


async def _make_time(contract: RollupContract, options: SequencerOptions) -> L1Time:
    """The time of blocks, by L1's bounds and its newest block."""
    terms = await contract.terms()
    time = L1Time(
        options.clock, ahead=terms.max_time_ahead, lag=terms.max_time_lag, patience=terms.force_deadline
    )  # fmt: skip
    head = await contract.l1.get_block("latest")
    assert head is not None, "a node has its newest block"
    time.hear(head.timestamp)
    return time


async def _catch_up(follower: Follower, replica: Replica, poll: float) -> None:
    """Bring the store onto L1's chain before anything is served; waits while L1 has a wrong batch."""
    while True:
        while await follower.read_on():
            pass
        standing = await trio.to_thread.run_sync(align, replica.store, replica, follower.chain)
        if standing in {Standing.ALIGNED, Standing.OVERTAKEN}:
            return
        if standing is Standing.UNREAD:
            follower.start_over()
            continue
        log.warning("l1_has_a_wrong_batch", batch=follower.chain.head.index)
        await trio.sleep(poll)


def _is_able(committer: Committer, posting: Posting | None) -> bool:
    return not committer.failed and not (posting and posting.stopped)


def _tell(listeners: list[Callable[[Progress], None]], progress: Progress) -> None:
    for listener in listeners:
        listener(progress)


def _status(options: SequencerOptions, origin: Origin, desk: Desk, watcher: Watcher, alarms: Alarms) -> StatusView:
    ledger, progress = desk.ledger, watcher.progress
    noted = ledger.store.records.last_batch()  # what L1 has beyond it was read, but cannot be looked up yet
    posted = (0, 0) if noted is None else (noted.last, noted.index)
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
        posted=min(progress.block, posted[0]),
        posted_batch=min(progress.batch, posted[1]),
        finalised_batch=progress.finalised,
        open_orders=len(desk.orders),
        alarms=alarms.texts(),
        fault=options.fault,
    )
