from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from rollup.errors import StoreError
from rollup.store.changes import Notes, WriteSet
from rollup.store.database import MemoryDatabase, Puts
from rollup.store.state import StateStore
from rollup.store.writer import QUEUE, StoreWriter
from tests.store.building import GENESIS, IDENTITY, random_writes, seal


class GatedDatabase(MemoryDatabase):
    """A disk whose writes wait (in their thread) until the test lets them through, or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.gate: Callable[[], None] = lambda: None

    def write(self, puts: Puts) -> None:
        """Write once the gate opens."""
        self.gate()
        super().write(puts)


class Gate:
    """Lets one write through at a time."""

    def __init__(self) -> None:
        self.arrived = trio.Event()
        self.opened = threading.Event()

    def __call__(self) -> None:
        """Wait in the writer's thread."""
        trio.from_thread.run_sync(self.arrived.set)
        assert self.opened.wait(timeout=60)


def make() -> tuple[GatedDatabase, StateStore]:
    """An initialised store over a gated disk."""
    database = GatedDatabase()
    store = StateStore(database, IDENTITY)
    store.initialise(GENESIS)
    return database, store


async def test_commit_returns_only_after_the_write(nursery: trio.Nursery) -> None:
    """While the disk has not answered nobody is told."""
    database, store = make()
    writer = StoreWriter(store)
    await nursery.start(writer.run)
    database.gate = gate = Gate()
    done: list[int] = []

    async def commit() -> None:
        await writer.commit([seal(store.stage({0: b"new"}))])
        done.append(store.committed)

    nursery.start_soon(commit)
    await gate.arrived.wait()
    await wait_all_tasks_blocked()
    assert (done, store.number, store.committed) == ([], 1, 0)
    gate.opened.set()
    while not done:
        await trio.lowlevel.checkpoint()
    assert done == [1]
    writer.close()


async def test_commits_made_during_a_write_share_the_next_one(nursery: trio.Nursery) -> None:
    """Twenty callers wait for two batches, and each is told after its own."""
    database, store = make()
    writer = StoreWriter(store)
    await nursery.start(writer.run)
    database.gate = gate = Gate()
    source = random.Random(1)
    told: list[tuple[int, int]] = []

    async def commit(block: int) -> None:
        await writer.commit([commits[block]], Notes(entries={b"%d" % block: b"x"}))
        told.append((block, store.committed))

    commits = [seal(store.stage(random_writes(source))) for _ in range(20)]
    async with trio.open_nursery() as callers:
        callers.start_soon(commit, 0)
        await gate.arrived.wait()
        for block in range(1, 20):
            callers.start_soon(commit, block)
            await wait_all_tasks_blocked()
        assert writer.statistics().waiting == 20
        database.gate = lambda: None
        gate.opened.set()
    assert sorted(told) == [(0, 1), *((block, 20) for block in range(1, 20))]
    statistics = writer.statistics()
    assert (statistics.commits, statistics.groups, statistics.largest_group) == (20, 2, 19)
    assert store.statistics().batches_written == 2
    assert len(list(store.records.entries())) == 20
    writer.close()


async def test_failed_write_tells_every_waiter_and_stops_the_writer() -> None:
    """Neither the failed batch nor what queued behind it is acknowledged; `run` raises."""
    database, store = make()
    writer = StoreWriter(store)
    outcomes: list[str] = []

    def fail() -> None:
        gate()
        raise StoreError("the disk is full")

    async def commit(block: int) -> None:
        try:
            await writer.commit([commits[block]])
        except StoreError as error:
            outcomes.append(str(error))

    commits = [seal(store.stage(random_writes(random.Random(block)))) for block in range(3)]
    gate = Gate()
    database.gate = fail
    with pytest.RaisesGroup(pytest.RaisesExc(StoreError, match="disk is full")):
        async with trio.open_nursery() as running:
            await running.start(writer.run)
            running.start_soon(commit, 0)
            await gate.arrived.wait()
            running.start_soon(commit, 1)
            await wait_all_tasks_blocked()
            gate.opened.set()
    assert outcomes == ["the disk is full"] * 2
    assert store.committed == 0
    with pytest.raises(StoreError, match="has stopped"):
        await writer.commit([commits[2]])


async def test_close_drains_what_was_accepted() -> None:
    """Shutdown loses nothing that a caller is waiting for, and refuses what comes later."""
    _, store = make()
    writer = StoreWriter(store)
    source = random.Random(1)
    async with trio.open_nursery() as callers:
        for _ in range(5):
            callers.start_soon(writer.commit, [seal(store.stage(random_writes(source)))])
            await wait_all_tasks_blocked()
        writer.close()
        callers.start_soon(writer.run)
    assert store.committed == 5
    with pytest.raises(StoreError, match="has stopped"):
        await writer.commit()


