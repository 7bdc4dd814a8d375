"""The whole proof on L1: real blocks, the real verifier, one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from rollup.crypto.keccak import keccak
from rollup.crypto.witness import build_witness
from rollup.errors import L1Reverted
from rollup.l1.limits import MAX_TX_GAS
from rollup.stf.builder import SealedBlock
from rollup.types.blocks import BatchBlock
from rollup.types.keys import account_key
from rollup.types.reasons import Reason
from rollup.types.transactions import encode_transaction
from tests.support.chain import ALICE, BOB, CAROL, DAVE, reverts
from tests.support.producer import CASH, Producer, Proof, start_producer, with_root
from tests.support.world import DOLLARS, Posted

WITHDRAWN = 1_000_000
TRADE_BYTES = 198
"""A trade of two fresh orders."""
WRONG = keccak(b"a root that nothing leads to")


@dataclass(frozen=True, slots=True)
class Scene:
    """A block with deposits, a price, a trade and a withdrawal, on the state before it."""

    producer: Producer
    sealed: SealedBlock
    block: BatchBlock

    def post(self, block: BatchBlock) -> tuple[Posted, Proof]:
        """Post a block in this one's place, with the proof of what it is."""
        messages = list(self.sealed.messages)
        posted = self.producer.world.post(block)
        return posted, self.producer.proof(posted.headers[0], block, messages)


@pytest.fixture
def scene() -> Scene:
    """One block of every usual kind of work."""
    producer = start_producer()
    sealed = producer.build([producer.price(), producer.trade(), producer.withdraw(WITHDRAWN)])
    return Scene(producer, sealed, producer.batch_block(sealed))


def test_wrong_root_is_proven_and_reverted(scene: Scene) -> None:
    """A block with another root than it leads to goes, its poster pays, and the messages wait again."""
    posted, proof = scene.post(with_root(scene.block, WRONG))
    world = scene.producer.world
    proven = scene.producer.prove(posted, 0, proof, sender=DAVE)
    assert (proven.reason, proven.index, proven.post_root) == (0, 0, scene.block.state_root)
    assert world.rollup.call("batchCount") == 1
    assert world.rollup.call("fork") == 1
    assert world.rollup.call("latestInboxIndex") == 0
    assert world.rollup.call("stakeOf", ALICE) == 0
    assert world.rollup.call("bountyOf", ALICE)[0] == DAVE
    assert proven.gas_used < MAX_TX_GAS


def test_honest_block_cannot_be_proven_wrong(scene: Scene) -> None:
    """The verifier comes to the posted root, and the proof is refused."""
    posted, proof = scene.post(scene.block)
    with reverts("BlockValid", posted.index, 0):
        scene.producer.prove(posted, 0, proof, sender=DAVE)


def test_block_in_the_middle_of_a_batch_is_proven(scene: Scene) -> None:
    """A proof is about one block; its place in the batch is shown by a path."""
    producer = scene.producer
    producer.apply(scene.sealed)
    second = producer.build([producer.trade()])
    wrong = with_root(producer.batch_block(second), WRONG)
    posted = producer.world.post(scene.block, wrong, producer.world.block())
    proof = producer.proof(posted.headers[1], wrong, [])
    proven = producer.prove(posted, 1, proof, sender=DAVE)
    assert (proven.reason, proven.post_root) == (0, producer.batch_block(second).state_root)


def test_repeated_trade_is_proven(scene: Scene) -> None:
    """A block with an invalid transaction is fraud, with the reason and the transaction's index."""
    producer = scene.producer
    sealed = producer.build([producer.price(), producer.trade()])
    repeated = replace(producer.batch_block(sealed), txs=sealed.txs + sealed.txs[-TRADE_BYTES:])
    posted, proof = scene.post(repeated)
    proven = producer.prove(posted, 0, proof, sender=DAVE)
    assert (proven.reason, proven.index, proven.post_root) == (Reason.OVERFILL, 4, bytes(32))


def test_forged_signature_is_proven(scene: Scene) -> None:
    """An order that its account did not sign is fraud."""
    producer = scene.producer
    trade = producer.trade()
    forged = replace(trade, taker=producer.order(1, 0, signer=3))
    sealed = producer.build([producer.price(), trade])
    txs = sealed.txs[:-TRADE_BYTES] + encode_transaction(forged)
    posted, proof = scene.post(replace(producer.batch_block(sealed), txs=txs))
    proven = producer.prove(posted, 0, proof, sender=DAVE)
    assert (proven.reason, proven.index) == (Reason.SIGNATURE_INVALID, 3)


