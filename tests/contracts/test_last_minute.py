"""What a hostile sequencer can do to an account just before its forced withdrawal takes effect, and what it cannot.

It chooses when to take the message (within the force deadline), which signed prices come before it, and it may
liquidate whom those prices leave without maintenance margin. Each block here is judged by the verifier too, so what is
refused here is a fraud there.
"""

from __future__ import annotations

import pytest

from rollup.stf.builder import BlockBuilder
from rollup.types.messages import Forced, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import Flag, Transaction, Withdraw, encode_transaction
from tests.differential import world as w
from tests.differential.signed import bid
from tests.differential.twins import Proof, accept, assert_agreement, fast_verifier, make_proof
from tests.differential.world import BTC, BTC_MARK, BTC_PERP, COIN, DOLLAR, NOW, World, make_world, oracle_update
from tests.support.world import FORCE_DEADLINE

VICTIM, IDLE, LIQUIDATOR = 2, 4, 0
AUCTION = 600
AMOUNT = 17_000 * DOLLAR
MAX_AGE = 60
MILLION = 10**6


def forced_withdrawal(account: int, amount: int, nonce: int = 1) -> bytes:
    """Sent by the owner, which is signature enough."""
    return encode_message(Forced(w.owner(account), encode_transaction(Withdraw(account, amount, nonce, bytes(64)))))


def play(state: World, *txs: Transaction, messages: tuple[bytes, ...] = (), at: int = 0) -> list[Reason]:
    """A valid block on top of the state; what became of its messages and transactions."""
    proof = make_proof(state, txs, messages, timestamp=at or state.time)
    assert_agreement(proof, fast_verifier())
    accept(state, proof)
    return [receipt.reason for receipt in proof.result.receipts]


def cheat(state: World, *txs: Transaction, at: int = 0) -> Reason:
    """A block that the verifier finds fraudulent, and why."""
    proof: Proof = make_proof(state, txs, timestamp=at or state.time)
    assert_agreement(proof, fast_verifier())
    return proof.result.reason


def equity(state: World, account: int, at: int = 0) -> int:
    """µUSD."""
    return BlockBuilder(state.read, at or state.time, w.SEPARATOR).margin_of(account)[0]


@pytest.fixture
def state() -> World:
    """The victim is long a coin with 30,000 dollars, another account short; the idle one holds nothing."""
    made = make_world()
    made.hold(VICTIM, {BTC_PERP: COIN})
    made.set_account(VICTIM, cash=30_000 * DOLLAR - BTC_MARK)
    made.hold(3, {BTC_PERP: -COIN})
    made.set_market(BTC_PERP, open_interest=COIN)
    made.set_globals(auction=AUCTION)
    return made


def test_withholding_prices_delays_holders_and_nobody_else(state: World) -> None:
    """On old prices a holder must leave twice the margin, or nothing happens and costs nothing; all others are paid."""
    late = NOW + MAX_AGE + 1
    before = state.account(VICTIM)
    messages = (forced_withdrawal(VICTIM, AMOUNT), forced_withdrawal(IDLE, 100_000 * DOLLAR))
    assert play(state, messages=messages, at=late) == [Reason.MARGIN, Reason.NONE]
    assert state.account(VICTIM) == before
    assert state.account(IDLE).withdrawn == 100_000 * DOLLAR
    # The nonce was not used up: with a fresh price the very same message does it.
    play(state, oracle_update(BTC, late, BTC_MARK, BTC_MARK))
    assert play(state, messages=messages[:1]) == [Reason.NONE]
    assert state.account(VICTIM).withdrawn == AMOUNT


