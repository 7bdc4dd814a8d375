"""One transaction proves the worst block of each kind: below 2^24 gas and 128 KiB, whatever the state.

After a change that is meant, `PLUMBLINE_UPDATE_SNAPSHOTS=1 pytest tests/differential/test_worst_blocks.py` writes the
new figures.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from challenger.execute import encode_verify
from rollup.l1.limits import MAX_TX_BYTES, MAX_TX_GAS, TX_BASE_GAS, floor_gas
from rollup.types.limits import (
    MAX_ACCOUNTS,
    MAX_BYTES,
    MAX_LEAF_BYTES,
    MAX_RECOVERIES,
    MAX_REVALUATIONS,
    MAX_SLOTS,
    MAX_SYSTEM,
)
from rollup.types.transactions import FLAG_SELL, Trade
from tests.differential import world as w
from tests.differential.heavy import BLOCKS, fill_tree, mixed, valuations
from tests.differential.twins import Proof, assert_agreement, fast_verifier, make_proof, reference_verifier
from tests.differential.world import SEPARATOR, make_world

SNAPSHOT = Path(__file__).resolve().parents[1] / "snapshots" / "verifier_gas.json"
PROVE_GAS = 500_000
"""Room for what `Rollup.prove` does around the verifier: the path, the copy of the calldata, the stakes."""
PROVE_BYTES = 2_048
"""Room for the path to the block, a signed transaction and its fields."""


def transaction_gas(proof: Proof, execution: int) -> int:
    """Gas of an L1 transaction that carries the proof and executes for so much: base, calldata, and the floor."""
    data = encode_verify(proof.header, proof.txs, proof.messages, proof.witness, SEPARATOR)
    zeros = data.count(0)
    paid = TX_BASE_GAS + 4 * zeros + 16 * (len(data) - zeros) + execution
    return max(paid, floor_gas(data))


def proof_bytes(proof: Proof) -> int:
    """Calldata of the proof."""
    return len(encode_verify(proof.header, proof.txs, proof.messages, proof.witness, SEPARATOR))


def typical() -> Proof:
    """Twenty trades of fresh orders between forty accounts of a few positions each, in a state of four hundred."""
    world = make_world(400)
    world.set_market(w.BTC_PERP, open_interest=w.COIN)
    for number in range(40):
        world.hold(9 * number, {w.BTC_PERP: 1_000 * (number - 20) or 1_000, w.ETH_PERP: 10_000})
    price = w.BTC_MARK
    trades = [
        Trade(
            w.order(9 * n, w.BTC_PERP, 0, w.COIN, price, 1),
            w.order(9 * (39 - n), w.BTC_PERP, FLAG_SELL, w.COIN, price, 1),
            1_000,
        )
        for n in range(20)
    ]
    return make_proof(world, trades)


@pytest.mark.parametrize("name", BLOCKS)
def test_worst_block_is_proven_within_one_transaction(name: str) -> None:
    """On the fullest state there can be: both twins agree, gas and size stay within L1's limits."""
    make, reason = BLOCKS[name]
    proof = make()
    assert proof.result.reason == reason
    assert_agreement(proof, fast_verifier())
    full = fill_tree(proof)
    verdict = assert_agreement(full, fast_verifier())
    assert transaction_gas(full, verdict.gas_used) + PROVE_GAS < MAX_TX_GAS
    assert proof_bytes(full) + PROVE_BYTES < MAX_TX_BYTES


def test_heavy_blocks_reach_every_meter() -> None:
    """The blocks above are as heavy as can be, not just heavy: within three per cent of each limit."""
    usage, valued = mixed().result.usage, valuations().result.usage
    assert (usage.accounts, usage.slots, usage.system) == (MAX_ACCOUNTS, MAX_SLOTS, MAX_SYSTEM)
    assert usage.recoveries == MAX_RECOVERIES
    assert valued.revaluations == MAX_REVALUATIONS
    assert usage.bytes > MAX_BYTES * 0.93
    assert usage.leaf_bytes > MAX_LEAF_BYTES * 0.96


def test_worst_block_in_the_reference_evm() -> None:
    """py-evm agrees on the heaviest one, gas included."""
    proof = fill_tree(valuations())
    assert assert_agreement(proof, reference_verifier()) == assert_agreement(proof, fast_verifier())


def test_gas_equals_the_snapshot() -> None:
    """Every figure, to the unit."""
    figures: dict[str, int] = {}
    blocks = {"typical, 20 trades": typical()} | {name: fill_tree(make()) for name, (make, _) in BLOCKS.items()}
    for name, proof in blocks.items():
        execution = assert_agreement(proof, fast_verifier()).gas_used
        figures[f"{name}: execution"] = execution
        figures[f"{name}: transaction"] = transaction_gas(proof, execution)
        figures[f"{name}: bytes"] = proof_bytes(proof)
    print(json.dumps(figures, indent=1))
    if os.environ.get("PLUMBLINE_UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(figures, indent=1) + "\n")
    assert figures == json.loads(SNAPSHOT.read_text())
    assert figures["typical, 20 trades: transaction"] < 5_000_000
