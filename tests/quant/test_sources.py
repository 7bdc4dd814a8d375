"""Sources of oracle values: reproducible, admissible, within the rollup's limits after clamping."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.errors import NoSurface
from rollup.quant.black76 import YEAR
from rollup.quant.chain import read_chain
from rollup.quant.fit import judge_slice
from rollup.quant.sources import CandleSource, ChainSource, Source, WalkSource
from rollup.quant.surfaces import MoveLimits, SmileShape, Surface, confidence_of, surface_within_limits
from rollup.quant.svi import Svi, WireSvi
from tests.quant.test_chain import EXPIRY_MS, FORWARD, NOW_MS, SLICE, row_of, write

DAY = 86_400
START = 9_000_000_000
LIMITS = MoveLimits(max_move=50_000, max_basis=50_000, max_vol_move=100_000)


@dataclass(frozen=True)
class Bar:
    """A candle."""

    time: int
    open: int
    close: int


def crash() -> CandleSource:
    """An hour of nothing, ten minutes down by a fifth, an hour of nothing."""
    prices = [START] * 60 + [START - START * step // 50 for step in range(1, 11)] + [START * 4 // 5] * 60
    return CandleSource(
        [Bar(60 * i, prices[i - 1] if i else START, price) for i, price in enumerate(prices)], volatility=0.5
    )


def sources() -> list[Source]:
    """Fresh ones of both kinds that move."""
    return [WalkSource("seed", START), crash()]


def test_the_same_settings_say_the_same_however_often_they_are_asked() -> None:
    """So that feeders which run alone can co-sign."""
    for often, seldom in zip(sources(), sources(), strict=True):
        for moment in range(0, 4_000, 7):
            often.prices(moment + 0.5)
            often.surface(moment + 0.6, DAY)
        assert often.prices(4_000.2) == seldom.prices(4_000.9) or isinstance(often, CandleSource)
        assert often.prices(5_000) == seldom.prices(5_000)
        assert often.surface(5_000, 9 * DAY) == seldom.surface(5_000, 9 * DAY)


def test_another_seed_walks_another_way() -> None:
    """And jumps or calm change the way, not the draws."""
    assert WalkSource(1, START).prices(600) != WalkSource(2, START).prices(600)


def test_a_walk_has_its_volatility() -> None:
    """A day of seconds without jumps: realised within a few percent of what was asked."""
    walk = WalkSource(5, START, volatility=0.8, jumps_per_day=0.0)
    logs = [log(walk.prices(60 * minute).spot) for minute in range(1_441)]
    realised = sqrt(float(np.sum(np.diff(logs) ** 2)) * 365)
    assert realised == pytest.approx(0.8, rel=0.15)


def test_a_walk_s_mark_stays_near_its_spot() -> None:
    """Half a percent."""
    walk = WalkSource(6, START)
    quotes = [walk.prices(second) for second in range(0, 7_200, 10)]
    assert max(abs(quote.mark - quote.spot) / quote.spot for quote in quotes) <= 0.005 + 1e-9
    assert len({quote.mark - quote.spot for quote in quotes}) > 100


@pytest.mark.parametrize("source", sources(), ids=lambda source: type(source).__name__)
def test_every_surface_that_moves_is_admissible(source: Source) -> None:
    """From minutes to two years before expiry, and none after."""
    for moment in range(0, 7_000, 500):
        for expiry in (moment + 60, DAY, 30 * DAY, 730 * DAY):
            surface = source.surface(moment, expiry)
            assert surface.svi.is_admissible()
            assert surface.forward == pytest.approx(source.prices(moment).spot, rel=0.1)
            assert surface.confidence == 1_000_000
    with pytest.raises(NoSurface):
        source.surface(DAY, DAY)


def test_candles_are_walked_through_in_straight_lines() -> None:
    """Before, within, after."""
    source = CandleSource([Bar(1_000, 100, 200), Bar(1_060, 200, 50)], speed=2.0)
    assert [source.prices(elapsed).spot for elapsed in (0, 15, 30, 45, 60, 900)] == [100, 150, 200, 125, 50, 50]


def test_a_crash_of_the_candles_raises_volatility() -> None:
    """From its floor, and back again."""
    source = crash()
    before, during, after = (
        float(source.surface(60 * minute, 30 * DAY).svi.floats().volatility(0)) for minute in (59, 72, 130)
    )
    assert before == pytest.approx(0.5)
    assert during > 2 * before
    assert before <= after < during


@given(st.floats(0.001, 6), st.floats(1e-6, 5))
def test_a_made_up_smile_has_its_volatility_at_the_money(volatility: float, years: float) -> None:
    """Within the admitted volatilities; never negative, never steeper than Lee allows."""
    svi = SmileShape().slice(volatility, years)
    assert float(svi.volatility(0)) == pytest.approx(min(max(volatility, 0.01), 5.0), rel=1e-9)
    assert svi.lowest > 0
    assert svi.steepness * years <= 2
    assert WireSvi.of(svi).is_admissible()


def test_a_chain_says_what_was_recorded(tmp_path: Path) -> None:
    """Its index, forward and slice, for its own expiries."""
    rows = [row_of(strike, side) for strike in range(4_000, 15_000, 1_000) for side in (True, False)]
    source = ChainSource(read_chain(write(tmp_path / "c.csv", *rows)))
    assert source.prices(5) == (9_095_830_000, 9_095_830_000)
    assert source.start == NOW_MS // 1000
    surface = source.surface(0, EXPIRY_MS // 1000 - source.start)
    assert surface.forward == round(FORWARD * 10**6)
    k = np.linspace(-0.7, 0.4, 12)
    np.testing.assert_allclose(surface.svi.floats().volatility(k), SLICE.volatility(k), atol=1e-5)
    assert surface.confidence > 999_000
    assert list(source.surfaces) == [EXPIRY_MS // 1000]
    with pytest.raises(NoSurface):
        source.surface(0, DAY)


def test_a_chain_that_determines_no_slice_gives_none(tmp_path: Path) -> None:
    """Four strikes are too few."""
    rows = [row_of(strike, True) for strike in (8_000, 9_000, 10_000, 11_000)]
    assert not ChainSource(read_chain(write(tmp_path / "c.csv", *rows))).surfaces


def test_a_bad_fit_is_little_trusted() -> None:
    """Confidence falls with the error of the volatilities, relative to their level."""
    from rollup.quant.fit import Smile  # noqa: PLC0415 - only here

    k = np.linspace(-0.3, 0.3, 7)
    flat = Svi(0.64, 0.0, 0.0, 0.0, 0.1)
    nothing = np.full(7, np.nan)
    for error, confidence in ((0.0, 1_000_000), (0.08, 900_000)):
        fit = judge_slice(flat, Smile(0.1, k, k, np.full(7, 0.8 - error), np.ones(7), nothing, nothing))
        assert confidence_of(fit) == confidence


SURFACES = st.builds(
    Surface,
    st.integers(1, 2**47 - 1),
    st.builds(
        lambda volatility, years: WireSvi.of(SmileShape().slice(volatility, years)),
        st.floats(0.01, 5),
        st.floats(1e-4, 3),
    ),
)


def at_the_money(surface: Surface) -> int:
    """The state transition's volatility at k = 0."""
    from rollup.stf.surface import Slice, volatility  # noqa: PLC0415 - only here

    svi = surface.svi
    return volatility(Slice(svi.a, svi.b, svi.rho, svi.m, svi.sigma), 0)


