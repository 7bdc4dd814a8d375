"""New underlyings, series and markets, as the market admin lists them through the inbox: only ever added (SPEC 7)."""

from __future__ import annotations

from rollup.errors import InvalidTransaction
from rollup.stf.context import Context
from rollup.types.keys import market_key, series_key, underlying_key
from rollup.types.leaves import MarketKind
from rollup.types.listing import (
    Item,
    MarketConfig,
    SeriesConfig,
    UnderlyingConfig,
    fault_of,
    market_leaf,
    series_leaf,
    underlying_leaf,
)
from rollup.types.messages import List
from rollup.types.reasons import Reason


def execute_list(ctx: Context, message: List) -> None:
    """Stage the new leaf; LISTED, UNDERLYING_UNKNOWN, SERIES_UNKNOWN, LISTING_INVALID."""
    item = message.item
    if _is_listed(ctx, item):
        raise InvalidTransaction(Reason.LISTED)
    expiry = _expiry_of(ctx, item)
    if fault_of(item) is not None or (expiry is not None and expiry <= message.opens):
        raise InvalidTransaction(Reason.LISTING_INVALID)
    match item:
        case UnderlyingConfig():
            ctx.stage(underlying_key(item.number), underlying_leaf(item, ctx.timestamp))
        case SeriesConfig():
            ctx.stage(series_key(item.underlying, item.number), series_leaf(item))
        case MarketConfig():
            ctx.stage(market_key(item.number), market_leaf(item, message.opens))


def _is_listed(ctx: Context, item: Item) -> bool:
    match item:
        case UnderlyingConfig():
            return ctx.find_underlying(item.number) is not None
        case SeriesConfig():
            return ctx.find_series(item.underlying, item.number) is not None
        case MarketConfig():
            return ctx.find_market(item.number) is not None


def _expiry_of(ctx: Context, item: Item) -> int | None:
    """When the item expires (s), if it does; what it refers to is loaded, and exists."""
    if isinstance(item, UnderlyingConfig):
        return None
    ctx.underlying(item.underlying)
    if isinstance(item, SeriesConfig):
        return item.expiry
    return None if item.kind == MarketKind.PERP else ctx.series(item.underlying, item.series).expiry
