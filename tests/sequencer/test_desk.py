"""The desk: commands against real books, the real state transition and a real state tree."""

from __future__ import annotations

import pytest

from rollup.errors import FillOrKillUnfilled, NonceInUse, PostOnlyWouldCross
from rollup.l1.devkeys import dev_address
from rollup.sequencer.journal import OPEN
from rollup.sequencer.matching_orders import TimeInForce
from rollup.sequencer.rejections import REFUSALS, SlotInUse, TooManyOrders, UnknownOrder
from rollup.stf.block import execute_block
from rollup.types.limits import SLOT_COUNT
from rollup.types.reasons import Reason
from rollup.types.transactions import (
    FLAG_IMMEDIATE,
    FLAG_POST_ONLY,
    FLAG_REDUCE_ONLY,
    OrderRef,
    Trade,
    decode_transactions,
)
from tests.stf.world import SEPARATOR, USD, cancel, order, set_signer, withdraw
from tests.support.desk import Trading, new_store, quote


@pytest.fixture
def trading() -> Trading:
    """Six funded accounts and a price of 50,000."""
    return Trading()


def replays(trading: Trading) -> None:
    """Every committed block executes to its own root on a state of its own."""
    other = new_store()
    for record in trading.records():
        result = execute_block(other.read, record.header, record.txs, record.messages, SEPARATOR)
        assert result.reason is Reason.NONE
        staged = other.stage(result.writes)
        assert staged.root == record.header.state_root


def test_crossing_orders_trade_at_the_makers_price(trading: Trading) -> None:
    """The taker pays what the maker asked, and both positions stand."""
    assert trading.place(quote(0, True, 200, 50_010, 1)).status == "open"
    report = trading.place(quote(1, False, 100, 50_100, 1))
    assert report.status == "filled"
    assert [(t.price, t.size) for t in report.trades] == [(50_010 * USD, 100_000)]
    trading.flush()
    assert (trading.position(0), trading.position(1)) == (-100_000, 100_000)
    assert trading.check()
    replays(trading)


def test_second_fill_of_an_order_refers_to_its_slot(trading: Trading) -> None:
    """An order's signature reaches L1 once."""
    trading.place(quote(0, True, 300, 50_000, 1))
    trading.place(quote(1, False, 100, 50_000, 1))
    trading.place(quote(2, False, 100, 50_000, 1))
    trading.flush()
    trades = [tx for tx in decode_transactions(trading.records()[-1].txs) if isinstance(tx, Trade)]
    assert not isinstance(trades[0].maker, OrderRef)
    assert isinstance(trades[1].maker, OrderRef)
    replays(trading)


def test_immediate_order_never_rests(trading: Trading) -> None:
    """What an IOC order cannot fill at once is cancelled."""
    trading.place(quote(0, True, 100, 50_000, 1))
    report = trading.place(quote(1, False, 300, 50_000, 1, FLAG_IMMEDIATE))
    assert (report.status, report.filled) == ("cancelled", 100_000)
    assert trading.desk.orders.count(1) == 0


def test_fill_or_kill_fills_across_makers_or_does_nothing(trading: Trading) -> None:
    """All of it or none of it, over several makers."""
    trading.place(quote(0, True, 100, 50_000, 1))
    trading.place(quote(2, True, 100, 50_001, 1))
    with pytest.raises(FillOrKillUnfilled):
        trading.place(quote(1, False, 300, 50_010, 1, FLAG_IMMEDIATE), TimeInForce.FOK)
    assert trading.position(1) == 0
    report = trading.place(quote(1, False, 200, 50_010, 2, FLAG_IMMEDIATE), TimeInForce.FOK)
    assert (report.status, len(report.trades)) == ("filled", 2)
    trading.flush()
    replays(trading)


def test_fill_or_kill_whose_second_maker_cannot_pay_leaves_no_first_fill(trading: Trading) -> None:
    """The state transition refuses the second fill: the first is taken back, in the block as well."""
    trading.place(quote(0, True, 100, 50_000, 1))
    trading.place(quote(2, True, 1_500, 50_001, 1))
    trading.submit(withdraw(2, 99_000 * USD, 1))
    report = trading.place(quote(1, False, 1_600, 50_010, 1, FLAG_IMMEDIATE), TimeInForce.FOK)
    assert report.status == "cancelled"
    assert (trading.position(0), trading.position(1), trading.position(2)) == (0, 0, 0)
    assert trading.desk.orders.count(2) == 0, "the maker who cannot pay has left the book"
    assert trading.desk.orders.count(0) == 1
    trading.flush()
    replays(trading)


