"""Commit and reveal: a copied proof earns nothing, and no commitment is worth a fraud that stays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import trio

from challenger.commitment import BLOCKS, HASTE_SECONDS, Commitment, Commitments, verdict_of
from challenger.execute import Verdict
from challenger.prove import Proof, encode_proof
from rollup.derive.fraud import Fraud
from rollup.l1 import dev
from rollup.l1.client import L1Client
from rollup.l1.devkeys import dev_address
from rollup.l1.values import Fees
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from tests.challenger.life import PATIENCE, challenging, nonces, until
from tests.support.censor import Censor, censoring
from tests.support.deployed import (
    CHALLENGER,
    DISPUTE_WINDOW,
    ETHER,
    REWARD_DELAY,
    SECOND_CHALLENGER,
    Site,
)
from tests.support.derived import derive
from tests.support.frauds import LIE, fouls
from tests.support.poster import Poster, with_root
from tests.support.relay import relay_to

COPIER = SECOND_CHALLENGER
HIGH = Fees(max_fee=500 * 10**9, max_priority_fee=100 * 10**9)


async def bounty(site: Site, poster: bytes) -> tuple[bytes, int]:
    """Who holds the bounty on a poster, and since which L1 block."""
    found = await site.contract("Rollup").call("bountyOf", poster)
    return found[0], found[4]


async def post_fraud(site: Site, poster: Poster) -> Fraud:
    """A wrong root on L1, as replay sees it."""
    await poster.post(with_root(await poster.block(poster.trade()), LIE))
    pipeline = await derive(site)
    await pipeline.advance()
    fraud = pipeline.replica.fraud
    assert fraud is not None
    return fraud


async def copy_of_the_proof(site: Site, fraud: Fraud) -> None:
    """Somebody else proves it."""
    rollup = site.contract("Rollup")
    await site.account(COPIER).transact(rollup.address, encode_proof(rollup, fraud))


async def let_delay_pass(site: Site) -> None:
    """The reward's delay is over."""
    await dev.increase_time(site.l1, REWARD_DELAY + 1)
    await dev.mine(site.l1)


@pytest.mark.parametrize("kind", ["wrong root", "forged signature"])
async def test_a_verdict_is_committed_to_proven_revealed_and_paid(
    site: Site, poster: Poster, tmp_path: Path, kind: str
) -> None:
    """Four transactions in this order; the claim dates from the commitment, before the proof."""
    await poster.post(await poster.block())
    async with challenging(site, tmp_path, CHALLENGER, commit=True) as (challenger, heard):
        wrong = with_root(await poster.block(poster.trade()), LIE)
        await poster.post(wrong if kind == "wrong root" else (await fouls(poster))[kind].block)
        revealed = await heard.wait("revealed")
        assert revealed["poster"] == site.account(poster.key).address
        (committed,) = heard.all("committed")
        (reverted,) = heard.all("fraud_reverted")
        proven = await site.l1.get_receipt(bytes.fromhex(reverted["transaction"][2:]))
        assert proven is not None
        assert committed["l1_block"] < proven.block_number
        assert await bounty(site, revealed["poster"]) == (dev_address(CHALLENGER), committed["l1_block"])
        await let_delay_pass(site)
        assert (await heard.wait("reward_claimed"))["wei"] == ETHER // 2
        assert await nonces(site, CHALLENGER) == [4]
        assert challenger.status.alarm == ""
    names = [name for name, _ in heard.events if name in ("committed", "fraud_reverted", "revealed", "reward_claimed")]
    assert names == ["committed", "fraud_reverted", "revealed", "reward_claimed"]


async def test_without_being_asked_nothing_is_committed(site: Site, poster: Poster, tmp_path: Path) -> None:
    """The plain way is one transaction."""
    await poster.post(with_root(await poster.block(), LIE))
    async with challenging(site, tmp_path, CHALLENGER) as (_, heard):
        await heard.wait("fraud_reverted")
        assert await nonces(site, CHALLENGER) == [1]
    assert not heard.all("committed")


