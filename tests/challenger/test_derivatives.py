"""Options, futures and liquidation in dispute: wrong blocks are proven by the verifier, right ones by nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import trio

from challenger.audit import Auditor
from challenger.execute import VerifierEvm
from challenger.metrics import Metrics
from challenger.status import Status
from challenger.worker import EvmWorker, open_worker
from rollup.derive.chain import DerivedBlock
from rollup.derive.fraud import Fraud
from rollup.l1.artifacts import load_artifact
from rollup.stf import meters
from rollup.stf.block import BlockResult
from rollup.stf.receipts import (
    Combo,
    Deleveraged,
    Fill,
    Liquidated,
    Looked,
    Settled,
)
from rollup.types.reasons import Reason
from rollup.types.transactions import Flag, Settle
from tests.challenger.life import until
from tests.stf.venue import bid
from tests.stf.world import SEPARATOR
from tests.support.acts import ACTS, COIN, REASONS, expire, trade_combo
from tests.support.dishonest import dishonest, verdict
from tests.support.pit import CALL, FAR_CALL, FUTURE, PERP, PUT, P, Pit, pit, pit_genesis
from tests.support.prover import HonestBlock, try_to_prove

Found = tuple[DerivedBlock, BlockResult, bytes]


@dataclass
class Blocks:
    """Blocks that a replica found right, with their witnesses, and the fraud that it met."""

    found: list[Found] = field(default_factory=list)
    fraud: Fraud | None = None


def judged(desk: Pit) -> Blocks:
    """What a replica says of all blocks of a desk."""
    blocks = Blocks()
    blocks.fraud = verdict(desk, pit_genesis().leaves(), lambda *found: blocks.found.append(found))
    return blocks


@pytest.fixture(scope="module")
def evm() -> VerifierEvm:
    """The committed verifier and pricer in py-evm."""
    return VerifierEvm(load_artifact("Verifier").deployed_bytecode)


@pytest.fixture
async def worker() -> AsyncIterator[EvmWorker]:
    """The same in a process of its own."""
    async with open_worker(load_artifact("Verifier").deployed_bytecode) as opened:
        yield opened


@pytest.mark.parametrize("fault", REASONS)
def test_the_verifier_sees_what_replay_saw_of_each_fault(fault: str, evm: VerifierEvm) -> None:
    """Reason, index and root are the same, on the witness that replay made: such a proof is sent."""
    with dishonest(fault, pit()) as desk:
        ACTS[fault](desk)
        desk.flush()
    fraud = judged(desk).fraud
    assert fraud is not None
    assert fraud.describe()["reason"] == (REASONS[fault].name if REASONS[fault] else "WRONG_ROOT")
    found = evm.verify(fraud.block.header, fraud.block.txs, fraud.block.messages, fraud.witness, SEPARATOR)
    assert (found.reason, found.index if found.reason else 0) == (fraud.reason, fraud.index)
    assert found.post_root == (fraud.root or bytes(32))
    assert found.post_root != fraud.block.header.state_root


def busy_day() -> Pit:
    """Every kind of transaction that came with derivatives, in blocks of an honest desk."""
    desk = pit()
    trade_combo(desk)
    for market in (PERP, FUTURE, CALL, FAR_CALL, PUT):
        desk.trade(2, 3, market, COIN)
        desk.flush()
    desk.trade(4, 5, FUTURE, 9_700_000)
    desk.flush()
    desk.now(P * 91 // 100, 60)
    desk.look()  # flags 4
    desk.submit(bid(4, 0, 50, fraction=100_000))
    desk.flush()
    desk.crash(P * 65 // 100)
    desk.look()
    desk.look()  # closes the rest of 4 against 5
    expire(desk)
    return desk


@pytest.fixture(scope="module")
def busy() -> Blocks:
    """The blocks of such a day."""
    blocks = judged(busy_day())
    assert blocks.fraud is None
    return blocks


def test_the_busy_day_holds_every_kind_of_receipt(busy: Blocks) -> None:
    """So that what is tried below is tried on all of them."""
    details = {type(receipt.detail) for _, result, _ in busy.found for receipt in result.receipts}
    assert {Fill, Combo, Looked, Liquidated, Deleveraged, Settled} <= details
    subjects = {type(receipt.subject) for _, result, _ in busy.found for receipt in result.receipts}
    assert {Flag, Settle} <= subjects


def test_no_honest_block_with_derivatives_can_be_proven_wrong(busy: Blocks) -> None:
    """A liar with every forgery and too little gas, at each block that does more than name a price."""
    blocks = attempts = 0
    for block, result, witness in busy.found:
        if any(receipt.detail is not None for receipt in result.receipts):
            honest = HonestBlock(block.header, block.txs, block.messages, witness)
            attempts += try_to_prove(honest, SEPARATOR).attempts
            blocks += 1
    assert blocks >= 6
    assert attempts > 100 * blocks


async def test_honest_option_blocks_pass_the_audit_with_what_they_cost(busy: Blocks, worker: EvmWorker) -> None:
    """The blocks that draw option grids, in the auditor's own process."""
    costly = [found for found in busy.found if found[1].usage[meters.PRICINGS]]
    assert len(costly) >= 4
    assert max(result.usage[meters.PRICINGS] for _, result, _ in costly) >= 3
    assert max(result.usage[meters.REVALUATIONS] for _, result, _ in costly) >= 10
    auditor = Auditor(worker, SEPARATOR, share_ppm=1_000_000)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(auditor.run)
        for found in costly:
            await trio.to_thread.run_sync(auditor.offer, *found)
        await until(lambda: auditor.tally.audited + len(auditor.tally.disagreements) == len(costly))
        nursery.cancel_scope.cancel()
    assert auditor.tally.disagreements == []
    assert auditor.tally.gas > 100_000 * len(costly)


def test_metrics_name_what_was_wrong() -> None:
    """Reversions by reason, and that of a fraud that stands."""
    proofs = [{"reason": reason} for reason in ("NOT_LIQUIDATABLE", "PRICE_BAND", "PRICE_BAND")]
    status = Status("0x12", "defend", proofs=proofs, fraud={"reason": Reason.DELEVERAGE_SIZE.name}, audit_gas=7)
    lines = Metrics(status).render().decode().splitlines()
    assert 'challenger_reversions_total{reason="NOT_LIQUIDATABLE"} 1.0' in lines
    assert 'challenger_reversions_total{reason="PRICE_BAND"} 2.0' in lines
    assert 'challenger_fraud_reason{reason="DELEVERAGE_SIZE"} 1.0' in lines
    assert "challenger_audit_gas_total 7.0" in lines
