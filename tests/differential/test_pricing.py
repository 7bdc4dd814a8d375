"""Both twins' pricing, bit for bit, and what it costs on L1.

After a change that is meant, `PLUMBLINE_UPDATE_SNAPSHOTS=1 pytest tests/differential/test_pricing.py` writes the new
figures of gas.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from challenger.execute import PyEvm
from rollup.stf import black76, surface, wad
from rollup.stf.surface import MAX_SHIFT, MAX_SLOPE, MAX_WIDTH, NANO, Slice
from tests.support.evm import Contract, contract

SNAPSHOT: Final = Path(__file__).resolve().parents[1] / "snapshots" / "pricing_gas.json"
ONE: Final = wad.ONE
MAX_PRICE_GAS: Final = 1_200
MAX_GRID_GAS: Final = 28_000

Draw = Callable[[int, int], int]
"""An integer between two others, both included."""


@pytest.fixture(scope="module")
def fast() -> Contract:
    """The libraries in pyrevm."""
    return contract("PricingLibraries")


@pytest.fixture(scope="module")
def reference() -> Contract:
    """The libraries in py-evm."""
    return contract("PricingLibraries", PyEvm)


def draw_price(draw: Draw) -> int:
    """Prices of all magnitudes, up to the largest."""
    return draw(1, (2 << draw(0, 46)) - 1)


def draw_strike(draw: Draw, forward: int) -> int:
    """Anything, or something near the forward, or the forward itself."""
    near = draw(0, 3)
    if near == 0:
        return draw_price(draw)
    width = forward >> draw(0, 20)
    return max(1, min(2**47 - 1, forward + draw(-width, width)))


def draw_deviation(draw: Draw) -> int:
    """From nothing to the bound, most often what markets have."""
    return draw(0, (2 << draw(0, 95)) - 1) if draw(0, 3) == 0 else draw(10**13, 25 * ONE)


def draw_slice(draw: Draw) -> Slice:
    """Parameters in range and somewhat beyond; about half of the levels make the slice admissible."""
    b, sigma = draw(-1, MAX_SLOPE + 1) >> draw(0, 30), draw(0, MAX_WIDTH + 1) >> draw(0, 30)
    rho = draw(-NANO, NANO)
    lowest = -(b * sigma * wad.sqrt(ONE - rho * rho) // (NANO * ONE))
    return Slice(
        lowest + draw(-2, 2) if draw(0, 1) else draw(-1, 25 * NANO), b, rho, draw(-MAX_SHIFT, MAX_SHIFT), sigma
    )


def compare_numbers(evm: Contract, draw: Draw) -> None:
    """Logarithms, exponential, root."""
    numerator, denominator = draw(1, (2 << draw(0, 47)) - 1), draw(1, (2 << draw(0, 47)) - 1)
    assert evm.call("lnRatio", numerator, denominator) == wad.ln_ratio(numerator, denominator)
    x = draw(1, (2 << draw(0, 127)) - 1)
    assert evm.call("ln", x) == wad.ln(x)
    exponent = draw(-43 * ONE, 64 * ONE)
    assert evm.call("exp", exponent) == wad.exp(exponent)
    square = draw(0, (2 << draw(0, 189)) - 1)
    assert evm.call("sqrt", square) == wad.sqrt(square)


def compare_surface(evm: Contract, draw: Draw) -> None:
    """Slices and shocks."""
    svi = draw_slice(draw)
    admissible = surface.is_admissible(svi)
    assert evm.call("isAdmissible", svi) == admissible
    if admissible:
        k = draw(-40 * ONE, 40 * ONE) >> draw(0, 40)
        assert evm.call("volatility", svi, k) == surface.volatility(svi, k)
    seconds = draw(0, (2 << draw(0, 39)) - 1)
    assert evm.call("rootTime", seconds) == surface.root_time(seconds)
    up, down = draw(0, 2**32 - 1) >> draw(0, 31), draw(0, 2**32 - 1) >> draw(0, 31)
    assert evm.call("shock", seconds, up, down) == surface.shock(seconds, up, down)


def compare_prices(evm: Contract, draw: Draw) -> None:
    """Call and put, and the 23 scenarios of one of them."""
    forward, s = draw_price(draw), draw_deviation(draw)
    strike = draw_strike(draw, forward)
    x = wad.ln_ratio(forward, strike)
    for is_call in (True, False):
        found = evm.call("price", is_call, forward, strike, x, s)
        assert found == black76.price(is_call, forward, strike, x, s)
    volatility, root = draw(ONE // 100, 5 * ONE), surface.root_time(draw(0, (2 << draw(0, 39)) - 1))
    factors = draw(ONE, 10_000 * ONE), draw(ONE // 10, ONE)
    spreads = black76.deviations(volatility, root, *factors)
    assert evm.call("makeDeviations", volatility, root, *factors) == spreads
    spot_step, is_call = draw(0, 200_000), draw(0, 1) == 1
    steps = black76.make_steps(spot_step)
    assert evm.call("makeSteps", spot_step) == tuple(word % 2**256 for step in steps for word in step)
    found = evm.call("grid", is_call, forward, strike, x, spreads, spot_step)
    assert found == black76.grid(is_call, forward, strike, x, spreads, steps)


def compare_all(evm: Contract, draw: Draw) -> None:
    """Some forty figures."""
    compare_numbers(evm, draw)
    compare_surface(evm, draw)
    compare_prices(evm, draw)


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_twins_agree_where_hypothesis_looks(fast: Contract, data: st.DataObject) -> None:
    """On the edges of every range, of which it knows to try the extremes."""
    compare_all(fast, lambda low, high: data.draw(st.integers(low, high)))


def test_twins_agree_on_fifty_thousand_prices(fast: Contract) -> None:
    """In pyrevm: 2,000 rounds of 25 prices, and 20,000 of the figures that they are made of."""
    rng = random.Random(20_260_127)
    for _ in range(2_000):
        compare_all(fast, rng.randint)


def test_twins_agree_in_the_reference_machine(reference: Contract) -> None:
    """In py-evm, 1,500 prices and what they are made of."""
    rng = random.Random(1976)
    for _ in range(60):
        compare_all(reference, rng.randint)


@pytest.mark.parametrize("x", [40 * ONE, -40 * ONE])
@pytest.mark.parametrize("s", [0, 1, 2**96 - 1, 4 * ONE, 4 * ONE + 10**9, 4 * ONE - 10**9, 20 * ONE, 21 * ONE])
def test_twins_agree_at_the_ends_of_the_polynomials(fast: Contract, x: int, s: int) -> None:
    """At |x| = 40 and s = 4, h - s/2 is 8 and h + s/2 is 12: nothing larger is ever put in."""
    forward, strike = (2**48 - 1, 1) if x > 0 else (0, 2**48 - 1)
    for is_call in (True, False):
        assert fast.call("price", is_call, forward, strike, x, s) == black76.price(is_call, forward, strike, x, s)
        largest = 2**48 - 1
        assert fast.call("price", is_call, largest, largest, x, s) == black76.price(is_call, largest, largest, x, s)


def measure(evm: Contract) -> dict[str, int]:
    """Gas of a BTC option: 25 days, at and around the money, and far from it."""
    forward, seconds, spot_step = 60_000_000_000, 25 * 86_400, 50_000
    svi = Slice(a=160_000_000, b=500_000_000, rho=-200_000_000, m=0, sigma=200_000_000)
    up, down = surface.shock(seconds, 500_000, 300_000)
    root = surface.root_time(seconds)
    figures = {
        "steps of an underlying": evm.call("measureSteps", spot_step)[0],
        "root of time and shocks of an expiry": evm.call("measureExpiry", seconds, 500_000, 300_000)[0],
    }
    for name, strike in (("at the money", forward), ("a quarter above", 75_000_000_000), ("a thousandth", 60_000_000)):
        x = wad.ln_ratio(forward, strike)
        spreads = black76.deviations(surface.volatility(svi, -x), root, up, down)
        figures |= {
            f"price, strike {name}": evm.call("measurePrice", True, forward, strike, x, spreads[1])[0],
            f"grid, strike {name}": evm.call("measureGrid", True, forward, strike, x, spreads, spot_step)[0],
            f"volatility and deviations, strike {name}": evm.call(
                "measureMarket", forward, strike, svi, root, up, down
            )[0],
        }
    return figures


def test_gas_is_as_recorded_and_within_budget(reference: Contract) -> None:
    """Nothing gets dearer, or cheaper, unnoticed."""
    figures = measure(reference)
    if os.environ.get("PLUMBLINE_UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(figures, indent=2) + "\n")
    assert json.loads(SNAPSHOT.read_text()) == figures
    assert max(gas for name, gas in figures.items() if name.startswith("price")) <= MAX_PRICE_GAS
    assert max(gas for name, gas in figures.items() if name.startswith("grid")) <= MAX_GRID_GAS
