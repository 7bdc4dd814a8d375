"""The harness that tries honest blocks is itself tried: on verifiers with a flaw it must cry out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from challenger.execute import Execution
from rollup.crypto.witness import build_witness, read_witness
from rollup.l1.abi import encode_values
from rollup.types.messages import Deposit, Open, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import Trade
from tests.differential.cases import LOT, buy, sell
from tests.differential.twins import make_proof
from tests.differential.world import SEPARATOR, World, make_world, owner
from tests.support.forgery import forge, known_nodes, witness_of
from tests.support.prover import GAS, HonestBlock, ProvenWrongError, try_to_prove, verifier_in_pyrevm

VERDICT = ("uint256", "uint256", "bytes32")
Flaw = Callable[[Execution, int], Execution]


class Flawed:
    """The verifier with a flaw: what it answers, changed."""

    def __init__(self, flaw: Flaw) -> None:
        self._flaw = flaw

    def call(self, calldata: bytes, gas: int) -> Execution:
        """Execute."""
        return self._flaw(verifier_in_pyrevm().call(calldata, gas), gas)


def make_block() -> tuple[World, HonestBlock]:
    """A block with messages and a trade, and the world before it."""
    world = make_world()
    messages = [encode_message(message) for message in (Deposit(0, 5), Open(12, owner(12), 7), Deposit(1, 6))]
    proof = make_proof(world, [Trade(buy(), sell(), LOT)], messages)
    return world, HonestBlock(proof.header, proof.txs, proof.messages, proof.witness)


def answering(reason: int, root: bytes) -> Execution:
    """A verdict out of nowhere."""
    return Execution(ok=True, output=encode_values(VERDICT, (reason, 0, root)), gas_used=1)


def test_sound_verifier_refuses_everything() -> None:
    """Hundreds of attempts, every error of the verifier among the answers, nothing proven."""
    _, block = make_block()
    refusals = try_to_prove(block, SEPARATOR)
    assert refusals.attempts > 250
    assert sum(refusals.answers.values()) == refusals.attempts
    assert set(refusals.answers) == {
        "BlockValid", "out of gas", "MalformedWitness", "UnsortedLeaf", "MissingLeaf", "UntouchedLeaf", "MalformedLeaf",
        "WrongPreRoot", "WrongTransactions", "WrongMessages",
    }  # fmt: skip


def test_flaws_of_the_verifier_are_found() -> None:
    """Wrong root, a reason for want of gas, tolerance for forgeries, a halt in place of an error."""
    _, block = make_block()
    root = block.header.state_root
    flaws: dict[str, tuple[Flaw, str]] = {
        "wrong root": (lambda run, _: answering(0, bytes(32)) if run.ok else run, "the plain proof"),
        "reason": (lambda run, _: answering(Reason.MARGIN, bytes(32)) if run.ok else run, "the plain proof"),
        "gas": (lambda run, gas: answering(Reason.SIGNATURE_INVALID, bytes(32)) if gas < GAS else run, "gas"),
        "tolerance": (lambda _run, _gas: answering(0, root), "transactions"),
        "halt": (lambda run, _: run if run.ok else Execution(ok=False, output=b"", gas_used=1), "transactions"),
    }
    for name, (flaw, attempt) in flaws.items():
        with pytest.raises(ProvenWrongError) as caught:
            try_to_prove(block, SEPARATOR, executor=Flawed(flaw))
        assert attempt in caught.value.attempt, name


@pytest.mark.parametrize("attempts", [0, 1, 2, 40])
def test_sample_is_as_large_as_asked(attempts: int) -> None:
    """The plain proof comes first, then so many others, the same ones every time."""
    _, block = make_block()
    refusals = try_to_prove(block, SEPARATOR, attempts=attempts)
    assert refusals.attempts == 1 + attempts
    assert try_to_prove(block, SEPARATOR, attempts=attempts) == refusals


def test_forgeries_differ_from_the_truth_and_from_each_other() -> None:
    """Each attempt is one of its own, and named as such."""
    _, block = make_block()
    forgeries = list(forge(block.evidence, block.messages))
    assert all(forgery.evidence != block.evidence for forgery in forgeries)
    assert len({forgery.name for forgery in forgeries}) == len(forgeries)


def test_fewer_and_more_leaves_are_true_witnesses() -> None:
    """A witness that lists one leaf too few or too many is what the tree itself would give for those leaves."""
    world, block = make_block()
    leaves, nodes = read_witness(block.witness).leaves, known_nodes(block.witness)
    assert nodes[0] == {0: world.tree.root}
    for key in leaves:
        fewer = {other: value for other, value in leaves.items() if other != key}
        assert witness_of(fewer, nodes) == build_witness(world.tree, fewer)
        if key ^ 1 not in leaves and not world.read(key ^ 1):
            more = leaves | {key ^ 1: b""}
            assert witness_of(more, nodes) == build_witness(world.tree, more)
