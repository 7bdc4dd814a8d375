"""Logarithm, exponential and root against decimals of forty digits."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollup.stf import wad

ONE = wad.ONE
prices = st.integers(0, 47).flatmap(lambda bits: st.integers(1, (2 << bits) - 1))


def exact_log(numerator: int, denominator: int) -> Decimal:
    """ln(numerator / denominator) in units of a wad."""
    with localcontext() as context:
        context.prec = 60
        return (Decimal(numerator) / Decimal(denominator)).ln() * ONE


def exact_exp(x: int) -> Decimal:
    """e^x in units of a wad."""
    with localcontext() as context:
        context.prec = 60
        return (Decimal(x) / ONE).exp() * ONE


@given(numerator=prices, denominator=prices)
@example(numerator=1, denominator=2**48 - 1)
@example(numerator=2**48 - 1, denominator=1)
@example(numerator=2**48 - 1, denominator=2**48 - 2)
@example(numerator=1_414_213_562_373, denominator=1_000_000_000_000)
@example(numerator=1_414_213_562_374, denominator=1_000_000_000_000)
def test_logarithm_of_a_ratio_is_right_to_a_unit(numerator: int, denominator: int) -> None:
    """Over the whole range of prices, on both sides of the square root of two."""
    assert abs(wad.ln_ratio(numerator, denominator) - exact_log(numerator, denominator)) <= 1


@given(price=prices)
def test_logarithm_of_equal_prices_is_zero(price: int) -> None:
    """At the money is exactly at the money."""
    assert wad.ln_ratio(price, price) == 0


@given(numerator=prices, denominator=prices)
def test_logarithm_never_falls(numerator: int, denominator: int) -> None:
    """A higher ratio has no lower logarithm."""
    assert wad.ln_ratio(numerator + 1, denominator) >= wad.ln_ratio(numerator, denominator)


@given(x=st.integers(0, 127).flatmap(lambda bits: st.integers(1, (2 << bits) - 1)))
@example(x=1)
@example(x=ONE)
@example(x=2**128 - 1)
def test_logarithm_of_a_wad_is_right_to_a_unit(x: int) -> None:
    """From 10^-18 up."""
    assert abs(wad.ln(x) - exact_log(x, ONE)) <= 1


@given(x=st.integers(-45 * ONE, 64 * ONE) | st.integers(-ONE, ONE))
@example(x=0)
@example(x=-41_446_531_673_892_822_313)
def test_exponential_is_right_to_two_units_and_1e_17(x: int) -> None:
    """Rounded down: the figure is never above the true one by more than the series' own error."""
    found, truth = wad.exp(x), exact_exp(x)
    assert -2 - truth / 10**17 <= found - truth <= truth / 10**17


def test_exponential_has_its_fixed_points() -> None:
    """1 at zero, nothing from -42 downwards."""
    assert wad.exp(0) == ONE
    assert wad.exp(-42 * ONE) == wad.exp(-(2**200)) == 0


@given(x=st.integers(-43 * ONE, 63 * ONE), step=st.integers(1, ONE))
def test_exponential_never_falls(x: int, step: int) -> None:
    """Up to the last unit or 10^-17 of the value."""
    lower = wad.exp(x)
    assert wad.exp(x + step) >= lower - lower // 10**17 - 1


@given(x=st.integers(0, 189).flatmap(lambda bits: st.integers(0, (2 << bits) - 1)))
def test_root_is_the_largest_whose_square_fits(x: int) -> None:
    """Rounded down."""
    root = wad.sqrt(x)
    assert root * root <= x * ONE < (root + 1) ** 2


@pytest.mark.parametrize(("x", "root"), [(0, 0), (ONE, ONE), (4 * ONE, 2 * ONE), (2 * ONE, 1_414_213_562_373_095_048)])
def test_root_of_known_numbers(x: int, root: int) -> None:
    """Whole roots are exact."""
    assert wad.sqrt(x) == root
