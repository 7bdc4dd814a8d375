"""Comparing marks and Greeks with a recorded chain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rollup.quant.agreement import Spread, compare_greeks, compare_marks, explain
from rollup.quant.black76 import YEAR, greeks, price
from rollup.quant.chain import Expiry, read_chain
from rollup.quant.fit import fit_slice, judge_slice
from rollup.quant.svi import Svi
from tests.quant.test_chain import EXPIRY_MS, FORWARD, NOW_MS, SLICE, row_of, write

YEARS = (EXPIRY_MS - NOW_MS) / 1000 / YEAR


def row_with_greeks(strike: float, call: bool) -> dict[str, str]:
    """A row of `SLICE` with the Greeks that follow from it."""
    found = greeks(call, FORWARD, strike, YEARS, SLICE.volatility(np.log(strike / FORWARD)))
    shown = {
        "delta": float(found.delta), "gamma": float(found.gamma), "vega": float(found.vega) / 100,
        "theta": float(found.theta) / 365,
    }  # fmt: skip
    return row_of(strike, call, greeks=repr(shown))


@pytest.fixture
def expiry(tmp_path: Path) -> Expiry:
    """Twenty-two options."""
    rows = [row_with_greeks(strike, side) for strike in range(4_000, 15_000, 1_000) for side in (True, False)]
    return read_chain(write(tmp_path / "c.csv", *rows)).expiries[0]


def marks_at(expiry: Expiry, forward: float) -> dict[str, int]:
    """µUSD by name, at one forward; the volatilities are the rows' own."""
    return {
        quote.name: round(float(price(quote.is_call, forward, quote.strike / 1e6, YEARS, quote.volatility)) * 1e6)
        for quote in expiry.quotes
    }


def test_a_spread_tells_middle_tail_and_worst() -> None:
    """Signs do not matter."""
    assert Spread.of(np.array([0.0, -1.0, 2.0, -3.0, 4.0])) == pytest.approx(Spread(2.0, 3.8, 4.0))


def test_marks_that_agree_do_so_to_their_last_unit(expiry: Expiry) -> None:
    """And a wrong one shows."""
    marks = marks_at(expiry, FORWARD)
    assert compare_marks(expiry, marks, FORWARD).largest < 1e-9
    wrong = next(iter(marks))
    marks[wrong] += round(0.01 * FORWARD * 1e6)
    assert compare_marks(expiry, marks, FORWARD).largest == pytest.approx(0.01, abs=1e-9)


def test_a_forward_of_another_moment_is_no_error_of_the_mark(expiry: Expiry) -> None:
    """Ten dollars further, deep options have moved by ten, and agree to what gamma explains."""
    assert compare_marks(expiry, marks_at(expiry, FORWARD + 10), FORWARD + 10).largest < 1e-6


def test_only_options_with_marks_are_compared(expiry: Expiry) -> None:
    """One is enough, none is not."""
    name, mark = next(iter(marks_at(expiry, FORWARD).items()))
    assert compare_marks(expiry, {name: mark}, FORWARD).largest < 1e-9
    with pytest.raises(KeyError):
        compare_marks(expiry, {"BTC-PERP": 1}, FORWARD)


def test_greeks_of_the_right_slice_agree(expiry: Expiry) -> None:
    """A slice two points higher shows in vega and theta most."""
    right = compare_greeks(expiry, SLICE)
    assert max(right.delta.largest, right.gamma.largest, right.vega.largest, right.theta.largest) < 1e-9
    wrong = compare_greeks(expiry, Svi(SLICE.a + 0.1, SLICE.b, SLICE.rho, SLICE.m, SLICE.sigma))
    assert wrong.delta.largest > 0.005
    assert wrong.theta.median > 0.1


def test_misses_are_explained_in_sentences(expiry: Expiry) -> None:
    """None for a perfect fit; the option that is missed by most, by name."""
    assert explain(expiry, fit_slice(expiry.mark_smile())) == []
    flat = judge_slice(Svi(0.8, 0.0, 0.0, 0.0, 0.1), expiry.mark_smile())
    (sentence,) = explain(expiry, flat)
    assert sentence.startswith("16 of 22 options by up to ")
    assert "(BTC-20201225-4000-" in sentence
