"""The Dutch auction of a flagged account: its price as time passes, what is sold, and who pays what."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.stf.fixed import div_ceil
from rollup.stf.liquidation import auction_of
from rollup.stf.margin import Margin, initial
from rollup.stf.receipts import Liquidated
from rollup.types.reasons import Reason
from rollup.types.transactions import Flag
from tests.stf.test_liquidation import AUCTION, KEEPER, OTHER, WEAK, flagged, refused
from tests.stf.venue import CALL, FUTURE, LOT, PERP, PUT, P, Venue, bid, dated
from tests.stf.world import COIN, START, USD, price


def test_the_first_bid_buys_at_the_mark() -> None:
    """No time has passed, no discount: the fraction that restores initial margin changes hands at its value."""
    venue = flagged(500 * USD)
    before = [venue.account(n).cash for n in (WEAK, KEEPER)]
    detail = venue.done(Liquidated, bid(WEAK, KEEPER, 1))
    sold = sum(part.size for part in detail.slices)
    assert detail.paid == detail.received == sold * P // COIN
    assert detail.fund == 0
    assert [venue.account(n).cash for n in (WEAK, KEEPER)] == [before[0] + detail.received, before[1] - detail.paid]
    equity, maintenance = venue.margin(WEAK)
    assert equity >= initial(maintenance)
    assert (venue.account(WEAK).status, venue.account(WEAK).flagged) == (0, 0)
    venue.check()


def test_the_discount_grows_to_all_that_is_left() -> None:
    """Half way a half, a fifth of it for the insurance fund; at the end everything."""
    for since, share in ((AUCTION // 2, 2), (AUCTION, 1), (2 * AUCTION, 1)):
        venue = flagged(600 * USD, since)
        fund = venue.globals().insurance
        detail = venue.done(Liquidated, bid(WEAK, KEEPER, 1))
        discount = 600 * USD // share * detail.fraction // 10**6
        value = detail.slices[0].size * P // COIN
        assert detail.fund == discount // 5
        assert (detail.paid, detail.received) == (value - discount + discount // 5, value - discount)
        assert venue.globals().insurance == fund + discount // 5
        assert venue.margin(WEAK).equity >= 0
        venue.check()


def test_a_bid_takes_no_more_than_its_fraction_in_whole_lots() -> None:
    """Each position in proportion, rounded up to its lot."""
    venue = flagged(500 * USD, m1=COIN, m3=-(COIN // 2) - LOT, m4=-COIN // 4)
    detail = venue.done(Liquidated, bid(WEAK, KEEPER, 1, fraction=100_001))
    assert detail.fraction == 100_001
    assert [(part.market, part.size) for part in detail.slices] == [
        (PERP, 101 * LOT), (FUTURE, -51 * LOT), (CALL, -26 * LOT),
    ]  # fmt: skip
    held = {p.market: p.size for p in venue.account(KEEPER).positions}
    assert held == {PERP: 101 * LOT, FUTURE: -51 * LOT, CALL: -26 * LOT}
    assert venue.account(WEAK).status == 1
    venue.check()


def test_an_insolvent_account_is_sold_whole_and_the_fund_pays() -> None:
    """The deficit, and what the liquidator gains as time passes."""
    venue = flagged(-300 * USD, AUCTION // 4)
    venue.change_globals(insurance=4_000 * USD, deposits=venue.globals().deposits + 4_000 * USD)
    equity, maintenance = venue.margin(WEAK)
    assert equity == -300 * USD
    detail = venue.done(Liquidated, bid(WEAK, KEEPER, 1))
    gain = maintenance // 40
    assert detail.fraction == 10**6
    assert (detail.paid, detail.received, detail.fund) == (P - gain, P + 300 * USD, -gain - 300 * USD)
    assert venue.account(WEAK).positions == ()
    assert (venue.account(WEAK).cash, venue.account(WEAK).status) == (0, 0)
    assert venue.globals().insolvent == 0
    venue.check()


def test_the_fund_pays_from_insurance_first_and_then_from_fees() -> None:
    """What is missing from the one comes from the other."""
    venue = flagged(-300 * USD)
    venue.change_globals(insurance=100 * USD, fees=200 * USD, deposits=venue.globals().deposits + 300 * USD)
    venue.must(bid(WEAK, KEEPER, 1))
    assert (venue.globals().insurance, venue.globals().fees) == (0, 0)
    venue.check()


def test_a_liquidator_may_be_paid_to_take_over() -> None:
    """A short position is worth less than nothing: its price is negative, and so may the limit be."""
    venue = flagged(500 * USD, m1=-COIN)
    assert refused(venue, limit=-P) is Reason.PRICE_LIMIT
    detail = venue.done(Liquidated, bid(WEAK, KEEPER, 1, limit=0))
    assert detail.paid < 0
    assert venue.account(KEEPER).cash > 100_000 * USD
    venue.check()


def test_a_liquidator_closes_its_own_opposite_position() -> None:
    """Then open interest falls."""
    venue = flagged(500 * USD)
    venue.give(KEEPER, 3, {PERP: -2 * COIN})
    before = venue.market(PERP).open_interest
    detail = venue.done(Liquidated, bid(WEAK, KEEPER, 1))
    assert venue.market(PERP).open_interest == before - detail.slices[0].size
    venue.check()


def test_a_nonce_bids_once() -> None:
    """The slot is spent by the bid."""
    venue = flagged(500 * USD)
    first = bid(WEAK, KEEPER, 1, fraction=100_000)
    venue.must(first)
    assert venue.refusal(first) is Reason.NONCE_STALE
    assert venue.slot(KEEPER, 1).size == 0
    assert refused(venue, nonce=2, fraction=100_000) is Reason.NONE


margins = st.tuples(st.integers(-(2**62), 2**62), st.integers(1, 2**62)).filter(lambda m: m[0] < m[1])


@settings(max_examples=300)
@given(margins, st.integers(0, 2_000), st.integers(1, 1_000))
def test_the_auction_restores_initial_margin_and_never_takes_more_than_there_is(
    figures: tuple[int, int], elapsed: int, length: int
) -> None:
    """Selling the needed fraction at the discount leaves the rest (in proportion) at its initial margin or above."""
    found = Margin(*figures)
    discount, need = auction_of(found, elapsed, length)
    assert 0 < need <= 10**6
    if found.equity < 0:
        assert (discount, need) == (found.maintenance * min(elapsed, length) // (10 * length), 10**6)
        return
    assert 0 <= discount <= found.equity
    required = initial(found.maintenance)
    left = found.equity - div_ceil(discount * need, 10**6)
    assert left >= required * (10**6 - need) // 10**6 - 1


def test_liquidation_at_the_edge_of_the_price_limit_and_expiry() -> None:
    """Exactly at them a bid is good."""
    venue = flagged(500 * USD)
    detail = Venue(dict(venue.leaves), venue.now).done(Liquidated, bid(WEAK, KEEPER, 1))
    assert refused(venue, limit=detail.paid, expiry=START) is Reason.NONE
    assert refused(venue, limit=detail.paid - 1) is Reason.PRICE_LIMIT


def test_a_fall_in_the_same_block_is_seen_at_once() -> None:
    """A price, a flag and a bid in one block."""
    venue = dated()
    venue.give(WEAK, OTHER, {PERP: 5 * COIN, PUT: COIN})
    venue.set_cash(WEAK, venue.account(WEAK).cash + 45_000 * USD - venue.margin(WEAK).equity)
    fall = price(START + 1, P * 91 // 100)
    assert venue.execute(Flag(WEAK), keep=False, at=START + 1).reason is Reason.NOT_LIQUIDATABLE
    venue.must(fall, Flag(WEAK), bid(WEAK, KEEPER, 1), at=START + 1)
    venue.check()
