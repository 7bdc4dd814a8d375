"""L1 loses batches and finality, or has another's batch where one of ours stood."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollup.l1.devkeys import dev_key
from rollup.rpc.client import RpcError, connect_ws
from rollup.sequencer.rejections import StoppedServing
from tests.reorg.scene import OPENING, Scene, alarms, money, withdraw
from tests.support.deployed import DISPUTE_WINDOW, ETHER, RIVAL
from tests.support.poster import Poster
from tests.support.served import options, serve, until, until_so
from tests.support.trader import USD, Trader

pytestmark = pytest.mark.anvil


async def test_a_lost_batch_is_posted_again_with_the_same_hash(scene: Scene) -> None:
    """The blocks stay as they were signed; the challenger goes back and comes again."""
    before = await scene.tip()
    async with scene.sequencer() as (node, rpc, trader):
        snapshot = await scene.snapshot()
        await withdraw(rpc, trader, 0, 1)
        after = await scene.agree(node)
        hashes = [await batch_hash(scene, after.batch)]
        reorganised = node.sequencer.watcher._follower.reorganisations
        await scene.reorganise(snapshot)
        await until_so(lambda: node.sequencer.watcher._follower.reorganisations > reorganised, "the other branch")
        assert node.sequencer.store.root == after.root
        again = await scene.agree(node)
        hashes.append(await batch_hash(scene, again.batch))
        assert (again.batch, again.block, again.root) == (before.batch + 1, before.block + 1, after.root)
        assert hashes[0] == hashes[1]
        assert money(node, 0) == (OPENING - 1, 1)
    assert scene.signatures.once()


async def batch_hash(scene: Scene, index: int) -> bytes:
    """As L1 keeps it."""
    found: bytes = (await scene.site.contract("Rollup").call("batches", index))[2]
    return found


async def test_lost_finality_changes_no_state_and_comes_again(scene: Scene) -> None:
    """What was final is only pending again; nobody takes anything back."""
    async with scene.sequencer() as (node, rpc, trader):
        await withdraw(rpc, trader, 0, 1)
        before = await scene.agree(node)
        snapshot = await scene.snapshot()
        await final(scene, before.batch)
        await until_so(lambda: node.sequencer.watcher.progress.finalised == before.batch, "finality here")
        await scene.reorganise(snapshot)
        await until_so(lambda: node.sequencer.watcher.progress.finalised == 0, "the other branch")
        assert (await scene.tip()).final == 0
        assert (node.sequencer.store.committed, node.sequencer.store.root) == (before.block, before.root)
        await scene.verified(before.root)
        await withdraw(rpc, trader, 0, 2)
        await scene.agree(node)
        await final(scene, before.batch + 1)
        await until_so(lambda: node.sequencer.watcher.progress.finalised == before.batch + 1, "finality again")
        await scene.agree(node)
        assert money(node, 0) == (OPENING - 2, 2)


async def final(scene: Scene, batch: int) -> None:
    """Let the dispute window pass; the sequencer makes everything final."""

    async def done() -> bool:
        return (await scene.tip()).final == batch

    await scene.pass_time(DISPUTE_WINDOW + 1)
    await until(done, f"finality of batch {batch}")


async def test_a_batch_with_another_posters_in_its_place_is_given_up_without_harm(scene: Scene) -> None:
    """On the new branch the sequencer was silent for too long, and a rival's block has its block's number."""
    async with scene.sequencer() as (node, rpc, trader):
        before = await scene.agree(node)
        rival = Poster(scene.site, dict(node.sequencer.store.iterate_leaves()), RIVAL, nonce=1_000)
        snapshot = await scene.snapshot()
        await withdraw(rpc, trader, 0, 1)
        lost = await scene.agree(node)

        async def overtake() -> None:
            await scene.pass_time(DISPUTE_WINDOW + 1)
            await scene.site.contract("Rollup").transact(scene.site.account(RIVAL), "stake", value=ETHER)
            await rival.post(await rival.block(rival.transfer(0, 1, 7 * USD)))

        await scene.reorganise(snapshot, overtake)
        await until_so(lambda: node.sequencer.store.root == rival.root, "the rival's block")
        assert (await scene.tip()).block == lost.block == before.block + 1
        await until_so(lambda: node.sequencer.watcher.may_build, "service")
        assert (money(node, 0), money(node, 1)) == ((OPENING - 7, 0), (OPENING + 7, 0))
        await withdraw(rpc, trader, 1, 2_000)
        after = await scene.agree(node)
        assert (after.batch, after.block) == (before.batch + 2, before.block + 2)
        await scene.unharmed(RIVAL)


async def test_an_heirs_batch_with_the_returned_sequencers_in_its_place_ends_his_turn(
    scene: Scene, tmp_path: Path
) -> None:
    """A stranger had taken over; L1 goes back to before his batch, and the designated one posts first."""
    await scene.pass_time(DISPUTE_WINDOW + 1)
    await scene.site.contract("Rollup").transact(scene.site.account(RIVAL), "stake", value=ETHER)
    before = await scene.tip()
    given = options(scene.site, tmp_path / "heir", key=dev_key(RIVAL), l1_url=scene.relay.url)
    async with serve(given) as heir:
        snapshot = await scene.snapshot()
        async with connect_ws(heir.address.ws_url) as rpc:
            trader = Trader(heir.sequencer.exchange.status().separator)
            await withdraw(rpc, trader, 0, 1)
            assert (await scene.agree(heir)).block == before.block + 1

            async def come_back() -> None:
                direct = options(scene.site, scene.folder / "sequencer")
                async with serve(direct) as node, connect_ws(node.address.ws_url) as theirs:
                    scene.signatures.watch(node)
                    await withdraw(theirs, trader, 1, 1)

                    async def on_l1() -> bool:
                        return (await scene.tip()).block == before.block + 1

                    await until(on_l1, "the returned sequencer's batch")

            await scene.reorganise(snapshot, come_back)
            await until_so(lambda: "is in turn" in alarms(heir).get("posting", ""), "the alarm")
            await scene.agree(heir)
            assert (money(heir, 0), money(heir, 1)) == ((OPENING, 0), (OPENING - 1, 1))
            with pytest.raises(RpcError) as caught:
                await withdraw(rpc, trader, 0, 1)
            assert caught.value.code == StoppedServing.code
    await scene.unharmed(RIVAL)
