"""What a trade costs on L1: a batch as large as one transaction holds, of trades of two fresh orders each, posted."""

from __future__ import annotations

from itertools import islice
from random import Random
from typing import Final

from rollup.bench.crowd import make_crowd
from rollup.bench.figures import Report
from rollup.bench.stage import Stage
from rollup.devnet.roles import SEQUENCER
from rollup.l1.account import L1Account
from rollup.l1.artifacts import load_artifact
from rollup.l1.contract import Contract
from rollup.l1.devkeys import dev_key
from rollup.l1.limits import MAX_TX_BYTES
from rollup.types.blocks import BLOCK_HEAD_SIZE, BatchBlock, encode_batch
from rollup.types.limits import MAX_ACCOUNTS
from rollup.types.transactions import encode_transaction

TRADES: Final = MAX_ACCOUNTS // 2
"""A block of trades between accounts of which none trades twice."""
ENVELOPE: Final = 1_024
"""Bytes of a transaction beside its batch."""
STAKE: Final = 10**18


async def measure_posting(report: Report, stage: Stage) -> None:
    """Post a full batch. L1 judges no block before somebody proves it wrong, so any signed trades will do."""
    account = L1Account(stage.l1, dev_key(SEQUENCER))
    rollup = Contract(stage.l1, stage.deployment.rollup, load_artifact("Rollup"))
    await rollup.transact(account, "stake", value=STAKE)
    parent = await rollup.call("batches", await rollup.call("batchCount") - 1)
    head = await stage.l1.get_block()
    assert head is not None, "there is always a newest block"
    batch, trades = full_batch(head.timestamp)
    data = rollup.abi.encode_call("postBatch", parent[2], batch, bytes(32))
    receipt = await account.transact(rollup.address, data)
    report.add("bytes_per_trade", len(batch) / trades, "bytes", "L1 bytes of a trade of two fresh orders, full batch")
    report.add("l1_gas_per_trade", receipt.gas_used / trades, "gas", "L1 gas of such a trade under EIP-7623")


def full_batch(timestamp: int) -> tuple[bytes, int]:
    """The calldata of a full batch, and how many trades it has."""
    trades = make_crowd(1_000).trades(Random(4), remember=False)  # noqa: S311 - repeatable on purpose
    blocks: list[BatchBlock] = []
    size = 0
    while True:
        txs = b"".join(encode_transaction(trade) for trade in islice(trades, TRADES))
        size += BLOCK_HEAD_SIZE + len(txs)
        if size > MAX_TX_BYTES - ENVELOPE:
            return encode_batch(blocks), len(blocks) * TRADES
        blocks.append(BatchBlock(timestamp, 0, bytes([len(blocks) + 1]) * 32, txs))
