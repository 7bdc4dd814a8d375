"""What holdings owe before anything else happens to their account: funding, and the payout of what has ended.

A dated market ends at its expiry, a perpetual when its last price is abandoned. Both go through the market's pool. Each
payment is rounded against its account, so pools never pay more than comes in.
"""

from __future__ import annotations

from typing import Final

from rollup.errors import InvalidTransaction
from rollup.stf.context import Context
from rollup.stf.expiry import closed, value_at_expiry
from rollup.stf.fixed import div_floor, require_range
from rollup.stf.funding import funding_due
from rollup.stf.health import with_health
from rollup.stf.holdings import with_positions
from rollup.stf.receipts import Settled
from rollup.types.keys import account_key, market_key, series_key
from rollup.types.leaves import Account, Market, MarketKind, Position, Series
from rollup.types.limits import CASH_BOUND, CLOSING, MILLION, WIND_UP
from rollup.types.reasons import Reason
from rollup.types.transactions import Settle

_PERP: Final = int(MarketKind.PERP)


def settle(ctx: Context, account: Account, *, with_another: bool = False) -> Account:
    """The account after paying (or drawing) funding and payouts; the markets' pools are staged.

    Every market held must have a price that will do, an abandoned one, or a settlement: ORACLE_STALE. Who deals
    `with_another` must not do so at the abandoned price of a series, which may be priced again. CASH_RANGE if a pool
    or, in the end, the cash is out of range.
    """
    if not account.positions:
        require_range(account.cash)
        return account
    cash = account.cash
    kept: list[Position] = []
    moved = False
    for position in account.positions:
        number = position.market
        market = ctx.market(number)
        if market.kind == _PERP:
            after, paid = _settle_perp(ctx, market, position)
        else:
            after, paid = _settle_dated(ctx, market, position, with_another)
        if after is not None:
            kept.append(after)
        if after is not position:
            moved = True
            cash -= paid
    require_range(cash)
    # Nothing moves within a second of an account's last trade.
    return with_positions(account, cash, tuple(kept)) if moved else account


def execute_settle(ctx: Context, tx: Settle) -> Settled:
    """Pay out what an account holds in markets that have ended; NOTHING_TO_SETTLE if there is nothing."""
    account = ctx.account(tx.account)
    settled = settle(ctx, account)
    if len(settled.positions) == len(account.positions):
        raise InvalidTransaction(Reason.NOTHING_TO_SETTLE)
    after = settled if settled.positions else with_health(ctx, settled, settled.cash, 0)
    ctx.stage(account_key(tx.account), after)
    return Settled(account.cash - settled.cash)


def with_totals(market: Market, open_interest: int, pool: int) -> Market:
    """The market with other running totals (written out: replacing fields by name takes four times as long)."""
    return Market(
        market.kind, market.underlying, market.series, market.strike, market.opens, market.tick, market.lot,
        market.taker_fee, market.maker_fee, market.band, market.contingency, market.max_position,
        market.max_open_interest, open_interest, pool,
    )  # fmt: skip


def _settle_perp(ctx: Context, market: Market, position: Position) -> tuple[Position | None, int]:
    """The position after its funding, and what it paid (µUSD, signed); none is left if the last mark is abandoned."""
    underlying = ctx.underlying(market.underlying)
    age = ctx.timestamp - underlying.time
    if underlying.time == 0 or underlying.max_age < age <= WIND_UP:
        ctx.excuse(underlying.time)
    index = underlying.funding_index
    if index == position.funding_index and age <= WIND_UP:
        return position, 0
    due = funding_due(position.size, position.funding_index, index)
    market = _stage_pool(ctx, position.market, market, due)
    if age <= WIND_UP:
        return Position(position.market, position.size, index), due
    return None, due - _pay_out(ctx, market, position, underlying.mark)


def _settle_dated(ctx: Context, market: Market, position: Position, with_another: bool) -> tuple[Position | None, int]:
    """The position, or what it paid (µUSD, signed) when it was paid out because its series is settled."""
    series = _series_of(ctx, market, with_another)
    if series.settlement == 0:
        return position, 0
    return None, -_pay_out(ctx, market, position, value_at_expiry(market, series))


def _pay_out(ctx: Context, market: Market, position: Position, value: int) -> int:
    """What the position is worth at `value` (µUSD per coin), rounded down, after it went out of the market."""
    payout = div_floor(position.size * value, MILLION)
    interest = market.open_interest - max(position.size, 0)
    _stage_pool(ctx, position.market, with_totals(market, interest, market.pool), -payout)
    return payout


def _series_of(ctx: Context, market: Market, with_another: bool) -> Series:
    """The market's series: settled, closed now because its time has come, or with a slice that can be used."""
    underlying = ctx.underlying(market.underlying)
    series = ctx.series(market.underlying, market.series)
    if series.settlement:
        return series
    if ctx.timestamp >= series.expiry + CLOSING:
        series = closed(series, underlying.settlement_window, series.forward)
        ctx.stage(series_key(market.underlying, market.series), series)
    elif with_another or not ctx.is_abandoned(series.time):
        ctx.require_fresh(underlying, series)
    return series


def _stage_pool(ctx: Context, number: int, market: Market, payment: int) -> Market:
    """The market, staged, after `payment` (µUSD, signed) into its pool; CASH_RANGE."""
    pool = market.pool + payment
    if not -CASH_BOUND < pool < CASH_BOUND:
        raise InvalidTransaction(Reason.CASH_RANGE)
    after = with_totals(market, market.open_interest, pool)
    ctx.stage(market_key(number), after)
    return after
