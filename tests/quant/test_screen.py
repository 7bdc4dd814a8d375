"""Screening never differs from the exact integers by more than it says."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.quant.holdings import Book, Holdings, Markets
from rollup.quant.screen import Sheets, screen
from rollup.types.leaves import MarketKind
from tests.quant.exact import Exact, exact_margin

Positions = list[tuple[int, int, int]]

MARKETS = Markets.of(
    [
        (number, number % 4, 1 + number % 3, (1 + number % 3) * 10 + number % 2 if number % 4 else 0)
        for number in range(40)
    ]
)


def sheets_of(seed: int, largest: int, settled: bool, moved: int = 10**12) -> Sheets:
    """Random sheets: prices up to `largest`, funding indices to `moved`, settled series and perpetuals without risk."""
    draw = np.random.default_rng(seed)
    count = len(MARKETS.number)
    gone = (draw.random(count) < 0.2) & settled
    alive = (~gone).astype(np.int64)
    mark = draw.integers(0, largest, count)
    shifts = draw.integers(-largest, largest, (count, 23)) * alive[:, None]
    shifts[:, 1] = 0
    long_rate, short_rate = draw.integers(0, largest // 10 + 1, (2, count)) * alive
    naked = draw.integers(0, largest // 10 + 1, 100)[MARKETS.series] * (MARKETS.kind == MarketKind.CALL)
    # A series is settled as a whole.
    is_dated = MARKETS.kind > MarketKind.PERP
    gone |= np.isin(MARKETS.series, MARKETS.series[gone & is_dated]) & is_dated
    alive = (~gone).astype(np.int64)
    index = draw.integers(-moved, moved, count) * (MARKETS.kind == MarketKind.PERP)
    return Sheets(
        mark, shifts * alive[:, None], long_rate * alive, short_rate * alive, naked * alive, index, gone
    )  # fmt: skip


def exact_all(sheets: Sheets, accounts: list[tuple[int, Positions]]) -> list[Exact]:
    """Every account by itself."""
    return [exact_margin(MARKETS, sheets, cash, positions) for cash, positions in accounts]


def check(sheets: Sheets, accounts: list[tuple[int, Positions]]) -> None:
    """Bounds hold for the surplus, nobody below maintenance is missed, nobody is accused wrongly."""
    found = screen(Book(MARKETS, Holdings.of(MARKETS, accounts)), sheets)
    exact = exact_all(sheets, accounts)
    for row, (equity, maintenance) in enumerate(exact):
        # As fractions: a float of the exact figure would itself be rounded.
        error = Fraction(float(found.surplus[row])) - (equity - maintenance)
        assert abs(error) <= Fraction(float(found.bound[row]))
    below = {row for row, (equity, maintenance) in enumerate(exact) if equity < maintenance}
    assert below <= set(found.doubtful.tolist())
    assert set(found.breached.tolist()) <= below


def positions(size: int, index: int) -> st.SearchStrategy[Positions]:
    """Up to 32 positions in different markets, ascending, funding indices where there is funding."""
    held = st.dictionaries(
        st.integers(0, 39),
        st.tuples(st.integers(-size, size).filter(bool), st.integers(-index, index)),
        max_size=32,
    )
    return held.map(
        lambda found: [
            (market, size, index if MARKETS.kind[market] == MarketKind.PERP else 0)
            for market, (size, index) in sorted(found.items())
        ]
    )


@settings(deadline=None)
@given(
    st.integers(0, 2**32), st.sampled_from([10, 10**6, 10**11, 2**47]), st.booleans(),
    st.lists(st.tuples(st.integers(-(2**40), 2**40), positions(10**9, 10**13)), min_size=1, max_size=4),
)  # fmt: skip
def test_usual_accounts_are_within_the_bound(
    seed: int, largest: int, settled: bool, accounts: list[tuple[int, Positions]]
) -> None:
    """Sizes up to a thousand coins."""
    check(sheets_of(seed, largest, settled), accounts)


@settings(deadline=None)
@given(
    st.integers(0, 2**32), st.booleans(),
    st.lists(st.tuples(st.integers(-(2**62), 2**62), positions(2**62, 2**62)), min_size=1, max_size=4),
)  # fmt: skip
def test_extreme_accounts_are_within_the_bound(seed: int, settled: bool, accounts: list[tuple[int, Positions]]) -> None:
    """Sizes and cash that no float holds exactly, prices up to the largest admitted."""
    check(sheets_of(seed, 2**47, settled, 2**62), accounts)


@pytest.mark.parametrize("offset", range(-6, 7))
def test_accounts_at_the_edge_are_left_to_the_exact_check(offset: int) -> None:
    """Cash that leaves an equity just so many µUSD above maintenance: nobody is cleared or condemned wrongly."""
    sheets = sheets_of(3, 10**10, settled=False)
    rng = np.random.default_rng(offset + 10)
    accounts = []
    for _ in range(50):
        rows = np.sort(rng.choice(40, 8, replace=False)).tolist()
        held = [(row, int(rng.integers(1, 10**8)), 0) for row in rows]
        equity, maintenance = exact_margin(MARKETS, sheets, 0, held)
        accounts.append((maintenance - equity + offset, held))
    check(sheets, accounts)
    found = screen(Book(MARKETS, Holdings.of(MARKETS, accounts)), sheets)
    if offset < 0:
        assert len(found.doubtful) == 50
    assert found.bound.max() < 12


def test_the_bound_stays_below_a_cent_for_whales() -> None:
    """A billion dollars of everything: brackets and rounding together leave few accounts in doubt."""
    sheets = sheets_of(1, 10**11, settled=False)
    accounts = [(10**15, [(row, 10**10, 0) for row in range(32)])]
    found = screen(Book(MARKETS, Holdings.of(MARKETS, accounts)), sheets)
    assert found.bound[0] < 10_000
    check(sheets, accounts)


def test_accounts_without_positions_have_their_cash() -> None:
    """First, last and between others; no margin. Nothing is in doubt only from the two µUSD of brackets on."""
    sheets = sheets_of(0, 10**9, settled=False)
    accounts: list[tuple[int, Positions]] = [(5, []), (10**12, [(1, 10, 0)]), (-7, []), (0, [])]
    found = screen(Book(MARKETS, Holdings.of(MARKETS, accounts)), sheets)
    assert found.equity[[0, 2, 3]].tolist() == [5, -7, 0]
    assert found.maintenance[[0, 2, 3]].tolist() == [0, 0, 0]
    assert found.breached.tolist() == [2]
    assert found.doubtful.tolist() == [2, 3]
    check(sheets, accounts)


def test_a_book_of_nobody_is_screened() -> None:
    """No accounts, and accounts of which none holds anything."""
    sheets = sheets_of(0, 10**9, settled=False)
    assert len(screen(Book(MARKETS, Holdings.of(MARKETS, [])), sheets).surplus) == 0
    assert screen(Book(MARKETS, Holdings.of(MARKETS, [(3, [])])), sheets).surplus.tolist() == [3]


def test_sheets_that_floats_cannot_hold_are_a_bug() -> None:
    """The proof starts from exact prices."""
    sheets = sheets_of(0, 10**9, settled=False)
    with pytest.raises(AssertionError):
        Sheets(
            sheets.mark + 2**53, sheets.shifts, sheets.long_rate, sheets.short_rate, sheets.naked_rate, sheets.index,
            sheets.settled,
        )  # fmt: skip


def test_positions_in_unknown_markets_are_refused() -> None:
    """By the market's number."""
    with pytest.raises(KeyError, match="41"):
        Holdings.of(MARKETS, [(0, [(1, 1, 0), (41, 1, 0)])])
