"""Gas is spent only on what both twins say; what cannot be proven is an alarm."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest

from challenger.defence import Defender
from challenger.prove import prepare_proof, send_proof
from challenger.rewards import Bounties
from challenger.status import Status
from challenger.worker import open_worker
from rollup.derive.fraud import Fraud
from rollup.errors import L1Reverted
from rollup.l1.artifacts import load_artifact
from rollup.types.reasons import Reason
from tests.challenger.life import Heard, nonces
from tests.support.deployed import CHALLENGER, SECOND_CHALLENGER, Site
from tests.support.derived import derive
from tests.support.frauds import LIE
from tests.support.poster import Poster, with_root


@dataclass
class Post:
    """A defender by itself, and the fraud that it is to prove."""

    defender: Defender
    fraud: Fraud
    status: Status
    heard: Heard


@pytest.fixture
async def post(site: Site, poster: Poster) -> AsyncIterator[Post]:
    """A wrong root stands on L1 in the second block of the first batch."""
    await poster.post(await poster.block(), with_root(await poster.block(poster.trade()), LIE))
    pipeline = await derive(site)
    await pipeline.advance()
    fraud = pipeline.replica.fraud
    assert fraud is not None
    rollup, account, heard = site.contract("Rollup"), site.account(CHALLENGER), Heard()
    status, bounties = Status("", "defend"), Bounties(pipeline.replica.store, rollup, account)
    separator = pipeline.replica.origin.separator
    async with open_worker(load_artifact("Verifier").deployed_bytecode) as worker:
        yield Post(Defender(rollup, account, worker, separator, bounties, status, heard), fraud, status, heard)


def with_broken_witness(fraud: Fraud) -> Fraud:
    """A proof that the verifier refuses."""
    return replace(fraud, witness=fraud.witness + b"\0")


DISTORTIONS: dict[str, Callable[[Fraud], Fraud]] = {
    "another right root": lambda fraud: replace(fraud, root=b"\x33" * 32),
    "another reason": lambda fraud: replace(fraud, reason=Reason.MARGIN, index=2, root=b""),
    "the claimed root": lambda fraud: replace(fraud, root=LIE),
    "a broken witness": with_broken_witness,
}


@pytest.mark.parametrize("distortion", DISTORTIONS)
async def test_what_the_verifier_does_not_confirm_is_an_alarm_and_not_sent(
    site: Site, post: Post, distortion: str
) -> None:
    """Replay alone never spends gas; and the same fraud is not judged twice."""
    doubtful = DISTORTIONS[distortion](post.fraud)
    for _ in range(2):
        post.status.alarm = ""
        await post.defender.act(doubtful, finalised=0)
        assert post.status.alarm.startswith("fraud without a proof")
    assert await nonces(site, CHALLENGER) == [0]
    await post.defender.act(post.fraud, finalised=0)
    assert len(post.heard.all("fraud_reverted")) == 1


async def test_a_reverted_fraud_is_not_proven_again(site: Site, post: Post) -> None:
    """Also if derivation has not seen the reversion yet."""
    for _ in range(3):
        await post.defender.act(post.fraud, finalised=0)
    assert await nonces(site, CHALLENGER) == [1]
    (told,) = post.heard.all("fraud_reverted")
    assert (told["batch"], told["position"], told["fork"]) == (1, 1, 1)
    assert post.status.proofs == [told]
    receipt = await site.l1.get_receipt(bytes.fromhex(told["transaction"][2:]))
    assert receipt is not None
    assert receipt.gas_used == told["gas"]


async def test_a_proof_that_comes_too_late_is_no_error(site: Site, post: Post) -> None:
    """Another challenger's transaction was mined first."""
    defender, rollup = post.defender, site.contract("Rollup")
    proof = await prepare_proof(rollup, defender._worker, defender._separator, post.fraud)
    assert await send_proof(rollup, site.account(SECOND_CHALLENGER), proof) is not None
    assert await send_proof(rollup, site.account(CHALLENGER), proof) is None


async def test_a_proof_that_l1_refuses_is_an_error_while_the_fraud_stands(site: Site, post: Post) -> None:
    """The caller must not believe that it is gone."""
    defender, rollup = post.defender, site.contract("Rollup")
    proof = await prepare_proof(rollup, defender._worker, defender._separator, post.fraud)
    with pytest.raises(L1Reverted):
        await send_proof(rollup, site.account(CHALLENGER), replace(proof, calldata=proof.calldata[:-32]))
    assert await rollup.call("batchCount") == 2
