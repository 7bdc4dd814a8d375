"""What auctions and deleveraging give away to those who set them up: nothing worth setting them up for."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rollup.stf.holdings import slice_of
from rollup.stf.receipts import Liquidated, Looked, Withdrawn, WrittenOff
from rollup.types.reasons import Reason
from rollup.types.transactions import Deleverage, Flag, WriteOff
from tests.stf.test_deleverage import debtor, with_fund
from tests.stf.test_liquidation import AUCTION, KEEPER, OTHER, WEAK, flagged, refused, weak
from tests.stf.venue import CALL, FAR_CALL, FUTURE, LOT, PERP, PUT, P, Venue, bid, surface
from tests.stf.world import COIN, START, USD, price, trade, withdraw


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9_000), st.integers(0, 2 * AUCTION), st.integers(1, 2_000))
def test_bidding_on_ones_own_insolvent_account_gains_a_tenth_of_its_margin_at_most(
    debt: int, since: int, lots: int
) -> None:
    """Two accounts of one owner: whatever they time, the fund's gift beyond the deficit is a tenth of maintenance."""
    venue = with_fund(flagged(-debt * USD, since, m1=lots * LOT), 50_000 * USD)
    maintenance = venue.margin(WEAK).maintenance
    before = venue.account(KEEPER).cash
    worth = lots * LOT * P // COIN
    detail = venue.done(Liquidated, bid(WEAK, KEEPER, 1))
    gained = venue.account(KEEPER).cash + worth - before
    assert gained == maintenance * min(since, AUCTION) // (10 * AUCTION)
    assert 10 * gained <= maintenance
    assert detail.fund == -gained - debt * USD
    assert (venue.account(WEAK).cash, venue.account(WEAK).positions) == (0, ())
    venue.check()


def relapse(seconds: int) -> Venue:
    """Flagged, recovered with nobody looking, and weak again at a price so many seconds after the flag."""
    venue = weak(500 * USD)
    venue.must(Flag(WEAK))
    venue.must(price(START + 60, P * 105 // 100), at=START + 60)
    venue.must(price(START + seconds, P), at=START + seconds)
    assert venue.account(WEAK).flagged == START
    return venue


def test_who_relapses_long_after_a_flag_is_not_sold_at_the_end_of_its_auction() -> None:
    """The old flag is spent: it has to be raised again, and then the first bid buys at the mark."""
    venue = relapse(2 * AUCTION + 1)
    assert refused(venue) is Reason.NOT_FLAGGED
    assert venue.refusal(Deleverage(WEAK, OTHER, PERP, COIN)) is Reason.NOT_FLAGGED
    looked = venue.done(Looked, Flag(WEAK))
    assert (looked.status, venue.account(WEAK).flagged) == (1, venue.now)
    assert venue.refusal(Flag(WEAK)) is Reason.FLAGGED
    assert venue.refusal(Deleverage(WEAK, OTHER, PERP, COIN)) is Reason.AUCTION_OPEN
    equity = venue.margin(WEAK).equity
    detail = venue.done(Liquidated, bid(WEAK, KEEPER, 1))
    assert detail.paid == detail.received
    assert venue.margin(WEAK).equity == equity
    venue.check()


def test_until_then_its_auction_goes_on() -> None:
    """A flag that was not taken back stands for two auctions; more than its equity nobody loses."""
    venue = relapse(2 * AUCTION)
    assert venue.refusal(Flag(WEAK)) is Reason.FLAGGED
    assert refused(venue) is Reason.NONE


def test_a_spent_flag_of_a_recovered_account_is_cleared_as_any_other() -> None:
    """And one that finds the account worse keeps its time: raising it once more begins the auction anew."""
    venue = flagged(500 * USD, 5 * AUCTION)
    venue.set_cash(WEAK, 100_000 * USD)
    venue.must(Flag(WEAK))
    assert (venue.account(WEAK).status, venue.account(WEAK).flagged) == (0, 0)
    venue = flagged(500 * USD, 5 * AUCTION)
    venue.set_cash(WEAK, venue.account(WEAK).cash - 600 * USD)
    venue.must(Flag(WEAK))
    assert (venue.account(WEAK).status, venue.account(WEAK).flagged) == (2, START - 5 * AUCTION)
    venue.must(Flag(WEAK))
    assert (venue.account(WEAK).status, venue.account(WEAK).flagged) == (2, START)
    assert venue.globals().insolvent == 1


def nearly_restored() -> Venue:
    """A flagged account that is a µUSD below its maintenance margin."""
    venue = flagged(m1=COIN)
    maintenance = venue.margin(WEAK).maintenance
    venue.set_cash(WEAK, venue.account(WEAK).cash + maintenance - 1 - venue.margin(WEAK).equity)
    return venue


def test_crumbs_are_not_for_sale() -> None:
    """An account just below maintenance needs a fifth sold at the mark; a bid for a tenth is good, for less not."""
    venue = nearly_restored()
    assert refused(venue, fraction=99_999) is Reason.AMOUNT
    detail = Venue(dict(venue.leaves), venue.now).done(Liquidated, bid(WEAK, KEEPER, 1))
    assert detail.fraction == 200_001
    assert refused(venue, fraction=100_000) is Reason.NONE


def hedged() -> Venue:
    """Ten calls short against ten of a higher strike, whose lot is all ten: no part of the hedge can be sold."""
    venue = flagged(100 * USD, m4=-10 * COIN, m6=10 * COIN)
    venue.change_market(FAR_CALL, lot=10 * COIN)
    return venue


def test_a_bid_that_strips_the_hedge_is_refused() -> None:
    """A tenth of the short calls goes, but all of the long ones: what is left would need more margin than the whole."""
    venue = hedged()
    venue.set_cash(KEEPER, 10**6 * USD)
    before = venue.margin(WEAK).maintenance
    assert slice_of(10 * COIN, 100_000, 10 * COIN) == 10 * COIN
    assert refused(venue, fraction=100_000) is Reason.MARGIN
    venue.change_market(FAR_CALL, lot=LOT)
    detail = venue.done(Liquidated, bid(WEAK, KEEPER, 1, fraction=100_000))
    assert [part.size for part in detail.slices] == [-COIN, COIN]
    assert venue.margin(WEAK).maintenance <= before


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(-40, 40), min_size=4, max_size=4),
    st.lists(st.sampled_from((1, 7, 30)), min_size=4, max_size=4),
    st.integers(-500, 3_000), st.sampled_from((0, 300, AUCTION)), st.sampled_from((100_000, 400_000, 10**6)),
)  # fmt: skip
def test_the_rest_is_never_riskier_than_the_whole(
    sizes: list[int], lots: list[int], equity: int, since: int, fraction: int
) -> None:
    """Whatever is held, in whatever lots: a bid is refused, or it leaves no more maintenance margin than there was."""
    held = {f"m{m}": s * 10 * LOT for m, s in zip((PERP, FUTURE, CALL, PUT), sizes, strict=True) if s}
    assume(held)
    found = weak(equity * USD, **held).margin(WEAK)
    assume(found.equity < found.maintenance)
    venue = with_fund(flagged(equity * USD, since, **held), 100_000 * USD)
    for market, lot in zip((PERP, FUTURE, CALL, PUT), lots, strict=True):
        venue.change_market(market, lot=lot * LOT)
    reason = venue.execute(bid(WEAK, KEEPER, 1, fraction=fraction)).reason
    assert reason in {Reason.NONE, Reason.MARGIN}
    if reason is Reason.NONE:
        assert venue.margin(WEAK).maintenance <= found.maintenance
    venue.check()


