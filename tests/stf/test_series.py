"""Surface updates: what feeders may sign, and the average at which an expiry settles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.stf.expiry import averaged
from rollup.types.genesis import BTC
from rollup.types.keys import series_key
from rollup.types.leaves import Series
from rollup.types.reasons import Reason
from tests.stf.venue import SERIES, SLICE, P, Venue, dated, surface
from tests.stf.world import START, USD, price

T = START + 1
WINDOW = 1_800
COIN = dated(1).underlying()


def refused(time: int = T, forward: int = P, at: int = T, **terms: Any) -> Callable[[Venue], Reason]:
    """The reason why this update alone invalidates a block."""
    return lambda venue: venue.refusal(surface(time, forward, **terms), at=at)


def unpriced(venue: Venue) -> Reason:
    """The coin has no price of its own yet."""
    venue.change_underlying(time=0)
    return refused()(venue)


def settled(venue: Venue) -> Reason:
    """The series is settled."""
    venue.change_series(settlement=1)
    return refused()(venue)


CASES: dict[str, tuple[Reason, Callable[[Venue], Reason]]] = {
    "unknown underlying": (Reason.UNDERLYING_UNKNOWN, refused(underlying=9)),
    "unknown series": (Reason.SERIES_UNKNOWN, refused(series=9)),
    "settled": (Reason.MARKET_EXPIRED, settled),
    "not newer": (Reason.ORACLE_TIME, refused(START)),
    "from the future": (Reason.ORACLE_TIME, refused(T + 1)),
    "too old": (Reason.ORACLE_STALE, refused(T, at=T + 61)),
    "no width": (Reason.SURFACE_INVALID, refused(sigma=0)),
    "negative variance": (Reason.SURFACE_INVALID, refused(a=-(10**12))),
    "skew of one": (Reason.SURFACE_INVALID, refused(rho=10**9)),
    "too sure": (Reason.SURFACE_INVALID, refused(confidence=10**6 + 1)),
    "forward zero": (Reason.ORACLE_PRICE, refused(forward=0)),
    "forward too high": (Reason.ORACLE_PRICE, refused(forward=1 << 47)),
    "no spot": (Reason.ORACLE_PRICE, unpriced),
    "basis above": (Reason.ORACLE_PRICE, refused(forward=P * 105 // 100 + 1)),
    "basis below": (Reason.ORACLE_PRICE, refused(forward=P * 95 // 100 - 1)),
    "move of the forward": (
        Reason.ORACLE_MOVE,
        lambda v: refused()(v.but(lambda w: w.change_series(forward=P * 85 // 100))),
    ),
    "move of the volatility": (Reason.ORACLE_MOVE, refused(a=4 * SLICE["a"])),
    "one signer": (Reason.ORACLE_SIGNERS, refused(signers=0b100)),
    "unknown signer": (Reason.ORACLE_SIGNERS, refused(signers=0b1011, keys=[7, 8, 9])),
    "forged": (Reason.SIGNATURE_INVALID, refused(keys=[7, 6])),
    "malformed": (
        Reason.SIGNATURE_MALFORMED,
        lambda v: v.refusal(replace(surface(T), signatures=(b"\x01" * 32 + b"\xff" * 32,) * 2), at=T),
    ),
    "good": (Reason.NONE, refused()),
    "at the edge of basis": (Reason.NONE, refused(forward=P * 105 // 100)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_surface_update_is_refused_for(name: str) -> None:
    """A single update makes its block invalid with exactly this reason."""
    reason, case = CASES[name]
    assert case(dated()) is reason


def test_the_basis_widens_by_full_months_to_expiry() -> None:
    """Thirty days and more to expiry: twice the basis; below: once."""
    venue = dated()
    venue.change_series(expiry=T + 30 * 86_400, time=0)
    assert refused(forward=P * 110 // 100)(venue) is Reason.NONE
    assert refused(forward=P * 110 // 100 + 1)(venue) is Reason.ORACLE_PRICE
    venue.change_series(expiry=T + 30 * 86_400 - 1)
    assert refused(forward=P * 110 // 100)(venue) is Reason.ORACLE_PRICE


def near_expiry(**terms: Any) -> Venue:
    """A venue two minutes before the settlement window, with fresh prices."""
    venue = dated()
    venue.change_series(expiry=START + WINDOW + 120, **terms)
    return venue


def keep_fresh(venue: Venue, until: int, forward: int = P, every: int = 60) -> int:
    """Updates of spot and slice up to `until`; the last one's time."""
    time = venue.now
    while time + every <= until:
        time += every
        venue.must(price(time, P), surface(time, forward), at=time)
    return time


