"""The sequencer when L1 takes a batch back, or has one that is not its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from challenger.prove import encode_proof
from rollup.batcher.contracts import RollupContract
from rollup.batcher.service import finalise_due
from rollup.l1 import dev
from rollup.rpc.client import RpcError, connect_ws
from rollup.rpc.node import Node
from rollup.sequencer.rejections import StoppedServing
from rollup.sequencer.stored import StoredBlocks
from tests.support.deployed import CHALLENGER, DISPUTE_WINDOW, ETHER, REWARD_DELAY, RIVAL, SEQUENCER, Site, open_site
from tests.support.derived import derive as pipeline_of
from tests.support.frauds import LIE
from tests.support.poster import FIRST_OWNER, Poster, with_root
from tests.support.relay import relay_to
from tests.support.served import Signatures, derive, funded, options, posted, serve, until_so
from tests.support.trader import USD, open_accounts

OWNERS = [FIRST_OWNER, FIRST_OWNER + 1]


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """An L1 with the contracts."""
    async with open_site() as opened:
        yield opened


async def revert_fraud(site: Site) -> None:
    """Prove the fraud that stands on L1."""
    pipeline = await pipeline_of(site)
    await pipeline.advance()
    fraud, rollup = pipeline.replica.fraud, site.contract("Rollup")
    assert fraud is not None
    await site.account(CHALLENGER).transact(rollup.address, encode_proof(rollup, fraud))


async def stake_again(site: Site) -> None:
    """Pay the bounty on the sequencer out, after its delay, and stake anew."""
    rollup, account = site.contract("Rollup"), site.account(SEQUENCER)
    await dev.increase_time(site.l1, REWARD_DELAY + 1)
    await dev.mine(site.l1)
    await rollup.transact(account, "claimReward", account.address)
    await rollup.transact(account, "stake", value=ETHER)


async def silence(site: Site) -> None:
    """Let the proposer's timeout pass, with a rival staked."""
    await site.contract("Rollup").transact(site.account(RIVAL), "stake", value=ETHER)
    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await dev.mine(site.l1)


def rival_of(site: Site, node: Node, after: int | None = None) -> Poster:
    """A rival with the state that L1 has."""
    view = node.sequencer.store.view(after)
    try:
        return Poster(site, dict(view.leaves()), RIVAL, nonce=1_000)
    finally:
        view.close()


async def balance(rpc: Any, account: int) -> str:
    """An account's cash."""
    found = await rpc.call("private/get_subaccount", {"subaccount_id": account})
    value: str = found["collaterals"][0]["amount"]
    return value


def alarms(node: Node) -> set[str]:
    """Keys of the standing alarms."""
    return {text.split(":")[0] for text in node.sequencer.alarms.texts()}


async def refused(rpc: Any, method: str, params: Any) -> int:
    """The code with which a command is refused."""
    with pytest.raises(RpcError) as caught:
        await rpc.call(method, params)
    return caught.value.code


@pytest.mark.parametrize("restart", [False, True])
async def test_after_a_proven_fraud_an_honest_sequencer_goes_on_from_the_last_good_root(
    site: Site, tmp_path: Path, *, restart: bool
) -> None:
    """The batch is gone, the deposit in it counts again, the fork is one higher, nothing is signed twice on a fork."""
    signatures = Signatures(site)
    accounts = await open_accounts(site, OWNERS)
    dishonest = options(site, tmp_path, fault="wrong-root", fault_at=4)
    async with serve(dishonest) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        await posted(node)
        signatures.watch(node)
        await open_accounts(site, [12])
        await until_so(lambda: node.sequencer.exchange.status().inbox_index == 3, "the third account")
        for nonce in range(1, 4):
            await rpc.call("private/withdraw", trader.withdraw(accounts[0], OWNERS[0], USD, nonce))
        await posted(node)
    if restart:
        await revert_fraud(site)
    async with serve(options(site, tmp_path, post_batches=not restart)) as node:
        signatures.watch(node)
        if not restart:
            await revert_fraud(site)
        await until_so(lambda: node.sequencer.exchange.status().fork == 1, "the reversion")
        await until_so(lambda: node.sequencer.watcher.may_build, "service")
        await until_so(lambda: node.sequencer.exchange.status().inbox_index == 3, "the deposit that returned")
        async with connect_ws(node.address.ws_url) as rpc:
            assert float(await balance(rpc, 2)) == 10_000
            await rpc.call("private/withdraw", trader.withdraw(2, 12, USD, 1))
    await stake_again(site)
    async with serve(options(site, tmp_path)) as node:
        await posted(node)
        root = node.sequencer.store.root
    store = await derive(site)
    assert store.root == root
    assert signatures.once()
    assert {fork for fork, _ in signatures.headers} == {0, 1}


