"""Option prices against a float reference, and what no rounding may break."""

from __future__ import annotations

import random
from math import log, log10, sqrt
from typing import Final

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtr

from rollup.stf import black76, surface, wad
from rollup.stf.sheets import SCENARIOS
from rollup.types.limits import MILLION, PRICE_BOUND

ONE: Final = wad.ONE
YEAR: Final = surface.YEAR
TOLERANCE: Final = 1e-9
"""Of the smaller of forward and strike; the promise is 10^-6 of the forward."""

Case = tuple[int, int, int]
"""Forward, strike (µUSD) and total deviation (wad)."""

prices = st.integers(0, 46).flatmap(lambda bits: st.integers(1, (2 << bits) - 1))
deviations = st.integers(0, 25 * ONE) | st.integers(0, ONE // 10) | st.integers(0, 10**14)


def beside(forward: int, ratio: float) -> int:
    """A strike at that ratio to the forward, as far as prices reach."""
    return max(1, min(PRICE_BOUND - 1, round(forward * ratio)))


cases = st.tuples(prices, prices, deviations) | st.builds(
    lambda forward, ratio, s: (forward, beside(forward, ratio), s), prices, st.floats(0.2, 5), deviations
)


def price(is_call: bool, case: Case) -> int:
    """The twin's price, the logarithm taken from the prices."""
    forward, strike, s = case
    return black76.price(is_call, forward, strike, wad.ln_ratio(forward, strike), s)


def reference(forward: NDArray[np.float64], strike: NDArray[np.float64], s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Price of whichever of call and put is out of the money."""
    x = np.log(forward / strike)
    high, low = x / s + s / 2, x / s - s / 2
    call = forward * ndtr(high) - strike * ndtr(low)
    put = strike * ndtr(-low) - forward * ndtr(-high)
    return np.where(forward <= strike, call, put)


def sample(count: int, seed: int) -> list[Case]:
    """Cases over the whole domain: 60 s to five years, 1 % to 500 % and three times that, strikes near and far."""
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        forward = int(2 ** rng.uniform(0, 47))
        strike = beside(forward, float(np.exp(rng.gauss(0, rng.choice((1e-5, 1e-3, 0.03, 0.3, 1, 7))))))
        volatility = 10 ** rng.uniform(-2, log10(15))
        years = 10 ** rng.uniform(log10(60 / YEAR), log10(5))
        found.append((forward, strike, int(volatility * sqrt(years) * ONE)))
    return found


@pytest.mark.parametrize("is_call", [True, False], ids=["calls", "puts"])
def test_price_is_within_1e_9_of_the_reference(is_call: bool) -> None:
    """Of the smaller of forward and strike, beyond the floor to µUSD; 20,000 cases each."""
    chosen = sample(20_000, seed=76 + is_call)
    forward, strike, s = np.array([(f, k, d / ONE) for f, k, d in chosen]).T
    gains = [max(f - k, 0) if is_call else max(k - f, 0) for f, k, _ in chosen]
    found = np.array([price(is_call, case) - gain for case, gain in zip(chosen, gains, strict=True)])
    error = found - reference(forward, strike, s)
    least = np.minimum(forward, strike)
    assert np.max(error / least) <= TOLERANCE
    assert np.max((-error - 1) / least) <= TOLERANCE


@pytest.mark.parametrize(
    ("case", "call"),
    [
        ((100_000_000, 100_000_000, ONE // 5), 7_965_567),
        ((100_000_000, 110_000_000, ONE // 5), 4_292_010),
        ((100_000_000, 90_000_000, ONE // 5), 13_589_108),
    ],
)
def test_textbook_prices(case: Case, call: int) -> None:
    """A year at 20 %: at the money it is 100 (2 N(0.1) - 1)."""
    assert price(True, case) == call


@given(case=cases)
@example(case=(1, PRICE_BOUND - 1, 25 * ONE))
@example(case=(PRICE_BOUND - 1, 1, 25 * ONE))
@example(case=(PRICE_BOUND - 1, PRICE_BOUND - 1, 1))
@example(case=(PRICE_BOUND - 1, PRICE_BOUND - 1, 10**9))
@example(case=(PRICE_BOUND - 1, PRICE_BOUND - 2, 2**96 - 1))
def test_parity_is_exact_and_no_price_leaves_its_bounds(case: Case) -> None:
    """Call - put = F - K; neither is below what exercising gives, nor above the forward or the strike."""
    forward, strike, _ = case
    call, put = price(True, case), price(False, case)
    assert call - put == forward - strike
    assert max(forward - strike, 0) <= call <= forward
    assert max(strike - forward, 0) <= put <= strike


@given(forward=prices, strike=prices)
def test_price_without_deviation_is_what_exercising_gives(forward: int, strike: int) -> None:
    """At expiry, exactly."""
    assert price(True, (forward, strike, 0)) == max(forward - strike, 0)
    assert price(False, (forward, strike, 0)) == max(strike - forward, 0)


@given(case=cases, step=st.floats(1e-6, 1))
def test_calls_fall_and_puts_rise_with_the_strike(case: Case, step: float) -> None:
    """Within twice the tolerance: no strike is mispriced against its neighbour."""
    forward, strike, s = case
    higher = beside(strike, 1 + step)
    slack = 2 * TOLERANCE * forward + 1
    assert price(True, (forward, higher, s)) <= price(True, case) + slack
    assert price(False, (forward, higher, s)) >= price(False, case) - slack


@given(case=cases, step=st.floats(1e-4, 0.3))
def test_prices_are_convex_in_the_strike(case: Case, step: float) -> None:
    """A butterfly is never worth less than nothing, beyond the tolerance."""
    forward, strike, s = case
    width = int(strike * step)
    if strike + width < PRICE_BOUND:
        low, middle, high = (price(True, (forward, at, s)) for at in (strike - width, strike, strike + width))
        assert low + high - 2 * middle >= -4 * TOLERANCE * forward - 2


@given(case=cases, more=st.integers(0, ONE))
def test_prices_rise_with_the_deviation(case: Case, more: int) -> None:
    """Within the tolerance."""
    forward, strike, s = case
    assert price(True, (forward, strike, s + more)) >= price(True, case) - TOLERANCE * forward - 1


@given(case=cases)
def test_price_does_not_jump_where_the_formula_changes_sides(case: Case) -> None:
    """Around s² = 2 |x| one branch takes over from the other, and they agree there."""
    forward, strike, _ = case
    x = wad.ln_ratio(forward, strike)
    joint = wad.sqrt(2 * abs(x))
    before, after = (black76.price(True, forward, strike, x, joint + step) for step in (-(10**9), 10**9))
    assert abs(before - after) <= TOLERANCE * forward + 1


def test_steps_are_the_scenarios_shocks() -> None:
    """In the order in which margin goes through them."""
    steps = black76.make_steps(50_000)
    expected = list(dict.fromkeys(k for k, _ in SCENARIOS))
    assert [step.factor for step in steps] == [MILLION + k * 50_000 for k in expected]
    assert [step.log / ONE for step in steps] == pytest.approx([log(1 + k * 0.05) for k in expected])


def test_deviations_are_volatility_times_root_time() -> None:
    """Half a year at 60 %, half as much again, and a third less."""
    root = surface.root_time(YEAR // 2)
    found = black76.deviations(6 * ONE // 10, root, 15 * ONE // 10, 2 * ONE // 3)
    assert [s / ONE for s in found] == pytest.approx([0.9 * sqrt(0.5), 0.6 * sqrt(0.5), 0.4 * sqrt(0.5)])


@given(
    is_call=st.booleans(),
    case=cases,
    factors=st.tuples(st.integers(ONE, 5 * ONE), st.integers(ONE // 10, ONE)),
    spot_step=st.integers(0, 200_000),
)
def test_grid_is_the_price_in_each_scenario(
    is_call: bool, case: Case, factors: tuple[int, int], spot_step: int
) -> None:
    """Forward and logarithm shocked, the deviation chosen by the scenario's volatility."""
    forward, strike, s = case
    x = wad.ln_ratio(forward, strike)
    spreads = (s * factors[0] // ONE, s, s * factors[1] // ONE)
    found = black76.grid(is_call, forward, strike, x, spreads, black76.make_steps(spot_step))
    expected = []
    for k, volatility in SCENARIOS:
        factor = MILLION + k * spot_step
        shocked = forward * factor // MILLION
        log_factor = wad.ln_ratio(factor, MILLION)
        expected.append(black76.price(is_call, shocked, strike, x + log_factor, spreads[1 - volatility]))
    assert found == tuple(expected)
