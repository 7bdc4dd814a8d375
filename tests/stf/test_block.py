"""Blocks: what is touched, what is written, where a fault lies."""

from __future__ import annotations

from rollup.stf.receipts import Kind
from rollup.types.keys import GLOBALS, ORACLE_SET, account_key, market_key, slot_key, underlying_key
from rollup.types.messages import Deposit
from rollup.types.reasons import Reason
from tests.stf.world import COIN, START, USD, cancel, funded, price, set_signer, trade, transfer, withdraw

P = 40_000 * USD
TRADE_KEYS = {
    GLOBALS,
    market_key(1),
    underlying_key(1),
    *(account_key(n) for n in (0, 1)),
    *(slot_key(n, 1) for n in (0, 1)),
}


def test_a_block_of_nothing_moves_only_time() -> None:
    """It is valid; time may stand still."""
    world = funded()
    result = world.must(at=START + 5)
    assert set(result.pre) == set(result.writes) == {GLOBALS}
    assert world.globals().time == START + 5
    assert world.must(at=START + 5).writes == {}


def test_every_touched_key_is_listed_with_its_value_before_the_block() -> None:
    """Absent leaves with nothing: the witness is made of this."""
    world = funded()
    before = dict(world.leaves)
    result = world.must(trade(COIN, P, 1))
    assert set(result.pre) == TRADE_KEYS
    assert all(value == before.get(key, b"") for key, value in result.pre.items())
    assert result.pre[slot_key(0, 1)] == b""


def test_only_what_changed_is_written() -> None:
    """A key touched but unchanged is in `pre` and not in `writes`."""
    world = funded()
    result = world.must(price(START + 1, P), at=START + 1)
    assert set(result.pre) == {GLOBALS, ORACLE_SET, underlying_key(1)}
    assert set(result.writes) == {GLOBALS, underlying_key(1)}
    assert list(result.writes) == sorted(result.writes)


def test_an_invalid_block_lists_what_was_touched_up_to_its_fault() -> None:
    """Nothing is written; what the faulty transaction did not come to is not listed."""
    world = funded()
    result = world.execute(trade(COIN, P, 1), withdraw(2, 0, 1), cancel(0, 7), keep=False)
    assert (result.reason, result.index, result.writes) == (Reason.AMOUNT, 1, {})
    assert set(result.pre) == TRADE_KEYS | {account_key(2)}
    assert [receipt.index for receipt in result.receipts] == [0]


def test_a_block_before_its_parent_is_invalid_at_once() -> None:
    """Only the totals are touched, even with messages and transactions in it."""
    world = funded()
    result = world.execute(cancel(0, 1), messages=[Deposit(0, 1)], at=START - 1, keep=False)
    assert (result.reason, result.index, set(result.pre)) == (Reason.TIME, 0, {GLOBALS})
    assert result.usage.transactions == 0


def test_receipts_tell_every_kind() -> None:
    """In order, with what was executed."""
    world = funded()
    txs = (
        trade(COIN, P, 1),
        cancel(0, 9),
        withdraw(0, 1, 1),
        transfer(1, 2, 1, 1),
        set_signer(2, bytes(20), 1),
        price(START + 1, P),
    )
    receipts = world.must(*txs, messages=[Deposit(0, 1)], at=START + 1).receipts
    assert [receipt.kind for receipt in receipts] == [
        Kind.DEPOSIT,
        Kind.TRADE,
        Kind.CANCEL,
        Kind.WITHDRAW,
        Kind.TRANSFER,
        Kind.SET_SIGNER,
        Kind.ORACLE_UPDATE,
    ]
    assert [receipt.subject for receipt in receipts[1:]] == list(txs)
    assert [receipt.index for receipt in receipts] == list(range(7))
    world.check()


def test_hard_cancels_stop_later_fills() -> None:
    """Of one order, and of all below a nonce, fresh or resting."""
    world = funded()
    world.must(trade(COIN, P, 1), cancel(0, 2), cancel(1, 10, cancel_all=True))
    assert world.slot(0, 2).size == 0
    assert world.account(1).nonce_floor == 10
    assert world.refusal(trade(COIN, P, 2)) is Reason.NONCE_FLOOR
    assert world.refusal(trade(COIN, P, 10)) is Reason.NONE
    world.must(cancel(0, 11), cancel(0, 8192 + 11))
    assert world.refusal(trade(COIN, P, 11)) is Reason.NONCE_STALE
    assert world.refusal(trade(COIN, P, 8192 + 11)) is Reason.ORDER_CONFLICT
    assert world.refusal(trade(COIN, P, 2 * 8192 + 11)) is Reason.NONE


def test_owner_nonces_only_rise() -> None:
    """Withdrawals, transfers and signers share one sequence; gaps are allowed, going back is not."""
    world = funded()
    world.must(withdraw(0, 1, 5), transfer(0, 1, 1, 6), set_signer(0, bytes(20), 100))
    assert world.account(0).owner_nonce == 100
    assert world.refusal(withdraw(0, 1, 100)) is Reason.NONCE_STALE
    assert world.refusal(withdraw(0, 1, 101)) is Reason.NONE
    assert world.account(0).withdrawn == world.globals().withdrawals == 1
    world.check()
