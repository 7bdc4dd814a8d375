"""Feeders who say nothing lock nobody in: perpetuals are paid out, series close, and what is forced through L1 goes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.l1.devkeys import dev_address
from rollup.types.genesis import BTC
from rollup.types.keys import series_key
from rollup.types.leaves import Series
from rollup.types.limits import CLOSING, FORCED_AGE, WIND_UP
from rollup.types.messages import Forced, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import (
    EMPTY_SIGNATURE,
    Deleverage,
    Flag,
    Settle,
    Transaction,
    Withdraw,
    WriteOff,
    encode_transaction,
)
from tests.stf.test_liquidation import KEEPER, OTHER, WEAK, flagged, weak
from tests.stf.venue import CALL, EXPIRY, FAR_CALL, FUTURE, PERP, PUT, SERIES, P, Venue, bid, dated, surface
from tests.stf.world import COIN, START, USD, price, trade, transfer, withdraw

CASH = 100_000 * USD
ENDED = START + WIND_UP + 1
"""When prices of START are abandoned."""
WINDOW = 1_800


def force(account: int, amount: int, nonce: int = 1) -> bytes:
    """A withdrawal on the word of its owner on L1."""
    tx = Withdraw(account, amount, nonce, EMPTY_SIGNATURE)
    return encode_message(Forced(dev_address(account), encode_transaction(tx)))


def leaves(venue: Venue, account: int, amount: int, at: int, nonce: int = 1) -> Reason:
    """The reason in the receipt of a forced withdrawal."""
    return venue.must(messages=[force(account, amount, nonce)], at=at).receipts[0].reason


def test_holders_of_a_perpetual_all_leave_after_a_silence_for_ever() -> None:
    """Fourteen days after the last price each is paid out at it, funding to the second, and can take everything."""
    venue = dated(3)
    venue.must(trade(COIN, P, 1))
    venue.must(price(START + 30, P, P + 100 * USD), at=START + 30)
    end = START + 30 + WIND_UP
    fee, due = 12 * USD, 100 * USD * 60 // 28_800
    long, short = CASH - fee + 100 * USD - due - 1, CASH - 100 * USD + due
    assert leaves(venue, 0, long, end) is Reason.ORACLE_STALE
    assert venue.refusal(Settle(1), at=end) is Reason.ORACLE_STALE
    assert leaves(venue, 0, long + 1, end + 1) is Reason.MARGIN
    assert venue.account(0).positions != (), "what is refused pays nothing out"
    assert leaves(venue, 0, long, end + 1) is Reason.NONE
    assert (venue.account(0).cash, venue.account(0).positions) == (0, ())
    assert (venue.market(PERP).pool, venue.market(PERP).open_interest) == (due + 1 - P - 100 * USD, 0)
    venue.check()
    venue.must(Settle(1), at=end + 5 * WIND_UP)
    assert venue.account(1).cash == short
    assert venue.market(PERP).pool == 1, "what rounding left"
    venue.must(withdraw(1, short, 1), withdraw(2, CASH, 1), at=end + 5 * WIND_UP)
    report = venue.check()
    assert (report.cash, report.fees, report.pools) == (0, fee, 1)
    assert report.withdrawals == 3 * CASH - fee - 1


def test_holders_of_series_leave_at_the_last_forward_a_day_after_expiry() -> None:
    """Nobody settles it, nobody signs anything: the first to ask closes the series for all."""
    venue = dated(2, CASH)
    venue.change_series(forward=P + 500 * USD)
    venue.give(0, 1, {FUTURE: COIN, CALL: 2 * COIN, PUT: COIN, FAR_CALL: COIN})
    last, worth = EXPIRY + CLOSING, P + 500 * USD + 2 * 500 * USD
    assert venue.refusal(Settle(0), at=last - 1) is Reason.NOTHING_TO_SETTLE
    venue.change_series(time=last - 1 - WIND_UP)
    assert venue.refusal(Settle(0), at=last - 1) is Reason.ORACLE_STALE
    assert leaves(venue, 0, CASH + worth + 1, last) is Reason.MARGIN
    assert venue.series().settlement == 0, "what is refused closes nothing"
    assert leaves(venue, 0, CASH + worth, last) is Reason.NONE
    assert venue.series().settlement == P + 500 * USD
    assert [venue.market(m).pool for m in (FUTURE, CALL, PUT, FAR_CALL)] == [-P - 500 * USD, -1_000 * USD, 0, 0]
    venue.check()
    assert venue.refusal(surface(last, P), at=last) is Reason.MARKET_EXPIRED
    assert leaves(venue, 1, CASH - worth, last + WIND_UP) is Reason.NONE
    report = venue.check()
    assert (report.cash, report.pools, report.withdrawals) == (0, 0, 2 * CASH)
    assert report.open_interest == dict.fromkeys(report.open_interest, 0)


def test_a_series_that_closes_itself_counts_what_was_covered() -> None:
    """Ten minutes at one forward, the rest of the window at the last."""
    venue = dated(2)
    venue.change_series(forward=P, sum=600 * (P + 3_000 * USD), covered=600)
    venue.give(0, 1, {FUTURE: COIN})
    venue.must(Settle(1), at=EXPIRY + CLOSING)
    assert venue.series().settlement == (600 * (P + 3_000 * USD) + (WINDOW - 600) * P) // WINDOW
    assert venue.account(1).cash == CASH - venue.series().settlement
    venue.must(Settle(0), at=EXPIRY + CLOSING)
    assert sum(venue.account(n).cash for n in (0, 1)) == 2 * CASH


def test_a_series_never_closes_at_nothing() -> None:
    """Zero says that it is not settled."""
    venue = dated(2)
    venue.give(0, 1, {PUT: COIN})
    venue.change_series(forward=0)
    venue.must(Settle(1), at=EXPIRY + CLOSING)
    assert venue.series().settlement == 1


def test_an_abandoned_series_is_valued_at_its_last_slice_and_may_be_priced_again() -> None:
    """Its holder is bound by margin as ever, and leaves with what is above it."""
    venue = dated(2)
    venue.give(0, 1, {CALL: -COIN})
    equity, maintenance = venue.margin(0, ENDED)
    initial = maintenance + -(-maintenance // 4)
    assert venue.refusal(Settle(0), at=ENDED - 1) is Reason.ORACLE_STALE
    assert leaves(venue, 0, equity - initial + 1, ENDED) is Reason.MARGIN
    assert leaves(venue, 0, equity - initial, ENDED) is Reason.NONE
    assert venue.account(0).position_in(CALL) == -COIN
    assert venue.refusal(trade(COIN, venue.mark(CALL), 1, market=CALL), at=ENDED) is Reason.ORACLE_STALE
    venue.must(surface(ENDED, P), at=ENDED)
    assert venue.series().time == ENDED
    venue.check()


def test_an_abandoned_coin_takes_no_price_any_more() -> None:
    """So all holders of its perpetual are paid out at the same one."""
    venue = dated(1)
    assert venue.refusal(price(START + WIND_UP, P), at=START + WIND_UP) is Reason.NONE
    assert venue.refusal(price(ENDED, P), at=ENDED) is Reason.MARKET_EXPIRED
    assert venue.refusal(price(START, P), at=ENDED) is Reason.MARKET_EXPIRED
    venue.change_underlying(time=0)
    assert venue.refusal(price(ENDED, P), at=ENDED) is Reason.NONE


def test_what_is_left_of_a_perpetual_is_not_traded_sold_or_closed() -> None:
    """Its holders are paid out first; a liquidation then finds nothing."""
    venue = flagged(-100 * USD)
    venue.change_account(WEAK, flagged=ENDED - 1)
    assert venue.refusal(trade(COIN, P, 1), at=ENDED) is Reason.ORACLE_STALE
    assert venue.refusal(bid(WEAK, KEEPER, 1), at=ENDED) is Reason.NOT_LIQUIDATABLE
    assert venue.refusal(Deleverage(WEAK, OTHER, PERP, COIN), at=ENDED) is Reason.DELEVERAGE_SIZE
    venue.must(WriteOff(WEAK), at=ENDED)
    assert (venue.account(WEAK).cash, venue.globals().bad_debt) == (0, 100 * USD)
    venue.check()


def test_an_insolvency_that_nobody_resolves_holds_up_no_forced_withdrawal() -> None:
    """Prices are withheld and an insolvent account stands: who holds nothing leaves at once, who does, in the end."""
    venue = flagged(-100 * USD)
    at = START + FORCED_AGE + 1
    assert venue.globals().insolvent == 1
    assert venue.refusal(Flag(WEAK), at=at) is Reason.ORACLE_STALE
    assert venue.refusal(withdraw(3, CASH, 1), at=at) is Reason.INSOLVENCY
    assert leaves(venue, 3, CASH, at) is Reason.NONE
    assert leaves(venue, OTHER, CASH, at) is Reason.ORACLE_STALE
    assert leaves(venue, OTHER, CASH - P, ENDED) is Reason.NONE
    assert venue.globals().insolvent == 1
    assert venue.refusal(transfer(KEEPER, 3, USD, 1), at=ENDED) is Reason.NONE
    venue.check()


@pytest.mark.parametrize(("late", "counts"), [(0, True), (60, True), (61, False), (7_200, False)])
def test_who_holds_updates_back_does_not_choose_the_settlement_price(late: int, counts: bool) -> None:
    """The gap counts at the new forward only while a price from expiry would still be fresh; else at the old one."""
    venue = dated()
    expiry = START + 10 * WINDOW
    venue.change_series(expiry=expiry, time=expiry - 1_000)
    venue.change_underlying(time=expiry + late - 30, spot=P * 98 // 100)
    venue.must(surface(expiry + late, P * 98 // 100), at=expiry + late)
    last = P * 98 // 100 if counts else P
    assert venue.series().covered == 60
    assert venue.series().settlement == (P * 60 + last * (WINDOW - 60)) // WINDOW


@pytest.mark.parametrize(("late", "counts"), [(20, True), (21, False), (60, False)])
def test_nor_with_an_update_that_comes_later_than_a_short_window_is_long(late: int, counts: bool) -> None:
    """A price may stay fresh for longer than the window; then the window's length is what is in time."""
    venue = dated()
    expiry = START + 10 * WINDOW
    venue.change_series(expiry=expiry, time=expiry - 65)
    venue.change_underlying(time=expiry + late - 30, spot=P * 98 // 100, settlement_window=20)
    venue.must(surface(expiry + late, P * 98 // 100), at=expiry + late)
    last = P * 98 // 100 if counts else P
    assert (venue.series().covered, venue.series().settlement) == (15, (P * 15 + last * 5) // 20)


def test_the_first_forward_of_all_counts_however_late_it_comes() -> None:
    """There is no other."""
    venue = dated()
    venue.leaves[series_key(BTC, SERIES)] = Series(START + 10).encode()
    venue.must(price(START + 5_000, P), surface(START + 5_000, P), at=START + 5_000)
    assert venue.series().settlement == P


steps = st.tuples(st.integers(0, 4), st.integers(-3_000, 3_000), st.integers(-3_000, 3_000))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(steps, min_size=1, max_size=6), st.lists(st.integers(0, 90_000), min_size=5, max_size=5),
    st.permutations(range(5)), st.booleans(),
)  # fmt: skip
def test_whatever_anybody_holds_all_leave_in_the_end(
    held: list[tuple[int, int, int]], cash: list[int], order: list[int], late: bool
) -> None:
    """No price, no sequencer's help: each takes all that is left to him; losses are borne, and nothing is made up."""
    venue = dated(5)
    for account, perps, options in held:
        for other in range(5):
            if other != account:
                venue.give(account, other, {PERP: perps * 7 + 1, CALL: options, FUTURE: -options})
    for account in range(5):
        venue.set_cash(account, cash[account] * USD)
    at = EXPIRY + CLOSING + late
    for turn, account in enumerate(order):
        for tx in settling(venue, account, at + turn):
            venue.must(tx, at=at + turn)
        venue.check()
    assert all(not venue.account(account).positions for account in range(5))
    assert 0 <= venue.market(PERP).pool <= 5
    for account in order:
        amount = venue.account(account).cash
        if amount:
            assert leaves(venue, account, amount, at + 5) is Reason.NONE
    report = venue.check()
    assert report.cash == 0
    assert report.withdrawals + report.fees + report.insurance + report.pools - report.bad_debt == report.deposits


def settling(venue: Venue, account: int, at: int) -> list[Transaction]:
    """What pays an account out, and clears what it then owes."""
    if not venue.account(account).positions:
        return [] if venue.account(account).cash >= 0 else [Flag(account), WriteOff(account)]
    after = venue.builder(at)
    after.apply(Settle(account))
    found = after.account(account)
    assert found is not None
    return [Settle(account), *([WriteOff(account)] if found.cash < 0 else [])]


def test_a_weak_account_gains_nothing_by_a_silence() -> None:
    """It is paid out at the mark that made it weak, no better."""
    venue = weak(500 * USD)
    venue.must(Settle(WEAK), at=ENDED)
    assert venue.account(WEAK).cash == 500 * USD
