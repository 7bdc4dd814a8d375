"""Implied volatility and Greeks of all markets at once, kept until a price or the second changes.

For showing only: floats of `rollup.quant`, made from the oracle's slices in the newest state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from rollup.quant.black76 import YEAR, Floats
from rollup.quant.greeks import MarketState, Sensitivities, market_greeks
from rollup.quant.svi import WireSvi
from rollup.sequencer.catalogue import Catalogue, Instrument
from rollup.stf.context import View
from rollup.types.leaves import MarketKind, Position, Series
from rollup.types.limits import MILLION

LOWEST_VOLATILITY: Final = 0.01
HIGHEST_VOLATILITY: Final = 5.0
"""The bounds of the state transition (contracts/PRICING.md)."""


@dataclass(frozen=True, slots=True)
class Greeks:
    """In coins, coins per USD, USD per point of volatility, USD per day; None where there is no price."""

    delta: float | None
    gamma: float | None
    vega: float | None
    theta: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """From numbers of which some may be NaN."""
        return cls(*(None if np.isnan(value) else float(value) for value in values))

    def times(self, coins: float) -> Greeks:
        """Of a position."""
        return Greeks(*(None if each is None else each * coins for each in self.values()))

    def plus(self, other: Greeks) -> Greeks:
        """Of both together; what is not known of one is not known of the sum."""
        pairs = zip(self.values(), other.values(), strict=True)
        return Greeks(*(None if a is None or b is None else a + b for a, b in pairs))

    def values(self) -> tuple[float | None, float | None, float | None, float | None]:
        """Delta, gamma, vega, theta."""
        return self.delta, self.gamma, self.vega, self.theta


NOTHING: Final = Greeks(0.0, 0.0, 0.0, 0.0)
UNKNOWN: Final = Greeks(None, None, None, None)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Of one market: implied volatility per √year (None unless it is a priced option) and Greeks of one coin."""

    volatility: float | None
    greeks: Greeks


_NOT_KNOWN: Final = Sensitivity(None, UNKNOWN)


class SensitivityTable:
    """Every market's sensitivity; `refresh` before reading."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._made: tuple[int, int, int] | None = None
        self._rows: dict[int, Sensitivity] = {}

    def refresh(self, view: View, prices: int) -> None:
        """Compute anew if time or `prices` (how often the oracle spoke) moved on, or something was listed."""
        made = (view.timestamp, prices, len(self._catalogue))
        if made != self._made:
            self._rows = _compute(view, self._catalogue.active(view.timestamp))
            self._made = made

    def of_market(self, number: int) -> Sensitivity:
        """One market's; unknown once it has expired."""
        return self._rows.get(number, _NOT_KNOWN)

    def of_positions(self, positions: Sequence[Position]) -> dict[int, Greeks]:
        """Sums by underlying."""
        totals: dict[int, Greeks] = {}
        for position in positions:
            coin = self._catalogue.by_number(position.market).market.underlying
            each = self.of_market(position.market).greeks.times(position.size / MILLION)
            totals[coin] = totals.get(coin, NOTHING).plus(each)
        return totals


def _compute(view: View, instruments: Sequence[Instrument]) -> dict[int, Sensitivity]:
    if not instruments:
        return {}
    markets = [instrument.market for instrument in instruments]
    kind = np.array([market.kind for market in markets], np.int64)
    strike = np.array([market.strike for market in markets], np.float64) / MILLION
    forward, volatility, years = (np.full(len(markets), np.nan) for _ in range(3))
    rows: dict[tuple[int, int], list[int]] = {}
    for row, market in enumerate(markets):
        rows.setdefault((market.underlying, market.series), []).append(row)
    for (coin, number), members in rows.items():
        if number == 0:
            _set_perpetual(view, coin, members, forward)
            continue
        series = view.series(coin, number)
        if series.time and not series.settlement:
            places = np.array(members)
            forward[places] = series.forward / MILLION
            years[places] = max(0, series.expiry - view.timestamp) / YEAR
            volatility[places] = _volatilities(series, strike[places])
    options = kind >= MarketKind.CALL
    dated = Sensitivities(*market_greeks(MarketState(kind, forward, strike, years, volatility)))
    unpriced = np.isnan(forward)
    columns = np.where(unpriced, np.nan, np.column_stack(dated).T).T
    shown = np.where(options, volatility, np.nan)
    return {
        instrument.number: Sensitivity(None if np.isnan(iv) else float(iv), Greeks.of(values))
        for instrument, iv, values in zip(instruments, shown, columns, strict=True)
    }


def _set_perpetual(view: View, coin: int, rows: list[int], forward: Floats) -> None:
    underlying = view.underlying(coin)
    if underlying.time:
        forward[rows] = underlying.mark / MILLION


def _volatilities(series: Series, strikes: Floats) -> Floats:
    slice_ = WireSvi(series.a, series.b, series.rho, series.m, series.sigma).floats()
    moneyness = np.log(np.maximum(strikes, 1e-6) / (series.forward / MILLION))
    return np.clip(slice_.volatility(moneyness), LOWEST_VOLATILITY, HIGHEST_VOLATILITY)
