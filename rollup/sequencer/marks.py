"""Marks of all kinds of markets, from the newest state."""

from __future__ import annotations

from rollup.stf.context import View
from rollup.stf.expiry import value_at_expiry
from rollup.stf.sheets import Sheet, sheet_of
from rollup.types.leaves import MarketKind

_NO_PRICE = 0


def mark_of(view: View, number: int) -> int:
    """The mark of a market (µUSD per coin): what it paid if it is settled, 0 if it never had a price."""
    if has_price(view, number):
        return sheet_of(view, number).mark
    market = view.market(number)
    if market.kind == MarketKind.PERP:
        return _NO_PRICE
    series = view.series(market.underlying, market.series)
    return value_at_expiry(market, series) if series.settlement else _NO_PRICE


def priced_sheet(view: View, number: int) -> Sheet:
    """A market's sheet, of a fresh price; ORACLE_STALE."""
    market = view.market(number)
    if market.kind == MarketKind.PERP:
        view.fresh_underlying(market.underlying)
    else:
        view.require_fresh(view.underlying(market.underlying), view.series(market.underlying, market.series))
    return sheet_of(view, number)


def has_price(view: View, number: int) -> bool:
    """Whether a market has a mark, however old; a settled one has none."""
    market = view.market(number)
    if market.kind == MarketKind.PERP:
        return view.underlying(market.underlying).time > 0
    series = view.series(market.underlying, market.series)
    return series.time > 0 and series.settlement == 0
