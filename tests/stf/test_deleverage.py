"""Deleveraging at the mark or the bankruptcy price, write-offs, and who bears what is left."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.stf.receipts import Deleveraged, Withdrawn, WrittenOff
from rollup.stf.sheets import sheet_of
from rollup.types.limits import INSURANCE_FUND
from rollup.types.reasons import Reason
from rollup.types.transactions import Deleverage, Flag, WriteOff
from tests.stf.test_liquidation import AUCTION, OTHER, WEAK, flagged, recovered, weak
from tests.stf.venue import CALL, LOT, PERP, PUT, P, Venue, dated
from tests.stf.world import COIN, START, USD, transfer, withdraw


def due(equity: int = 500 * USD, **held: int) -> Venue:
    """A flagged account whose auction is over."""
    return flagged(equity, AUCTION, **held)


def refused(venue: Venue, size: int = COIN, market: int = PERP, account: int = WEAK, other: int = OTHER) -> Reason:
    """The reason why this deleveraging alone invalidates a block."""
    return venue.refusal(Deleverage(account, other, market, size))


def with_fund(venue: Venue, amount: int) -> Venue:
    """The insurance fund has this much."""
    venue.change_globals(insurance=amount, deposits=venue.globals().deposits + amount)
    return venue


def same_side() -> Venue:
    """Account 3 is long too."""
    venue = due()
    venue.give(3, OTHER, {PERP: COIN})
    return venue


def stale() -> Venue:
    """The price is old."""
    venue = due()
    venue.change_underlying(time=START - 61)
    return venue


def brink(account: int) -> Venue:
    """Cash at a bound, so that what is paid leaves the range."""
    venue = due(-2_000 * USD)
    venue.change_account(account, cash=-(2**62) + 1)
    return venue


CASES: dict[str, tuple[Reason, Callable[[], Reason]]] = {
    "against itself": (Reason.SELF_TRADE, lambda: refused(due(), other=WEAK)),
    "unknown account": (Reason.ACCOUNT_UNKNOWN, lambda: refused(due(), account=9)),
    "unknown counterparty": (Reason.ACCOUNT_UNKNOWN, lambda: refused(due(), other=9)),
    "not flagged": (Reason.NOT_FLAGGED, lambda: refused(weak())),
    "flag about to be spent": (Reason.NONE, lambda: refused(flagged(since=2 * AUCTION))),
    "flag spent": (Reason.NOT_FLAGGED, lambda: refused(flagged(since=2 * AUCTION + 1))),
    "unknown market": (Reason.MARKET_UNKNOWN, lambda: refused(due(), market=99)),
    "old price": (Reason.ORACLE_STALE, lambda: refused(stale())),
    "sound again": (Reason.NOT_LIQUIDATABLE, lambda: refused(recovered())),
    "auction runs": (Reason.AUCTION_OPEN, lambda: refused(flagged(since=AUCTION - 1))),
    "auction runs, fund can pay": (
        Reason.AUCTION_OPEN,
        lambda: refused(with_fund(flagged(-100 * USD), 100 * USD)),
    ),
    "auction runs, fund cannot pay": (Reason.NONE, lambda: refused(with_fund(flagged(-100 * USD), 100 * USD - 1))),
    "nothing": (Reason.DELEVERAGE_SIZE, lambda: refused(due(), size=0)),
    "part of a lot": (Reason.DELEVERAGE_SIZE, lambda: refused(due(), size=LOT + 1)),
    "more than it has": (Reason.DELEVERAGE_SIZE, lambda: refused(due(), size=COIN + LOT)),
    "more than the other has": (
        Reason.DELEVERAGE_SIZE,
        lambda: refused(due().but(lambda v: v.give(OTHER, 3, {PERP: COIN // 2}))),
    ),
    "other has none": (Reason.DELEVERAGE_SIZE, lambda: refused(due(), other=3)),
    "same side": (Reason.DELEVERAGE_SIZE, lambda: refused(same_side(), other=3)),
    "cash of the counterparty": (Reason.CASH_RANGE, lambda: refused(brink(OTHER))),
    "good": (Reason.NONE, lambda: refused(due())),
    "write off: unknown": (Reason.ACCOUNT_UNKNOWN, lambda: dated().refusal(WriteOff(9))),
    "write off: not flagged": (Reason.NOT_FLAGGED, lambda: dated().refusal(WriteOff(WEAK))),
    "write off: holds positions": (Reason.NOT_LIQUIDATABLE, lambda: due(-100 * USD).refusal(WriteOff(WEAK))),
    "write off: no debt": (
        Reason.NOT_LIQUIDATABLE,
        lambda: due().but(lambda v: v.change_account(WEAK, positions=(), cash=0)).refusal(WriteOff(WEAK)),
    ),
    "write off: too much bad debt": (
        Reason.CASH_RANGE,
        lambda: debtor().but(lambda v: v.change_globals(bad_debt=2**62 - 50 * USD)).refusal(WriteOff(WEAK)),
    ),
}


def debtor(debt: int = 100 * USD) -> Venue:
    """A flagged account with debt and nothing else."""
    venue = dated()
    venue.set_cash(WEAK, -debt)
    venue.must(Flag(WEAK))
    return venue


@pytest.mark.parametrize("name", CASES)
def test_refused_for(name: str) -> None:
    """The transaction makes its block invalid with exactly this reason."""
    reason, case = CASES[name]
    assert case() is reason


def test_closing_at_the_bankruptcy_price_leaves_nothing() -> None:
    """The account owes 500 USD: its long is closed 500 USD above the mark, and the counterparty bears that."""
    venue = due(-500 * USD)
    before = venue.account(OTHER).cash
    detail = venue.done(Deleveraged, Deleverage(WEAK, OTHER, PERP, COIN))
    assert detail.received == P + 500 * USD
    assert venue.account(WEAK).positions == ()
    assert (venue.account(WEAK).cash, venue.account(WEAK).status) == (0, 0)
    assert venue.account(OTHER).cash == before - detail.received
    assert venue.market(PERP).open_interest == 0
    venue.check()


def test_the_fund_covers_a_deficit_before_counterparties_do() -> None:
    """100 USD from the fund, 200 USD from the counterparty."""
    venue = with_fund(due(-300 * USD, m1=-COIN), 100 * USD)
    before = venue.account(OTHER).cash
    detail = venue.done(Deleveraged, Deleverage(WEAK, OTHER, PERP, COIN))
    assert (detail.cover, detail.received) == (100 * USD, -(P - 200 * USD))
    assert venue.account(OTHER).cash == before + P - 200 * USD
    assert (venue.account(WEAK).cash, venue.account(WEAK).status) == (0, 0)
    assert venue.globals().insurance == venue.globals().fees == venue.globals().insolvent == 0
    venue.check()


def test_the_counterparty_is_looked_at_too() -> None:
    """Losing a hedge may leave it weak: then it is flagged at once."""
    venue = due(-3_000 * USD)
    venue.set_cash(OTHER, venue.account(OTHER).cash + 3_500 * USD - venue.margin(OTHER).equity)
    venue.must(Deleverage(WEAK, OTHER, PERP, COIN // 2))
    equity, maintenance = venue.margin(OTHER)
    assert (venue.account(OTHER).status == 1) is (equity < maintenance)
    assert venue.account(OTHER).status == 1
    venue.check()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(-5_000, -1),
    st.lists(st.integers(1, 40), min_size=2, max_size=3),
    st.integers(-30, 30).filter(bool),
)
def test_a_partial_deleveraging_does_not_change_the_bankruptcy_price(equity: int, parts: list[int], puts: int) -> None:
    """However a position is cut, in whatever order: each part is paid the price of the whole, as an exact fraction.

    What is rounded up in the account's favour (a µUSD for each part, one for its equity) is not missing for the rest.
    """
    venue = due(equity * USD, m1=sum(parts) * 10 * LOT, m5=puts * LOT)
    gross = sum(parts) * 10 * LOT * P + abs(puts) * LOT * mark_of_put(venue)
    missing = min(gross, -equity * USD * COIN)
    for order in permutations(parts):
        copy = Venue(dict(venue.leaves), venue.now)
        for part in order:
            detail = copy.done(Deleveraged, Deleverage(WEAK, OTHER, PERP, part * 10 * LOT))
            exact = Fraction(part * 10 * LOT * P * (gross + missing), gross * COIN)
            assert abs(detail.received - exact) <= len(parts) + 1
            copy.check()
        assert copy.account(WEAK).position_in(PERP) == 0


def mark_of_put(venue: Venue) -> int:
    """The mark of the put, to the µUSD."""
    return sheet_of(venue.builder().view, PUT).mark


def test_an_account_deleveraged_to_the_end_owes_nothing() -> None:
    """Long, short and options: after the last close its cash is zero, but for a µUSD of rounding in its favour."""
    venue = due(-700 * USD, m1=COIN, m3=-COIN // 2, m4=-COIN // 4, m5=COIN // 4)
    sizes = {1: COIN, 3: COIN // 2, CALL: COIN // 4, PUT: COIN // 4}
    for market, size in sizes.items():
        venue.must(Deleverage(WEAK, OTHER, market, size))
    assert venue.account(WEAK).positions == ()
    assert 0 <= venue.account(WEAK).cash <= len(sizes)
    assert (venue.account(WEAK).status, venue.globals().insolvent) == (0, 0)
    venue.check()


@pytest.mark.parametrize("size", [LOT, -LOT])
def test_no_counterparty_loses_more_than_its_position_is_worth(size: int) -> None:
    """A debt of 5,000 USD behind a lot of calls: closing it costs nothing or twice its mark, not the debt."""
    venue = due(-5_000 * USD, m4=size)
    worth = abs(venue.margin(OTHER).equity)
    value = LOT * venue.mark(CALL) // COIN
    detail = venue.done(Deleveraged, Deleverage(WEAK, OTHER, CALL, LOT))
    assert 0 <= abs(detail.received) <= 2 * value + 2
    assert worth - venue.margin(OTHER).equity <= value + 2
    venue.must(WriteOff(WEAK))
    assert venue.globals().bad_debt > 4_000 * USD
    venue.check()


def test_worthless_holdings_are_closed_for_nothing() -> None:
    """Options whose mark is zero have no bankruptcy price."""
    venue = due(-100 * USD, m5=-COIN)
    venue.change_series(settlement=0, forward=P, sigma=1, a=100_000, b=0)
    venue.change_market(PUT, strike=USD)
    assert venue.mark(PUT) == 0
    venue.set_cash(WEAK, -100 * USD)
    detail = venue.done(Deleveraged, Deleverage(WEAK, OTHER, PUT, COIN))
    assert detail.received == 0
    assert venue.account(WEAK).cash == -100 * USD
    venue.must(WriteOff(WEAK))
    venue.check()


def test_a_write_off_takes_from_the_fund_and_records_the_rest() -> None:
    """60 USD from the fund, 40 USD of bad debt, and the account is free."""
    venue = with_fund(debtor(), 60 * USD)
    detail = venue.done(WrittenOff, WriteOff(WEAK))
    assert (detail.cover, detail.bad_debt) == (60 * USD, 40 * USD)
    assert (venue.account(WEAK).cash, venue.account(WEAK).status) == (0, 0)
    assert (venue.globals().bad_debt, venue.globals().insolvent) == (40 * USD, 0)
    assert venue.check().bad_debt == 40 * USD


def test_anybody_may_give_to_the_insurance_fund() -> None:
    """A transfer to the last account number, which the fund has instead of an account."""
    venue = dated()
    before = venue.globals().insurance
    venue.must(transfer(1, INSURANCE_FUND, 5 * USD, 1))
    assert venue.globals().insurance == before + 5 * USD
    assert venue.account(1).cash == 99_995 * USD
    venue.check()


def test_who_leaves_bears_a_share_of_bad_debt() -> None:
    """The share that its money is of all; the last to leave bears what is left, and nothing remains."""
    venue = debtor(30_000 * USD)
    venue.must(WriteOff(WEAK))
    total = 3 * 100_000 * USD
    assert venue.check().bad_debt == 30_000 * USD
    results: list[Any] = []
    for account in (1, 2, 3):
        results.append(venue.done(Withdrawn, withdraw(account, 100_000 * USD, 1)))
        venue.check()
    assert [detail.haircut for detail in results] == [10_000 * USD] * 3
    assert [venue.account(account).withdrawn for account in (1, 2, 3)] == [90_000 * USD] * 3
    assert venue.globals().bad_debt == 0
    assert venue.globals().withdrawals == total - 30_000 * USD == venue.globals().deposits


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**12), st.lists(st.integers(1, 10**11), min_size=1, max_size=12))
def test_withdrawals_never_exceed_deposits(debt: int, amounts: list[int]) -> None:
    """Whatever the bad debt, in whatever steps people leave: what may be claimed on L1 is there."""
    venue = dated(3)
    venue.change_globals(bad_debt=debt)
    venue.change_account(0, cash=100_000 * USD + debt)
    nonces = [0, 0, 0]
    for turn, amount in enumerate(amounts):
        who = turn % 3
        nonces[who] += 1
        result = venue.execute(withdraw(who, amount, nonces[who]))
        assert result.reason in {Reason.NONE, Reason.MARGIN, Reason.CASH_RANGE}
        assert 0 <= venue.globals().bad_debt <= debt
        assert venue.globals().withdrawals <= venue.globals().deposits
        venue.check()


def test_an_unnoticed_insolvency_cannot_carry_money_out() -> None:
    """Somebody owes more than the chain has, nobody has flagged it: what is not there is not paid."""
    venue = dated(2)
    venue.give(0, 1, {PERP: COIN})
    venue.change_account(0, cash=-100_000 * USD)
    venue.change_account(1, cash=300_000 * USD)
    assert venue.refusal(withdraw(1, 200_000 * USD + 1, 1)) is Reason.CASH_RANGE
    assert venue.refusal(withdraw(1, 200_000 * USD, 1)) is Reason.NONE
