"""From L1 alone to the poster's own state, against the real contracts on an embedded L1."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollup.derive.chain import DerivedBatch
from rollup.derive.pipeline import Pipeline, Progress
from rollup.errors import StoreError
from rollup.l1 import dev
from rollup.stf.invariants import check_invariants
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from rollup.types.keys import account_key
from rollup.types.leaves import Account
from rollup.types.reasons import Reason
from tests.support.deployed import DISPUTE_WINDOW, SEQUENCER, Site
from tests.support.derived import derive, leaves_of
from tests.support.frauds import LIE, fouls, post_variety, revert_fraud, stake_again
from tests.support.poster import Poster, with_root


async def test_derivation_rebuilds_the_state_of_an_honest_poster(site: Site, poster: Poster) -> None:
    """Deposits, trades, withdrawals, transfers and forced transactions lead to the same leaves and the same root."""
    await post_variety(poster)
    seen: list[DerivedBatch] = []
    pipeline = await derive(site, on_batch=seen.append)
    await pipeline.advance()
    assert leaves_of(pipeline) == poster.leaves
    assert pipeline.replica.store.root == poster.root
    assert pipeline.replica.fraud is None
    assert [(batch.index, batch.last_number) for batch in seen] == [(1, 2), (2, 4), (3, 6)]
    assert Account.decode(poster.leaves[account_key(0)]).withdrawn == 7_000_000
    assert check_invariants(leaves_of(pipeline).items()).accounts == 3


@pytest.mark.parametrize("span", [1, 2, 3])
async def test_the_state_does_not_depend_on_how_l1_is_read(site: Site, poster: Poster, span: int) -> None:
    """Reading a few L1 blocks at a time, while they come, or all at once at the end, is the same."""
    following = await derive(site, span=span)
    await following.advance()
    await post_variety(poster)
    await following.advance()
    await following.advance()
    assert leaves_of(following) == poster.leaves
    assert following.replica.batch == 3


async def test_unconfirmed_batches_are_not_executed(site: Site, poster: Poster) -> None:
    """With two confirmations wanted, a batch is taken once two L1 blocks lie on it."""
    genesis = dict(poster.leaves)
    pipeline = await derive(site, confirmations=2)
    await poster.post(await poster.block())
    await dev.mine(site.l1, 1)
    await pipeline.advance()
    assert leaves_of(pipeline) == genesis
    await dev.mine(site.l1, 1)
    await pipeline.advance()
    assert leaves_of(pipeline) == poster.leaves


async def test_a_wrong_root_is_found_with_the_right_one(site: Site, poster: Poster) -> None:
    """The state stays before the batch; nothing after it is executed."""
    await poster.post(await poster.block())
    before = dict(poster.leaves)
    honest, lying = await poster.block(poster.trade()), await poster.block(poster.withdraw(0, 1))
    await poster.post(honest, with_root(lying, LIE), await poster.forge(root=LIE))
    await poster.post(await poster.forge(root=LIE))
    pipeline = await derive(site)
    for _ in range(2):
        await pipeline.advance()
        fraud = pipeline.replica.fraud
        assert fraud is not None
        assert (fraud.batch.index, fraud.position, fraud.reason) == (2, 1, Reason.NONE)
        assert fraud.root == poster.root
        assert leaves_of(pipeline) == before


async def test_every_kind_of_fraud_is_found_with_its_reason(site: Site, poster: Poster) -> None:
    """Derivation stops at the transaction that is at fault, or at the wrong root."""
    await poster.post(await poster.block())
    before = dict(poster.leaves)
    snapshot = await dev.take_snapshot(site.l1)
    for name, foul in (await fouls(poster)).items():
        await poster.post(foul.block)
        pipeline = await derive(site)
        await pipeline.advance()
        fraud = pipeline.replica.fraud
        assert fraud is not None, name
        assert (fraud.reason, fraud.index, bool(fraud.root)) == (foul.reason, foul.index, not foul.reason), name
        assert leaves_of(pipeline) == before, name
        await dev.revert_to(site.l1, snapshot)
        snapshot = await dev.take_snapshot(site.l1)


async def test_derivation_goes_on_after_a_reversion(site: Site, poster: Poster) -> None:
    """The fraud is gone with its batch; what follows on the new fork is executed."""
    await poster.post(await poster.block())
    honest = dict(poster.leaves)
    await poster.post(with_root(await poster.block(poster.trade()), LIE))
    await poster.post(await poster.forge(root=LIE))
    pipeline = await derive(site)
    await pipeline.advance()
    assert pipeline.replica.fraud is not None
    await revert_fraud(site, pipeline, SEQUENCER)
    await pipeline.advance()
    assert pipeline.replica.fraud is None
    assert (pipeline.follower.chain.fork, pipeline.follower.chain.head.index) == (1, 1)
    assert leaves_of(pipeline) == honest
    poster.leaves = honest
    await stake_again(site, poster)
    await poster.post(await poster.block(poster.trade()))
    late = await derive(site)
    for each in (pipeline, late):
        await each.advance()
        assert leaves_of(each) == poster.leaves
        assert each.replica.batch == 2


async def test_a_restarted_replica_goes_on_from_its_database(site: Site, poster: Poster, tmp_path: Path) -> None:
    """Nothing is executed twice, whether L1 had news or not, and the database alone is not asked to know the chain."""
    identity = ChainIdentity(site.deployment.chain_id, site.deployment.rollup)
    for expected in (1, 0, 2):
        for _ in range(expected):
            await poster.post(await poster.block(poster.trade()), await poster.block())
        store = StateStore.open(tmp_path / "replica", identity, create=True)
        seen: list[DerivedBatch] = []
        pipeline = await derive(site, store=store, span=1, on_batch=seen.append)
        await pipeline.advance()
        assert leaves_of(pipeline) == poster.leaves
        assert len(seen) == expected
        store.close()


async def test_a_replica_of_another_deployment_is_refused(site: Site, tmp_path: Path) -> None:
    """Two rollups never share a database."""
    StateStore.open(tmp_path / "replica", ChainIdentity(1, bytes(20)), create=True).close()
    with pytest.raises(StoreError, match="belongs to"):
        StateStore.open(tmp_path / "replica", ChainIdentity(site.deployment.chain_id, site.deployment.rollup))


async def test_memory_is_let_go_once_batches_are_executed_and_final(site: Site, poster: Poster) -> None:
    """Executed batches hold no blocks, final ones no messages and no way back."""
    await post_variety(poster)
    await poster.deposit(0, 1_000_000)
    pipeline = await derive(site)
    await pipeline.advance()
    chain, store = pipeline.follower.chain, pipeline.replica.store
    assert [len(batch.blocks) for batch in chain.batches] == [0, 0, 0, 0]
    assert chain.inbox.held() == len(poster.messages)
    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await site.contract("Rollup").transact(site.account(SEQUENCER), "finalise", 2)
    await pipeline.advance()
    assert chain.finalised == 2
    assert store.records.final() == chain.batch(2).last_number == 4
    assert chain.inbox.held() == len(poster.messages) - chain.batch(2).inbox_index
    with pytest.raises(StoreError, match="final"):
        store.rollback(3)
    restarted = await derive(site, store=store, span=1)
    await restarted.advance()
    assert all(not batch.blocks for batch in restarted.follower.chain.batches)
    assert leaves_of(restarted) == poster.leaves


async def test_progress_is_told_up_to_the_head(site: Site, poster: Poster) -> None:
    """L1 blocks, batches and blocks only grow, and end at what is there."""
    await post_variety(poster)
    told: list[Progress] = []
    reading = await derive(site, span=2)
    pipeline = Pipeline(reading.follower, reading.replica, on_progress=told.append)
    await pipeline.advance()
    figures = [(p.l1_block, p.batch, p.block) for p in told]
    assert figures == sorted(figures)
    head = await site.l1.block_number()
    assert told[-1] == Progress(head, head, 3, 6, 3)
