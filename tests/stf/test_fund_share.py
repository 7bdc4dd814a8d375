"""What the fund pays towards the deficit of who is deleveraged in parts: each part's share, and no more in all."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.stf.receipts import Deleveraged, WrittenOff
from rollup.stf.sheets import sheet_of
from rollup.types.reasons import Reason
from rollup.types.transactions import Deleverage, WriteOff
from tests.stf.test_deleverage import due, with_fund
from tests.stf.test_liquidation import AUCTION, OTHER, WEAK
from tests.stf.venue import LOT, PERP, PUT, P
from tests.stf.world import COIN, USD


def test_the_fund_pays_a_parts_share_and_the_rest_with_the_rest() -> None:
    """A hundred dollars for a deficit of three hundred: forty with two fifths of the position, then sixty."""
    venue = with_fund(due(-300 * USD), 100 * USD)
    first = venue.done(Deleveraged, Deleverage(WEAK, OTHER, PERP, COIN * 2 // 5))
    assert (first.cover, first.received) == (40 * USD, (P + 200 * USD) * 2 // 5)
    assert (venue.globals().insurance, venue.globals().insolvent) == (60 * USD, 1)
    assert venue.margin(WEAK).equity == -180 * USD
    rest = venue.done(Deleveraged, Deleverage(WEAK, OTHER, PERP, COIN * 3 // 5))
    assert (rest.cover, rest.received) == (60 * USD, (P + 200 * USD) * 3 // 5)
    assert (venue.account(WEAK).cash, venue.account(WEAK).status, venue.globals().insolvent) == (0, 0, 0)
    venue.check()


def test_a_lot_does_not_make_the_fund_pay_for_the_account_that_keeps_the_rest() -> None:
    """A thousandth of the position, a thousandth of the deficit: whoever goes on holding the rest goes on owing."""
    venue = with_fund(due(-1_000 * USD), 5_000 * USD)
    detail = venue.done(Deleveraged, Deleverage(WEAK, OTHER, PERP, LOT))
    assert (detail.cover, detail.received) == (USD, LOT * P // COIN)
    assert venue.margin(WEAK).equity == -999 * USD
    assert (venue.globals().insurance, venue.account(WEAK).status) == (4_999 * USD, 2)
    venue.check()


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 60_000 * USD), st.integers(0, 60_000 * USD), st.lists(st.integers(1, 300), min_size=1, max_size=6),
    st.integers(-400, 400), st.data(),
)  # fmt: skip
def test_no_sequence_of_parts_pays_more_than_the_deficit_or_changes_the_price(
    deficit: int, fund: int, parts: list[int], puts: int, data: st.DataObject
) -> None:
    """In whatever order, of whatever sizes: the fund pays its whole share in the end, and never a unit beyond."""
    sign = data.draw(st.sampled_from((1, -1)))
    held = {"m1": sign * sum(parts) * LOT} | ({"m5": puts * LOT} if puts else {})
    venue = with_fund(due(-deficit, **held), fund)
    deficit = -venue.margin(WEAK).equity
    mark = sheet_of(venue.builder().view, PUT).mark
    gross = sum(parts) * LOT * P + abs(puts) * LOT * mark
    cover = min(fund, deficit)
    missing = min(gross, (deficit - cover) * COIN)
    paid = 0
    orders = [*((PERP, part * LOT) for part in parts), *([(PUT, abs(puts) * LOT)] if puts else [])]
    for step, (market, size) in enumerate(data.draw(st.permutations(orders)), 1):
        owed = -venue.margin(WEAK).equity
        if owed <= 0 or (venue.account(WEAK).status == 0):
            break  # a µUSD of rounding for each part: nothing is missing any more
        detail = venue.done(Deleveraged, Deleverage(WEAK, OTHER, market, size))
        paid += detail.cover
        value = size * (P if market == PERP else mark)
        upwards = detail.size > 0
        exact = Fraction(value * (gross + missing if upwards else missing - gross), gross * COIN)
        assert abs(detail.received - exact) <= 2 * step + 1
        assert abs(detail.cover - Fraction(cover * value, gross)) <= 2 * step + 1
        assert paid <= cover
        venue.check()
    assert paid + len(orders) >= cover
    assert venue.globals().insurance + venue.globals().fees == fund - paid


def test_every_part_is_rounded_up_within_what_there_is() -> None:
    """A deficit of two µUSD: the first lot takes one, the next the other, and then nothing is owed."""
    venue = with_fund(due(-2), USD)
    for left in (1, 0):
        assert venue.done(Deleveraged, Deleverage(WEAK, OTHER, PERP, LOT)).cover == 1
        assert venue.margin(WEAK).equity == -left
    assert venue.account(WEAK).status == 1
    assert venue.done(Deleveraged, Deleverage(WEAK, OTHER, PERP, LOT)).cover == 0
    assert venue.globals().insurance == USD - 2
    venue.check()


def test_with_what_is_worth_nothing_the_fund_pays_nothing() -> None:
    """Puts without a mark: the debt stays until there is no position left, and is written off then, by the fund."""
    venue = with_fund(due(-100 * USD, m5=-COIN), 80 * USD)
    venue.change_series(settlement=0, forward=P, sigma=1, a=100_000, b=0)
    venue.change_market(PUT, strike=USD)
    assert venue.mark(PUT) == 0
    venue.set_cash(WEAK, -100 * USD)
    for _ in range(2):
        detail = venue.done(Deleveraged, Deleverage(WEAK, OTHER, PUT, COIN // 2))
        assert (detail.received, detail.cover) == (0, 0)
    written = venue.done(WrittenOff, WriteOff(WEAK))
    assert (written.cover, written.bad_debt) == (80 * USD, 20 * USD)
    venue.check()


def test_what_is_worth_nothing_gets_no_share_beside_what_is_worth_something() -> None:
    """The fund pays with the perpetual alone, and all of it with its last part."""
    venue = due(-100 * USD, m1=COIN, m5=-COIN)
    venue.change_series(settlement=0, forward=P, sigma=1, a=100_000, b=0)
    venue.change_market(PUT, strike=USD)
    venue.set_cash(WEAK, -100 * USD - P)
    with_fund(venue, 60 * USD)
    assert venue.done(Deleveraged, Deleverage(WEAK, OTHER, PUT, COIN)).cover == 0
    assert venue.done(Deleveraged, Deleverage(WEAK, OTHER, PERP, COIN)).cover == 60 * USD
    assert venue.account(WEAK).cash == 0
    venue.check()


@pytest.mark.parametrize("fund", [0, 1, 40_000 * USD])
def test_a_debt_beyond_all_holdings_takes_the_share_and_leaves_the_rest_to_be_written_off(fund: int) -> None:
    """Twice the mark at most: with the last part the fund has paid all it can, the write-off finds nothing more."""
    venue = with_fund(due(-100_000 * USD), fund)
    paid = 0
    for _ in range(4):
        paid += venue.done(Deleveraged, Deleverage(WEAK, OTHER, PERP, COIN // 4)).cover
        venue.check()
    assert paid == fund
    assert venue.account(WEAK).cash == -100_000 * USD + fund + P
    written = venue.done(WrittenOff, WriteOff(WEAK))
    assert (written.cover, written.bad_debt) == (0, 100_000 * USD - fund - P)
    venue.check()


def test_a_fund_that_could_not_pay_all_of_it_cannot_after_a_part_either() -> None:
    """It paid the part's share, and the part's share of the deficit is gone: the auction does not come back."""
    venue = with_fund(due(-300 * USD), 299 * USD)
    venue.change_account(WEAK, flagged=venue.now - AUCTION + 1)
    for _ in range(10):
        assert venue.done(Deleveraged, Deleverage(WEAK, OTHER, PERP, COIN // 10)).cover
    assert venue.account(WEAK).positions == ()
    assert venue.globals().insurance == 0
    covered = with_fund(due(-300 * USD), 300 * USD)
    covered.change_account(WEAK, flagged=covered.now - AUCTION + 1)
    assert covered.refusal(Deleverage(WEAK, OTHER, PERP, COIN // 10)) is Reason.AUCTION_OPEN
