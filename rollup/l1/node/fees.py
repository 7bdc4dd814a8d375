"""eth_feeHistory of the embedded L1."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import Any, Final

from rollup.l1.encoding import to_quantity
from rollup.l1.node.errors import BadParams
from rollup.l1.node.evm import base_fee_of
from rollup.l1.node.ledger import MinedBlock
from rollup.l1.node.node import EmbeddedNode

_MAX_BLOCKS: Final = 1_024


def fee_history_json(node: EmbeddedNode, count: int, newest: MinedBlock, percentiles: list[float]) -> dict[str, Any]:
    """Base fees of `count` blocks up to `newest` and of the block after, with tips at gas-weighted percentiles."""
    if not 1 <= count <= _MAX_BLOCKS:
        raise BadParams(f"the number of blocks must be 1 to {_MAX_BLOCKS}")
    oldest = max(newest.number - count + 1, 0)
    blocks = [b for n in range(oldest, newest.number + 1) if (b := node.ledger.block_at(n)) is not None]
    following = node.evm.next_header(newest.header, newest.header.timestamp)
    base_fees = [base_fee_of(header) for header in (*(b.header for b in blocks), following)]
    history: dict[str, Any] = {
        "oldestBlock": to_quantity(oldest),
        "baseFeePerGas": [to_quantity(fee) for fee in base_fees],
        "gasUsedRatio": [b.header.gas_used / b.header.gas_limit for b in blocks],
        "baseFeePerBlobGas": ["0x1"] * len(base_fees),
        "blobGasUsedRatio": [0.0] * len(blocks),
    }
    if percentiles:
        history["reward"] = [[to_quantity(tip) for tip in _tips(b, percentiles)] for b in blocks]
    return history


def _tips(block: MinedBlock, percentiles: list[float]) -> list[int]:
    base_fee = base_fee_of(block.header)
    paid = sorted((t.gas_price - base_fee, t.gas_used) for t in block.transactions)
    reached = list(accumulate(used for _, used in paid))
    thresholds = (block.header.gas_used * percentile / 100 for percentile in percentiles)
    return [paid[bisect_left(reached, t)][0] for t in thresholds] if paid else [0] * len(percentiles)
