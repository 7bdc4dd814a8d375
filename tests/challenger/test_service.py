"""The whole challenger against the real contracts and a dishonest poster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import trio

from challenger.prove import encode_proof
from challenger.rewards import Bounties
from challenger.service import Challenger
from challenger.status import read_status
from rollup.l1 import dev
from tests.challenger.life import challenging, nonces, until, until_sent
from tests.support.deployed import (
    CHALLENGER,
    DISPUTE_WINDOW,
    ETHER,
    REWARD_DELAY,
    RIVAL,
    SECOND_CHALLENGER,
    Site,
)
from tests.support.frauds import LIE, fouls, post_variety, stake_again
from tests.support.poster import Poster, with_root
from tests.support.relay import relay_to


async def let_delay_pass(site: Site) -> None:
    """The reward's delay is over."""
    await dev.increase_time(site.l1, REWARD_DELAY + 1)
    await dev.mine(site.l1)


async def test_honest_batches_are_audited_and_nothing_is_sent(site: Site, poster: Poster, tmp_path: Path) -> None:
    """The verifier's bytecode judges every block of a varied history as replay does."""
    before = await nonces(site, CHALLENGER)
    async with challenging(site, tmp_path, CHALLENGER, audit_ppm=1_000_000) as (challenger, heard):
        await post_variety(poster)
        await heard.wait("batch_verified", 3)
        tally = challenger.auditor.tally
        await until(lambda: tally.audited == 6)
        assert (tally.disagreements, tally.skipped, tally.failed) == ([], 0, 0)
        assert tally.gas > 6 * 100_000
        assert challenger.pipeline.replica.store.root == poster.root
        await until(lambda: read_status(tmp_path)["audited"] == 6)
    assert await nonces(site, CHALLENGER) == before
    assert heard.names == {"batch_verified"}
    status = read_status(tmp_path)
    assert (status["batch"], status["block"], status["fraud"], status["alarm"]) == (3, 6, None, "")
    assert status["state_root"] == "0x" + poster.root.hex()
    assert status["disagreements"] == []


async def test_every_kind_of_fraud_is_reverted_by_one_transaction(site: Site, poster: Poster, tmp_path: Path) -> None:
    """One challenger lives through all of them; each time the next honest batch follows, and the reward is claimed."""
    await poster.post(await poster.block())
    names = list(await fouls(poster))
    async with challenging(site, tmp_path, CHALLENGER) as (challenger, heard):
        for count, name in enumerate(names, 1):
            foul = (await fouls(poster))[name]
            (before,) = await nonces(site, CHALLENGER)
            await poster.post(foul.block)
            reverted = await heard.wait("fraud_reverted", count)
            expected = foul.reason.name if foul.reason else "WRONG_ROOT"
            assert (reverted["reason"], reverted["fork"]) == (expected, count), name
            assert reverted["gas"] < 1 << 24
            assert await nonces(site, CHALLENGER) == [before + 1], name
            await let_delay_pass(site)
            assert (await heard.wait("reward_claimed", count))["wei"] == ETHER // 2
            assert await nonces(site, CHALLENGER) == [before + 2], name
            await stake_again(site, poster)
            await poster.post(await poster.block(poster.trade()))
            assert (await heard.wait("batch_verified", count + 1))["batch"] == count + 1
        assert challenger.pipeline.replica.store.root == poster.root
        assert challenger.status.alarm == ""
    assert [e["reason"] for e in heard.all("fraud_found")] == [e["reason"] for e in heard.all("fraud_reverted")]
    assert not heard.all("fraud_gone")


async def test_of_two_fraudulent_batches_the_earliest_is_proven(site: Site, poster: Poster, tmp_path: Path) -> None:
    """One transaction removes both; the honest block before the wrong one in its batch goes with it."""
    honest = await poster.block()
    await poster.post(honest)
    kept = poster.root
    await poster.post(await poster.block(poster.trade()), with_root(await poster.block(poster.withdraw(0, 1)), LIE))
    await poster.post(await poster.forge(root=b"\x11" * 32))
    async with challenging(site, tmp_path, CHALLENGER) as (challenger, heard):
        reverted = await heard.wait("fraud_reverted")
        assert (reverted["batch"], reverted["position"]) == (2, 1)
        await until(lambda: challenger.pipeline.replica.fraud is None)
        assert challenger.pipeline.replica.store.root == kept
    assert len(heard.all("fraud_found")) == 1
    assert await site.contract("Rollup").call("batchCount") == 2
    assert await site.contract("Rollup").call("fork") == 1


async def test_watching_tells_and_sends_nothing(site: Site, poster: Poster, tmp_path: Path) -> None:
    """Without a key fraud is reported, with the verdict, and stands."""
    await poster.post(await poster.block())
    every = range(8)
    async with challenging(site, tmp_path) as (challenger, heard):
        foul = (await fouls(poster))["forged signature"]
        await poster.post(foul.block)
        before = await nonces(site, *every)
        found = await heard.wait("fraud_found")
        assert (found["batch"], found["reason"], found["index"]) == (2, "SIGNATURE_INVALID", 2)
        assert found["right_root"] is None
        for _ in range(3):
            await challenger.step()
        assert await nonces(site, *every) == before
        challenger.report()
        assert read_status(tmp_path)["fraud"] == found
        assert read_status(tmp_path)["mode"] == "watch"
    assert len(heard.all("fraud_found")) == 1
    assert await site.contract("Rollup").call("batchCount") == 3


