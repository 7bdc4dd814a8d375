"""L1 takes back what it said: the state goes back exactly, and on along the new branch."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollup.derive import follower
from rollup.derive.pipeline import Pipeline
from rollup.errors import StoreError
from rollup.l1 import dev
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from tests.support.deployed import DISPUTE_WINDOW, SEQUENCER, Site
from tests.support.derived import derive, leaves_of
from tests.support.frauds import LIE, revert_fraud
from tests.support.poster import Poster, start_poster, with_root


async def branch_off(site: Site, snapshot: str, poster: Poster, leaves: dict[int, bytes]) -> None:
    """Go back to a snapshot, the poster's state with it, and on by a block that the old branch did not have."""
    await dev.revert_to(site.l1, snapshot)
    await dev.mine(site.l1)
    poster.leaves = dict(leaves)


async def test_a_reorganised_batch_is_taken_back_and_another_takes_its_place(any_site: Site) -> None:
    """On every kind of node: the state is first that of the one branch, then exactly that of the other."""
    poster = await start_poster(any_site)
    await poster.open(2)
    await poster.post(await poster.block())
    pipeline = await derive(any_site)
    await pipeline.advance()
    common = dict(poster.leaves)

    snapshot = await dev.take_snapshot(any_site.l1)
    await poster.post(await poster.block(poster.trade()), await poster.block(poster.withdraw(0, 1)))
    await pipeline.advance()
    assert leaves_of(pipeline) == poster.leaves != common

    await branch_off(any_site, snapshot, poster, common)
    await pipeline.advance()
    assert leaves_of(pipeline) == common
    assert (pipeline.replica.batch, pipeline.follower.reorganisations > 0) == (1, True)

    await poster.post(await poster.block(poster.trade(seller=1, buyer=0)))
    await pipeline.advance()
    assert leaves_of(pipeline) == poster.leaves
    assert pipeline.replica.store.root == poster.root


async def test_reorganised_messages_are_replaced_by_those_of_the_new_branch(site: Site, poster: Poster) -> None:
    """A deposit that never was leaves no trace, and another of the same number counts."""
    await poster.post(await poster.block())
    pipeline = await derive(site, span=1)
    await pipeline.advance()
    common, heard = dict(poster.leaves), len(poster.messages)
    snapshot = await dev.take_snapshot(site.l1)
    await poster.deposit(0, 1_000_000)
    await poster.post(await poster.block())
    await pipeline.advance()
    await branch_off(site, snapshot, poster, common)
    del poster.messages[heard:]
    await poster.deposit(1, 2_000_000)
    await poster.post(await poster.block())
    await pipeline.advance()
    assert leaves_of(pipeline) == poster.leaves
    assert len(pipeline.follower.chain.inbox) == len(poster.messages)


