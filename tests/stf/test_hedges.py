"""Whoever can still pay is closed at the mark, and nobody loses a hedge by it."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rollup.stf.holdings import with_size
from rollup.stf.margin import Margin, initial
from rollup.stf.receipts import Deleveraged
from rollup.types.reasons import Reason
from rollup.types.transactions import Deleverage
from tests.stf.test_deleverage import due
from tests.stf.test_liquidation import OTHER, WEAK, weak
from tests.stf.venue import CALL, FUTURE, LOT, PERP, P, Venue
from tests.stf.world import COIN, USD

RICH = 10**7 * USD


def less(venue: Venue, account: int, market: int, size: int) -> Margin:
    """The margin of an account without `size` µcoin (signed) of what it holds in a market."""
    found = venue.account(account)
    left = found.position_in(market) - size
    return venue.builder().margin_of(with_size(found, market, left, venue.underlying().funding_index, found.cash))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 900), st.integers(-1_500, 1_500).filter(bool), st.integers(-500, 500), st.sampled_from((OTHER, 3)),
    st.data(),
)  # fmt: skip
def test_a_solvent_account_keeps_what_it_is_worth_whoever_it_is_closed_against(
    equity: int, perps: int, calls: int, counterparty: int, data: st.DataObject
) -> None:
    """At the mark, to the unit: nobody gains by being chosen. Refused exactly where the rest would be riskier."""
    held = {"m1": perps * LOT, **({"m4": calls * LOT} if calls else {})}
    found = weak(equity * USD, **held).margin(WEAK)
    assume(found.equity < found.maintenance)
    venue = due(equity * USD, **held)
    if counterparty != OTHER:
        venue.give(OTHER, 3, {PERP: perps * LOT})
    venue.set_cash(counterparty, RICH)
    worth = venue.margin(WEAK).equity, venue.margin(counterparty).equity
    part = data.draw(st.integers(1, abs(perps)))
    signed = part * LOT if perps > 0 else -part * LOT
    transaction = Deleverage(WEAK, counterparty, PERP, part * LOT)
    if less(venue, WEAK, PERP, signed).maintenance > found.maintenance:
        assert venue.refusal(transaction) is Reason.MARGIN
        return
    detail = venue.done(Deleveraged, transaction)
    assert detail.received == signed * P // COIN
    assert (venue.margin(WEAK).equity, venue.margin(counterparty).equity) == worth
    assert venue.margin(WEAK).maintenance <= found.maintenance
    assert detail.cover == 0
    venue.check()


def test_what_does_not_divide_is_rounded_for_the_account_that_is_closed() -> None:
    """By less than a unit, on either side."""
    for size in (COIN, -COIN):
        venue = due(500 * USD, m1=size)
        venue.change_market(PERP, lot=1)
        venue.change_underlying(mark=P + 1)
        worth = venue.margin(WEAK).equity, venue.margin(OTHER).equity
        detail = venue.done(Deleveraged, Deleverage(WEAK, OTHER, PERP, 333_333))
        exact = 333_333 * (P + 1) / COIN * (1 if size > 0 else -1)
        assert detail.received == ceil(exact)
        assert 0 <= venue.margin(WEAK).equity - worth[0] <= 1
        assert 0 <= worth[1] - venue.margin(OTHER).equity <= 1
        venue.check()


def hedger(equity: int = 500 * USD, short: int = 0) -> Venue:
    """The counterparty's short perpetual covers a long future of its own; alone, that has its initial margin."""
    venue = due(equity)
    venue.give(OTHER, 3, {FUTURE: COIN})
    needed = initial(less(venue, OTHER, PERP, -COIN).maintenance)
    venue.set_cash(OTHER, venue.account(OTHER).cash + needed - short - venue.margin(OTHER).equity)
    return venue


def test_no_hedge_is_taken_from_a_counterparty_for_an_account_that_can_pay() -> None:
    """With its initial margin it gives; a µUSD less, and it keeps what covers its future."""
    venue = hedger()
    assert venue.margin(OTHER).maintenance < less(venue, OTHER, PERP, -COIN).maintenance
    venue.done(Deleveraged, Deleverage(WEAK, OTHER, PERP, COIN))
    venue.check()
    assert hedger(short=1).refusal(Deleverage(WEAK, OTHER, PERP, COIN)) is Reason.MARGIN


def test_for_an_account_that_owes_everybody_on_the_other_side_gives() -> None:
    """What would be refused for a solvent account; the counterparty is flagged if that leaves it weak."""
    venue = hedger(-2_000 * USD, short=5_000 * USD)
    venue.done(Deleveraged, Deleverage(WEAK, OTHER, PERP, COIN))
    assert venue.account(WEAK).positions == ()
    assert venue.account(OTHER).status == 1
    venue.check()


@pytest.mark.parametrize(("equity", "reason"), [(0, Reason.MARGIN), (-1, Reason.NONE)])
def test_an_accounts_own_hedge_goes_only_if_it_owes(equity: int, reason: Reason) -> None:
    """Short a coin of the future and long one of the perpetual: either alone is worse than both."""
    venue = due(equity, m1=COIN, m3=-COIN)
    venue.set_cash(OTHER, RICH)
    for market in (PERP, FUTURE):
        assert venue.refusal(Deleverage(WEAK, OTHER, market, COIN // 2)) is reason


def test_closing_the_naked_leg_of_a_solvent_account_is_no_riskier() -> None:
    """Four short calls against one perpetual: two of them may go."""
    venue = due(100 * USD, m1=COIN, m4=-4 * COIN)
    venue.set_cash(OTHER, RICH)
    before = venue.margin(WEAK).maintenance
    venue.done(Deleveraged, Deleverage(WEAK, OTHER, CALL, 2 * COIN))
    assert venue.margin(WEAK).maintenance < before
    venue.check()
