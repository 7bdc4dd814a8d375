"""What every fill must pass, of a trade as of each leg of a combo. Numbers are the steps of Trade (SPEC section 6)."""

from __future__ import annotations

from typing import Final, NamedTuple

from rollup.errors import InvalidTransaction
from rollup.stf.context import Context
from rollup.stf.fixed import div_ceil
from rollup.stf.holdings import is_shrinking, long_change, require_room, with_size
from rollup.stf.margin import Margin, margin, required
from rollup.stf.settlement import with_totals
from rollup.stf.sheets import Sheet, sheet_of
from rollup.types.keys import GLOBALS, market_key
from rollup.types.leaves import Account, Globals, Market, MarketKind, Underlying
from rollup.types.limits import CASH_BOUND, MILLION
from rollup.types.reasons import Reason

_PERP: Final = int(MarketKind.PERP)
_FUTURE: Final = int(MarketKind.FUTURE)
_FEE_UNIT: Final = 10**12
_FEE_SHARE: Final = 125_000
"""An option's fee is at most an eighth of its premium (ppm)."""


class Price(NamedTuple):
    """A market that trades now, at a price (µUSD per coin) near its mark."""

    number: int
    price: int
    market: Market
    underlying: Underlying
    sheet: Sheet


class Filled(NamedTuple):
    """One side after a fill: its account, the fee it paid (µUSD), its position before, and whether it shrank."""

    account: Account
    fee: int
    old: int
    shrank: bool


def open_market(ctx: Context, number: int) -> Market:
    """Step 6: the market, which trades now; MARKET_UNKNOWN, MARKET_CLOSED, MARKET_EXPIRED."""
    market = ctx.market(number)
    if ctx.timestamp < market.opens:
        raise InvalidTransaction(Reason.MARKET_CLOSED)
    if market.kind != _PERP and ctx.timestamp >= ctx.series(market.underlying, market.series).expiry:
        raise InvalidTransaction(Reason.MARKET_EXPIRED)
    return market


def require_band(ctx: Context, number: int, market: Market, price: int) -> Price:
    """Step 9: a fresh price, and `price` (µUSD per coin) near the mark; ORACLE_STALE, PRICE_BAND."""
    if market.kind == _PERP:
        underlying = ctx.fresh_underlying(market.underlying)
    else:
        underlying = ctx.underlying(market.underlying)
        ctx.require_fresh(underlying, ctx.series(market.underlying, market.series))
    sheet = sheet_of(ctx, number)
    if abs(price - sheet.mark) * MILLION > market.band * sheet.band_base:
        raise InvalidTransaction(Reason.PRICE_BAND)
    return Price(number, price, market, underlying, sheet)


def fill(ctx: Context, at: Price, account: Account, bought: int, rate: int, *, reduce_only: bool = False) -> Filled:
    """Steps 11 and 12 for one side, which buys `bought` µcoin (negative: sells) at a fee of `rate` ppm.

    Raises REDUCE_ONLY, HALTED, POSITION_LIMIT, POSITIONS_FULL. The account is settled.
    """
    number, price, market, underlying, sheet = at
    old = account.position_in(number)
    new = old + bought
    shrinks = is_shrinking(old, new)
    if not shrinks:
        if reduce_only:
            raise InvalidTransaction(Reason.REDUCE_ONLY)
        if ctx.timestamp < underlying.halted_until:
            raise InvalidTransaction(Reason.HALTED)
        require_room(account, old, new, market.max_position)
    amount = bought * price // MILLION  # exact: lot times tick is a multiple of a million
    if sheet.kind <= _FUTURE:
        fee = -(-abs(amount) * rate // MILLION)
    else:
        fee = div_ceil(abs(bought) * min(sheet.forward * rate, price * _FEE_SHARE), _FEE_UNIT)
    index = underlying.funding_index if sheet.kind == _PERP else 0
    return Filled(with_size(account, number, new, index, account.cash - amount - fee), fee, old, shrinks)


def count_interest(ctx: Context, number: int, maker: Filled, taker: Filled, bought: int) -> None:
    """The end of step 12: stage the market with its open interest after the maker bought `bought`; OPEN_INTEREST."""
    change = long_change(maker.old, maker.old + bought) + long_change(taker.old, taker.old - bought)
    if change == 0:
        return
    market = ctx.market(number)
    interest = market.open_interest + change
    if change > 0 and interest > market.max_open_interest:
        raise InvalidTransaction(Reason.OPEN_INTEREST)
    ctx.stage(market_key(number), with_totals(market, interest, market.pool))


def collect(ctx: Context, fees: int) -> None:
    """The end of step 13: stage the chain's totals with `fees` (µUSD) more; CASH_RANGE."""
    totals = ctx.globals()
    collected = totals.fees + fees
    if max(collected, totals.insurance) >= CASH_BOUND:
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
    if equity >= required(ctx, maintenance):
        return found
    if not shrinks:
        raise InvalidTransaction(Reason.MARGIN)
    equity_before, maintenance_before = margin(ctx, before)
    # Below zero a ratio says nothing: a debt could grow with the margin, as hedges are given away.
    if min(equity, equity_before) < 0 or equity * maintenance_before < equity_before * maintenance:
        raise InvalidTransaction(Reason.MARGIN)
    return found
