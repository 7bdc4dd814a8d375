"""A restart reads L1 from the last final batch on, and not again from the deployment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rollup.derive.anchor import Anchor
from rollup.derive.pipeline import Pipeline
from rollup.errors import StoreError
from rollup.l1 import dev
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from tests.support.deployed import DISPUTE_WINDOW, RIVAL, SEQUENCER, Site
from tests.support.derived import Liar, derive, leaves_of
from tests.support.frauds import LIE, post_variety, revert_fraud, stake_again
from tests.support.poster import Poster, with_root


async def finalise(site: Site, up_to: int) -> None:
    """Make the batches up to this one final."""
    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await site.contract("Rollup").transact(site.account(RIVAL), "finalise", up_to)


async def derive_on(site: Site, folder: Path, poster: Poster, **settings: Any) -> tuple[Pipeline, int]:
    """Derive once on the database in `folder`, up to the poster's state; also how many batches L1 was asked for."""
    asked = 0

    def count(method: str, _params: tuple[Any, ...], result: Any) -> Any:
        nonlocal asked
        asked += method == "eth_getTransactionByHash"
        return result

    identity = ChainIdentity(site.deployment.chain_id, site.deployment.rollup)
    store = StateStore.open(folder / "replica", identity, create=True)
    try:
        async with Liar(site.url) as honest:
            honest.distort = count
            pipeline = await derive(site, l1=honest, store=store, **settings)
            await pipeline.advance()
        assert leaves_of(pipeline) == poster.leaves
        return pipeline, asked
    finally:
        store.close()


@pytest.mark.parametrize("span", [1, 500])
async def test_a_restart_reads_only_what_follows_the_last_final_batch(
    site: Site, poster: Poster, tmp_path: Path, span: int
) -> None:
    """Messages that the final batch left are read as well, wherever on L1 they stand."""
    await post_variety(poster)
    await dev.increase_time(site.l1, 5)
    await poster.deposit(1, 3_000_000)
    await dev.mine(site.l1, 3)
    await poster.post(await poster.block(poster.trade(), take=0))
    await poster.deposit(0, 2_000_000)
    await finalise(site, 4)
    await poster.post(await poster.block(poster.trade()))
    first, asked = await derive_on(site, tmp_path, poster, span=span)
    assert (asked, first.follower.chain.base) == (5, 0)
    again, asked = await derive_on(site, tmp_path, poster, span=span)
    assert (asked, again.follower.chain.base) == (2, 4)  # the final batch itself stands in the first block read
    assert len(again.follower.chain.inbox) == len(poster.messages)
    await poster.post(await poster.block(poster.transfer(1, 0, 5)))
    await finalise(site, 6)
    third, asked = await derive_on(site, tmp_path, poster, span=span)
    assert (asked, third.follower.chain.head.index, third.follower.chain.finalised) == (3, 6, 6)
    last, asked = await derive_on(site, tmp_path, poster, span=span)
    assert (asked, last.follower.chain.base) == (1, 6)


async def test_a_fraud_after_the_anchor_is_found_and_reverted(site: Site, poster: Poster, tmp_path: Path) -> None:
    """The fork goes on from the anchor's, also when the anchor itself stands on a later fork."""
    for fork in (1, 2):
        await poster.post(await poster.block(poster.withdraw(0, 1)))
        await finalise(site, fork)
        honest = dict(poster.leaves)
        await derive_on(site, tmp_path, poster)
        await poster.post(with_root(await poster.block(poster.withdraw(0, 1)), LIE))
        poster.leaves = honest
        pipeline, _ = await derive_on(site, tmp_path, poster)
        assert (pipeline.follower.chain.base, pipeline.follower.chain.fork) == (fork, fork - 1)
        await revert_fraud(site, pipeline, SEQUENCER)
        await stake_again(site, poster)
        pipeline, _ = await derive_on(site, tmp_path, poster)
        assert (pipeline.replica.fraud, pipeline.follower.chain.fork) == (None, fork)


async def test_an_anchor_whose_l1_block_is_gone_is_not_used(site: Site, poster: Poster, tmp_path: Path) -> None:
    """The same batch stands on the new branch, elsewhere: everything is read again, and the state stays."""
    snapshot = await dev.take_snapshot(site.l1)
    block = await poster.block()
    await poster.post(block)
    await finalise(site, 1)
    await derive_on(site, tmp_path, poster)
    await dev.revert_to(site.l1, snapshot)
    await dev.mine(site.l1, 2)
    await poster.post(block)
    await poster.post(await poster.block(poster.trade()))
    pipeline, _ = await derive_on(site, tmp_path, poster)
    assert (pipeline.follower.chain.base, pipeline.follower.chain.head.index) == (0, 2)


async def test_a_reorganisation_beyond_all_checkpoints_begins_at_the_anchor_again(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """What is final on both branches need not be read again."""
    await poster.post(await poster.block())
    await finalise(site, 1)
    common = dict(poster.leaves)
    await derive_on(site, tmp_path, poster)
    snapshot = await dev.take_snapshot(site.l1)
    await poster.post(await poster.block(poster.trade()))
    store = StateStore.open(
        tmp_path / "replica", ChainIdentity(site.deployment.chain_id, site.deployment.rollup), create=True
    )
    pipeline = await derive(site, store=store)
    await pipeline.advance()
    await dev.revert_to(site.l1, snapshot)
    await dev.mine(site.l1)
    poster.leaves = common
    await poster.post(await poster.block(poster.trade(seller=1, buyer=0)))
    await pipeline.advance()
    assert leaves_of(pipeline) == poster.leaves
    assert pipeline.follower.chain.base == 1
    store.close()


async def test_anchors_read_back_what_was_written(site: Site, poster: Poster, tmp_path: Path) -> None:
    """And torn ones are refused."""
    await poster.post(await poster.block())
    await finalise(site, 1)
    pipeline, _ = await derive_on(site, tmp_path, poster)
    chain = pipeline.follower.chain
    anchor = Anchor(chain.batch(1), chain.inbox.hash_at(chain.batch(1).inbox_index))
    assert Anchor.decode(anchor.encode()) == anchor
    for torn in (b"", anchor.encode()[:-1], b"\x91\x01", b"\xc0"):
        with pytest.raises(StoreError):
            Anchor.decode(torn)
