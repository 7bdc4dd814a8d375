"""Every reason, provoked on purpose: the twins give it at the same place, in both EVMs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from challenger.execute import Verifier
from rollup.types.limits import MAX_FORCED_MESSAGE
from rollup.types.messages import Deposit, Forced, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import encode_transaction
from tests.differential import (
    cases_bids,
    cases_closing,
    cases_combos,
    cases_dated,
    cases_deleverage,
    cases_ending,
    cases_forced,
    cases_forced_updates,
    cases_hedges,
    cases_limits,
    cases_matching,
    cases_money,
    cases_orders,
    cases_positions,
    cases_risk,
)
from tests.differential.cases import CASES, Case
from tests.differential.twins import (
    Proof,
    assert_agreement,
    encode,
    fast_verifier,
    make_proof,
    reference_verifier,
)
from tests.differential.world import make_world, owner

FAMILIES = (
    cases_bids,
    cases_closing,
    cases_combos,
    cases_dated,
    cases_deleverage,
    cases_ending,
    cases_forced,
    cases_forced_updates,
    cases_hedges,
    cases_limits,
    cases_matching,
    cases_money,
    cases_orders,
    cases_positions,
    cases_risk,
)
"""Importing them fills CASES."""
METERS = range(Reason.METER_TRANSACTIONS, Reason.METER_PRICINGS + 1)
BY_NAME = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def prove(case: Case) -> tuple[Proof, int]:
    """The case's block, and where its fault should be."""
    world = make_world()
    txs = case.make(world)
    last = len(txs) - 1 if case.index is None else case.index
    return make_proof(world, txs), 0 if case.reason == Reason.NONE else last


@BY_NAME
@pytest.mark.parametrize("verifier", [fast_verifier, reference_verifier], ids=["pyrevm", "py-evm"])
def test_reason_is_given_at_its_transaction(case: Case, verifier: Callable[[], Verifier]) -> None:
    """Reason and index are those expected, and the contract's are the same."""
    proof, index = prove(case)
    assert (proof.result.reason, proof.result.index) == (case.reason, index)
    assert_agreement(proof, verifier())


@BY_NAME
def test_forced_message_that_fails_changes_nothing_but_what_it_touched(case: Case) -> None:
    """The last transaction of each case, through the inbox: the block is valid, and both twins reach one root."""
    world = make_world()
    txs = case.make(world)
    if not txs:
        return
    last = txs[-1]
    raw = last if isinstance(last, bytes) else encode_transaction(last)
    forced = encode_message(Forced(owner(11), raw))
    if case.reason in METERS or len(forced) > MAX_FORCED_MESSAGE or len(txs) > 2:
        return  # a meter concerns the block, no inbox takes a message of this length
    before = [encode_message(Forced(owner(11), encode(txs[:-1]))), encode_message(Deposit(0, 1))]
    proof = make_proof(world, (), [*before, forced])
    assert_agreement(proof, fast_verifier())
    assert proof.result.reason == Reason.NONE
    if case.reason == Reason.INSOLVENCY:
        assert proof.result.receipts[-1].reason == Reason.NONE  # nothing holds up what is forced
    elif case.name.endswith("blank_signature_in_a_block"):
        assert proof.result.receipts[-1].reason == Reason.SIGNATURE_INVALID
    else:
        assert proof.result.receipts[-1].reason == (case.reason if case.forced is None else case.forced)


def test_every_reason_of_a_block_has_a_case() -> None:
    """None is left out but those that have tests of their own, and those of messages only."""
    of_messages = {Reason.LISTED, Reason.LISTING_INVALID}
    elsewhere = {Reason.TIME, Reason.METER_BYTES, Reason.METER_RECOVERIES, *of_messages}
    assert {case.reason for case in CASES} == set(Reason) - elsewhere
