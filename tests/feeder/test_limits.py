"""What feeders send passes the checks of the rollup, and is changed no more than these ask for."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rollup.feeder.limits import allowed_surface, prices_within_limits
from rollup.quant.sources import Prices
from rollup.quant.surfaces import SmileShape, Surface
from rollup.quant.svi import WireSvi
from rollup.stf.surface import Slice, is_admissible
from rollup.stf.surface import volatility as volatility_of
from rollup.types.leaves import Series, Underlying
from rollup.types.limits import MILLION, PRICE_BOUND

START = 60_000 * MILLION
prices = st.integers(1, PRICE_BOUND - 1)


def coin(spot: int, time: int, max_move: int = 100_000, max_basis: int = 50_000) -> Underlying:
    """A coin with a price; limits in ppm."""
    return Underlying(spot, spot, time, 0, time, 3_750, 50_000, 60, max_move, max_basis)


@given(prices, prices, prices, st.integers(0, 600), st.integers(1, MILLION), st.integers(0, MILLION - 1))
def test_what_a_feeder_sends_passes_the_checks_of_the_rollup(
    spot: int, mark: int, old: int, later: int, max_move: int, max_basis: int
) -> None:
    """The same inequalities as the state transition's, whatever the source says."""
    known = coin(old, 1_000, max_move, max_basis)
    sent = prices_within_limits(Prices(spot, mark), known, 1_000 + later)
    assert 1 <= sent.spot < PRICE_BOUND
    assert 1 <= sent.mark < PRICE_BOUND
    assert abs(sent.mark - sent.spot) * MILLION <= max_basis * sent.spot
    assert abs(sent.spot - old) * MILLION <= max_move * (1 + later // 60) * old


@given(st.integers(1_000, PRICE_BOUND - 1), st.integers(-40, 40))
def test_an_allowed_price_is_sent_unchanged(old: int, move: int) -> None:
    """Limits touch only what exceeds them."""
    spot = min(max(old + old * move // 1_000, 1), PRICE_BOUND - 1)
    assert prices_within_limits(Prices(spot, spot), coin(old, 1_000), 1_000) == Prices(spot, spot)


def test_the_first_price_of_a_coin_may_be_any() -> None:
    """Without a price there is none to move from."""
    assert prices_within_limits(Prices(START, START), coin(0, 0), 5) == Prices(START, START)


class Halfway:
    """A state with one underlying and one series."""

    underlying = coin(START, 1_000)
    series = Series(90_000, 1_000, START, 40_000_000, 400_000_000, -100_000_000, 0, 800_000_000, MILLION)


@given(
    st.integers(START // 2, START * 2), st.floats(0.02, 4.5), st.integers(1, 600), st.integers(START // 2, START * 2)
)
def test_a_surface_that_feeders_send_passes_the_state_transition(
    forward: int, volatility: float, later: int, spot: int
) -> None:
    """Move of the forward, basis, move of the volatility in fixed point: whatever the source says."""
    old, time = Halfway.series, 1_000 + later
    limits = replace(Halfway.underlying, spot=START + max(-START // 40, min(START // 40, spot - START)))
    wanted = Surface(forward, WireSvi.of(SmileShape().slice(volatility, 1 / 365)), MILLION)
    sent = allowed_surface(wanted, replace(limits, max_vol_move=500_000), old, time)
    steps = 1 + later // 60
    assert abs(sent.forward - old.forward) * MILLION <= limits.max_move * steps * old.forward
    assert abs(sent.forward - limits.spot) * MILLION <= limits.max_basis * limits.spot
    before, after = (level(each.a, each.b, each.rho, each.m, each.sigma) for each in (old, sent.svi))
    assert abs(after - before) * MILLION <= 500_000 * steps * before


def level(*parameters: int) -> int:
    """The state transition's volatility at the forward."""
    assert is_admissible(Slice(*parameters))
    return volatility_of(Slice(*parameters), 0)
