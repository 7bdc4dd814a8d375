"""The harness that tries honest blocks is itself tried: on verifiers with a flaw it must cry out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from challenger.execute import Execution, Verdict
from rollup.crypto.witness import build_witness, read_witness
from rollup.l1.abi import encode_values
from rollup.types.keys import KeyKind, kind_of
from rollup.types.messages import Deposit, Forced, List, Open, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import Deleverage, Flag, Trade, Transaction, WriteOff
from tests.differential import world as w
from tests.differential.cases import LOT, PRICE, buy, sell
from tests.differential.cases_risk import distress
from tests.differential.moves import Move, Round
from tests.differential.play import Plan, Tally, play
from tests.differential.signed import bid, combo, leg, surface
from tests.differential.test_listing import CALL, SERIES
from tests.differential.test_listing import COIN as COIN_ITEM
from tests.differential.twins import Proof, fast_verifier, make_proof, verify
from tests.differential.world import COIN, DOLLAR, SEPARATOR, World, make_world, owner
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


def make_risky_block() -> HonestBlock:
    """A block with everything that befalls options and those who cannot pay, on leaves of every kind."""
    world = make_world()
    distress(world, since=600)
    world.set_series(w.BTC, w.FAR, time=w.NOW - 10)
    world.set_series(w.BTC, w.NEAR, expiry=w.NOW - 20, settlement=PRICE + 7)
    world.hold(4, {w.NEAR_CALL: COIN, w.BTC_PERP: LOT, w.ETH_CALL: LOT})
    world.hold(7, {w.BTC_PERP: COIN, w.FAR_PUT: -COIN})
    world.set_account(7, cash=-42_000 * DOLLAR)
    world.set_account(6, cash=-50 * DOLLAR, status=2, flagged=w.NOW - 9)
    world.set_globals(insolvent=1, bad_debt=3 * DOLLAR)
    world.count_interest()
    messages = [List(w.NOW + 5, item) for item in (COIN_ITEM, SERIES, CALL)] + [Forced(owner(0), b"\x07\0\0\4")]
    call = {"market": w.FAR_CALL, "price": 1_900 * DOLLAR}
    legs = (leg(w.BTC_PERP, LOT, PRICE), leg(w.FAR_PUT, LOT, 1_400 * DOLLAR, sell=True))
    txs: list[Transaction] = [
        surface(w.BTC, w.FAR, w.NOW, PRICE + 90 * DOLLAR), Trade(buy(**call), sell(**call), LOT), combo(0, 1, 9, legs),
        Flag(7), bid(2, 5, 1, 100_000), Deleverage(2, 3, w.BTC_PERP, LOT), WriteOff(6), w.withdraw(0, DOLLAR, 1),
    ]  # fmt: skip
    proof = make_proof(world, txs, [encode_message(message) for message in messages])
    assert [receipt.reason for receipt in proof.result.receipts] == [Reason.NONE] * 12
    return HonestBlock(proof.header, proof.txs, proof.messages, proof.witness)


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


def test_sound_verifier_refuses_everything_about_options_and_liquidations() -> None:
    """Every field of every kind of leaf changed, and all the rest: nothing is proven."""
    block = make_risky_block()
    kinds = {kind_of(key) for key in read_witness(block.witness).leaves}
    assert kinds == set(KeyKind)
    refusals = try_to_prove(block, SEPARATOR)
    assert refusals.attempts > 700
    assert set(refusals.answers) >= {"BlockValid", "MissingLeaf", "UntouchedLeaf", "MalformedLeaf", "WrongPreRoot"}


@pytest.mark.parametrize("part", range(4))
def test_blocks_of_random_games_survive_every_attempt(part: int) -> None:
    """Honest blocks as they come, in games where prices fall and accounts fail."""
    tried: list[int] = []

    def judge(proof: Proof) -> Verdict:
        if proof.result.reason == Reason.NONE:
            block = HonestBlock(proof.header, proof.txs, proof.messages, proof.witness)
            tried.append(try_to_prove(block, SEPARATOR, attempts=150).attempts)
        return verify(proof, fast_verifier())

    kinds = ("flag", "bid", "deleverage", "settle", "combo", "trade", "write off", "withdraw", "list")
    moves = tuple(
        Move(kind, (3 * part + i) % 12, 1 + i % 11, (5 * i + part) % 16, i % 8, 7 * i % 64, 200, (i + part) % 5)
        for i, kind in enumerate(kinds)
    )
    rounds = tuple(Round(pause, drift, (), moves) for pause, drift in ((1, -8), (30, -5), (200, 3)))
    play(Plan((-40, 30, 80, 95, 104, 3), part, (), rounds), judge, Tally())
    assert len(tried) == len(rounds)


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
