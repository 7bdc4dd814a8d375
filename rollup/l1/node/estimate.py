"""Gas estimation as geth does it: one run with all gas, one with little more than it used, then halving.

The second run is nearly always enough; the margin over what was used covers the 1/64 that each call keeps back.
"""

from __future__ import annotations

from typing import Final

from eth.abc import BlockHeaderAPI

from rollup.l1.limits import MAX_TX_GAS
from rollup.l1.node.errors import Refused, Reverted
from rollup.l1.node.evm import CallMessage, Outcome
from rollup.l1.node.node import EmbeddedNode
from rollup.l1.node.params import CallRequest

_CALL_STIPEND: Final = 2_300
_TOLERANCE: Final = 0.02
"""Stop when the answer is this close: each further run of a long proof costs seconds."""


async def estimate_gas(node: EmbeddedNode, header: BlockHeaderAPI, request: CallRequest) -> int:
    """Least gas limit that succeeds, within the tolerance; `Reverted` or `Refused` if none does."""
    high = min(request.gas or MAX_TX_GAS, MAX_TX_GAS)
    first = await _run(node, header, request, high)
    if first.reverted:
        raise Reverted(first.output)
    if not first.success:
        raise Refused(f"gas required exceeds allowance ({high})" if first.error == "out of gas" else first.error)
    low = max(first.peak_gas, first.gas_used) - 1
    guess = (low + 1 + _CALL_STIPEND) * 64 // 63
    while low + 1 < high and high - low > high * _TOLERANCE:
        trial = guess if low < guess < high else (low + high) // 2
        guess = 0
        if (await _run(node, header, request, trial)).success:
            high = trial
        else:
            low = trial
    return high


async def _run(node: EmbeddedNode, header: BlockHeaderAPI, request: CallRequest, gas: int) -> Outcome:
    message = CallMessage(request.sender, request.to, request.value, request.data, gas)
    return await node.execute(header, message)
