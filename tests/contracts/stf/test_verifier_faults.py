"""A proof that differs in anything from the one there is proves nothing: the verifier reverts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from challenger.execute import PyEvm, Verdict
from rollup.crypto.keccak import keccak
from rollup.crypto.witness import build_witness, read_witness
from rollup.errors import ProofFault
from rollup.types.keys import account_key, market_key, slot_key
from rollup.types.messages import Deposit, Forced, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import Trade, Transaction, encode_transaction
from tests.differential import world as w
from tests.differential.cases import LOT, buy, sell
from tests.differential.twins import Proof, assert_agreement, fast_verifier, make_proof, reference_verifier, verify
from tests.differential.world import DOLLAR, SEPARATOR, World, make_world
from tests.support.evm import PyRevm, code_of


def make_block(*, valid: bool) -> tuple[World, Proof]:
    """A block with messages, trades, a price and a withdrawal; if not `valid`, with a replay at its end."""
    world = make_world(40)
    world.set_underlying(w.ETH, time=w.NOW - 5)
    world.hold(2, {w.BTC_PERP: LOT, w.ETH_PERP: -10 * LOT})
    messages = [
        encode_message(Deposit(7, DOLLAR)),
        encode_message(Forced(w.owner(9), encode_transaction(w.cancel(9, 4)))),
    ]
    withdrawal = w.withdraw(2, DOLLAR, 5)
    txs: list[Transaction | bytes] = [
        w.oracle_update(w.ETH, w.NOW, w.ETH_MARK, w.ETH_MARK),
        Trade(buy(0), sell(1), LOT),
        Trade(buy(30), sell(2, nonce=8_000), LOT),
        withdrawal,
    ]
    return world, make_proof(world, txs if valid else [*txs, withdrawal], messages)


@pytest.fixture(scope="module", params=[True, False], ids=["valid", "invalid"])
def block(request: pytest.FixtureRequest) -> tuple[World, Proof]:
    """A valid block, and one that is invalid at its last transaction."""
    world, proof = make_block(valid=request.param)
    assert proof.result.reason == (Reason.NONE if request.param else Reason.NONCE_STALE)
    assert_agreement(proof, fast_verifier())
    return world, proof


def fault_of(proof: Proof) -> str:
    """The error that the verifier reverts with."""
    with pytest.raises(ProofFault) as caught:
        verify(proof, fast_verifier())
    return caught.value.name


def test_every_changed_byte_of_a_witness_reverts(block: tuple[World, Proof]) -> None:
    """Whatever the byte says, no verdict comes of a witness that is not the right one."""
    _, proof = block
    seen = set()
    for place, byte in enumerate(proof.witness):
        changed = proof.witness[:place] + bytes([byte ^ 1 << place % 8]) + proof.witness[place + 1 :]
        seen.add(fault_of(replace(proof, witness=changed)))
    assert seen >= {"MissingLeaf", "UnsortedLeaf", "MalformedLeaf", "MalformedWitness", "WrongPreRoot"}


def test_every_changed_byte_of_transactions_and_messages_reverts(block: tuple[World, Proof]) -> None:
    """The header binds the transactions, the inbox hash the messages."""
    _, proof = block
    for place, byte in enumerate(proof.txs):
        changed = proof.txs[:place] + bytes([byte ^ 1]) + proof.txs[place + 1 :]
        assert fault_of(replace(proof, txs=changed)) == "WrongTransactions"
    for number, message in enumerate(proof.messages):
        for place, byte in enumerate(message):
            changed = message[:place] + bytes([byte ^ 1]) + message[place + 1 :]
            messages = (*proof.messages[:number], changed, *proof.messages[number + 1 :])
            assert fault_of(replace(proof, messages=messages)) == "WrongMessages"


def test_other_messages_than_the_inbox_holds_revert(block: tuple[World, Proof]) -> None:
    """None left out, none added, none out of order."""
    _, proof = block
    first, second = proof.messages
    for messages in [(), (first,), (second, first), (first, second, second), (first + second,)]:
        assert fault_of(replace(proof, messages=messages)) == "WrongMessages"


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("parent_root", keccak(b"other"), "WrongPreRoot"),
        ("txs_hash", keccak(b"other"), "WrongTransactions"),
        ("inbox_hash", keccak(b"other"), "WrongMessages"),
        ("inbox_index", 1, "WrongMessages"),
        ("inbox_index", 3, "WrongMessages"),
    ],
)
def test_wrong_header_fields_revert(block: tuple[World, Proof], field: str, value: int | bytes, fault: str) -> None:
    """What the verifier can tell of the header by itself; the rest is the Rollup contract's to bind."""
    _, proof = block
    header = replace(proof.header, **{field: value})  # type: ignore[arg-type]
    assert fault_of(replace(proof, header=header)) == fault