async def test_a_restart_between_fraud_and_proof_loses_nothing(site: Site, poster: Poster, tmp_path: Path) -> None:
    """The first life only watched; the second proves on the same folder; the third claims the reward."""
    await poster.post(await poster.block())
    async with challenging(site, tmp_path) as (_, heard):
        await poster.post(with_root(await poster.block(poster.trade()), LIE))
        await heard.wait("fraud_found")
    async with challenging(site, tmp_path, CHALLENGER) as (_, heard):
        await heard.wait("fraud_reverted")
        assert not heard.all("batch_verified")
    await let_delay_pass(site)
    async with challenging(site, tmp_path, CHALLENGER) as (challenger, heard):
        assert (await heard.wait("reward_claimed"))["wei"] == ETHER // 2
        assert challenger.pipeline.replica.batch == 1
    assert heard.names == {"reward_claimed"}


async def test_a_proof_that_was_sent_and_not_noticed_is_still_rewarded(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """A crash right after sending: the next life finds no fraud any more, and claims what is due."""
    await poster.post(with_root(await poster.block(), LIE))
    with pytest.raises(BaseExceptionGroup):
        async with challenging(site, tmp_path) as (challenger, _):
            await prove_and_crash(site, challenger)
    await let_delay_pass(site)
    async with challenging(site, tmp_path, CHALLENGER) as (_, heard):
        await heard.wait("reward_claimed")


async def prove_and_crash(site: Site, challenger: Challenger) -> None:
    """What a defender does up to the moment its proof is mined."""
    store, fraud = challenger.pipeline.replica.store, challenger.pipeline.replica.fraud
    assert fraud is not None
    rollup, account = site.contract("Rollup"), site.account(CHALLENGER)
    Bounties(store, rollup, account).expect(fraud.batch.poster)
    await account.transact(rollup.address, encode_proof(rollup, fraud))
    raise KeyError("the crash")


async def test_two_challengers_prove_at_once_and_one_is_too_late(site: Site, poster: Poster, tmp_path: Path) -> None:
    """Both proofs wait in L1's pool; the second reverts, and both challengers live on."""
    await poster.post(await poster.block())
    async with (
        challenging(site, tmp_path / "a", CHALLENGER) as (first, heard_a),
        challenging(site, tmp_path / "b", SECOND_CHALLENGER) as (second, heard_b),
    ):
        wrong = with_root(await poster.block(poster.trade()), LIE), await poster.forge(root=LIE)
        await dev.set_automine(site.l1, enabled=False)  # before there is anything to prove
        async with trio.open_nursery() as nursery:
            nursery.start_soon(poster.post, *wrong)
            await until_sent(site, poster.key)
            await dev.mine(site.l1)
        await until(lambda: heard_a.all("fraud_found") and heard_b.all("fraud_found"))
        await until_sent(site, CHALLENGER, SECOND_CHALLENGER)
        await dev.mine(site.l1)
        await dev.set_automine(site.l1, enabled=True)
        for each in (first, second):
            await until_fork(each)
        reverted = [*heard_a.all("fraud_reverted"), *heard_b.all("fraud_reverted")]
        await until(lambda: len([*heard_a.all("fraud_gone"), *heard_b.all("fraud_gone")]) == 1)
        assert len(reverted) == 1
        assert await nonces(site, CHALLENGER, SECOND_CHALLENGER) == [1, 1]
        await let_delay_pass(site)
        await until(lambda: len([*heard_a.all("reward_claimed"), *heard_b.all("reward_claimed")]) == 1)
        assert (first.status.alarm, second.status.alarm) == ("", "")


async def until_fork(challenger: Challenger) -> None:
    """Wait until the challenger has seen a reversion."""
    await until(lambda: challenger.pipeline.follower.chain.fork == 1)


async def test_a_reward_is_found_on_l1_if_the_folder_is_lost(site: Site, poster: Poster, tmp_path: Path) -> None:
    """L1 remembers whose proof it was."""
    await poster.post(with_root(await poster.block(), LIE))
    async with challenging(site, tmp_path / "a", CHALLENGER) as (_, heard):
        await heard.wait("fraud_reverted")
    await let_delay_pass(site)
    async with challenging(site, tmp_path / "b", CHALLENGER) as (_, heard):
        await heard.wait("reward_claimed")
    async with challenging(site, tmp_path / "c", CHALLENGER) as (challenger, heard):
        await challenger.step()
    assert not heard.names


async def test_an_outage_of_l1_is_an_alarm_and_nothing_is_lost(site: Site, poster: Poster, tmp_path: Path) -> None:
    """While the node cannot be reached fraud is posted; afterwards it is found and reverted."""
    await poster.post(await poster.block())
    async with relay_to(site.url) as relay:
        behind = replace(site, url=relay.url)
        async with challenging(behind, tmp_path, CHALLENGER) as (challenger, heard):
            relay.cut()
            await until(lambda: challenger.status.alarm)
            await until(lambda: relay.refused)
            assert not heard.all("fraud_found")
            await poster.post((await fouls(poster))["forged signature"].block)
            relay.mend()
            await heard.wait("fraud_reverted")
            await until(lambda: not challenger.status.alarm and challenger.pipeline.replica.fraud is None)
    assert challenger.pipeline.follower.chain.fork == 1


async def test_a_fraud_that_became_final_is_an_alarm(site: Site, poster: Poster, tmp_path: Path) -> None:
    """Nobody was there in time; the challenger says so and sends nothing."""
    await poster.post(with_root(await poster.block(), LIE))
    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await site.contract("Rollup").transact(site.account(RIVAL), "finalise", 1)
    async with challenging(site, tmp_path, CHALLENGER) as (challenger, _):
        assert "too late" in challenger.status.alarm
        assert read_status(tmp_path)["fraud"]["batch"] == 1
    assert await nonces(site, CHALLENGER) == [0]
