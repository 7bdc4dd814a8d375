"""A block with a wrong root, posted and proven on L1: the whole transaction, in py-evm under Prague rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from eth_account import Account as EthAccount

from challenger.execute import Verdict, join_messages
from rollup.crypto.keccak import keccak
from rollup.crypto.merkle import merkle_path
from rollup.l1.artifacts import load_artifact
from rollup.l1.devkeys import dev_key
from rollup.l1.limits import MAX_TX_GAS
from rollup.types.blocks import BatchBlock
from rollup.types.limits import MAX_BATCH_BLOCKS
from tests.differential.twins import Proof
from tests.support.chain import ALICE, CHAIN_ID, DAVE
from tests.support.world import ETHER, Posted, World, as_tuple, deploy_world

PROVER: Final = 3
"""DAVE's development key."""
WRONG: Final = keccak(b"a root that nothing leads to")
_WEI_PER_GAS: Final = 10**12
"""Fees of a busy day, so that the transaction's own fields are as long as they get."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A proof that went through: gas paid, length of the signed transaction, and what L1 found."""

    gas: int
    transaction_bytes: int
    verdict: Verdict


def try_on_l1(proof: Proof) -> Trial:
    """Deploy on the block's parent state, post the block with a wrong root as the last of a longest batch, prove it."""
    world = deploy_world(load_artifact("TestUSD"), load_artifact("Verifier"), [ALICE], proof.header.parent_root)
    _force(world, proof.messages)
    block = BatchBlock(proof.header.timestamp, len(proof.messages), WRONG, proof.txs)
    idle = BatchBlock(proof.header.timestamp, 0, proof.header.parent_root, b"")
    posted = world.post(*[idle] * (MAX_BATCH_BLOCKS - 1), block)
    return prove(world, posted, MAX_BATCH_BLOCKS - 1, replace(proof, header=posted.headers[-1]))


def prove(world: World, posted: Posted, position: int, proof: Proof) -> Trial:
    """Send the proof as DAVE, with all the gas that a transaction may have."""
    path = merkle_path([keccak(header.encode()) for header in posted.headers], position)
    arguments = (
        posted.index, position, as_tuple(proof.header), path, proof.txs, join_messages(proof.messages), proof.witness
    )  # fmt: skip
    outcome = world.rollup.send("prove", *arguments, sender=DAVE, gas=MAX_TX_GAS)
    found = world.rollup.events(outcome)["FraudProven"]
    assert world.rollup.call("batchCount") == posted.index
    verdict = Verdict(found["reason"], found["index"], found["postRoot"], 0)
    return Trial(outcome.gas_used, transaction_bytes(world, world.rollup.abi.encode_call("prove", *arguments)), verdict)


def transaction_bytes(world: World, calldata: bytes) -> int:
    """Length of the signed transaction that carries `calldata` to the Rollup."""
    signed = EthAccount.sign_transaction(
        {
            "type": 2, "chainId": CHAIN_ID, "nonce": 1 << 32, "to": world.rollup.address, "value": 0,
            "gas": MAX_TX_GAS, "maxFeePerGas": _WEI_PER_GAS, "maxPriorityFeePerGas": _WEI_PER_GAS, "data": calldata,
        },
        dev_key(PROVER),
    )  # fmt: skip
    return len(signed.raw_transaction)


def _force(world: World, messages: Sequence[bytes]) -> None:
    """Send forced messages through the Inbox, each from the sender that it names."""
    for message in messages:
        assert message[0] == 3, "only forced messages can say anything"
        sender = message[1:21]
        if world.chain.balance(sender) < ETHER:
            world.chain.set_balance(sender, 100 * ETHER)
        fee = world.inbox.call("forceFee")
        outcome = world.inbox.send("force", message[21:], sender=sender, value=fee)
        assert world.inbox.events(outcome)["MessageAdded"]["message"] == message