async def test_a_reorganisation_deeper_than_all_checkpoints_is_read_from_the_beginning(
    site: Site, poster: Poster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost but time."""
    monkeypatch.setattr(follower, "CHECKPOINTS", 2)
    snapshot, common = await dev.take_snapshot(site.l1), dict(poster.leaves)
    pipeline = await derive(site, span=1)
    for _ in range(3):
        await poster.post(await poster.block(poster.trade()))
        await pipeline.advance()
    await branch_off(site, snapshot, poster, common)
    await poster.post(await poster.block(poster.trade(seller=1, buyer=0)))
    await pipeline.advance()
    assert leaves_of(pipeline) == poster.leaves
    assert pipeline.replica.batch == 1


async def test_a_reorganisation_while_the_replica_was_closed_is_noticed(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """The database holds batches of a branch that is gone, and lets go of exactly these."""
    identity = ChainIdentity(site.deployment.chain_id, site.deployment.rollup)
    await poster.post(await poster.block())
    common = dict(poster.leaves)
    snapshot = await dev.take_snapshot(site.l1)
    for _ in range(3):
        await poster.post(await poster.block(poster.trade()))
    await run(site, tmp_path, identity, poster)
    await branch_off(site, snapshot, poster, common)
    await run(site, tmp_path, identity, poster)
    await poster.post(await poster.block(poster.trade(seller=1, buyer=0)))
    await run(site, tmp_path, identity, poster)


async def run(site: Site, folder: Path, identity: ChainIdentity, poster: Poster) -> None:
    """Derive once on the database in `folder`; the result must be the poster's state."""
    store = StateStore.open(folder / "replica", identity, create=True)
    try:
        pipeline = await derive(site, store=store, span=2)
        await pipeline.advance()
        assert leaves_of(pipeline) == poster.leaves
    finally:
        store.close()


async def test_a_reverted_fraud_that_comes_back_is_found_again(site: Site, poster: Poster) -> None:
    """L1 forgets the proof, so the fraud stands again; a second proof removes it again."""
    await poster.post(await poster.block())
    honest = dict(poster.leaves)
    await poster.post(with_root(await poster.block(poster.trade()), LIE))
    pipeline = await derive(site)
    await pipeline.advance()
    snapshot = await dev.take_snapshot(site.l1)
    await revert_fraud(site, pipeline, SEQUENCER)
    await pipeline.advance()
    assert pipeline.replica.fraud is None
    await branch_off(site, snapshot, poster, honest)
    await pipeline.advance()
    assert_fraud(pipeline, batch=2, fork=0)
    await revert_fraud(site, pipeline, SEQUENCER)
    await pipeline.advance()
    assert pipeline.replica.fraud is None
    assert (pipeline.follower.chain.fork, leaves_of(pipeline)) == (1, honest)


async def test_a_fraud_that_is_reorganised_away_is_forgotten(site: Site, poster: Poster) -> None:
    """There is nothing to prove any more."""
    await poster.post(await poster.block())
    honest, snapshot = dict(poster.leaves), await dev.take_snapshot(site.l1)
    await poster.post(with_root(await poster.block(poster.trade()), LIE))
    pipeline = await derive(site)
    await pipeline.advance()
    assert_fraud(pipeline, batch=2, fork=0)
    await branch_off(site, snapshot, poster, honest)
    await poster.post(await poster.block(poster.trade(seller=1, buyer=0)))
    await pipeline.advance()
    assert pipeline.replica.fraud is None
    assert leaves_of(pipeline) == poster.leaves


def assert_fraud(pipeline: Pipeline, *, batch: int, fork: int) -> None:
    """The replica stands before a fraud in this batch."""
    fraud = pipeline.replica.fraud
    assert fraud is not None
    assert (fraud.batch.index, fraud.batch.fork) == (batch, fork)


async def test_finality_that_is_reorganised_away_changes_no_state(site: Site, poster: Poster) -> None:
    """Batches that were executed and stand on both branches stay."""
    await poster.post(await poster.block())
    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await dev.mine(site.l1)
    pipeline = await derive(site)
    await pipeline.advance()
    snapshot = await dev.take_snapshot(site.l1)
    await site.contract("Rollup").transact(site.account(SEQUENCER), "finalise", 1)
    await pipeline.advance()
    assert pipeline.follower.chain.finalised == 1
    await branch_off(site, snapshot, poster, poster.leaves)
    await poster.post(await poster.block(poster.trade()))
    await pipeline.advance()
    assert pipeline.follower.chain.finalised == 0
    assert leaves_of(pipeline) == poster.leaves


@pytest.mark.parametrize("same_messages", [True, False])
async def test_a_final_batch_that_l1_takes_back_stops_the_replica(
    site: Site, poster: Poster, *, same_messages: bool
) -> None:
    """That cannot be undone here: the operator has to know, and to start from an empty database."""
    snapshot, common, heard = await dev.take_snapshot(site.l1), dict(poster.leaves), len(poster.messages)
    if not same_messages:
        await poster.deposit(0, 1_000_000)
    await poster.post(await poster.block())
    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await site.contract("Rollup").transact(site.account(SEQUENCER), "finalise", 1)
    pipeline = await derive(site)
    await pipeline.advance()
    await branch_off(site, snapshot, poster, common)
    del poster.messages[heard:]
    await poster.post(await poster.block(poster.transfer(0, 1, 5)))
    with pytest.raises(StoreError):
        await pipeline.advance()
    afresh = await derive(site)
    await afresh.advance()
    assert leaves_of(afresh) == poster.leaves
