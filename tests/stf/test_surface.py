"""SVI slices, and the shocks of the volatility."""

from __future__ import annotations

from decimal import Decimal, localcontext
from math import exp, log, sqrt

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from rollup.stf import surface, wad
from rollup.stf.surface import NANO, YEAR, Slice

ONE = wad.ONE
DAY = 86_400
PERCENT = ONE // 100

plain = Slice(a=160_000_000, b=500_000_000, rho=-200_000_000, m=0, sigma=200_000_000)
"""Variance 0.16 + 0.5 (-0.2 k + √(k² + 0.04)): some 51 % at the money."""
slices = st.builds(
    Slice,
    a=st.integers(-2 * NANO, 5 * NANO),
    b=st.integers(0, 100 * NANO) | st.integers(0, NANO),
    rho=st.integers(-NANO + 1, NANO - 1),
    m=st.integers(-10 * NANO, 10 * NANO) | st.integers(-NANO, NANO),
    sigma=st.integers(1, 10 * NANO) | st.integers(1, NANO),
)
moneyness = st.integers(-40 * ONE, 40 * ONE) | st.integers(-ONE, ONE)


def least_variance(svi: Slice) -> Decimal:
    """The variance at the bottom, a + bσ√(1 - ρ²), to sixty digits."""
    with localcontext() as context:
        context.prec = 60
        a, b, rho, _, sigma = (Decimal(parameter) / NANO for parameter in svi)
        return a + b * sigma * (1 - rho * rho).sqrt()


@given(svi=slices)
@example(svi=Slice(-1_000_000_000, 1_000_000_000, 0, 0, 1_000_000_000))
@example(svi=Slice(-1_000_000_001, 1_000_000_000, 0, 0, 1_000_000_000))
@example(svi=Slice(-800_000_000, 1_000_000_000, 600_000_000, 0, 1_000_000_000))
@example(svi=Slice(-800_000_001, 1_000_000_000, 600_000_000, 0, 1_000_000_000))
def test_slice_in_range_is_admissible_if_its_least_variance_is_not_negative(svi: Slice) -> None:
    """The integer form of the condition decides exactly."""
    assert surface.is_admissible(svi) == (least_variance(svi) >= 0)


@pytest.mark.parametrize(
    "change",
    [
        {"a": 2**47}, {"a": -(2**47)}, {"b": -1}, {"b": 100 * NANO + 1}, {"rho": NANO}, {"rho": -NANO},
        {"m": 10 * NANO + 1}, {"m": -10 * NANO - 1}, {"sigma": 0}, {"sigma": -1}, {"sigma": 10 * NANO + 1},
    ],
    ids=str,
)  # fmt: skip
def test_slice_out_of_range_is_not_admissible(change: dict[str, int]) -> None:
    """Each parameter has its bounds."""
    assert surface.is_admissible(plain)
    assert not surface.is_admissible(plain._replace(**change))


@pytest.mark.parametrize(
    "change",
    [
        {"a": 2**47 - 1}, {"b": 0}, {"b": 100 * NANO}, {"rho": NANO - 1}, {"rho": 1 - NANO}, {"m": 10 * NANO},
        {"m": -10 * NANO}, {"sigma": 1}, {"sigma": 10 * NANO}, {"a": 0, "b": 0},
    ],
    ids=str,
)  # fmt: skip
def test_bounds_themselves_are_admissible(change: dict[str, int]) -> None:
    """Ranges include their ends, except those of rho."""
    assert surface.is_admissible(plain._replace(**change))


@given(svi=slices, k=moneyness)
@example(svi=plain, k=0)
def test_volatility_follows_the_formula(svi: Slice, k: int) -> None:
    """Within 10^-12 of the float formula, relative to its largest term."""
    assume(surface.is_admissible(svi))
    a, b, rho, m, sigma = (parameter / NANO for parameter in svi)
    offset = k / ONE - m
    variance = a + b * (rho * offset + sqrt(offset * offset + sigma * sigma))
    expected = sqrt(max(1e-4, min(25.0, variance)))
    slack = 1e-15 * (abs(a) + b * (abs(offset) + sigma)) / expected
    assert surface.volatility(svi, k) / ONE == pytest.approx(expected, rel=1e-12, abs=slack)


@given(svi=slices, k=moneyness)
def test_volatility_stays_within_one_and_five_hundred_percent(svi: Slice, k: int) -> None:
    """Whatever the wings do."""
    assume(surface.is_admissible(svi))
    assert PERCENT <= surface.volatility(svi, k) <= 500 * PERCENT


def test_volatility_is_clamped_at_both_ends() -> None:
    """Exactly 1 % and 500 %."""
    assert surface.volatility(Slice(0, 0, 0, 0, 1), 0) == PERCENT
    assert surface.volatility(Slice(2**47 - 1, 0, 0, 0, 1), 0) == 500 * PERCENT


def test_root_time_counts_years_of_365_days() -> None:
    """One year is 1, expiry is 0."""
    assert surface.root_time(YEAR) == ONE
    assert surface.root_time(4 * YEAR) == 2 * ONE
    assert surface.root_time(0) == 0


@given(seconds=st.integers(0, 10 * YEAR), up=st.integers(0, 2_000_000), down=st.integers(0, 2_000_000))
@example(seconds=30 * DAY, up=500_000, down=300_000)
@example(seconds=30 * DAY - 1, up=500_000, down=300_000)
@example(seconds=DAY, up=500_000, down=300_000)
def test_shock_scales_with_the_time_to_expiry(seconds: int, up: int, down: int) -> None:
    """Exponent 0.3 below thirty days, 0.13 from there, the time being one day at least."""
    days = max(seconds, DAY) / DAY
    scale = exp(log(30 / days) * (0.3 if days < 30 else 0.13))
    found = surface.shock(seconds, up, down)
    assert found[0] / ONE == pytest.approx(1 + up / 1e6 * scale, rel=1e-13)
    assert found[1] / ONE == pytest.approx(max(1 - down / 1e6 * scale, 0.1), rel=1e-12)


def test_shock_at_thirty_days_is_what_the_parameters_say() -> None:
    """The scale is exactly 1 there."""
    assert surface.shock(30 * DAY, 500_000, 300_000) == (150 * PERCENT, 70 * PERCENT)


def test_shock_down_leaves_a_tenth() -> None:
    """However large the parameter."""
    assert surface.shock(0, 0, 2**32 - 1) == (ONE, ONE // 10)


@given(seconds=st.integers(0, 5 * YEAR))
def test_shock_never_grows_with_time(seconds: int) -> None:
    """Nearer expiries are shocked at least as much, over the joint at thirty days too."""
    near, far = surface.shock(seconds, 500_000, 300_000), surface.shock(seconds + DAY, 500_000, 300_000)
    assert near[0] >= far[0]
    assert near[1] <= far[1]
