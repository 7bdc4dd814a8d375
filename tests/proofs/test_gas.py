"""However much gas a proof gets, it ends in the true verdict or in none: the 63/64 rule gives liars nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from challenger.execute import Verifier
from rollup.errors import L1Refused, L1Reverted, ProofFault
from rollup.l1.limits import MAX_TX_GAS, floor_gas
from rollup.types.reasons import Reason
from rollup.types.transactions import Trade, Transaction
from tests.bounds.blocks import KINDS
from tests.differential import world as w
from tests.differential.cases import LOT, buy, sell
from tests.differential.twins import Proof, fast_verifier, make_proof, verify
from tests.differential.world import SEPARATOR, make_world
from tests.proofs.stage import Stage, Standing, set_stage
from tests.support.deployed import CHALLENGER, Site
from tests.support.prover import SHORT, HonestBlock, try_to_prove

POINTS: Final = 1_500
"""Amounts of gas that a scan tries."""


def signed_block(*more: Transaction) -> Proof:
    """Two dozen recoveries: at each the gas can run out within the precompile, which must not pass for a reason."""
    world = make_world(feeders=8)
    world.set_underlying(w.BTC, time=w.NOW - 30)
    prices = [w.oracle_update(w.BTC, w.NOW - 20 + n, w.BTC_MARK, w.BTC_MARK, range(8)) for n in range(2)]
    return make_proof(world, [*prices, Trade(buy(), sell(), LOT), w.withdraw(2, 1, 1), w.cancel(3, 9), *more])


def judge(verifier: Verifier, proof: Proof, gas: int) -> tuple[int, int, bytes] | None:
    """The verdict with so much gas; None if it did not suffice. Any other refusal fails the test."""
    try:
        verdict = verifier.verify(proof.header, proof.txs, proof.messages, proof.witness, SEPARATOR, gas=gas)
    except ProofFault as fault:
        if fault.name not in SHORT:
            raise
        return None
    return verdict.reason, verdict.index, verdict.post_root


@pytest.mark.parametrize("kind", ["honest", "wrong root", "invalid"])
def test_verdict_does_not_depend_on_gas(kind: str) -> None:
    """At every point of a fine scan, and around the last one that does not suffice, unit by unit."""
    proof = signed_block(w.withdraw(2, 1, 1)) if kind == "invalid" else signed_block()
    if kind == "wrong root":
        proof = replace(proof, header=replace(proof.header, state_root=bytes(32)))
    needed = verify(proof, fast_verifier()).gas_used
    true = (proof.result.reason, proof.result.index, proof.root)
    assert proof.result.reason == (Reason.NONCE_STALE if kind == "invalid" else Reason.NONE)
    verdicts = {gas: judge(fast_verifier(), proof, gas) for gas in range(0, 2 * needed, 2 * needed // POINTS)}
    assert set(verdicts.values()) == {None, true}
    first = min(gas for gas, verdict in verdicts.items() if verdict)
    assert all(verdict for gas, verdict in verdicts.items() if gas >= first)
    edge = [judge(fast_verifier(), proof, gas) for gas in range(needed - 400, needed + 400)]
    assert set(edge) <= {None, true}


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.reason == Reason.NONE])
def test_worst_honest_blocks_survive(name: str) -> None:
    """The heaviest blocks, where shortages are likeliest, against a sample of all attempts."""
    proof = KINDS[name].make()
    block = HonestBlock(proof.header, proof.txs, proof.messages, proof.witness)
    assert try_to_prove(block, SEPARATOR, attempts=30).attempts == 31


async def test_honest_block_survives_any_gas_limit(any_site: Site) -> None:
    """Real transactions, from the least that L1 takes to the most, most of them about where the gas just suffices."""
    stage = await set_stage(any_site)
    before = await stage.standing()
    standing = stage.blocks[-2]
    assert len(standing.block.txs) > 200
    least = floor_gas(stage.calldata(standing.place, standing.block.evidence))
    enough = await least_sufficient(stage, standing, least)
    near = [enough - 1, enough, enough * 63 // 64, enough * 64 // 63, enough - 3_000, enough + 3_000]
    between = [least + (enough - least) * i // 10 for i in range(10)]
    for gas in sorted({*near, *between, MAX_TX_GAS}):
        assert not await stage.send(standing.place, standing.block.evidence, gas)
    assert await stage.standing() == before


async def least_sufficient(stage: Stage, standing: Standing, low: int) -> int:
    """The least gas with which the verifier gets to the end and the proof is refused on its merits."""
    high = 4_000_000
    while high - low > 1:
        middle = (low + high) // 2
        if await refused_on_merits(stage, standing, middle):
            high = middle
        else:
            low = middle
    return high


async def refused_on_merits(stage: Stage, standing: Standing, gas: int) -> bool:
    """Whether so much gas leads to BlockValid rather than to nothing; anything else fails the test."""
    data = stage.calldata(standing.place, standing.block.evidence)
    sender = stage.site.account(CHALLENGER).address
    try:
        await stage.site.l1.call(stage.rollup.address, data, sender=sender, gas=gas)
    except L1Reverted as error:
        if error.name not in SHORT | {"BlockValid"}:
            raise
        return error.name == "BlockValid"
    except L1Refused:
        return False
    raise AssertionError(f"an honest block was proven wrong with {gas} gas")