async def until_pending(site: Site, key: int, count: int) -> None:
    """Wait until so many transactions of this account are mined or in L1's pool."""
    with trio.fail_after(PATIENCE):
        while await site.l1.get_nonce(site.account(key).address, "pending") < count:  # noqa: ASYNC110 - no event
            await trio.sleep(0.005)


async def outrun(site: Site, fraud: Fraud) -> None:
    """Let the commitment be mined, wait for the proof in the pool, and have a dearer copy of it mined first."""
    rollup = site.contract("Rollup")
    await until_pending(site, CHALLENGER, 1)
    await dev.mine(site.l1)
    await until_pending(site, CHALLENGER, 2)
    await site.account(COPIER).send(rollup.address, encode_proof(rollup, fraud), fees=HIGH, gas=1 << 24)
    await dev.mine(site.l1)
    assert (await bounty(site, fraud.batch.poster))[0] == dev_address(COPIER)
    await dev.set_automine(site.l1, enabled=True)


async def test_who_copies_the_proof_out_of_the_pool_loses_the_bounty(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """The copy pays more and is mined first; the reveal takes the bounty over."""
    fraud = await post_fraud(site, poster)
    await dev.set_automine(site.l1, enabled=False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outrun, site, fraud)
        async with challenging(site, tmp_path, CHALLENGER, commit=True) as (_, heard):
            await heard.wait("revealed")
            assert (await bounty(site, fraud.batch.poster))[0] == dev_address(CHALLENGER)
            await let_delay_pass(site)
            assert (await heard.wait("reward_claimed"))["wei"] == ETHER // 2
    assert not heard.all("fraud_reverted")


async def mine_without(site: Site, censor: Censor) -> None:
    """Once a commitment was lost, L1 goes on for as long as one may take."""
    await until(lambda: censor.caught)
    await dev.mine(site.l1, BLOCKS + 1)


@pytest.mark.parametrize("refuses", [False, True])
async def test_a_commitment_that_is_not_mined_does_not_hold_up_the_proof(
    site: Site, poster: Poster, tmp_path: Path, refuses: bool
) -> None:
    """The node loses or refuses every commitment: after so many L1 blocks the fraud is proven without."""
    fraud = await post_fraud(site, poster)
    selector = site.contract("Rollup").abi.function("commit").selector
    async with censoring(site.url, selector, refuses=refuses) as censor, trio.open_nursery() as nursery:
        nursery.start_soon(mine_without, site, censor)
        behind = replace(site, url=censor.url)
        async with challenging(behind, tmp_path, CHALLENGER, commit=True) as (_, heard):
            await heard.wait("fraud_reverted")
        assert censor.caught
    assert not heard.all("committed")
    assert await site.contract("Rollup").call("batchCount") == 1
    assert (await bounty(site, fraud.batch.poster))[0] == dev_address(CHALLENGER)


@dataclass
class Desk:
    """Commitments by themselves, and the proof that they are to."""

    commitments: Commitments
    proof: Proof
    store: StateStore

    async def reveal(self, standing: Fraud | None = None) -> int:
        """How many were revealed."""
        return len([each async for each in self.commitments.reveal_due(standing)])


async def open_desk(site: Site, fraud: Fraud, *, index: int = 0) -> Desk:
    """A committer, whose proof is what the verifier would say."""
    store = StateStore.in_memory(ChainIdentity(site.deployment.chain_id, site.deployment.rollup))
    commitments = Commitments(store, site.contract("Rollup"), site.account(CHALLENGER), blocks=2)
    return Desk(commitments, Proof(fraud, b"", Verdict(int(fraud.reason), index, fraud.root, 0)), store)


async def test_the_hashes_are_those_of_the_contract(site: Site, poster: Poster) -> None:
    """Verdict and commitment, for a verdict with every field."""
    fraud, rollup = await post_fraud(site, poster), site.contract("Rollup")
    proof = Proof(replace(fraud, position=3), b"", Verdict(42, 5, b"\x07" * 32, 0))
    verdict = await rollup.call("verdictHash", fraud.batch.hash, 3, 42, 5, b"\x07" * 32)
    assert verdict_of(proof) == verdict
    salted = Commitment(fraud.batch.poster, fraud.batch.hash, verdict, b"\x08" * 32)
    committer = dev_address(CHALLENGER)
    assert salted.hash_of(committer) == await rollup.call("commitmentOf", committer, b"\x08" * 32, verdict)


async def test_a_second_life_goes_on_with_the_commitment_of_the_first(site: Site, poster: Poster) -> None:
    """The salt was saved before it was needed; nothing is sent twice; while the fraud stands nothing is forgotten."""
    fraud = await post_fraud(site, poster)
    desk = await open_desk(site, fraud)
    block = await desk.commitments.make(desk.proof)
    again = Commitments(desk.store, site.contract("Rollup"), site.account(CHALLENGER))
    assert await again.make(desk.proof) == block
    assert await nonces(site, CHALLENGER) == [1]
    assert await desk.reveal(fraud) == 0
    assert again.all() == desk.commitments.all() != []
    await copy_of_the_proof(site, fraud)
    assert await Desk(again, desk.proof, desk.store).reveal() == 1
    assert await bounty(site, fraud.batch.poster) == (dev_address(CHALLENGER), block)
    assert again.all() == []
    assert await desk.reveal() == 0


async def test_what_gives_no_right_is_forgotten_and_not_revealed(site: Site, poster: Poster) -> None:
    """A commitment to another verdict, and one that came after the proof."""
    fraud = await post_fraud(site, poster)
    wrong, late = await open_desk(site, fraud, index=9), await open_desk(site, fraud)
    assert await wrong.commitments.make(wrong.proof) is not None
    await copy_of_the_proof(site, fraud)
    committed = late.commitments._remember(late.proof).hash_of(dev_address(CHALLENGER))
    await site.contract("Rollup").transact(site.account(CHALLENGER), "commit", committed)
    for desk in (wrong, late):
        assert await desk.reveal() == 0
        assert desk.commitments.all() == []
    assert (await bounty(site, fraud.batch.poster))[0] == dev_address(COPIER)
    assert await nonces(site, CHALLENGER) == [2]


async def test_after_the_delay_nothing_is_revealed(site: Site, poster: Poster) -> None:
    """L1 would refuse it."""
    fraud = await post_fraud(site, poster)
    desk = await open_desk(site, fraud)
    await desk.commitments.make(desk.proof)
    await copy_of_the_proof(site, fraud)
    await let_delay_pass(site)
    assert await desk.reveal() == 0
    assert await nonces(site, CHALLENGER) == [1]


async def test_at_the_end_of_the_dispute_window_nothing_is_risked_for_the_reward(site: Site, poster: Poster) -> None:
    """The proof goes out at once."""
    fraud = await post_fraud(site, poster)
    desk = await open_desk(site, fraud)
    await dev.increase_time(site.l1, DISPUTE_WINDOW - HASTE_SECONDS + 5)
    await dev.mine(site.l1)
    assert await desk.commitments.make(desk.proof) is None
    assert await nonces(site, CHALLENGER) == [0]
    assert await site.l1.get_nonce(dev_address(CHALLENGER), "pending") == 0


async def test_an_l1_that_cannot_be_reached_is_no_reason_to_fail(site: Site, poster: Poster) -> None:
    """The proof tells of it by itself."""
    fraud = await post_fraud(site, poster)
    async with relay_to(site.url) as relay, L1Client(relay.url) as l1:
        desk = await open_desk(replace(site, l1=l1), fraud)
        relay.cut()
        assert await desk.commitments.make(desk.proof) is None
