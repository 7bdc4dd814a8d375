"""Fitting finds known slices, stays admissible, and tells what it missed."""

from __future__ import annotations

import numpy as np
import pytest

from rollup.errors import NoSurface
from rollup.quant.black76 import Floats
from rollup.quant.fit import LEE_BOUND, Reason, Smile, fit_slice, judge_slice
from rollup.quant.svi import Svi, WireSvi

YEARS = 30 / 365
K = np.linspace(-0.5, 0.5, 21)


def smile(volatility: Floats, k: Floats = K, years: float = YEARS, spread: float = np.nan) -> Smile:
    """Quotes of equal weight, with a bid and an ask `spread` around if given."""
    return Smile(years, k, k, volatility, np.ones_like(k), volatility - spread, volatility + spread)


@pytest.mark.parametrize(
    "truth",
    [Svi(0.3, 2.0, -0.2, 0.05, 0.2), Svi(0.1, 4.0, 0.6, -0.1, 0.05), Svi(0.64, 0.0, 0.0, 0.0, 0.1),
     Svi(-0.3, 2.5, -0.7, 0.1, 0.3)],
)  # fmt: skip
def test_a_smile_made_by_a_slice_is_fitted_exactly(truth: Svi) -> None:
    """Whatever the parameters that come out: flat smiles have many."""
    fit = fit_slice(smile(truth.volatility(K)))
    assert fit.worst < 1e-6
    assert not fit.misfits
    assert fit.rmse <= fit.worst


def test_the_same_quotes_give_the_same_slice() -> None:
    """Feeders must agree to the last billionth to co-sign."""
    market = 0.8 + 0.5 * K**2 + 0.02 * np.sin(25 * K)
    assert WireSvi.of(fit_slice(smile(market)).svi) == WireSvi.of(fit_slice(smile(market.copy())).svi)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("years", [1e-3, 0.1, 2.0])
def test_every_fit_is_admissible(seed: int, years: float) -> None:
    """However wild the quotes are: no negative variance and no wing steeper than Lee allows."""
    wild = np.random.default_rng(seed).uniform(0.02, 4.5, len(K))
    fit = fit_slice(smile(wild, years=years))
    assert fit.svi.lowest >= 0
    assert fit.svi.steepness * years <= LEE_BOUND * (1 + 1e-9)
    assert WireSvi.of(fit.svi).is_admissible()


def test_strikes_with_vega_count_more() -> None:
    """A far quote that lies hardly moves the middle of the smile, and is told of."""
    truth = Svi(0.3, 2.0, -0.2, 0.05, 0.2)
    market = truth.volatility(K)
    market[0] += 0.5
    fit = fit_slice(smile(market, years=0.004))
    assert np.abs(fit.errors[5:-5]).max() < 0.001
    assert [(misfit.index, misfit.reason) for misfit in fit.misfits] == [(0, Reason.NO_VEGA)]
    assert fit.misfits[0].error == pytest.approx(-0.5, abs=0.01)


def test_a_misfit_inside_of_the_market_s_own_spread_is_told_as_such() -> None:
    """Bids and asks twenty points wide leave room for anything."""
    market = 0.8 + 0.05 * np.sign(np.sin(20 * K))
    reasons = {misfit.reason for misfit in fit_slice(smile(market, spread=0.2)).misfits}
    assert reasons == {Reason.INSIDE_SPREAD}


def test_flattening_wings_are_told_as_what_svi_cannot_do() -> None:
    """A smile that turns concave at both ends."""
    market = 0.7 + 0.5 * np.tanh(8 * np.abs(K)) ** 2
    fit = fit_slice(smile(market, years=0.5))
    assert Reason.CONCAVE in {misfit.reason for misfit in fit.misfits}


def test_a_sharp_bend_that_one_hyperbola_cannot_follow_is_told_as_a_kink() -> None:
    """Two V-shaped valleys have one tip too many."""
    market = 0.6 + 2 * np.minimum(np.abs(K - 0.25), np.abs(K + 0.25))
    fit = fit_slice(smile(market, years=0.5))
    assert Reason.KINK in {misfit.reason for misfit in fit.misfits}


def test_arbitrage_between_butterflies_shows_in_the_density() -> None:
    """Vogt's example has admissible parameters and a negative density."""
    vogt = Svi(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)
    k = np.linspace(-1.5, 1.5, 61)
    assert judge_slice(vogt, smile(vogt.volatility(k), k, 1.0)).lowest_density < 0
    assert judge_slice(Svi(0.3, 0.2, -0.2, 0, 0.2), smile(np.full(61, 0.6), k, 1.0)).lowest_density > 0


@pytest.mark.parametrize(
    "market",
    [smile(np.full(4, 0.8), np.arange(4.0)), smile(np.full(8, 0.8), np.zeros(8)), smile(np.full(21, 0.8), years=0.0),
     smile(np.full(21, 0.001)), smile(np.full(21, 6.0)), smile(np.full(21, np.nan)), smile(np.empty(0), np.empty(0)),
     smile(np.full(21, 0.8), np.full(21, np.inf)), Smile(1.0, K, K, np.full(21, 0.8), np.zeros(21), K, K)],
)  # fmt: skip
def test_quotes_that_determine_no_slice_are_refused(market: Smile) -> None:
    """Too few strikes, an expiry passed, or numbers that are no volatilities."""
    with pytest.raises(NoSurface):
        fit_slice(market)
