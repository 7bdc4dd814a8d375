"""What it costs to margin an account in a proof, and that too little gas for it never changes a verdict."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from challenger.execute import PyEvm, Verdict, Verifier
from rollup.crypto.tree import MemoryNodes, Tree
from rollup.crypto.witness import build_witness
from rollup.errors import ProofFault
from rollup.l1.devkeys import dev_address
from rollup.stf.block import execute_block
from rollup.types.blocks import Header
from rollup.types.messages import Forced, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import Flag, Trade, Transaction, encode_transaction
from tests.stf.venue import CALL, FUTURE, LOT, PERP, PUT, Venue, dated, surface
from tests.stf.world import SEPARATOR, START, USD, forced_order, price
from tests.support.evm import PyRevm, code_of

FIRST, SECOND = 0, 1
COLD_BOUND, WARM_BOUND = 1_300_000, 150_000
"""DESIGN section 11: 32 options with every market cold, and warm."""

Evidence = tuple[Header, bytes, tuple[bytes, ...], bytes]


@cache
def fast() -> Verifier:
    """The compiled verifier in pyrevm."""
    return Verifier(PyRevm(code_of("Verifier")))


def evidence_of(venue: Venue, txs: list[Transaction], messages: tuple[bytes, ...] = ()) -> tuple[Evidence, bytes]:
    """Proof of a valid block and the root after it."""
    data = b"".join(map(encode_transaction, txs))
    tree = Tree(MemoryNodes())
    tree.update(venue.leaves)
    header = replace(venue.header(messages, data, venue.now), parent_root=tree.root)
    result = execute_block(venue.read, header, data, messages, SEPARATOR)
    assert result.reason == Reason.NONE
    return (header, data, messages, build_witness(tree, result.pre)), tree.changes(result.writes)[0]


def gas_of(venue: Venue, *txs: Transaction) -> int:
    """Gas of the proof of a block."""
    evidence, root = evidence_of(venue, list(txs))
    verdict = fast().verify(*evidence, SEPARATOR)
    assert (verdict.reason, verdict.post_root) == (Reason.NONE, root)
    return verdict.gas_used


def holders(count: int) -> Venue:
    """Two sound accounts, flagged long ago, each with the same `count` options, long and short, calls and puts."""
    venue = dated(6)
    markets = [venue.list_option(strike=(25_000 + 1_000 * n) * USD, call=n % 2 == 0) for n in range(count)]
    for account in (FIRST, SECOND):
        venue.give(account, account + 2, {market: LOT if market % 3 else -LOT for market in markets})
        venue.change_account(account, status=1, flagged=START)
    return venue


def margin_gas(count: int) -> tuple[int, int]:
    """Gas of margining `count` options, leaves and their proof included: every market cold, and warm."""
    venue, empty = holders(count), holders(0)
    cold = gas_of(venue, Flag(FIRST))
    return cold - gas_of(empty, Flag(FIRST)), gas_of(venue, Flag(FIRST), Flag(SECOND)) - cold


def test_margin_of_32_options_stays_within_its_bounds() -> None:
    """Unflagging an account is little more than margining it."""
    for count in (8, 16, 32):
        cold, warm = margin_gas(count)
        print(f"margin of {count} options: {cold:,} gas with every market cold, {warm:,} warm")
        assert cold <= COLD_BOUND
        assert warm <= WARM_BOUND


def risky() -> Evidence:
    """A block that updates a surface, margins options and a future, and takes a forced trade back."""
    venue = dated()
    venue.give(FIRST, SECOND, {PERP: 5 * LOT, FUTURE: -3 * LOT, CALL: -2 * LOT, PUT: LOT})
    venue.change_account(FIRST, status=1, flagged=START)
    mark = venue.mark(CALL)
    buyer, seller = (forced_order(who, who == FIRST, 10**9, mark, 1, market=CALL) for who in (2, FIRST))
    doomed = Trade(buyer, seller, 10**9)
    messages = (encode_message(Forced(dev_address(2), encode_transaction(doomed))),)
    venue.now = START + 5
    txs: list[Transaction] = [price(START + 5, 40_100 * USD), surface(START + 5, 40_200 * USD), Flag(FIRST)]
    evidence, _ = evidence_of(venue, txs, messages)
    return evidence


def test_too_little_gas_for_pricing_never_gives_another_verdict() -> None:
    """Over the whole range of gas: the right verdict or a revert, also where it ends inside the pricer (63/64)."""
    evidence = risky()
    expected = fast().verify(*evidence, SEPARATOR)
    assert expected.reason == Reason.NONE

    def answers(gas: int) -> bool:
        try:
            found: Verdict = fast().verify(*evidence, SEPARATOR, gas=gas)
        except ProofFault:
            return False
        assert replace(found, gas_used=0) == replace(expected, gas_used=0)
        return True

    answered = [answers(gas) for gas in range(0, expected.gas_used + 40_000, 331)]
    assert answered == sorted(answered)
    assert (answered[0], answered[-1]) == (False, True)


def test_verifier_without_its_pricer_says_nothing() -> None:
    """Where no code stands a call succeeds and returns nothing: that is no price."""
    evidence = risky()
    lonely = PyEvm(code_of("Verifier"), pricer=b"")
    with pytest.raises(ProofFault) as caught:
        Verifier(lonely).verify(*evidence, SEPARATOR)
    assert caught.value.name == "TooLittleGas"
    whole = Verifier(PyEvm(code_of("Verifier"))).verify(*evidence, SEPARATOR)
    assert replace(whole, gas_used=0) == replace(fast().verify(*evidence, SEPARATOR), gas_used=0)
