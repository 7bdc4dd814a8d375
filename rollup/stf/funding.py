"""Funding of perpetuals: the index of an underlying, and what accounts owe by it.

The index (nUSD per coin) grows with the premium of the perpetual's mark over spot; longs pay its growth to the market's
pool, shorts draw from it. Each payment is rounded against its account, so a pool can always pay what is still owed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rollup.errors import InvalidTransaction
from rollup.stf.fixed import clamp, div_ceil, div_floor, require_range
from rollup.types.keys import market_key
from rollup.types.leaves import Account, Market, MarketKind, Position, Underlying
from rollup.types.limits import CASH_BOUND, FUNDING_PERIOD, INDEX_BOUND, MILLION
from rollup.types.reasons import Reason

if TYPE_CHECKING:
    from rollup.stf.context import Context

_NANO_PER_MICRO: Final = 1_000
_INDEX_UNIT: Final = 10**9
"""µcoin times nUSD per coin, in µUSD."""
_PERP: Final = int(MarketKind.PERP)


def accrue(underlying: Underlying, timestamp: int) -> Underlying:
    """The underlying with its funding index moved on to `timestamp`, at the premium it has had since it last moved.

    The premium is clamped to ±funding_cap of spot and is paid in full over eight hours; the index saturates.
    """
    index = underlying.funding_index
    if underlying.time > 0:
        cap = div_floor(underlying.spot * underlying.funding_cap, MILLION)
        premium = clamp(underlying.mark - underlying.spot, cap)
        elapsed = timestamp - underlying.funding_time
        index = clamp(index + div_floor(premium * _NANO_PER_MICRO * elapsed, FUNDING_PERIOD), INDEX_BOUND)
    return Underlying(
        underlying.spot, underlying.mark, underlying.time, index, timestamp, underlying.funding_cap,
        underlying.spot_step, underlying.max_age, underlying.max_move, underlying.max_basis,
    )  # fmt: skip


def settle_funding(ctx: Context, account: Account) -> Account:
    """The account after paying (or drawing) the funding of each position; the markets' pools are staged.

    Every market held must have a fresh price: ORACLE_STALE. CASH_RANGE if a pool or, in the end, the cash is.
    """
    if not account.positions:
        require_range(account.cash)
        return account
    cash = account.cash
    settled: list[Position] = []
    moved = False
    for position in account.positions:
        market = ctx.market(position.market)
        index = ctx.fresh_underlying(market.underlying).funding_index
        if market.kind != _PERP or index == position.funding_index:
            settled.append(position)
            continue
        payment = div_ceil(position.size * (index - position.funding_index), _INDEX_UNIT)
        cash -= payment
        pay_pool(ctx, position.market, market, payment)
        settled.append(Position(position.market, position.size, index))
        moved = True
    require_range(cash)
    if not moved:  # the rule within a second of an account's last trade
        return account
    return Account(
        account.owner, account.signer, cash, account.withdrawn, account.owner_nonce, account.nonce_floor, tuple(settled)
    )  # fmt: skip


def pay_pool(ctx: Context, number: int, market: Market, payment: int) -> None:
    """Stage the market with `payment` (µUSD, signed) in its pool; CASH_RANGE."""
    pool = market.funding_pool + payment
    if not -CASH_BOUND < pool < CASH_BOUND:
        raise InvalidTransaction(Reason.CASH_RANGE)
    if payment:
        ctx.stage(market_key(number), with_totals(market, market.open_interest, pool))


def with_totals(market: Market, open_interest: int, funding_pool: int) -> Market:
    """The market with other running totals (written out: replacing fields by name takes four times as long)."""
    return Market(
        market.kind, market.underlying, market.expiry, market.strike, market.tick, market.lot, market.taker_fee,
        market.maker_fee, market.band, market.contingency, market.max_position, market.max_open_interest, open_interest,
        funding_pool,
    )  # fmt: skip
