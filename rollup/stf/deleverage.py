"""Deleveraging: what the auction does not sell is closed against opposite positions (SPEC 6).

At the mark as long as nothing is missing: a solvent account keeps what it is worth, and nobody gains by being chosen.
Else at its bankruptcy prices, at which closing all of it leaves nothing; closing a part leaves those prices as they are
for the rest, so the order in which counterparties are met does not change what each is paid.
"""

from __future__ import annotations

from dataclasses import replace

from rollup.errors import InvalidTransaction
from rollup.stf.context import Context
from rollup.stf.fixed import div_ceil, div_floor, require_range
from rollup.stf.fund import available, without
from rollup.stf.health import with_health
from rollup.stf.holdings import held, with_positions, with_size
from rollup.stf.liquidation import require_flag, require_liquidatable
from rollup.stf.margin import margin, require_initial
from rollup.stf.receipts import Deleveraged, WrittenOff
from rollup.stf.settlement import settle, with_totals
from rollup.stf.sheets import sheet_of
from rollup.types.keys import GLOBALS, account_key, market_key
from rollup.types.leaves import Account, Market, MarketKind
from rollup.types.limits import CASH_BOUND, MILLION
from rollup.types.reasons import Reason
from rollup.types.transactions import Deleverage, WriteOff


def execute_deleverage(ctx: Context, tx: Deleverage) -> Deleveraged:
    """Close `size` µcoin of a flagged account's position against the counterparty's.

    Of a solvent account only what leaves it no riskier, and the counterparty at its initial margin: MARGIN. Nobody's
    hedge is taken for somebody who can still pay.
    """
    if tx.account == tx.counterparty:
        raise InvalidTransaction(Reason.SELF_TRADE)
    account, counterparty = ctx.account(tx.account), ctx.account(tx.counterparty)
    require_flag(ctx, account)
    ctx.market(tx.market)
    settled, other = settle(ctx, account, with_another=True), settle(ctx, counterparty, with_another=True)
    equity, maintenance = require_liquidatable(ctx, settled)
    _require_auction_over(ctx, account, equity)
    market = ctx.market(tx.market)
    size = _signed_size(settled, other, market, tx)
    cover = _cover(ctx, equity)
    covered = with_positions(settled, settled.cash + cover, settled.positions)
    received = proceeds(ctx, covered, equity + cover, tx.market, size)
    closed, met = _close(ctx, tx.market, market, covered, other, size, received)
    require_range(closed.cash, met.cash)
    after = margin(ctx, closed)
    if equity >= 0 and after.maintenance > maintenance:
        raise InvalidTransaction(Reason.MARGIN)
    ctx.stage(account_key(tx.account), with_health(ctx, closed, *after))
    found = require_initial(ctx, met) if equity >= 0 else margin(ctx, met)
    ctx.stage(account_key(tx.counterparty), with_health(ctx, met, *found))
    return Deleveraged(
        tx.account, tx.counterparty, tx.market, size, received, cover, account.cash - settled.cash,
        counterparty.cash - other.cash,
    )  # fmt: skip


def execute_write_off(ctx: Context, tx: WriteOff) -> WrittenOff:
    """Clear the debt of a flagged account without positions; what the fund lacks becomes bad debt."""
    account = ctx.account(tx.account)
    if account.status == 0:
        raise InvalidTransaction(Reason.NOT_FLAGGED)
    settled = settle(ctx, account)
    if settled.positions or settled.cash >= 0:
        raise InvalidTransaction(Reason.NOT_LIQUIDATABLE)
    totals, debt = ctx.globals(), -settled.cash
    cover = min(available(totals), debt)
    bad_debt = totals.bad_debt + debt - cover
    if bad_debt >= CASH_BOUND:
        raise InvalidTransaction(Reason.CASH_RANGE)
    ctx.stage(GLOBALS, replace(without(totals, cover), bad_debt=bad_debt))
    cleared = with_positions(settled, 0, ())
    ctx.stage(account_key(tx.account), with_health(ctx, cleared, 0, 0))
    return WrittenOff(tx.account, cover, debt - cover, account.cash - settled.cash)


def proceeds(ctx: Context, account: Account, equity: int, number: int, size: int) -> int:
    """What a settled account receives (µUSD, signed) for `size` of its position (signed): its mark, unless it owes.

    What it owes is spread over all it holds by value, which gives the bankruptcy price. Rounded up, so in its favour:
    what is closed last must not leave it below zero. The price is at least zero and at most twice the mark: nobody pays
    to give up what he holds. The rest is to be written off.
    """
    gross = sum(abs(position.size) * sheet_of(ctx, position.market).mark for position in account.positions)
    if gross == 0:
        return 0
    value = abs(size) * sheet_of(ctx, number).mark
    missing = min(gross, max(0, -equity) * MILLION)
    if size > 0:
        return div_ceil(value * (gross + missing), gross * MILLION)
    return -div_floor(value * (gross - missing), gross * MILLION)


def _require_auction_over(ctx: Context, account: Account, equity: int) -> None:
    """AUCTION_OPEN while the auction runs, unless the fund cannot cover the account's deficit anyway."""
    totals = ctx.globals()
    if ctx.timestamp - account.flagged < totals.auction and available(totals) >= -equity:
        raise InvalidTransaction(Reason.AUCTION_OPEN)


def _signed_size(account: Account, counterparty: Account, market: Market, tx: Deleverage) -> int:
    mine, theirs = held(account, tx.market), held(counterparty, tx.market)
    size = tx.size
    if size == 0 or size % market.lot or size > min(abs(mine), abs(theirs)) or mine * theirs >= 0:
        raise InvalidTransaction(Reason.DELEVERAGE_SIZE)
    return size if mine > 0 else -size


def _cover(ctx: Context, equity: int) -> int:
    """What the fund gives towards a deficit (µUSD), staged."""
    totals = ctx.globals()
    cover = min(available(totals), max(0, -equity))
    if cover:
        ctx.stage(GLOBALS, without(totals, cover))
    return cover


def _close(
    ctx: Context, number: int, market: Market, account: Account, other: Account, size: int, received: int
) -> tuple[Account, Account]:
    """Both accounts with `size` closed; the market's open interest is staged."""
    index = ctx.underlying(market.underlying).funding_index if market.kind == MarketKind.PERP else 0
    closed = with_size(account, number, held(account, number) - size, index, account.cash + received)
    met = with_size(other, number, held(other, number) + size, index, other.cash - received)
    ctx.stage(market_key(number), with_totals(market, market.open_interest - abs(size), market.pool))
    return closed, met
