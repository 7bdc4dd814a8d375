"""What the contracts cost, held to the unit of gas.

After a change that is meant, `PLUMBLINE_UPDATE_SNAPSHOTS=1 pytest tests/contracts/test_gas.py` writes the new figures.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rollup.crypto.keccak import keccak
from rollup.crypto.tree import MemoryNodes, Tree
from rollup.crypto.witness import build_witness
from rollup.l1.artifacts import load_artifact
from rollup.l1.limits import MAX_TX_BYTES
from rollup.types.blocks import encode_batch
from rollup.types.keys import account_key
from rollup.types.leaves import Account
from rollup.types.limits import MAX_TRANSACTIONS
from rollup.types.transactions import FreshOrder, OrderRef, Trade, encode_transaction
from tests.support.chain import ALICE, BOB, CAROL, DAVE
from tests.support.producer import start_producer, with_root
from tests.support.world import BASE_FEE, FEE_SLOPE, MINIMUM_OPENING, REWARD_DELAY, World

SNAPSHOT = Path(__file__).resolve().parents[1] / "snapshots" / "gas.json"
CONTRACTS = ("Verifier", "Pricer", "Rollup", "Inbox", "Vault")
MAX_CODE = 24_576
"""Longest code that L1 lets a contract have (EIP-170)."""
TRADE_BUDGET = 8_000
"""Most L1 gas that a trade of two fresh orders may cost in a full batch."""


def fresh(nonce: int, flags: int) -> FreshOrder:
    """An order as traders send them: signatures and nonces look random, sizes and prices are short numbers."""
    noise = keccak(nonce.to_bytes(8, "big"))
    return FreshOrder(
        account=noise[0] << 8 | noise[1],
        market=1 + noise[2] % 4,
        flags=flags,
        size=(1 + noise[3]) * 1_000_000,
        price=40_000_000_000 + noise[4] * 100_000,
        nonce=1_700_000_000_000 + nonce,
        expiry=1_700_000_600,
        signature=noise + keccak(noise),
    )


def trades(count: int, *, refer: bool = False) -> bytes:
    """Encoded trades of two fresh orders each, or of a fresh one with a resting one."""
    parts = []
    for i in range(count):
        maker = OrderRef(i % 1_000, i % 8_192) if refer else fresh(2 * i, 1)
        parts.append(encode_transaction(Trade(maker, fresh(2 * i + 1, 0), 1_000_000)))
    return b"".join(parts)


def post_full_batch(world: World, *, refer: bool) -> tuple[int, int, int]:
    """Post as many full blocks as one transaction holds; returns gas, trades and calldata bytes."""
    size = len(trades(1, refer=refer))
    per_block = MAX_TRANSACTIONS
    room = MAX_TX_BYTES - 1_024
    count = room // (40 + per_block * size)
    block = world.block(txs=trades(per_block, refer=refer))
    outcome = world.post(*[block] * count).outcome
    return outcome.gas_used, count * per_block, len(encode_batch([block] * count))


def measure_posting(world: World) -> dict[str, int]:
    """Batches, from the smallest to the largest."""
    figures = {"postBatch, 1 empty block": world.post().outcome.gas_used}
    figures["postBatch, 256 empty blocks"] = world.post(*[world.block()] * 256).outcome.gas_used
    for name, refer in (("two fresh orders", False), ("fresh taker, resting maker", True)):
        gas, count, size = post_full_batch(world.fork(), refer=refer)
        figures[f"postBatch, full, {name}: total"] = gas
        figures[f"postBatch, full, {name}: trades"] = count
        figures[f"postBatch, full, {name}: bytes per trade"] = size // count
        figures[f"postBatch, full, {name}: gas per trade"] = gas // count
    for _ in range(32):
        world.inbox.send("open", BOB, MINIMUM_OPENING)
    figures["postBatch, 1 block of 32 messages"] = world.post(world.block(messages=32)).outcome.gas_used
    figures["finalise, 1 batch"] = world.finalise(world.post()).gas_used
    figures["finalise, 100 batches"] = world.finalise([world.post() for _ in range(100)][-1]).gas_used
    return figures


def measure_inbox(world: World) -> dict[str, int]:
    """Messages: the first of each kind pays for storage that later ones find."""
    sends = {
        "open, first": ("open", (BOB, MINIMUM_OPENING), 0),
        "open": ("open", (BOB, MINIMUM_OPENING), 0),
        "deposit": ("deposit", (0, 5_000_000), 0),
        "force, the first fee ever burnt": ("force", (b"\x02",), BASE_FEE),
        "force, 100 bytes": ("force", (b"\x03" + keccak(b"") * 3 + b"\x01" * 3,), BASE_FEE + FEE_SLOPE),
        "force, 235 bytes": ("force", (b"\x03" + keccak(b"") * 7 + b"\x01" * 10,), BASE_FEE + 2 * FEE_SLOPE),
    }
    return {
        name: world.inbox.send(function, *values, sender=BOB, value=wei).gas_used
        for name, (function, values, wei) in sends.items()
    }


def measure_claims(world: World) -> dict[str, int]:
    """Claims in a state of a thousand accounts."""
    world.inbox.send("open", BOB, 1_000_000_000)
    tree = Tree(MemoryNodes())
    leaves = {account_key(n): Account(CAROL, bytes(20), n, n, 0, 0, ()).encode() for n in range(1, 1_001)}
    tree.update(leaves)
    posted = world.post(world.block(root=tree.root, messages=1))
    world.finalise(posted)
    proofs = [build_witness(tree, {key: leaves[key]}) for key in (account_key(500), account_key(501))]
    names = ("claim, to a holder of no tokens yet", "claim")
    world.token.send("transfer", DAVE, world.token.call("balanceOf", CAROL), sender=CAROL)
    return {n: world.vault.send("claim", posted.index, p).gas_used for n, p in zip(names, proofs, strict=True)}


def measure_justice(world: World) -> dict[str, int]:
    """Stakes, proofs (without what the verifier needs), and rewards."""
    figures = {"stake": world.stake(BOB).gas_used}
    figures["unstake"] = world.rollup.send("unstake", sender=BOB).gas_used
    bad = world.post()
    verdict = world.rollup.call("verdictHash", bad.batch_hash, 0, 1, 0, bytes(32))
    commitment = world.rollup.call("commitmentOf", CAROL, bytes(32), verdict)
    figures["commit"] = world.rollup.send("commit", commitment, sender=CAROL).gas_used
    world.verifier.send("choose", 1, 0, bytes(32))
    figures["prove, beside the verifier"] = world.prove(bad, sender=DAVE).gas_used
    figures["reveal"] = world.rollup.send("reveal", ALICE, bytes(32), sender=CAROL).gas_used
    world.chain.travel(REWARD_DELAY + 1)
    figures["claimReward"] = world.rollup.send("claimReward", ALICE).gas_used
    return figures


def measure_real_proof() -> dict[str, int]:
    """A wrong root after two openings, a price, a trade and a withdrawal, proven by the real verifier."""
    producer = start_producer()
    sealed = producer.build([producer.price(), producer.trade(), producer.withdraw(1_000_000)])
    block = producer.batch_block(sealed)
    posted = producer.world.post(with_root(block, bytes(32)))
    proof = producer.proof(posted.headers[0], block, list(sealed.messages))
    return {"prove, a block of 5 transactions": producer.prove(posted, 0, proof, sender=DAVE).gas_used}


@pytest.fixture
def measured(world: World) -> dict[str, int]:
    """All figures."""
    deployment = {
        f"deploy {name}": contract.deployment_gas
        for name, contract in (
            ("Rollup", world.rollup),
            ("Inbox", world.inbox),
            ("Vault", world.vault),
            ("Appraiser", world.appraiser),
        )
    }
    deployment |= {f"bytes of {name}": len(load_artifact(name).deployed_bytecode) for name in CONTRACTS}
    parts = (measure_posting, measure_inbox, measure_claims, measure_justice)
    figures = deployment | measure_real_proof()
    for part in parts:
        figures |= part(world.fork())
    return figures


def test_gas_is_as_recorded(measured: dict[str, int]) -> None:
    """Nothing gets dearer, or cheaper, unnoticed."""
    if os.environ.get("PLUMBLINE_UPDATE_SNAPSHOTS"):
        SNAPSHOT.parent.mkdir(exist_ok=True)
        SNAPSHOT.write_text(json.dumps(measured, indent=2) + "\n")
    assert json.loads(SNAPSHOT.read_text()) == measured


@pytest.mark.parametrize("name", CONTRACTS)
def test_contract_fits_into_l1(name: str) -> None:
    """Its code is not longer than L1 allows."""
    assert len(load_artifact(name).deployed_bytecode) <= MAX_CODE


def test_trade_in_a_full_batch_is_within_budget() -> None:
    """A trade of two fresh orders costs at most 8,000 gas under EIP-7623."""
    recorded = json.loads(SNAPSHOT.read_text())
    assert recorded["postBatch, full, two fresh orders: gas per trade"] <= TRADE_BUDGET