@given(SURFACES, SURFACES, st.integers(1, 600))
def test_what_moves_too_fast_goes_as_far_as_it_may(wanted: Surface, last: Surface, later: int) -> None:
    """The rollup's own checks of move pass, whatever is wanted; an allowed surface is not touched."""
    time, expiry = 1_000_000 + later, 1_000_000 + 7 * DAY
    allowed = surface_within_limits(wanted, wanted.forward, expiry, time, LIMITS, (last, 1_000_000))
    steps = 1 + later // 60
    assert abs(allowed.forward - last.forward) * 10**6 <= LIMITS.max_move * steps * last.forward
    before, now = at_the_money(last), at_the_money(allowed)
    assert abs(now - before) * 10**6 <= LIMITS.max_vol_move * steps * before
    assert allowed.svi.is_admissible()
    still = surface_within_limits(
        wanted, wanted.forward, expiry, time, MoveLimits(50_000, 50_000, max_vol_move=1), (last, 1_000_000)
    )
    assert at_the_money(still) == before or wanted.svi == still.svi
    same = surface_within_limits(last, last.forward, expiry, time, LIMITS, (last, 1_000_000))
    assert same == last


@given(SURFACES, st.integers(1, 2**46), st.integers(-DAY, 400 * DAY))
def test_the_first_surface_keeps_its_forward_near_spot(wanted: Surface, spot: int, left: int) -> None:
    """Further the longer it runs."""
    allowed = surface_within_limits(wanted, spot, 10**9, 10**9 - left, LIMITS, None)
    assert abs(allowed.forward - spot) * 10**6 <= LIMITS.max_basis * spot * (1 + max(0, left) // (30 * DAY))
    assert allowed.svi == wanted.svi


def test_seconds_of_a_year_are_those_of_the_chain() -> None:
    """365 days in both."""
    from rollup.stf import surface  # noqa: PLC0415 - only here

    assert surface.YEAR == YEAR