def test_undecodable_block_is_proven(scene: Scene) -> None:
    """Bytes that are no transaction are fraud."""
    posted, proof = scene.post(replace(scene.block, txs=scene.block.txs + b"\xff"))
    proven = scene.producer.prove(posted, 0, proof, sender=DAVE)
    assert (proven.reason, proven.index) == (Reason.UNDECODABLE, 5)


def test_too_little_gas_proves_nothing(scene: Scene) -> None:
    """However much gas a call gets, an honest block stays, and a fraudulent one goes only by the true verdict."""
    posted, proof = scene.post(scene.block)
    fraudulent = start_producer()
    sealed = fraudulent.build([fraudulent.price(), fraudulent.trade(), fraudulent.withdraw(WITHDRAWN)])
    wrong = fraudulent.world.post(with_root(fraudulent.batch_block(sealed), WRONG))
    evidence = fraudulent.proof(wrong.headers[0], fraudulent.batch_block(sealed), list(sealed.messages))
    enough = fraudulent.prove_on_fork(wrong, 0, evidence, sender=DAVE).gas_used
    shortage = {"", "OutOfGas", "TooLittleGas"}
    for gas in range(80_000, enough, 15_000):
        with pytest.raises(L1Reverted) as refusal:
            scene.producer.prove_on_fork(posted, 0, proof, sender=DAVE, gas=gas)
        assert refusal.value.name in shortage | {"BlockValid"}
        with pytest.raises(L1Reverted) as refusal:
            fraudulent.prove_on_fork(wrong, 0, evidence, sender=DAVE, gas=gas)
        assert refusal.value.name in shortage


def test_corrupted_proof_proves_nothing(scene: Scene) -> None:
    """An honest block survives every changed byte of its transactions, messages and witness."""
    posted, proof = scene.post(scene.block)
    for part in ("txs", "messages", "witness"):
        honest: bytes = getattr(proof, part)
        step = max(1, len(honest) // 40)
        for position in range(0, len(honest), step):
            changed: Any = honest[:position] + bytes([honest[position] ^ 1]) + honest[position + 1 :]
            with pytest.raises(L1Reverted):
                scene.producer.prove_on_fork(posted, 0, replace(proof, **{part: changed}), sender=DAVE)
        other: Any
        for other in (b"", honest[:-1], honest + b"\0", honest + honest):
            with pytest.raises(L1Reverted):
                scene.producer.prove_on_fork(posted, 0, replace(proof, **{part: other}), sender=DAVE)


def test_proof_for_another_fork_proves_nothing(scene: Scene) -> None:
    """After a reversion the same block is another one, and the old proof does not reach it."""
    posted, proof = scene.post(with_root(scene.block, WRONG))
    world = scene.producer.world
    scene.producer.prove(posted, 0, proof, sender=DAVE)
    world.stake(CAROL)
    again = world.post(with_root(scene.block, WRONG), sender=CAROL)
    with reverts("WrongBlock"):
        scene.producer.prove(again, 0, proof, sender=DAVE)


def test_withdrawal_is_paid_after_finality(scene: Scene) -> None:
    """From a deposit to the money back: post, wait, finalise, claim."""
    producer = scene.producer
    world = producer.world
    posted = world.post(scene.block)
    assert producer.apply(scene.sealed) == scene.block.state_root
    witness = build_witness(producer.tree, {account_key(0): producer.read(account_key(0))})
    with reverts("BatchNotFinal", posted.index):
        world.vault.send("claim", posted.index, witness)
    world.finalise(posted)
    world.vault.send("claim", posted.index, witness)
    assert world.token.call("balanceOf", BOB) == DOLLARS - CASH + WITHDRAWN
    with reverts("NothingToClaim", 0, WITHDRAWN, WITHDRAWN):
        world.vault.send("claim", posted.index, witness)


def test_chain_continues_after_the_reversion(scene: Scene) -> None:
    """An honest poster takes the messages again and goes on from the last good root."""
    posted, proof = scene.post(with_root(scene.block, WRONG))
    producer = scene.producer
    world = producer.world
    producer.prove(posted, 0, proof, sender=DAVE)
    world.stake(CAROL)
    again = world.post(scene.block, sender=CAROL)
    assert again.headers[0].fork == 1
    honest = producer.proof(again.headers[0], scene.block, list(scene.sealed.messages))
    with reverts("BlockValid", again.index, 0):
        producer.prove(again, 0, honest, sender=DAVE)