def test_posted_root_does_not_sway_the_verdict(block: tuple[World, Proof]) -> None:
    """Number, fork and state root are the Rollup contract's: the verdict is the same whatever they say."""
    _, proof = block
    header = replace(proof.header, number=99, fork=7, state_root=keccak(b"stolen"))
    found = verify(replace(proof, header=header), fast_verifier())
    assert found == assert_agreement(proof, fast_verifier())


def test_leaf_too_many_or_too_few_reverts(block: tuple[World, Proof]) -> None:
    """The witness lists the touched leaves, no more and no fewer."""
    world, proof = block
    pre = proof.result.pre
    for extra in (account_key(3), account_key(99), market_key(w.BTC_SMALL), slot_key(0, 2), 1 << 39, 2 << 32):
        witness = build_witness(world.tree, pre | {extra: world.read(extra)})
        assert fault_of(replace(proof, witness=witness)) == "UntouchedLeaf"
    for key in pre:
        fewer = {listed: value for listed, value in pre.items() if listed != key}
        fault = fault_of(replace(proof, witness=build_witness(world.tree, fewer)))
        assert fault == "MissingLeaf"


def test_truncated_and_padded_witnesses_revert(block: tuple[World, Proof]) -> None:
    """At every length but its own."""
    _, proof = block
    size = len(proof.witness)
    siblings = len(read_witness(proof.witness).siblings)
    for length in [0, 1, 2, 8, 100, size - siblings - 1, size - siblings, size - 33, size - 32, size - 1]:
        assert fault_of(replace(proof, witness=proof.witness[:length]))
    for padding in (b"\x00", bytes(32), keccak(b"padding")):
        assert fault_of(replace(proof, witness=proof.witness + padding)) == "MalformedWitness"


def test_stale_witness_reverts(block: tuple[World, Proof]) -> None:
    """A witness of an older state does not fit the root before the block."""
    world, proof = block
    older = world.copy()
    older.set_account(20, cash=5)
    assert fault_of(replace(proof, witness=build_witness(older.tree, proof.result.pre))) == "WrongPreRoot"


def answers_at(proof: Proof, gas: int, executor: PyEvm | PyRevm) -> bool:
    """Whether the verifier answers with so much gas; if it does, the answer must be the right one."""
    verifier = reference_verifier() if isinstance(executor, PyEvm) else fast_verifier()
    expected = assert_agreement(proof, fast_verifier())
    try:
        found = verifier.verify(proof.header, proof.txs, proof.messages, proof.witness, SEPARATOR, gas=gas)
    except ProofFault:
        return False
    assert replace(found, gas_used=0) == replace(expected, gas_used=0)
    return True


def test_too_little_gas_never_gives_another_verdict(block: tuple[World, Proof]) -> None:
    """Over the whole range of gas, in small steps: the right verdict or a revert, also within precompiles (63/64)."""
    _, proof = block
    fast = PyRevm(code_of("Verifier"))
    needed = assert_agreement(proof, fast_verifier()).gas_used
    answered = [answers_at(proof, gas, fast) for gas in range(0, needed + 4_000, 211)]
    assert answered == sorted(answered)
    assert answered[-1]
    assert not answered[0]


def test_too_little_gas_in_the_reference_evm(block: tuple[World, Proof]) -> None:
    """The same at some points in py-evm."""
    _, proof = block
    reference = PyEvm(code_of("Verifier"))
    verdict: Verdict = assert_agreement(proof, fast_verifier())
    assert not any(answers_at(proof, verdict.gas_used * part // 12, reference) for part in range(1, 12))
    assert answers_at(proof, verdict.gas_used * 65 // 64, reference)