def test_prices_cannot_be_made_up_nor_replayed(state: World) -> None:
    """Only what the feeders signed, later than the last, and no further from it than they may move."""
    at = NOW + 20
    fresh = oracle_update(BTC, NOW + 10, BTC_MARK, BTC_MARK)
    unsigned = oracle_update(BTC, at, BTC_MARK * 95 // 100, BTC_MARK * 95 // 100, signers=(0,))
    crash = oracle_update(BTC, at, BTC_MARK * 89 // 100, BTC_MARK * 89 // 100)
    past = oracle_update(BTC, NOW + 5, BTC_MARK * 95 // 100, BTC_MARK * 95 // 100)
    assert cheat(state, unsigned, at=at) == Reason.ORACLE_SIGNERS
    assert cheat(state, crash, at=at) == Reason.ORACLE_MOVE
    assert cheat(state, fresh, past, at=at) == Reason.ORACLE_TIME
    assert cheat(state, oracle_update(BTC, at + 1, BTC_MARK, BTC_MARK), at=at) == Reason.ORACLE_TIME
    assert cheat(state, fresh, at=NOW + 10 + MAX_AGE + 1) == Reason.ORACLE_STALE


def test_worst_signed_price_refuses_the_withdrawal_and_takes_nothing(state: World) -> None:
    """Of the prices of a minute it may apply the lowest: too little margin is all that it brings about."""
    before = state.account(VICTIM)
    low = oracle_update(BTC, NOW + 10, BTC_MARK * 91 // 100, BTC_MARK * 91 // 100)
    play(state, low, at=NOW + 20)
    assert play(state, messages=(forced_withdrawal(VICTIM, AMOUNT),)) == [Reason.MARGIN]
    assert state.account(VICTIM) == before
    assert cheat(state, Flag(VICTIM)) == Reason.NOT_LIQUIDATABLE
    # With a fair price the message would have done it; sent again, it does.
    high = oracle_update(BTC, NOW + 15, BTC_MARK, BTC_MARK)
    play(state, high)
    assert play(state, messages=(forced_withdrawal(VICTIM, AMOUNT),)) == [Reason.NONE]


def sicken(state: World, worth: int) -> None:
    """Leave the victim with so much equity at the mark."""
    state.set_account(VICTIM, cash=worth - BTC_MARK)


def test_sound_account_cannot_be_liquidated(state: World) -> None:
    """With maintenance margin to the unit neither a flag nor a bid is valid."""
    maintenance = BlockBuilder(state.read, state.time, w.SEPARATOR).margin_of(VICTIM)[1]
    sicken(state, maintenance)
    assert cheat(state, Flag(VICTIM)) == Reason.NOT_LIQUIDATABLE
    assert cheat(state, bid(VICTIM, LIQUIDATOR, 1)) == Reason.NOT_FLAGGED
    sicken(state, maintenance - 1)
    assert play(state, Flag(VICTIM)) == [Reason.NONE]


def test_liquidation_in_the_last_second_takes_nothing(state: World) -> None:
    """The discount begins at zero: who is flagged and sold in one block holds less, and is worth the same."""
    worth = 10_000 * DOLLAR
    sicken(state, worth)
    assert play(state, Flag(VICTIM), bid(VICTIM, LIQUIDATOR, 1)) == [Reason.NONE] * 2
    assert equity(state, VICTIM) == worth
    assert 0 < state.account(VICTIM).positions[0].size < COIN


@pytest.mark.parametrize("waited", [1, FORCE_DEADLINE])
def test_liquidation_within_the_deadline_takes_a_share_of_the_auction(state: World, waited: int) -> None:
    """How long a message can wait bounds the discount: equity * deadline / auction, on the part that must be sold."""
    worth = 10_000 * DOLLAR
    sicken(state, worth)
    _, maintenance = BlockBuilder(state.read, state.time, w.SEPARATOR).margin_of(VICTIM)
    initial = maintenance + -(-maintenance // 4)
    play(state, Flag(VICTIM))
    play(
        state,
        oracle_update(BTC, NOW + waited, BTC_MARK, BTC_MARK),
        bid(VICTIM, LIQUIDATOR, 1),
        at=NOW + waited,
    )
    discount = worth * waited // AUCTION
    fraction = -(-MILLION * (initial - worth) // (initial - discount))
    lost = worth - equity(state, VICTIM)
    assert lost == discount * fraction // MILLION
    assert 0 < lost <= worth * FORCE_DEADLINE // AUCTION