async def test_batches_of_another_poster_are_adopted(site: Site, tmp_path: Path) -> None:
    """The sequencer was silent for too long; what a rival posted is the chain, and it builds on that."""
    accounts = await open_accounts(site, OWNERS)
    signatures = Signatures(site)
    async with serve(options(site, tmp_path)) as node, connect_ws(node.address.ws_url) as rpc:
        signatures.watch(node)
        trader = await funded(rpc, accounts)
        await posted(node)
        head = node.sequencer.store.committed
        await silence(site)
        rival = rival_of(site, node)
        await rival.post(await rival.block(rival.transfer(0, 1, 7 * USD)), await rival.block())
        await until_so(lambda: node.sequencer.exchange.status().number == head + 2, "the rival's blocks")
        assert node.sequencer.store.root == rival.root
        assert float(await balance(rpc, 1)) == 10_007
        await rpc.call("private/withdraw", trader.withdraw(0, OWNERS[0], USD, 2_000))
        await posted(node)
        root = node.sequencer.store.root
    async with serve(options(site, tmp_path)) as node:
        assert node.sequencer.store.root == root
    assert (await derive(site)).root == root
    assert signatures.once()


async def test_signed_blocks_that_a_rival_overtook_are_never_signed_differently(site: Site, tmp_path: Path) -> None:
    """Nothing is built, in this life or the next, until L1 is past the numbers that were signed."""
    accounts = await open_accounts(site, OWNERS)
    signatures = Signatures(site)
    async with serve(options(site, tmp_path)) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        await posted(node)
        signatures.watch(node)
    async with serve(options(site, tmp_path, batch_interval=10_000.0)) as node:
        signatures.watch(node)
        common = node.sequencer.store.committed
        async with connect_ws(node.address.ws_url) as rpc:
            for nonce in (1, 2, 3):
                await rpc.call("private/withdraw", trader.withdraw(0, OWNERS[0], USD, nonce))
            signed = node.sequencer.store.committed
            assert signed == common + 3
            await silence(site)
            rival = rival_of(site, node, common)
            await rival.post(await rival.block(rival.transfer(0, 1, 7 * USD)))
            await until_so(lambda: "overtaken" in alarms(node), "the alarm")
            withdrawal = trader.withdraw(0, OWNERS[0], USD, 4_000)
            assert await refused(rpc, "private/withdraw", withdrawal) == StoppedServing.code
    async with serve(options(site, tmp_path)) as node, connect_ws(node.address.ws_url) as rpc:
        signatures.watch(node)
        assert await refused(rpc, "private/withdraw", withdrawal) == StoppedServing.code
        await rival.post(await rival.block())
        await until_so(lambda: node.sequencer.store.committed == common + 2, "the rival's second block")
        assert await refused(rpc, "private/withdraw", withdrawal) == StoppedServing.code
        await rival.post(await rival.block())
        await until_so(lambda: node.sequencer.watcher.may_build, "the end of the wait")
        assert "overtaken" not in alarms(node)
        await rpc.call("private/withdraw", withdrawal)
        await posted(node)
        root = node.sequencer.store.root
    await signatures.check()
    assert (await derive(site)).root == root