def indebted(amount: int) -> Venue:
    """A chain with bad debt, and nothing in the fund."""
    venue = debtor(amount)
    detail = venue.done(WrittenOff, WriteOff(WEAK))
    assert (detail.cover, venue.globals().bad_debt) == (0, amount)
    return venue


def test_fees_repay_bad_debt_and_who_leaves_after_that_bears_nothing() -> None:
    """Forty dollars of debt; a trade of a coin pays twelve in fees, at the end of its block."""
    venue = indebted(40 * USD)
    for turn in range(3):
        venue.must(trade(COIN, P, turn + 1, buyer=1, seller=2))
        assert venue.globals().bad_debt == (28 - 12 * turn) * USD
        assert venue.globals().fees == 0
        venue.check()
    found = venue.done(Withdrawn, withdraw(3, 10_000 * USD, 1))
    assert found.haircut == -(-10_000 * USD * 4 // 299_964), "in proportion, while something is uncovered"
    owed = 4 * USD - found.haircut
    venue.must(trade(COIN, P, 4, buyer=1, seller=2))
    assert (venue.globals().bad_debt, venue.globals().fees) == (0, 12 * USD - owed)
    assert venue.done(Withdrawn, withdraw(3, 10_000 * USD, 2)).haircut == 0
    venue.check()


def test_a_block_repays_at_its_end_and_not_before() -> None:
    """Who leaves in the block that brings the fees still bears a share."""
    venue = indebted(10 * USD)
    found = venue.must(trade(COIN, P, 1, buyer=1, seller=2), withdraw(3, 10_000 * USD, 1)).receipts[1].detail
    assert isinstance(found, Withdrawn)
    assert found.haircut > 0
    assert venue.globals().bad_debt == 0
    assert venue.globals().fees == 12 * USD - (10 * USD - found.haircut)
    venue.check()


def test_insurance_repays_before_fees_do() -> None:
    """As with every loss; what the fund lacks stays owed."""
    venue = indebted(100 * USD)
    totals = venue.globals()
    venue.change_globals(insurance=30 * USD, fees=50 * USD, deposits=totals.deposits + 80 * USD)
    venue.must(surface(START + 1), at=START + 1)
    assert (venue.globals().insurance, venue.globals().fees, venue.globals().bad_debt) == (0, 0, 20 * USD)
    venue.check()
    totals = venue.globals()
    venue.change_globals(insurance=25 * USD, fees=7 * USD, deposits=totals.deposits + 32 * USD)
    venue.must(surface(START + 2), at=START + 2)
    assert (venue.globals().insurance, venue.globals().fees, venue.globals().bad_debt) == (5 * USD, 7 * USD, 0)
    venue.check()


@pytest.mark.parametrize("since", [0, AUCTION, 2 * AUCTION])
def test_the_fund_is_never_asked_for_more_than_it_has(since: int) -> None:
    """One µUSD short of deficit and gift, the bid is refused; with it, the fund is empty."""
    venue = flagged(-300 * USD, since)
    gain = venue.margin(WEAK).maintenance * min(since, AUCTION) // (10 * AUCTION)
    assert refused(with_fund(venue, 300 * USD + gain - 1)) is Reason.INSURANCE
    venue.change_globals(insurance=0, deposits=venue.globals().deposits - 300 * USD - gain + 1)
    with_fund(venue, 300 * USD + gain).must(bid(WEAK, KEEPER, 1))
    assert venue.globals().insurance == 0
    venue.check()