def test_maker_without_margin_leaves_and_matching_goes_on(trading: Trading) -> None:
    """A resting order whose account lost its money is removed; the next one trades."""
    trading.place(quote(0, True, 1_500, 50_000, 1))
    trading.place(quote(2, True, 100, 50_001, 1))
    trading.submit(withdraw(0, 99_990 * USD, 1))
    report = trading.place(quote(1, False, 100, 50_010, 1))
    assert report.status == "filled"
    assert report.trades[0].maker == 2
    assert trading.desk.orders.count(0) == 0


def test_taker_without_margin_is_refused_and_makers_stay(trading: Trading) -> None:
    """The order never enters the book."""
    trading.place(quote(0, True, 100, 50_000, 1))
    with pytest.raises(REFUSALS[Reason.MARGIN]):
        trading.place(quote(1, False, 100_000, 50_000, 1))
    assert trading.desk.orders.count(0) == 1


def test_open_orders_are_margined_together(trading: Trading) -> None:
    """Many resting orders may not add up to what the account cannot bear."""
    trading.place(quote(0, False, 4_000, 50_000, 1))
    trading.place(quote(0, False, 3_000, 49_900, 2))
    with pytest.raises(REFUSALS[Reason.MARGIN]):
        trading.place(quote(0, False, 3_000, 49_900, 3))


def test_post_only_order_that_would_trade_is_refused(trading: Trading) -> None:
    """Post-only orders rest or are refused."""
    trading.place(quote(0, True, 100, 50_000, 1))
    with pytest.raises(PostOnlyWouldCross):
        trading.place(quote(1, False, 100, 50_000, 1, FLAG_POST_ONLY))
    assert trading.place(quote(1, False, 100, 49_990, 2, FLAG_POST_ONLY)).status == "open"


def test_reduce_only_order_is_capped_at_the_position(trading: Trading) -> None:
    """It closes what is held and nothing more."""
    with pytest.raises(REFUSALS[Reason.REDUCE_ONLY]):
        trading.place(quote(1, True, 100, 50_000, 1, FLAG_REDUCE_ONLY))
    trading.place(quote(0, True, 100, 50_000, 1))
    trading.place(quote(1, False, 100, 50_000, 2))
    trading.place(quote(2, False, 500, 49_990, 1))
    report = trading.place(quote(1, True, 300, 49_990, 3, FLAG_REDUCE_ONLY))
    assert report.filled == 100_000
    assert trading.position(1) == 0


def test_own_resting_order_is_cancelled_rather_than_traded_with(trading: Trading) -> None:
    """No account trades with itself."""
    trading.place(quote(0, True, 100, 50_000, 1))
    report = trading.place(quote(0, False, 100, 50_000, 2))
    assert (report.status, report.trades) == ("open", ())
    assert trading.desk.orders.get((0, 1)) is None


def test_nonces_and_slots_are_guarded(trading: Trading) -> None:
    """One nonce one order, one slot one open order, stale nonces and floors refused."""
    trading.place(quote(0, True, 100, 50_000, 7))
    with pytest.raises(NonceInUse):
        trading.place(quote(0, True, 100, 50_001, 7))
    with pytest.raises(SlotInUse):
        trading.place(quote(0, True, 100, 50_001, 7 + SLOT_COUNT))
    trading.place(quote(1, False, 100, 50_000, 7))
    with pytest.raises(REFUSALS[Reason.NONCE_STALE]):
        trading.place(quote(0, True, 100, 50_001, 7))
    trading.submit(cancel(0, 100, cancel_all=True))
    with pytest.raises(REFUSALS[Reason.NONCE_FLOOR]):
        trading.place(quote(0, True, 100, 50_001, 50))


def test_number_of_open_orders_is_bounded() -> None:
    """One account cannot fill the memory."""
    trading = Trading(max_orders=2)
    for nonce in (1, 2):
        trading.place(quote(0, True, 1, 50_000 + nonce, nonce))
    with pytest.raises(TooManyOrders):
        trading.place(quote(0, True, 1, 50_010, 3))


def test_soft_cancel_takes_off_the_book_and_hard_cancel_stands_in_a_block(trading: Trading) -> None:
    """A soft cancel costs no block space; a hard one makes a later fill provable fraud."""
    trading.place(quote(0, True, 100, 50_000, 1))
    trading.place(quote(0, True, 100, 50_001, 2))
    before = trading.store.number
    assert [r.status for r in trading.soft_cancel(cancel(0, 1))] == ["cancelled"]
    with pytest.raises(UnknownOrder):
        trading.soft_cancel(cancel(0, 1))
    trading.flush()
    assert trading.store.number == before
    trading.submit(cancel(0, 2))
    assert trading.desk.orders.count(0) == 0
    trading.flush()
    assert trading.store.number == before + 1


