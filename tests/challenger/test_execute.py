"""The verifier's bytecode in py-evm, as the challenger runs it."""

from __future__ import annotations

import pytest

from challenger.execute import GAS_LIMIT, VerifierEvm, encode_verify, join_messages
from rollup.errors import ProofFault
from rollup.l1.artifacts import load_artifact
from rollup.types.messages import Deposit, encode_message
from rollup.types.reasons import Reason
from tests.differential import world as w
from tests.differential.twins import Proof, make_proof
from tests.differential.world import SEPARATOR, make_world


@pytest.fixture(scope="module")
def evm() -> VerifierEvm:
    """The committed contract."""
    return VerifierEvm(load_artifact("Verifier").deployed_bytecode)


@pytest.fixture(scope="module")
def proof() -> Proof:
    """A small block with a message and a transaction."""
    return make_proof(make_world(), [w.cancel(0, 5)], [encode_message(Deposit(1, 7))])


def test_verify_valid_block_returns_its_root(evm: VerifierEvm, proof: Proof) -> None:
    """Reason none, and the root that Python computed."""
    verdict = evm.verify(proof.header, proof.txs, proof.messages, proof.witness, SEPARATOR)
    assert (verdict.reason, verdict.index, verdict.post_root) == (Reason.NONE, 0, proof.root)
    assert 0 < verdict.gas_used < GAS_LIMIT


def test_verify_under_another_domain_returns_the_reason(evm: VerifierEvm, proof: Proof) -> None:
    """A signature made for another rollup does not count here; the message before it has index 0."""
    verdict = evm.verify(proof.header, proof.txs, proof.messages, proof.witness, bytes(32))
    assert (verdict.reason, verdict.index, verdict.post_root) == (Reason.SIGNATURE_INVALID, 1, bytes(32))


def test_verify_faulty_proof_raises_the_named_error(evm: VerifierEvm, proof: Proof) -> None:
    """The contract's custom error with its values."""
    with pytest.raises(ProofFault) as caught:
        evm.verify(proof.header, proof.txs + b"\x00", proof.messages, proof.witness, SEPARATOR)
    assert caught.value.name == "WrongTransactions"
    assert caught.value.arguments[1] == proof.header.txs_hash


def test_verify_with_too_little_gas_raises(evm: VerifierEvm, proof: Proof) -> None:
    """Running out of gas is a fault of the proof without a name, never a verdict; all gas given is used."""
    with pytest.raises(ProofFault) as caught:
        evm.verify(proof.header, proof.txs, proof.messages, proof.witness, SEPARATOR, gas=50_000)
    assert (caught.value.name, caught.value.gas_used) == ("", 50_000)


def test_call_executes_raw_calldata_without_memory_of_earlier_calls(evm: VerifierEvm, proof: Proof) -> None:
    """The same bytes give the same answer for the same gas, however often; unknown functions revert."""
    calldata = encode_verify(proof.header, proof.txs, proof.messages, proof.witness, SEPARATOR)
    first = evm.call(calldata)
    assert first.ok
    assert not evm.call(b"\x12\x34\x56\x78").ok
    assert evm.call(calldata) == first


def test_messages_are_joined_with_their_lengths() -> None:
    """An empty message has a place too."""
    assert join_messages([b"ab", b""]) == b"\x00\x02ab\x00\x00"
