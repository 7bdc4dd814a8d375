"""Prices, Greeks and implied volatilities against the textbook formula, finite differences and parity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from rollup.quant.black76 import Floats, greeks, implied_volatility, price

FORWARD = 9_000.0
RNG = np.random.default_rng(7)
COUNT = 4_000
STRIKE = FORWARD * np.exp(RNG.uniform(-1.5, 1.5, COUNT))
YEARS = 10 ** RNG.uniform(-4, 0.7, COUNT)
VOLATILITY = 10 ** RNG.uniform(-2, np.log10(5), COUNT)
CALL = RNG.random(COUNT) < 0.5


def textbook(call: bool, forward: float, strike: Floats, years: Floats, volatility: Floats) -> Floats:
    """Black's formula word for word, by scipy's normal distribution."""
    deviation = volatility * np.sqrt(years)
    first = np.log(forward / strike) / deviation + deviation / 2
    sign = 1 if call else -1
    value = forward * norm.cdf(sign * first) - strike * norm.cdf(sign * (first - deviation))
    return np.asarray(sign * value)


@pytest.mark.parametrize("call", [True, False])
def test_prices_are_the_textbook_s(call: bool) -> None:
    """Over moneyness e^±1.5, an hour to five years, 1 % to 500 %."""
    ours = price(call, FORWARD, STRIKE, YEARS, VOLATILITY)
    np.testing.assert_allclose(ours, textbook(call, FORWARD, STRIKE, YEARS, VOLATILITY), rtol=0, atol=1e-9)


def test_a_call_less_a_put_is_forward_less_strike() -> None:
    """Put–call parity, exactly the payoff's rounding."""
    call, put = (price(side, FORWARD, STRIKE, YEARS, VOLATILITY) for side in (True, False))
    np.testing.assert_allclose(call - put, FORWARD - STRIKE, rtol=0, atol=1e-9)


def test_prices_out_of_the_money_keep_their_relative_precision() -> None:
    """Thirty standard deviations out, where the textbook's difference of two products has no digits left."""
    found = float(price(True, 100.0, 100 * np.exp(3.005), 1.0, 0.1))
    assert found == pytest.approx(textbook_far_tail(), rel=1e-9)


def textbook_far_tail() -> float:
    """The same value by the integral ∫ N(d) of the density over volatility: ∂V/∂σ = F·φ(d₁)·√t, from 0 to 10 %."""
    sigma = np.linspace(0.05, 0.1, 2_000_001)[1:]
    first = -3.005 / sigma + sigma / 2
    return float(np.trapezoid(100 * norm.pdf(first), sigma))


def test_greeks_are_the_derivatives_of_the_price() -> None:
    """Central differences of the price in forward, volatility and time; gamma of delta."""
    usual = (np.abs(np.log(STRIKE / FORWARD)) < 3 * VOLATILITY * np.sqrt(YEARS)) & (YEARS > 1e-3) & (VOLATILITY > 0.05)
    call, strike, years, volatility = (values[usual] for values in (CALL, STRIKE, YEARS, VOLATILITY))
    assert len(strike) > COUNT / 5
    found = greeks(call, FORWARD, strike, years, volatility)
    step = FORWARD * 1e-5
    up, down = (price(call, FORWARD + sign * step, strike, years, volatility) for sign in (1, -1))
    np.testing.assert_allclose(found.delta, (up - down) / (2 * step), atol=1e-6)
    up, down = (greeks(call, FORWARD + sign * step, strike, years, volatility).delta for sign in (1, -1))
    np.testing.assert_allclose(found.gamma, (up - down) / (2 * step), rtol=1e-4, atol=1e-9)
    up, down = (price(call, FORWARD, strike, years, volatility + sign * 1e-6) for sign in (1, -1))
    np.testing.assert_allclose(found.vega, (up - down) / 2e-6, rtol=1e-5, atol=1e-3)
    up, down = (price(call, FORWARD, strike, years * (1 + sign * 1e-5), volatility) for sign in (1, -1))
    np.testing.assert_allclose(found.theta, (down - up) / (2e-5 * years), rtol=1e-5, atol=1e-2)


