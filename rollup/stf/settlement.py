"""What holdings owe before anything else happens to their account: funding, and the payout of expired markets.

Both go through the market's pool. Each payment is rounded against its account, so pools never pay more than comes in.
"""

from __future__ import annotations

from typing import Final

from rollup.errors import InvalidTransaction
from rollup.stf.context import Context
from rollup.stf.fixed import div_floor, require_range
from rollup.stf.funding import funding_due
from rollup.stf.health import with_health
from rollup.stf.holdings import with_positions
from rollup.stf.receipts import Settled
from rollup.types.keys import account_key, market_key
from rollup.types.leaves import Account, Market, MarketKind, Position, Series
from rollup.types.limits import CASH_BOUND, MILLION
from rollup.types.reasons import Reason
from rollup.types.transactions import Settle

_PERP: Final = int(MarketKind.PERP)
_FUTURE: Final = int(MarketKind.FUTURE)
_CALL: Final = int(MarketKind.CALL)


def settle(ctx: Context, account: Account) -> Account:
    """The account after paying (or drawing) funding and payouts; the markets' pools are staged.

    Every market held must have a fresh price, or a settlement: ORACLE_STALE. CASH_RANGE if a pool or, in the end, the
    cash is out of range.
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
            index = ctx.fresh_underlying(market.underlying).funding_index
            if index == position.funding_index:
                kept.append(position)
                continue
            payment = funding_due(position.size, position.funding_index, index)
            kept.append(Position(number, position.size, index))
            interest = market.open_interest
        else:
            series = _series_of(ctx, market)
            if series.settlement == 0:
                kept.append(position)
                continue
            value = value_at_expiry(market, series)
            payment = -div_floor(position.size * value, MILLION)
            interest = market.open_interest - max(position.size, 0)
        cash -= payment
        moved = True
        _stage_market(ctx, number, market, interest, market.pool + payment)
    require_range(cash)
    # Nothing moves within a second of an account's last trade.
    return with_positions(account, cash, tuple(kept)) if moved else account


def execute_settle(ctx: Context, tx: Settle) -> Settled:
    """Pay out what an account holds in expired markets; NOTHING_TO_SETTLE if there is nothing."""
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


def _series_of(ctx: Context, market: Market) -> Series:
    """The market's series: settled, or with a fresh slice; ORACLE_STALE."""
    underlying = ctx.underlying(market.underlying)
    series = ctx.series(market.underlying, market.series)
    if series.settlement == 0:
        ctx.require_fresh(underlying, series)
    return series


def value_at_expiry(market: Market, series: Series) -> int:
    """What a coin of a market pays (µUSD) now that its series is settled."""
    price = series.settlement
    if market.kind == _FUTURE:
        return price
    return max(0, price - market.strike if market.kind == _CALL else market.strike - price)


def _stage_market(ctx: Context, number: int, market: Market, interest: int, pool: int) -> None:
    if not -CASH_BOUND < pool < CASH_BOUND:
        raise InvalidTransaction(Reason.CASH_RANGE)
    ctx.stage(market_key(number), with_totals(market, interest, pool))