def test_a_series_settles_at_the_average_of_its_window() -> None:
    """Half of the window at one forward, half at another; what was before the window does not count."""
    venue = near_expiry()
    expiry = venue.series().expiry
    keep_fresh(venue, expiry - WINDOW // 2, P)
    venue.must(price(expiry - WINDOW // 2 + 1, P), surface(expiry - WINDOW // 2 + 1, P * 101 // 100), at=venue.now + 1)
    time = keep_fresh(venue, expiry - 1, P * 101 // 100)
    assert venue.series().settlement == 0
    venue.must(price(expiry + 5, P), surface(expiry + 5, P * 99 // 100), at=expiry + 5)
    series = venue.series()
    # The second from -900 s to -899 s had the first forward still.
    expected = (P * (WINDOW // 2 + 1) + P * 101 // 100 * (WINDOW // 2 - 1)) // WINDOW
    assert time < expiry
    assert series.covered == WINDOW
    assert series.settlement == expected
    assert venue.refusal(surface(expiry + 6), at=expiry + 6) is Reason.MARKET_EXPIRED


def test_seconds_that_no_update_covers_count_at_the_last_forward() -> None:
    """A gap in the feed is not filled by a price that was stale in it."""
    venue = near_expiry()
    expiry = venue.series().expiry
    venue.change_series(time=expiry - 1_000)
    venue.change_underlying(time=expiry - 100)
    venue.must(price(expiry, P), surface(expiry, P * 98 // 100), at=expiry)
    series = venue.series()
    assert series.covered == 60
    assert series.settlement == (P * 60 + P * 98 // 100 * (WINDOW - 60)) // WINDOW


def test_a_series_without_any_update_before_expiry_settles_at_its_first() -> None:
    """Late, but at a price; and never at zero, which says that there is none."""
    venue = dated()
    venue.leaves[series_key(BTC, SERIES)] = Series(START + 10).encode()
    venue.must(price(START + 30, P), surface(START + 30, P), at=START + 30)
    assert venue.series().settlement == P
    assert venue.series().covered == 0


@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(1, 2**47 - 1)), min_size=1, max_size=20), st.integers(1, 600)
)
def test_the_average_never_covers_a_second_twice(steps: list[tuple[int, int]], window: int) -> None:
    """However updates fall, the covered seconds lie in the window, and the sum is that of the forwards then."""
    underlying = replace(COIN, settlement_window=window)
    expiry = 1_000
    series = Series(expiry, time=1, forward=7)
    seconds: dict[int, int] = {}
    for gap, forward in steps:
        new = replace(series, time=series.time + gap, forward=forward)
        for second in range(series.time, min(new.time, series.time + underlying.max_age)):
            if expiry - window <= second < expiry:
                assert second not in seconds
                seconds[second] = series.forward
        series = averaged(underlying, series, new)
    assert (series.covered, series.sum) == (len(seconds), sum(seconds.values()))


def test_a_new_slice_is_used_at_once() -> None:
    """Marks after an update in the same block are those of the new slice."""
    venue = dated()
    before = venue.mark(4)
    venue.must(surface(T, P * 102 // 100), at=T)
    assert venue.mark(4, T) > before
    assert venue.mark(3) == P * 102 // 100 // USD * USD