def test_without_time_or_volatility_an_option_is_its_payoff() -> None:
    """Price, slope (a half at the strike), and nothing that has no limit there."""
    strike = np.array([8_000.0, 9_000.0, 10_000.0])
    for years, volatility in ((0.0, 0.5), (0.5, 0.0)):
        np.testing.assert_array_equal(price(True, FORWARD, strike, years, volatility), [1_000, 0, 0])
        np.testing.assert_array_equal(price(False, FORWARD, strike, years, volatility), [0, 0, 1_000])
        found = greeks(True, FORWARD, strike, years, volatility)
        np.testing.assert_array_equal(found.delta, [1, 0.5, 0])
        np.testing.assert_array_equal(found.gamma, np.zeros(3))
        np.testing.assert_array_equal(found.theta, np.zeros(3))


@pytest.mark.parametrize(
    ("forward", "strike", "years", "volatility"),
    [(0.0, 1.0, 1.0, 1.0), (-1.0, 1.0, 1.0, 1.0), (1.0, 0.0, 1.0, 1.0), (1.0, 1.0, -1.0, 1.0), (1.0, 1.0, 1.0, -1.0),
     (float("nan"), 1.0, 1.0, 1.0), (1.0, 1.0, 1.0, float("nan"))],
)  # fmt: skip
def test_out_of_the_domain_there_is_no_number(forward: float, strike: float, years: float, volatility: float) -> None:
    """NaN, not an exception: one bad element of an array must not lose the others."""
    assert np.isnan(price(True, forward, strike, years, volatility))
    assert all(np.isnan(values) for values in greeks(False, forward, strike, years, volatility))


def test_the_implied_volatility_of_a_price_is_its_volatility() -> None:
    """Out of the money, wherever the price is a normal number and not saturated."""
    call = STRIKE > FORWARD
    paid = price(call, FORWARD, STRIKE, YEARS, VOLATILITY)
    told = (paid > 1e-250) & (paid < 0.999 * np.minimum(FORWARD, STRIKE))
    assert told.sum() > COUNT / 3
    found = implied_volatility(call, FORWARD, STRIKE, YEARS, paid)
    np.testing.assert_allclose(found[told], VOLATILITY[told], rtol=1e-9)


def test_the_implied_volatility_of_any_price_gives_the_price() -> None:
    """In the money too, where less of the volatility is left in the price's digits."""
    paid = price(CALL, FORWARD, STRIKE, YEARS, VOLATILITY)
    found = implied_volatility(CALL, FORWARD, STRIKE, YEARS, paid)
    good = ~np.isnan(found)
    again = price(CALL, FORWARD, STRIKE, YEARS, np.where(good, found, 1.0))
    np.testing.assert_allclose(again[good], paid[good], rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    ("call", "strike", "years", "paid"),
    [(True, 8_000.0, 1.0, 1_000.0), (True, 8_000.0, 1.0, 999.0), (True, 9_000.0, 1.0, 9_000.0),
     (True, 9_000.0, 1.0, 0.0),
     (False, 9_000.0, 1.0, 9_001.0), (True, 9_000.0, 0.0, 10.0), (True, -1.0, 1.0, 10.0),
     (True, 9_000.0, 1.0, float("nan")),
     (True, 10_000.0, 1.0, -1.0)],
)  # fmt: skip
def test_a_price_that_no_volatility_gives_has_none(call: bool, strike: float, years: float, paid: float) -> None:
    """At or beyond its bounds, without time, or no price at all."""
    assert np.isnan(implied_volatility(call, FORWARD, strike, years, paid))


@given(st.booleans(), st.floats(-3, 3), st.floats(1e-5, 10), st.floats(1e-4, 0.9999))
def test_every_price_strictly_inside_its_bounds_has_a_volatility(
    call: bool, moneyness: float, years: float, share: float
) -> None:
    """The search always ends, and at the price."""
    strike = FORWARD * np.exp(moneyness)
    payoff = max(0.0, FORWARD - strike if call else strike - FORWARD)
    paid = payoff + share * min(FORWARD, strike)
    found = implied_volatility(call, FORWARD, strike, years, paid)
    assert price(call, FORWARD, strike, years, found) == pytest.approx(paid, rel=1e-11, abs=1e-14 * FORWARD)
