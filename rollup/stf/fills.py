"""What every fill must pass, of a trade as of each leg of a combo. Numbers are the steps of Trade (SPEC section 6)."""

from __future__ import annotations

from typing import Final, NamedTuple

from rollup.errors import InvalidTransaction
from rollup.stf.context import Context
from rollup.stf.fixed import div_ceil
from rollup.stf.holdings import held, is_shrinking, long_change, require_room, with_size
from rollup.stf.margin import Margin, initial, margin
from rollup.stf.settlement import with_totals
from rollup.stf.sheets import Sheet, sheet_of
from rollup.types.keys import GLOBALS, market_key
from rollup.types.leaves import Account, Globals, Market, MarketKind
from rollup.types.limits import CASH_BOUND, MILLION
from rollup.types.reasons import Reason

_PERP: Final = int(MarketKind.PERP)
_FUTURE: Final = int(MarketKind.FUTURE)
_FEE_UNIT: Final = 10**12
_FEE_SHARE: Final = 125_000
"""An option's fee is at most an eighth of its premium (ppm)."""


class Side(NamedTuple):
    """One side of a fill: its settled account, what it buys (µcoin, negative: sells), its fee rate (ppm)."""

    account: Account
    bought: int
    rate: int
    reduce_only: bool = False


class Filled(NamedTuple):
    """One side after a fill: its account, the fee it paid (µUSD), whether its position shrank."""

    account: Account
    fee: int
    shrank: bool


def open_market(ctx: Context, number: int) -> Market:
    """Step 6: the market, which trades now; MARKET_UNKNOWN, MARKET_CLOSED, MARKET_EXPIRED."""
    market = ctx.market(number)
    if ctx.timestamp < market.opens:
        raise InvalidTransaction(Reason.MARKET_CLOSED)
    if market.kind != _PERP and ctx.timestamp >= ctx.series(market.underlying, market.series).expiry:
        raise InvalidTransaction(Reason.MARKET_EXPIRED)
    return market


def require_band(ctx: Context, number: int, market: Market, price: int) -> Sheet:
    """Step 9: a fresh price, and `price` (µUSD per coin) near the mark; ORACLE_STALE, PRICE_BAND."""
    if market.kind == _PERP:
        ctx.fresh_underlying(market.underlying)
    else:
        ctx.require_fresh(ctx.underlying(market.underlying), ctx.series(market.underlying, market.series))
    sheet = sheet_of(ctx, number)
    if abs(price - sheet.mark) * MILLION > market.band * sheet.band_base:
        raise InvalidTransaction(Reason.PRICE_BAND)
    return sheet


def fill(ctx: Context, number: int, sheet: Sheet, price: int, maker: Side, taker: Side) -> tuple[Filled, Filled]:
    """Steps 11 and 12: both sides after the fill at `price`; the market's open interest is staged.

    Raises REDUCE_ONLY, HALTED, POSITION_LIMIT, POSITIONS_FULL (the maker's first), then OPEN_INTEREST.
    """
    market = ctx.market(number)
    underlying = ctx.underlying(market.underlying)
    halted = ctx.timestamp < underlying.halted_until
    index = underlying.funding_index if market.kind == _PERP else 0
    maker_change = _change(market, number, maker, halted)
    taker_change = _change(market, number, taker, halted)
    change = long_change(maker_change, taker_change)
    interest = market.open_interest + change
    if change > 0 and interest > market.max_open_interest:
        raise InvalidTransaction(Reason.OPEN_INTEREST)
    if change:
        ctx.stage(market_key(number), with_totals(market, interest, market.pool))
    return (
        _filled(number, sheet, price, maker, maker_change, index),
        _filled(number, sheet, price, taker, taker_change, index),
    )


def collect(ctx: Context, fees: int) -> None:
    """The end of step 13: stage the chain's totals with `fees` (µUSD) more; CASH_RANGE."""
    totals = ctx.globals()
    collected = totals.fees + fees
    if collected >= CASH_BOUND:
        raise InvalidTransaction(Reason.CASH_RANGE)
    if fees:
        ctx.stage(
            GLOBALS,
            Globals(
                totals.inbox_index, totals.inbox_hash, totals.time, collected, totals.insurance, totals.deposits,
                totals.withdrawals, totals.accounts, totals.bad_debt, totals.insolvent, totals.auction,
            ),
        )  # fmt: skip


def require_margin(ctx: Context, before: Account, after: Account, shrinks: bool) -> Margin:
    """Step 14: initial margin, or smaller positions at no worse a ratio of equity to margin. Gives the margin after."""
    found = margin(ctx, after)
    equity, maintenance = found
    if equity >= initial(maintenance):
        return found
    if not shrinks:
        raise InvalidTransaction(Reason.MARGIN)
    equity_before, maintenance_before = margin(ctx, before)
    if equity * maintenance_before < equity_before * maintenance:
        raise InvalidTransaction(Reason.MARGIN)
    return found


def _change(market: Market, number: int, side: Side, halted: bool) -> tuple[int, int]:
    """Step 11: the size of the side's position, old and new."""
    old = held(side.account, number)
    new = old + side.bought
    if (side.reduce_only or halted) and not is_shrinking(old, new):
        raise InvalidTransaction(Reason.REDUCE_ONLY if side.reduce_only else Reason.HALTED)
    require_room(side.account, old, new, market.max_position)
    return old, new


def _filled(number: int, sheet: Sheet, price: int, side: Side, change: tuple[int, int], index: int) -> Filled:
    """The side's account after step 12. The amount is exact: lot times tick is a multiple of a million."""
    amount = side.bought * price // MILLION
    old, new = change
    if sheet.kind <= _FUTURE:
        fee = div_ceil(abs(amount) * side.rate, MILLION)
    else:
        fee = div_ceil(abs(side.bought) * min(sheet.forward * side.rate, price * _FEE_SHARE), _FEE_UNIT)
    after = with_size(side.account, number, new, index, side.account.cash - amount - fee)
    return Filled(after, fee, is_shrinking(old, new))
