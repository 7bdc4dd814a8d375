"""The recorded chain of 21 May 2020: reading, marks, Greeks, forwards and the fit of its seven slices."""

from __future__ import annotations

import numpy as np
import pytest

from rollup.quant.black76 import YEAR, Floats, greeks, price
from rollup.quant.chain import Chain, Expiry, read_chain
from rollup.quant.fit import Fit, Reason, fit_slice
from rollup.quant.svi import WireSvi
from rollup.types.limits import MILLION
from tests.support.source import ROOT

RECORDED = ROOT.parent / "shared" / "data" / "deribit_btc_options_2020-05-21.csv"

pytestmark = [
    pytest.mark.market_data,
    pytest.mark.skipif(not RECORDED.is_file(), reason="the recorded market data are not beside the project"),
]


@pytest.fixture(scope="module")
def chain() -> Chain:
    """All of it."""
    return read_chain(RECORDED)


@pytest.fixture(scope="module")
def fits(chain: Chain) -> list[tuple[Expiry, Fit]]:
    """Every expiry with the slice that fits its marks."""
    return [(expiry, fit_slice(expiry.mark_smile())) for expiry in chain.expiries]


def columns(expiry: Expiry) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Call or put, forward, strike, years and volatility of each row."""
    rows = [
        (q.is_call, q.underlying, q.strike / MILLION, (q.expiry - q.time) / YEAR, q.volatility) for q in expiry.quotes
    ]
    call, *rest = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    return (call, rest[0], rest[1], rest[2], rest[3])


def test_all_options_are_read(chain: Chain) -> None:
    """326 of them in seven expiries, each strike with both its options."""
    assert [len(expiry.quotes) for expiry in chain.expiries] == [58, 38, 42, 50, 58, 42, 38]
    assert chain.symbol == "BTC"
    assert chain.index == pytest.approx(9085, abs=5)
    names = [quote.name for expiry in chain.expiries for quote in expiry.quotes]
    assert len(set(names)) == 326
    assert {"BTC-20201225-7000-C", "BTC-20200522-9250-P"} <= set(names)


def test_the_venue_s_marks_are_black_76_of_its_volatilities(chain: Chain) -> None:
    """To its rounding, but for a handful of rows whose forward was recorded at another moment than the mark."""
    errors = []
    for expiry in chain.expiries:
        call, forward, strike, years, volatility = columns(expiry)
        mark = np.array([quote.mark for quote in expiry.quotes])
        errors.append(np.abs(price(call, forward, strike, years, volatility) / forward - mark))
    every = np.concatenate(errors)
    assert np.median(every) < 5e-6
    assert np.percentile(every, 99) < 2e-4


def test_the_venue_s_greeks_are_ours(chain: Chain) -> None:
    """To the digits it shows; with less than a day left it shows the theta of the time that is left."""
    for expiry in chain.expiries[2:]:
        call, forward, strike, years, volatility = columns(expiry)
        ours = greeks(call, forward, strike, years, volatility)
        shown = [q.greeks for q in expiry.quotes]
        np.testing.assert_allclose(ours.delta, [g.delta for g in shown], atol=3e-5)
        np.testing.assert_allclose(ours.gamma, [g.gamma for g in shown], atol=6e-6)
        np.testing.assert_allclose(ours.vega / 100, [g.vega for g in shown], atol=2e-3)
        np.testing.assert_allclose(ours.theta / 365, [g.theta for g in shown], atol=5e-3)


def test_parity_agrees_with_the_venue_s_forwards(chain: Chain) -> None:
    """From the tightest quotes alone, to what their tick of 0.0005 coin can tell."""
    for expiry in chain.expiries:
        assert expiry.parity_forward() == pytest.approx(expiry.forward(), rel=1.5e-3)


def test_slices_price_the_marks(fits: list[tuple[Expiry, Fit]]) -> None:
    """In coin, after rounding to the wire: median below 0.0005, 95th percentile below 0.0015."""
    for expiry, fit in fits:
        wire = WireSvi.of(fit.svi)
        assert wire.is_admissible()
        errors = np.abs(expiry.mark_errors(wire.floats()))
        assert np.median(errors) < 5e-4
        assert np.percentile(errors, 95) < 1.5e-3
        assert fit.weighted_rmse < 0.015
        assert fit.lowest_density > 0


def test_slices_of_the_books_alone_price_the_marks(chain: Chain) -> None:
    """Nothing of the venue's model enters, only its customers' orders."""
    for expiry in chain.expiries:
        errors = np.abs(expiry.mark_errors(fit_slice(expiry.book_smile()).svi))
        assert np.median(errors) < 6e-4
        assert np.percentile(errors, 95) < 2e-3


def test_what_a_slice_misses_has_a_reason(fits: list[tuple[Expiry, Fit]]) -> None:
    """Overnight options by lack of vega, the months by flattening wings; the half year fits everywhere."""
    counts = [{reason: [m.reason for m in fit.misfits].count(reason) for reason in Reason} for _, fit in fits]
    assert counts[0][Reason.NO_VEGA] > 30
    assert counts[4][Reason.CONCAVE] > 3
    assert sum(counts[6].values()) == 0
