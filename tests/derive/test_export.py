"""A watcher's export in place of L1's logs leads to the same state, and gives way to L1 where it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollup.derive.export_source import ExportSource
from rollup.derive.vetting import open_source
from rollup.l1 import dev
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from tests.support.deployed import CHALLENGER, Site
from tests.support.derived import leaves_of
from tests.support.exports import derive_with, export, finalise, pruned
from tests.support.frauds import LIE, post_variety, revert_fraud, stake_again
from tests.support.poster import Poster, with_root


@pytest.mark.parametrize("span", [1, 500])
async def test_an_export_stands_in_for_logs_that_are_gone(
    site: Site, poster: Poster, tmp_path: Path, span: int
) -> None:
    """The same state, finality and waiting messages, and no log from before is asked for."""
    await post_variety(poster)
    await finalise(site, 2)
    await poster.deposit(1, 4_000_000)
    path = await export(site, tmp_path)
    async with pruned(site) as client:
        pipeline = await derive_with(site, client, path, span=span)
        assert not client.asked_for_old
    chain = pipeline.follower.chain
    assert leaves_of(pipeline) == poster.leaves
    assert (chain.head.index, chain.finalised, len(chain.inbox)) == (3, 2, len(poster.messages))
    assert chain.inbox.slice(chain.head.inbox_index, 1)[0] == poster.messages[-1]


async def test_messages_that_wait_or_may_wait_again_have_the_times_l1_keeps(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """Who goes on with the chain reckons by them; what a final batch has consumed nobody asks for."""
    await poster.post(await poster.block())
    await finalise(site, 1)
    await poster.deposit(1, 4_000_000)
    await poster.post(await poster.block())
    await dev.increase_time(site.l1, 7)
    await poster.deposit(1, 5_000_000)
    path = await export(site, tmp_path)
    async with pruned(site) as client:
        chain = (await derive_with(site, client, path)).follower.chain
    final, count = chain.batch(1).inbox_index, len(chain.inbox)
    assert 0 < final < chain.head.inbox_index < count, "some are final, one is consumed, one waits"
    inbox = site.contract("Inbox")
    kept = [await inbox.call("timeAt", index) for index in range(count)]
    assert [chain.inbox.time_at(index) for index in range(count)] == [0] * final + kept[final:]


async def test_after_its_end_an_export_gives_way_to_l1(site: Site, poster: Poster, tmp_path: Path) -> None:
    """Messages, batches and finality that came later are L1's."""
    await poster.post(await poster.block())
    await poster.deposit(0, 3_000_000)
    path = await export(site, tmp_path)
    async with pruned(site) as client:
        await post_variety(poster)
        await finalise(site, 3)
        pipeline = await derive_with(site, client, path)
        assert leaves_of(pipeline) == poster.leaves
        assert pipeline.follower.chain.finalised == 3
        await poster.post(await poster.block(poster.trade()))
        await pipeline.advance()
        assert leaves_of(pipeline) == poster.leaves


async def test_a_restart_goes_on_from_its_anchor_with_and_without_the_export(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """A store that was filled from an export is as good as any."""
    await post_variety(poster)
    await finalise(site, 2)
    path = await export(site, tmp_path)
    identity = ChainIdentity(site.deployment.chain_id, site.deployment.rollup)
    for given in (path, path, None):
        store = StateStore.open(tmp_path / "replica", identity, create=True)
        try:
            pipeline = await derive_with(site, site.l1, given, store)
            assert leaves_of(pipeline) == poster.leaves
            await poster.post(await poster.block(poster.trade()))
            await pipeline.advance()
            assert leaves_of(pipeline) == poster.leaves
        finally:
            store.close()


async def test_reversions_before_the_export_are_left_out_of_it(site: Site, poster: Poster, tmp_path: Path) -> None:
    """Only what stands is in it; forks are counted all the same."""
    await poster.post(await poster.block())
    for _ in range(2):
        honest = dict(poster.leaves)
        await poster.post(with_root(await poster.block(), LIE))
        poster.leaves = honest
        await revert_fraud(site, await derive_with(site, site.l1, None), CHALLENGER)
        await stake_again(site, poster)
        path = await export(site, tmp_path)
        async with pruned(site) as client:
            await poster.post(await poster.block(poster.trade()))
            pipeline = await derive_with(site, client, path)
            assert leaves_of(pipeline) == poster.leaves
    again = await export(site, tmp_path)
    async with pruned(site) as client:
        pipeline = await derive_with(site, client, again)
        assert leaves_of(pipeline) == poster.leaves
        assert pipeline.follower.chain.fork == 2


async def test_a_reversion_after_the_export_ends_it_at_the_batch_before(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """What of it stands no more is not used; from the last batch that does on L1 is read."""
    await poster.post(await poster.block())
    honest = dict(poster.leaves)
    await poster.deposit(0, 3_000_000)
    await poster.post(with_root(await poster.block(), LIE))
    path = await export(site, tmp_path)
    poster.leaves = honest
    await revert_fraud(site, await derive_with(site, site.l1, None), CHALLENGER)
    await stake_again(site, poster)
    for _ in range(2):
        source = await open_source(site.l1, site.deployment.rollup, path)
        assert isinstance(source, ExportSource)
        assert (source.export.cut, len(source.export.batches)) == (True, 1)
        for span in (1, 500):
            pipeline = await derive_with(site, site.l1, path, span=span)
            assert leaves_of(pipeline) == (poster.leaves if poster.leaves != honest else honest)
        await poster.post(await poster.block(poster.trade()))


async def test_an_export_goes_on_from_an_earlier_one(site: Site, poster: Poster, tmp_path: Path) -> None:
    """A watcher whose own node prunes keeps its export up to date."""
    await post_variety(poster)
    earlier = await export(site, tmp_path)
    async with pruned(site) as client:
        await poster.post(await poster.block(poster.trade()))
        later = await export(site, tmp_path, client, earlier)
    assert later.read_bytes() != earlier.read_bytes()
    async with pruned(site) as client:
        assert leaves_of(await derive_with(site, client, later)) == poster.leaves
    full = await export(site, tmp_path)
    assert full.read_bytes()[:-60] == later.read_bytes()[:-60], "but for the end it is the same file"