async def test_a_rivals_fraud_stops_the_sequencer_until_it_is_reverted_even_if_l1_fails_meanwhile(
    site: Site, tmp_path: Path
) -> None:
    """Nobody can build on a wrong batch; L1 may go down in the middle of the wait."""
    accounts = await open_accounts(site, OWNERS)
    signatures = Signatures(site)
    async with relay_to(site.url) as relay:
        given = options(site, tmp_path, l1_url=relay.url)
        async with serve(given) as node, connect_ws(node.address.ws_url) as rpc:
            signatures.watch(node)
            trader = await funded(rpc, accounts)
            await posted(node)
            head = node.sequencer.store.committed
            await silence(site)
            rival = rival_of(site, node)
            await rival.post(await rival.block(), with_root(await rival.block(rival.transfer(0, 1, USD)), LIE))
            await until_so(lambda: "fraud" in alarms(node), "the alarm")
            withdrawal = trader.withdraw(0, OWNERS[0], USD, 2_000)
            assert await refused(rpc, "private/withdraw", withdrawal) == StoppedServing.code
            relay.cut()
            await until_so(lambda: "watch" in alarms(node), "the alarm about L1")
            await revert_fraud(site)
            relay.mend()
            await until_so(lambda: node.sequencer.watcher.may_build, "service")
            assert (node.sequencer.exchange.status().fork, node.sequencer.store.committed) == (1, head)
            await rpc.call("private/withdraw", withdrawal)
            await posted(node)
            root = node.sequencer.store.root
    assert (await derive(site)).root == root
    assert signatures.once()


async def test_a_fraud_is_not_made_final_by_an_honest_sequencer_however_late_it_is(site: Site, tmp_path: Path) -> None:
    """Its window is over with that of the good batch before it, which alone becomes final."""
    accounts = await open_accounts(site, OWNERS)
    async with serve(options(site, tmp_path, finalise=False)) as node, connect_ws(node.address.ws_url) as rpc:
        await funded(rpc, accounts)
        await posted(node)
        await silence(site)
        rival = rival_of(site, node)
        await rival.post(await rival.block(rival.transfer(0, 1, USD)))
        good = await site.contract("Rollup").call("batchCount") - 1
        await rival.post(with_root(await rival.block(rival.transfer(0, 1, USD)), LIE))
        await until_so(lambda: "fraud" in alarms(node), "the alarm")
        await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
        await dev.mine(site.l1)
        batcher = RollupContract(site.l1, site.deployment.rollup)
        known = StoredBlocks(node.sequencer.store.records, lambda: 0).batch_hash
        assert await finalise_due(batcher, site.account(SEQUENCER), known) == good
        assert await finalise_due(batcher, site.account(SEQUENCER), known) is None
        await revert_fraud(site)
        await until_so(lambda: node.sequencer.exchange.status().fork == 1, "the reversion")


async def test_a_fraud_that_came_and_went_unseen_still_moves_the_fork(site: Site, tmp_path: Path) -> None:
    """Blocks of the old fork could never be posted."""
    accounts = await open_accounts(site, OWNERS)
    async with relay_to(site.url) as relay:
        given = options(site, tmp_path, l1_url=relay.url)
        async with serve(given) as node, connect_ws(node.address.ws_url) as rpc:
            trader = await funded(rpc, accounts)
            await posted(node)
            relay.cut()
            await silence(site)
            rival = rival_of(site, node)
            await rival.post(with_root(await rival.block(rival.transfer(0, 1, USD)), LIE))
            await revert_fraud(site)
            relay.mend()
            await until_so(lambda: node.sequencer.exchange.status().fork == 1, "the new fork")
            await rpc.call("private/withdraw", trader.withdraw(0, OWNERS[0], USD, 2_000))
            await posted(node)
            root = node.sequencer.store.root
    assert (await derive(site)).root == root
