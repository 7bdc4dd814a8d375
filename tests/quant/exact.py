"""The margin rule in plain integers, word for word from the specification, one account at a time."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from rollup.quant.holdings import Markets
from rollup.quant.screen import Sheets
from rollup.types.leaves import MarketKind


class Exact(NamedTuple):
    """Equity and maintenance margin, µUSD."""

    equity: int
    maintenance: int


def div_ceil(numerator: int, denominator: int) -> int:
    """Towards +∞."""
    return -(-numerator // denominator)


def exact_margin(markets: Markets, sheets: Sheets, cash: int, positions: list[tuple[int, int, int]]) -> Exact:
    """Settle funding and what has ended, then value and shock what is left. Positions are (row, size, index)."""
    value, rated = 0, 0
    profits: dict[int, list[int]] = defaultdict(lambda: [0] * sheets.shifts.shape[1])
    calls: dict[int, int] = defaultdict(int)
    rates: dict[int, int] = {}
    for row, size, index in positions:
        mark = int(sheets.mark[row])
        if markets.kind[row] == MarketKind.PERP:
            cash -= div_ceil(size * (int(sheets.index[row]) - index), 10**9)
        if sheets.settled[row]:
            cash += size * mark // 10**6
            continue
        value += size * mark
        rated += abs(size) * int(sheets.long_rate[row] if size > 0 else sheets.short_rate[row])
        book = profits[int(markets.underlying[row])]
        for j, shift in enumerate(sheets.shifts[row].tolist()):
            book[j] += size * shift
        if markets.kind[row] == MarketKind.CALL:
            series = int(markets.series[row])
            calls[series] += size
            rates[series] = int(sheets.naked_rate[row])
    rated += sum(max(0, -size) * rates[series] for series, size in calls.items())
    maintenance = sum(div_ceil(max(0, -min(book)), 10**6) for book in profits.values())
    return Exact(cash + value // 10**6, maintenance + div_ceil(rated, 10**6))
