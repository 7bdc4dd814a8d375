"""What L1 was paid for: batches, their calldata and their gas, read from L1 itself."""

from __future__ import annotations

from dataclasses import dataclass

from rollup.errors import L1Error
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract
from rollup.l1.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Posting:
    """Totals over all batches that were posted."""

    batches: int
    calldata_bytes: int
    gas: int


async def measure_posting(l1: L1Client, deployment: Deployment) -> Posting:
    """Add up every batch of a deployment."""
    contract = Contract(l1, deployment.rollup, load_artifact("Rollup"))
    head = await l1.block_number()
    posted = await contract.events("BatchPosted", from_block=deployment.block, to_block=head)
    size = gas = 0
    for event in posted:
        transaction = await l1.get_transaction(event.log.tx_hash)
        receipt = await l1.get_receipt(event.log.tx_hash)
        if transaction is None or receipt is None:
            raise L1Error("the node has lost the transaction of a batch", retryable=True)
        size += len(transaction.data)
        gas += receipt.gas_used
    return Posting(len(posted), size, gas)