def test_cancel_by_a_stranger_is_refused(trading: Trading) -> None:
    """Order ids are public; cancelling takes the owner's or signer's signature."""
    trading.place(quote(0, True, 100, 50_000, 1))
    with pytest.raises(REFUSALS[Reason.SIGNATURE_INVALID]):
        trading.soft_cancel(cancel(0, 1, key=3))
    assert trading.desk.orders.count(0) == 1


def test_dismissed_signers_unfilled_orders_leave_the_book(trading: Trading) -> None:
    """An order that the state would refuse at its first fill does not stay."""
    trading.submit(set_signer(0, dev_address(5), 1))
    fresh = order(0, True, 100_000, 50_000 * USD, 1, key=5)
    assert trading.place(fresh).status == "open"
    trading.submit(set_signer(0, bytes(20), 2))
    assert trading.desk.orders.count(0) == 0


def test_full_block_is_sealed_in_the_middle_of_an_orders_fills() -> None:
    """A sweep through many makers continues in the next block."""
    trading = Trading(accounts=45, max_orders=100)
    for number in range(1, 45):
        trading.place(quote(number, True, 1, 50_000 + number % 3, 1))
    report = trading.place(quote(0, False, 44, 50_010, 1))
    assert report.status == "filled"
    assert len({trade.block for trade in report.trades}) > 1
    trading.flush()
    replays(trading)
    assert trading.check()


def test_expired_orders_are_dropped(trading: Trading) -> None:
    """Their time passes without anybody asking."""
    trading.place(order(0, True, 100_000, 50_000 * USD, 1, expiry=trading.time + 1))
    trading.flush()
    assert trading.ledger is not None
    trading.ledger.refresh()
    trading.time += 2
    trading.desk.expire()
    assert trading.desk.orders.count(0) == 0


def test_restart_restores_books_state_and_time_priority(trading: Trading) -> None:
    """A new desk on the same store is the old one."""
    trading.place(quote(0, True, 300, 50_000, 1))
    trading.place(quote(2, True, 100, 50_000, 1))
    trading.place(quote(3, True, 100, 49_999, 1))
    trading.place(quote(1, False, 200, 50_000, 1))
    trading.flush()
    again = Trading(store=trading.store, time=trading.time)
    again.desk.move(0)
    before = [(e.order_id, e.remaining) for e in trading.desk.books[1]]
    assert [(e.order_id, e.remaining) for e in again.desk.books[1]] == before
    report = again.place(quote(4, False, 300, 50_000, 1))
    assert [trade.maker for trade in report.trades] == [0, 2]


def test_expired_orders_neither_count_as_exposure_nor_hold_a_slot(trading: Trading) -> None:
    """A new order is judged by what can still be filled, without anybody having swept the books."""
    assert trading.ledger is not None
    for nonce in (1, 2):
        trading.place(order(0, False, 3_500_000, 50_000 * USD, nonce, expiry=trading.time + 5))
    with pytest.raises(REFUSALS[Reason.MARGIN]):
        trading.place(order(0, False, 3_500_000, 50_000 * USD, 3))
    trading.flush()
    trading.time += 6
    trading.ledger.refresh()
    assert trading.place(order(0, False, 3_500_000, 50_000 * USD, 3)).status == "open"
    assert trading.place(order(0, False, 1_000_000, 50_000 * USD, 1 + SLOT_COUNT)).status == "open"
    assert [each.fresh.nonce for each in trading.desk.orders.of_account(0)] == [3, 1 + SLOT_COUNT]
    trading.flush()
    assert len(list(trading.store.records.entries(OPEN))) == 2


def test_restored_reduce_only_order_closes_the_position_and_no_more(trading: Trading) -> None:
    """Its cap is not in the journal; the position is in the state."""
    trading.place(quote(0, True, 100, 50_000, 1))
    trading.place(quote(1, False, 100, 50_000, 2))
    trading.place(quote(1, True, 300, 50_010, 3, FLAG_REDUCE_ONLY))
    before = [each.report("open") for each in trading.desk.orders]
    trading.flush()
    again = Trading(store=trading.store, time=trading.time)
    again.desk.move(0)
    assert [each.report("open") for each in again.desk.orders] == before
    again.place(quote(2, False, 300, 50_010, 1))
    assert again.position(1) == 0
