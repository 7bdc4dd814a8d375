"""The exact sheets of many markets as arrays, from a copy of the prices: for the thread that screens accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rollup.crypto.signatures import recover
from rollup.quant.holdings import Markets
from rollup.quant.screen import Sheets
from rollup.stf.context import Context, View
from rollup.stf.expiry import closed, value_at_expiry
from rollup.stf.sheets import SCENARIOS, sheet_of
from rollup.types.keys import market_key, series_key, underlying_key
from rollup.types.leaves import Market, MarketKind, Series, Underlying
from rollup.types.limits import CLOSING, WIND_UP

_SERIES_BITS = 16


@dataclass(frozen=True, slots=True)
class Prices:
    """Everything that sheets come from, at `timestamp` (s); underlyings with their funding accrued to it."""

    timestamp: int
    markets: Mapping[int, Market]
    underlyings: Mapping[int, Underlying]
    series: Mapping[tuple[int, int], Series]

    def view(self) -> View:
        """A view of a state that has nothing but this."""
        leaves = {market_key(number): market.encode() for number, market in self.markets.items()}
        leaves |= {underlying_key(number): coin.encode() for number, coin in self.underlyings.items()}
        leaves |= {series_key(*pair): dated.encode() for pair, dated in self.series.items()}
        return View(Context(lambda key: leaves.get(key, b""), self.timestamp, b"", recover))

    def payout(self, number: int) -> int | None:
        """What a coin of a market that has ended pays (µUSD), None if it goes on.

        As in settlement: a perpetual ends when its price is abandoned, a series when it is settled or closes by itself.
        """
        market = self.markets[number]
        coin = self.underlyings[market.underlying]
        if market.kind == MarketKind.PERP:
            return coin.mark if 0 < coin.time < self.timestamp - WIND_UP else None
        dated = self.series[market.underlying, market.series]
        if not dated.settlement and self.timestamp >= dated.expiry + CLOSING:
            dated = closed(dated, coin.settlement_window, dated.forward)
        return value_at_expiry(market, dated) if dated.settlement else None


def markets_of(prices: Prices, numbers: Sequence[int]) -> Markets:
    """The terms of these markets."""
    rows = ((number, prices.markets[number]) for number in numbers)
    return Markets.of(
        (number, market.kind, market.underlying, market.underlying << _SERIES_BITS | market.series)
        for number, market in rows
    )


def draw_sheets(prices: Prices, numbers: Sequence[int]) -> Sheets:
    """Sheets of these markets, ascending, however old their prices are. Takes a tenth of a millisecond an option."""
    view, count = prices.view(), len(numbers)
    mark, long_rate, short_rate, naked, index = (np.zeros(count, np.int64) for _ in range(5))
    shifts, settled = np.zeros((count, len(SCENARIOS)), np.int64), np.zeros(count, np.bool_)
    for row, number in enumerate(numbers):
        market = prices.markets[number]
        if market.kind == MarketKind.PERP:
            index[row] = prices.underlyings[market.underlying].funding_index
        payout = prices.payout(number)
        if payout is not None:
            mark[row], settled[row] = payout, True
            continue
        sheet = sheet_of(view, number)
        mark[row], shifts[row] = sheet.mark, sheet.shifts
        long_rate[row], short_rate[row], naked[row] = sheet.long_rate, sheet.short_rate, sheet.call_rate
    return Sheets(mark, shifts, long_rate, short_rate, naked, index, settled)