async def test_cancelled_writer_tells_waiters_that_nothing_is_promised() -> None:
    """Nobody hangs when the process is torn down."""
    _, store = make()
    writer = StoreWriter(store)
    outcomes: list[str] = []

    async def commit() -> None:
        try:
            await writer.commit((), Notes(meta={"a": b"b"}))
        except StoreError as error:
            outcomes.append(str(error))

    async with trio.open_nursery() as callers:
        callers.start_soon(commit)
        await wait_all_tasks_blocked()
        with trio.CancelScope() as scope:
            scope.cancel()
            await writer.run()
    assert outcomes == ["the writer stopped before this was written"]
    assert store.records.meta("a") is None


async def test_writer_cancelled_during_a_write_still_tells_that_it_is_durable() -> None:
    """The write cannot be taken back, so neither is its acknowledgement."""
    database, store = make()
    writer = StoreWriter(store)
    database.gate = gate = Gate()
    acknowledged: list[int] = []

    async def commit() -> None:
        await writer.commit([seal(store.stage({0: b"new"}))])
        acknowledged.append(store.committed)

    async def run(scope: trio.CancelScope) -> None:
        with scope:
            await writer.run()

    async with trio.open_nursery() as nursery:
        scope = trio.CancelScope()
        nursery.start_soon(run, scope)
        nursery.start_soon(commit)
        await gate.arrived.wait()
        scope.cancel()
        await wait_all_tasks_blocked()
        assert acknowledged == []
        gate.opened.set()
    assert acknowledged == [1]


async def test_rollback_waits_for_queued_commits_and_is_a_batch_of_its_own(nursery: trio.Nursery) -> None:
    """Order is that of the calls."""
    database, store = make()
    writer = StoreWriter(store)
    await nursery.start(writer.run)
    source = random.Random(1)
    database.gate = gate = Gate()
    commits = [seal(store.stage(random_writes(source))) for _ in range(4)]
    async with trio.open_nursery() as callers:
        callers.start_soon(writer.commit, commits[:1])
        await gate.arrived.wait()
        callers.start_soon(writer.commit, commits[1:])
        await wait_all_tasks_blocked()
        callers.start_soon(writer.rollback, 2, Notes(meta={"fork": b"1"}))
        await wait_all_tasks_blocked()
        callers.start_soon(writer.commit, (), Notes(meta={"after": b"1"}))
        await wait_all_tasks_blocked()
        database.gate = lambda: None
        gate.opened.set()
    assert (store.number, store.committed, store.root) == (2, 2, commits[1].staged.root)
    assert (store.records.meta("fork"), store.records.meta("after")) == (b"1", b"1")
    assert writer.statistics().groups == 4
    writer.close()


async def test_full_queue_makes_the_caller_wait() -> None:
    """The queue is bounded: sealing cannot run away from the disk."""
    _, store = make()
    writer = StoreWriter(store)
    async with trio.open_nursery() as callers:
        for _ in range(QUEUE + 3):
            callers.start_soon(writer.commit)
        await wait_all_tasks_blocked()
        assert writer.statistics().waiting == QUEUE
        callers.start_soon(writer.run)
        await wait_all_tasks_blocked()
        while writer.statistics().commits < QUEUE + 3:
            await trio.lowlevel.checkpoint()
        writer.close()


async def test_head_moves_on_while_a_batch_is_written(nursery: trio.Nursery) -> None:
    """A block staged during the write is kept above it, in memory and in the next batch."""
    database, store = make()
    writer = StoreWriter(store)
    await nursery.start(writer.run)
    database.gate = gate = Gate()
    first = seal(store.stage({0: b"first", 1: b"one"}))
    async with trio.open_nursery() as callers:
        callers.start_soon(writer.commit, [first])
        await gate.arrived.wait()
        second = seal(store.stage({0: b"second"}))
        assert (store.read(0), store.read(1)) == (b"second", b"one")
        database.gate = lambda: None
        gate.opened.set()
    assert (store.committed, store.read(0), store.read(1)) == (1, b"second", b"one")
    view = store.view()
    assert (view.read(0), view.root) == (b"first", first.staged.root)
    await writer.commit([second])
    assert (store.committed, store.view().read(0)) == (2, b"second")
    writer.close()


def test_prepared_batch_says_what_it_makes_durable(tmp_path: Path) -> None:
    """The three parts of a commit, one by one."""
    store = StateStore.open(tmp_path, IDENTITY, create=True)
    store.initialise(GENESIS)
    prepared = store.prepare([seal(store.stage({0: b"new"}))])
    assert isinstance(prepared, WriteSet)
    assert (prepared.number, prepared.blocks, store.committed) == (1, 1, 0)
    store.write(prepared)
    store.settle(prepared)
    assert store.committed == 1
    store.close()
