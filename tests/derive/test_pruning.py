"""A node that has dropped old logs is told from one that refuses for another cause, by what such nodes answer."""

from __future__ import annotations

import pytest

from rollup.derive.pruning import NO_METHOD, PRUNED, says_pruned
from rollup.errors import L1Refused

SERVER = -32_000
LOST = {
    "geth": (PRUNED, "pruned history unavailable"),
    "geth, behind a provider that has codes of its own": (SERVER, "pruned history unavailable"),
    "geth without receipts": (SERVER, "failed to get logs for block #0 (0xd4e567..cb8fa3)"),
    "geth without old state": (SERVER, "missing trie node 4d0e2f (path ) state 0x4d0e is not available"),
    "reth": (PRUNED, "Pruned history unavailable"),
    "reth, before it had the code": (-32_602, "block range is pruned"),
    "erigon": (SERVER, "old data not available due to pruning: requested block 16, history is available from block 22"),
    "erigon, in transactions": (SERVER, "old data not available due to pruning: from tx: 1962853355, min tx: 26625000"),
    "erigon, from its files": (
        SERVER,
        "state transitaion failed: seek with txNum=1962853355 but data before txNum=2662500000 is not available",
    ),
    "nethermind": (PRUNED, "Pruned history unavailable"),
    "nethermind, before it had the code": (-32_001, "Receipt not available for 'From' block '11052984'."),
    "nethermind, of receipts": (
        -32_602,
        "Receipts for block 5 (0x01) are neither stored nor reproducible from state history.",
    ),
    "a provider's pruned node": (-32_701, "History has been pruned for this block"),
    "a provider's window": (SERVER, "block 5 is too old, earliest available is 700"),
    "a provider's plan": (-32_602, "eth_getLogs needs an archive node, which this plan does not include"),
}
OTHER = {
    "a method that is not offered": (NO_METHOD, "the method eth_getLogs does not exist/is not available"),
    "an archive method that is not offered": (NO_METHOD, "eth_getLogs: archive node methods are disabled"),
    "geth's limit": (-32_005, "query returned more than 10000 results"),
    "geth beyond the head": (-32_602, "request beyond head block"),
    "anvil beyond the head": (-32_602, "BlockOutOfRangeError: block height is 5 but requested was 9"),
    "a bad range": (-32_602, "invalid block range params"),
    "a provider's range": (-32_600, "You can make eth_getLogs requests with up to a 10 block range"),
    "a provider's rate": (429, "Your app has exceeded its compute units per second capacity"),
    "a node that is starting": (SERVER, "node is still initializing"),
    "a block that a node behind the others lacks": (SERVER, "header not found"),
    "nothing in particular": (-32_603, "Internal error"),
}


@pytest.mark.parametrize("node", LOST)
def test_a_node_that_has_dropped_its_logs_says_so(node: str) -> None:
    """By the code of EIP-4444 or in its own words: then an export helps."""
    code, text = LOST[node]
    assert says_pruned(L1Refused("eth_getLogs", code, text))


@pytest.mark.parametrize("cause", OTHER)
def test_what_is_refused_for_another_cause_is_not_taken_for_dropped_logs(cause: str) -> None:
    """An export would not help, and the true cause must be told."""
    code, text = OTHER[cause]
    assert not says_pruned(L1Refused("eth_getLogs", code, text))
