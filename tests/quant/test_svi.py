"""Slices in floats and on the wire."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.errors import Unencodable
from rollup.quant.svi import UNIT, Svi, WireSvi
from rollup.stf.surface import Slice, is_admissible, volatility

SLICE = Svi(0.3, 2.0, -0.2, 0.05, 0.2)
GRID = np.linspace(-1, 1, 2_001)


def test_the_least_variance_is_where_the_slice_says() -> None:
    """It is a + bσ√(1−ρ²), and the wings end with the slopes b(ρ ± 1)."""
    assert SLICE.variance(GRID).min() == pytest.approx(SLICE.lowest, abs=1e-6)
    far = SLICE.variance(np.array([-1e6, -1e6 + 1, 1e6, 1e6 + 1]))
    assert far[1] - far[0] == pytest.approx(2.0 * (-0.2 - 1), abs=1e-4)
    assert far[3] - far[2] == pytest.approx(2.0 * (-0.2 + 1), abs=1e-4)
    assert SLICE.steepness == pytest.approx(2.4)


def test_volatility_is_the_root_of_variance() -> None:
    """Annual, so no time enters."""
    np.testing.assert_allclose(SLICE.volatility(GRID) ** 2, SLICE.variance(GRID))


def test_the_density_is_that_of_the_prices() -> None:
    """Durrleman's g times the normal factor is the second derivative of the call price in strike."""
    from rollup.quant.black76 import price  # noqa: PLC0415 - only this test prices

    years = 0.25
    strike = np.linspace(0.5, 2.0, 30_001)
    call = price(True, 1.0, strike, years, SLICE.volatility(np.log(strike)))
    step = strike[1] - strike[0]
    numeric = np.diff(call, 2) / step**2
    k = np.log(strike[1:-1])
    w = SLICE.variance(k) * years
    second = -k / np.sqrt(w) - np.sqrt(w) / 2
    exact = SLICE.density(k, years) * np.exp(-(second**2) / 2) / (strike[1:-1] * np.sqrt(2 * np.pi * w))
    np.testing.assert_allclose(exact, numeric, atol=1e-5)


def test_a_slice_survives_the_wire() -> None:
    """To half a billionth in every parameter."""
    wire = WireSvi.of(SLICE)
    assert wire == WireSvi(300_000_000, 2_000_000_000, -200_000_000, 50_000_000, 200_000_000)
    assert wire.floats() == SLICE


PARAMETERS = (st.floats(0, 25), st.floats(0, 100), st.floats(-1, 1), st.floats(-3, 3), st.floats(0, 5))


@given(*PARAMETERS)
def test_rounding_never_makes_an_admissible_slice_inadmissible(
    lowest: float, b: float, rho: float, m: float, sigma: float
) -> None:
    """Even where the least variance is zero, |ρ| is one or σ nothing."""
    wire = WireSvi.of(Svi(lowest - b * sigma * (1 - rho * rho) ** 0.5, b, rho, m, sigma))
    assert is_admissible(Slice(*astuple(wire)))
    assert wire.floats().variance(np.linspace(-5, 5, 501)).min() > -1e-12


BOUNDS = (2**47, 100 * UNIT, UNIT, 10 * UNIT, 10 * UNIT)
NEAR = st.sampled_from([-1, 0, 1])


@given(*(st.one_of(st.integers(-b, b), NEAR, NEAR.map(b.__add__), NEAR.map((-b).__add__)) for b in BOUNDS))
def test_what_is_admissible_is_what_the_state_transition_says(a: int, b: int, rho: int, m: int, sigma: int) -> None:
    """At every bound and one beyond it, and where the least variance is about zero."""
    dip = round(b * sigma * max(0, UNIT**2 - rho**2) ** 0.5 / UNIT**2)
    for level in (a, -dip - 1, -dip, 1 - dip):
        wire = WireSvi(level, b, rho, m, sigma)
        assert wire.is_admissible() == is_admissible(Slice(*astuple(wire)))


@given(*PARAMETERS, st.floats(-2, 2))
def test_the_volatility_is_what_the_state_transition_computes(
    lowest: float, b: float, rho: float, m: float, sigma: float, k: float
) -> None:
    """To a billionth, but for the bounds of 1 % and 500 % that only the state transition keeps."""
    wire = WireSvi.of(Svi(lowest - b * sigma * (1 - rho * rho) ** 0.5, b, rho, m, sigma))
    exact = volatility(Slice(*astuple(wire)), round(k * 10**18)) / 10**18
    ours = float(wire.floats().volatility(k))
    assert min(max(ours, 0.01), 5.0) == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize(
    "slice_",
    [Svi(2e5, 1, 0, 0, 1), Svi(0, 101, 0, 0, 1), Svi(0, -1, 0, 0, 1), Svi(0, 1, 0, 11, 1), Svi(0, 1, 0, 0, 11)],
)
def test_a_parameter_beyond_its_bound_is_refused(slice_: Svi) -> None:
    """No rounding makes these admissible."""
    with pytest.raises(Unencodable):
        WireSvi.of(slice_)
