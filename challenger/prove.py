"""From a fraud to its reversion on L1: check it in py-evm, send one transaction, see that the batch is gone.

Gas is spent only when two independent sources agree: the replay in Python and the verifier's own bytecode on exactly
the bytes that are sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from challenger.execute import GAS_LIMIT, Verdict, header_tuple, join_messages
from challenger.sending import see_through
from challenger.worker import EvmWorker
from rollup.crypto.merkle import merkle_path
from rollup.derive.fraud import Fraud, block_hashes
from rollup.errors import L1Error, L1Reverted, PlumblineError
from rollup.l1.account import L1Account
from rollup.l1.contract import Contract
from rollup.types.reasons import Reason


class TwinsDisagree(PlumblineError):  # noqa: N818 - a finding
    """Replay and verifier judge a block differently: an alarm for people; nothing is sent."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Calldata of `Rollup.prove`, with the verdict that py-evm gave on it."""

    fraud: Fraud
    calldata: bytes
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Reversion:
    """A fraud that is gone: the L1 transaction that removed it, and what it cost."""

    batch: int
    position: int
    reason: str
    transaction: bytes
    gas_used: int
    calldata_bytes: int
    fork: int


def encode_proof(rollup: Contract, fraud: Fraud) -> bytes:
    """Calldata of the proof of a fraud."""
    return rollup.abi.encode_call(
        "prove",
        fraud.batch.index,
        fraud.position,
        header_tuple(fraud.block.header),
        merkle_path(block_hashes(fraud.batch), fraud.position),
        fraud.block.txs,
        join_messages(fraud.block.messages),
        fraud.witness,
    )


async def prepare_proof(rollup: Contract, worker: EvmWorker, separator: bytes, fraud: Fraud) -> Proof:
    """Build a proof and have py-evm confirm it. Raises TwinsDisagree if the verifier does not see what replay saw."""
    verdict = await worker.verify(fraud.block, fraud.witness, separator, gas=GAS_LIMIT)
    seen = (verdict.reason, verdict.index if verdict.reason else 0, verdict.post_root if not verdict.reason else b"")
    found = (int(fraud.reason), fraud.index, fraud.root)
    if seen != found:
        raise TwinsDisagree(f"block {fraud.block.header.number}: replay says {_say(found)}, the verifier {_say(seen)}")
    return Proof(fraud, encode_proof(rollup, fraud), verdict)


async def send_proof(rollup: Contract, account: L1Account, proof: Proof) -> Reversion | None:
    """Send a proof and wait until L1 has reverted the batch; None if somebody else was faster.

    Raises `L1Error` (retryable or not) if L1 does not take it; the fraud stands then, and the caller tries again.
    """
    batch = proof.fraud.batch
    try:
        receipt = await see_through(account, rollup.address, proof.calldata)
    except L1Reverted:
        if await still_stands(rollup, proof.fraud):
            raise
        return None
    reverted = next((e for e in rollup.decode_events(receipt.logs) if e.name == "Reverted"), None)
    if reverted is None or reverted.values["fromBatch"] != batch.index:
        if await still_stands(rollup, proof.fraud):
            raise L1Error(f"the proof of batch {batch.index} was mined and reverted nothing", retryable=True)
        return None
    return Reversion(
        batch.index,
        proof.fraud.position,
        proof.fraud.verdict,
        receipt.tx_hash,
        receipt.gas_used,
        len(proof.calldata),
        reverted.values["fork"],
    )


async def still_stands(rollup: Contract, fraud: Fraud) -> bool:
    """Whether the fraudulent batch is still on L1."""
    if await rollup.call("batchCount") <= fraud.batch.index:
        return False
    record = await rollup.call("batches", fraud.batch.index)
    return bool(record[2] == fraud.batch.hash)


def _say(judgement: tuple[int, int, bytes]) -> str:
    reason, index, root = judgement
    return f"{Reason(reason).name} at {index}" if reason else f"root 0x{root.hex()}"
