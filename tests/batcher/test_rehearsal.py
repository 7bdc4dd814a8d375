"""Dry runs of the sequencer's own blocks: what the twins disagree on never reaches L1."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from rollup.batcher.alarms import Alarms
from rollup.batcher.contracts import RollupContract
from rollup.batcher.pack import Packed, pack
from rollup.batcher.rehearsal import Rehearsal
from rollup.derive.worker import EvmWorker, open_worker
from rollup.rpc.client import RpcError, connect_ws
from rollup.sequencer.ledger import Ledger
from rollup.sequencer.rejections import StoppedServing
from rollup.stf.builder import BlockBuilder, SealedBlock
from rollup.store.writer import StoreWriter
from rollup.types.keys import account_key
from rollup.types.leaves import Account
from tests.support.deployed import Site, open_site
from tests.support.poster import FIRST_OWNER
from tests.support.served import derive, funded, options, posted, serve, until_so
from tests.support.stock import Stock, open_stock
from tests.support.trader import USD, open_accounts


class Mistaken(Ledger):
    """A ledger with a bug: from its third block on account 0 has a cent too much."""

    honest = 2
    """Blocks that it makes without the bug."""

    def _finish(self, builder: BlockBuilder) -> SealedBlock:
        sealed = builder.finish()
        key = account_key(0)
        if self.number < self.honest or key not in sealed.writes:
            return sealed
        account = Account.decode(sealed.writes[key])
        return replace(sealed, writes={**sealed.writes, key: replace(account, cash=account.cash + 10_000).encode()})


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """An L1 with the contracts."""
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def evm(site: Site) -> AsyncIterator[EvmWorker]:
    """The verifier as it stands on L1, in a process of its own."""
    terms = await RollupContract(site.l1, site.deployment.rollup).terms()
    async with open_worker(await site.l1.get_code(terms.verifier)) as worker:
        yield worker


def batch_of(stock: Stock, after: int = 0) -> Packed:
    """What would be posted next."""
    return pack(stock.blocks.pending(after))


async def test_an_honest_batch_is_admitted_and_judged_no_more_often_than_asked(
    site: Site, evm: EvmWorker, tmp_path: Path
) -> None:
    """One block of a batch, then none until the interval has passed."""
    clock = [100.0]
    async with open_stock(site, tmp_path) as stock, trio.open_nursery() as nursery:
        writer = StoreWriter(stock.store)
        await nursery.start(writer.run)
        stock.add(3)
        alarms = Alarms()
        rehearsal = Rehearsal(writer, evm, stock.origin.separator, alarms, 60, lambda: clock[0])
        for judged, later in ((1, 0), (1, 59), (2, 1)):
            clock[0] += later
            assert await rehearsal.admit(batch_of(stock))
            assert rehearsal.judged == judged
        assert alarms.texts() == ()
        assert not rehearsal.stopped
        writer.close()


async def test_a_block_that_the_verifier_judges_otherwise_stops_posting_in_this_life_and_the_next(
    site: Site, evm: EvmWorker, tmp_path: Path
) -> None:
    """The dispute is in the database; blocks before it may still go."""
    async with open_stock(site, tmp_path, Mistaken) as stock, trio.open_nursery() as nursery:
        writer = StoreWriter(stock.store)
        await nursery.start(writer.run)
        stock.add()
        good = batch_of(stock)
        stock.add()
        alarms = Alarms()
        rehearsal = Rehearsal(writer, evm, stock.origin.separator, alarms, 0)
        assert await rehearsal.admit(good)
        assert not await rehearsal.admit(batch_of(stock, after=2))
        assert rehearsal.stopped
        assert "block 3 is not posted" in alarms.texts()[0]
        again = Rehearsal(writer, evm, stock.origin.separator, Alarms(), 60)
        assert again.stopped
        assert await again.admit(good)
        assert not await again.admit(batch_of(stock))
        assert not await again.admit(batch_of(stock))
        assert again.judged == 1
        writer.close()


async def test_a_dead_verifier_process_is_an_alarm_and_does_not_stop_posting(site: Site, tmp_path: Path) -> None:
    """A machine without memory for py-evm still has to post."""
    evm = EvmWorker(b"")

    async def kill() -> None:
        while True:
            if evm.pid is not None:
                os.kill(evm.pid, signal.SIGKILL)
            await trio.sleep(0.01)

    async with open_stock(site, tmp_path) as stock, trio.open_nursery() as nursery:
        nursery.start_soon(kill)
        alarms = Alarms()
        rehearsal = Rehearsal(StoreWriter(stock.store), evm, stock.origin.separator, alarms, 0)
        assert await rehearsal.admit(batch_of(stock))
        assert "rehearsal" in alarms.texts()[0]
        nursery.cancel_scope.cancel()


async def test_a_served_sequencer_with_a_bug_stops_before_l1_sees_it(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Good blocks are on L1, the wrong one is not, and nothing more is taken in."""
    accounts = await open_accounts(site, [FIRST_OWNER, FIRST_OWNER + 1])
    given = options(site, tmp_path, rehearsal_interval=0.0)
    async with serve(given) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        await posted(node)
        good = node.sequencer.store.committed
        monkeypatch.setattr(Ledger, "honest", 0, raising=False)  # deposits and price may have shared one block
        monkeypatch.setattr(Ledger, "_finish", Mistaken._finish)
        await rpc.call("private/withdraw", trader.withdraw(0, FIRST_OWNER, USD, 1))
        await until_so(lambda: any(t.startswith("twins") for t in node.sequencer.alarms.texts()), "the alarm")
        with pytest.raises(RpcError) as caught:
            await rpc.call("private/withdraw", trader.withdraw(0, FIRST_OWNER, USD, 2))
        assert caught.value.code == StoppedServing.code
        assert node.sequencer.watcher.progress.block == good
    assert (await derive(site)).committed == good
