"""Greeks of markets, positions and accounts: units, signs and sums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rollup.quant.black76 import price
from rollup.quant.greeks import MarketState, account_greeks, market_greeks, position_greeks
from rollup.quant.holdings import Book, Holdings, Markets

MARKETS = Markets.of([(0, 0, 1, 0), (1, 1, 1, 11), (2, 2, 1, 11), (3, 3, 1, 11), (4, 2, 2, 21)])
STATE = MarketState(
    MARKETS.kind,
    np.array([9_000.0, 9_100.0, 9_100.0, 9_100.0, 200.0]),
    np.array([np.nan, np.nan, 9_500.0, 9_500.0, 210.0]),
    np.array([np.nan, 0.1, 0.1, 0.1, 0.2]),
    np.array([np.nan, np.nan, 0.8, 0.8, 1.2]),
)


def value(state: MarketState, row: int) -> float:
    """Price of an option of the state."""
    terms = (state.kind[row] == 2, state.forward[row], state.strike[row], state.years[row], state.volatility[row])
    return float(price(*terms))


def test_perpetuals_and_futures_have_delta_one_and_nothing_else() -> None:
    """Whatever is unknown of strike and volatility."""
    found = market_greeks(STATE)
    assert [column[:2].tolist() for column in found] == [[1, 1], [0, 0], [0, 0], [0, 0]]


@pytest.mark.parametrize("row", [2, 3, 4])
def test_options_have_traders_units(row: int) -> None:
    """A dollar of forward, a point of volatility, a day."""
    found = market_greeks(STATE)
    bump = np.eye(5)[row]
    here = value(STATE, row)
    assert value(replace(STATE, forward=STATE.forward + 1e-3 * bump), row) - here == pytest.approx(
        1e-3 * found.delta[row], rel=1e-4
    )
    point = value(replace(STATE, volatility=STATE.volatility + 0.01 * bump), row)
    assert point - here == pytest.approx(found.vega[row], rel=0.02)
    day = value(replace(STATE, years=STATE.years - bump / 365), row)
    assert day - here == pytest.approx(found.theta[row], rel=0.03)


def test_theta_of_the_last_day_is_what_is_left() -> None:
    """Six hours before expiry an option cannot lose a whole day's worth."""
    near, far = (
        market_greeks(replace(STATE, years=np.full(5, days / 365), volatility=np.full(5, 0.8 / days**0.5)))
        for days in (0.25, 1.0)
    )
    # The same total variance: the derivative per year is four times as large, the time a quarter.
    assert near.theta[2] == pytest.approx(far.theta[2])


def test_accounts_add_up_their_positions_by_underlying() -> None:
    """Signed coins; another underlying is another row, an account without positions none."""
    accounts: list[tuple[int, list[tuple[int, int, int]]]] = [
        (0, [(0, 2_000_000, 0), (2, -500_000, 0), (4, 1_000_000, 0)]),
        (0, []),
        (0, [(3, 3_000_000, 0)]),
    ]
    book = Book(MARKETS, Holdings.of(MARKETS, accounts))
    markets = market_greeks(STATE)
    positions = position_greeks(book, markets)
    found = account_greeks(book, markets)
    assert list(zip(found.account, found.underlying, strict=True)) == [(0, 1), (0, 2), (2, 1)]
    for column, single, whole in zip(markets, positions, found.greeks, strict=True):
        expected = [2 * column[0], -0.5 * column[2], column[4], 3 * column[3]]
        np.testing.assert_allclose(single, expected)
        np.testing.assert_allclose(whole, [expected[0] + expected[1], expected[2], expected[3]])


def test_parity_holds_for_accounts() -> None:
    """A call bought and a put sold are the future: delta one, nothing else."""
    book = Book(MARKETS, Holdings.of(MARKETS, [(0, [(2, 1_000_000, 0), (3, -1_000_000, 0)])]))
    found = account_greeks(book, market_greeks(STATE)).greeks
    np.testing.assert_allclose([column[0] for column in found], [1, 0, 0, 0], atol=1e-12)


def test_what_is_not_known_stays_unknown_where_it_is() -> None:
    """A market without a slice makes its holders' Greeks NaN, not others'."""
    markets = market_greeks(replace(STATE, volatility=np.array([np.nan, np.nan, 0.8, 0.8, np.nan])))
    book = Book(MARKETS, Holdings.of(MARKETS, [(0, [(2, 10, 0)]), (0, [(4, 10, 0)])]))
    delta = account_greeks(book, markets).greeks.delta
    assert delta[0] > 0
    assert np.isnan(delta[1])
