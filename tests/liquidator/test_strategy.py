"""When the bot bids, how much for, and when it stays away."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rollup.liquidator.strategy import MILLION, Auction, Limits, decide

USD = 1_000_000


def auction(discount: int, fraction: int = MILLION) -> Auction:
    """Of slices worth 100,000 dollars, of a portfolio of that gross value at `fraction` = 100 %."""
    value = 100_000 * USD
    return Auction(7, fraction, value * MILLION // fraction, value, value - discount * USD)


def test_it_waits_until_the_discount_exceeds_its_costs() -> None:
    """Half a percent of 100,000 dollars, and a dollar."""
    assert decide(auction(500), Limits()) is None
    offer = decide(auction(501), Limits())
    assert offer is not None
    assert (offer.fraction, offer.limit, offer.gain) == (MILLION, 99_499 * USD, USD)


def test_its_limit_leaves_it_its_costs_whatever_marks_do() -> None:
    """A price at the limit still pays for closing what was taken."""
    offer = decide(auction(5_000), Limits(cost=10_000, min_gain=10 * USD))
    assert offer is not None
    assert offer.limit == 100_000 * USD - 1_000 * USD - 10 * USD


def test_it_takes_no_more_than_it_may() -> None:
    """By gross value, by fraction, by share."""
    assert decide(auction(5_000), Limits(max_gross=10_000 * USD)).fraction == MILLION // 10  # type: ignore[union-attr]
    assert decide(auction(5_000), Limits(max_fraction=250_000)).fraction == 250_000  # type: ignore[union-attr]
    assert decide(auction(5_000), Limits(), MILLION // 2).fraction == MILLION // 2  # type: ignore[union-attr]
    assert decide(auction(5_000), Limits(max_gross=0)) is None


def test_an_account_without_value_is_left_alone() -> None:
    """Nothing can be gained from options that are worth nothing."""
    assert decide(Auction(7, MILLION, 0, 0, 0), Limits()) is None


@given(
    st.integers(1, MILLION), st.integers(0, 10**13), st.integers(-(10**13), 10**13), st.integers(0, 10**12),
    st.integers(0, 100_000),
)  # fmt: skip
def test_a_bid_at_its_limit_never_loses(fraction: int, gross: int, value: int, discount: int, cost: int) -> None:
    """Whatever the auction, what is paid at most leaves the costs (a µUSD of rounding aside)."""
    limits = Limits(cost=cost, min_gain=USD)
    offer = decide(Auction(7, fraction, gross, value, value - discount), limits)
    if offer is not None:
        share = value * offer.fraction // fraction
        costs = gross * offer.fraction // MILLION * cost // MILLION
        assert 0 < offer.fraction <= fraction
        assert offer.gain >= USD
        assert share - offer.limit >= costs


def test_it_takes_the_least_that_is_for_sale_or_nothing() -> None:
    """Less than that nobody may bid for: a liquidator that cannot afford it stays away."""
    least = replace(auction(5_000), least=100_000)
    assert decide(least, Limits(max_fraction=99_999)) is None
    offer = decide(least, Limits(max_fraction=100_000))
    assert offer is not None
    assert offer.fraction == 100_000
    assert decide(least, Limits(max_gross=10_000 * USD - 1)) is None
    assert decide(least, Limits(), MILLION >> 3) is not None
    assert decide(least, Limits(), MILLION >> 4) is None
