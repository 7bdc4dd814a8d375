"""Greeks of markets, positions and accounts in traders' units, for showing; margin does not use them.

Perpetuals and futures move one for one with their own mark, so they have delta and nothing else. An account's Greeks
are added up per underlying: a delta in one coin cannot be netted with one in another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from rollup.quant.black76 import Floats
from rollup.quant.black76 import greeks as black_greeks
from rollup.quant.holdings import Book, Ints
from rollup.types.leaves import MarketKind

_POINT: Final = 0.01
_DAY: Final = 1 / 365
_MICRO: Final = 1e6


@dataclass(frozen=True, slots=True)
class MarketState:
    """What the Greeks of markets depend on, rows as in `Markets`; only `kind` matters unless it is an option.

    `forward` and `strike` in USD per coin, `years` until expiry, `volatility` per √year. NaN where nothing is known
    yet; the Greeks are NaN then.
    """

    kind: Ints
    forward: Floats
    strike: Floats
    years: Floats
    volatility: Floats


class Sensitivities(NamedTuple):
    """Of one coin of a market, of a position, or of an account's holdings in one underlying.

    `delta` in coins, `gamma` in coins per USD, `vega` in USD per point of volatility, `theta` in USD per day, or until
    expiry where that is sooner.
    """

    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats


@dataclass(frozen=True, slots=True)
class AccountGreeks:
    """One row for each underlying that an account (row of the book) has positions in."""

    account: Ints
    underlying: Ints
    greeks: Sensitivities


def market_greeks(state: MarketState) -> Sensitivities:
    """Greeks of one coin of each market."""
    linear = state.kind <= MarketKind.FUTURE
    found = black_greeks(
        state.kind == MarketKind.CALL, state.forward, state.strike, state.years, state.volatility
    )  # fmt: skip
    day = np.minimum(_DAY, state.years)
    return Sensitivities(
        np.where(linear, 1.0, found.delta),
        np.where(linear, 0.0, found.gamma),
        np.where(linear, 0.0, found.vega * _POINT),
        np.where(linear, 0.0, found.theta * day),
    )


def position_greeks(book: Book, markets: Sensitivities) -> Sensitivities:
    """Greeks of every position of the book, in its order."""
    coins = book.holdings.size / _MICRO
    return Sensitivities(*(coins * column[book.holdings.market] for column in markets))


def account_greeks(book: Book, markets: Sensitivities) -> AccountGreeks:
    """Greeks of every account by underlying, accounts ascending."""
    totals = book.signed @ np.column_stack(markets) / _MICRO
    return AccountGreeks(book.group_account, book.group_underlying, Sensitivities(*totals.T))
