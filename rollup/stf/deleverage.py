"""Deleveraging: what the auction does not sell is closed against opposite positions (SPEC 6).

At the mark as long as nothing is missing: a solvent account keeps what it is worth, and nobody gains by being chosen.
Else at its bankruptcy prices, at which closing all of it leaves nothing; closing a part leaves those prices as they are
for the rest, so the order in which counterparties are met does not change what each is paid. What the fund can give
towards the deficit it gives with each part, by that part's share of all there is: a lot does not free the rest.
"""

from __future__ import annotations

from dataclasses import replace

from rollup.errors import InvalidTransaction
from rollup.stf.context import Context
from rollup.stf.fixed import div_ceil, require_range
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
    debt = max(0, -equity)
    cover = _require_auction_over(ctx, account, debt)
    market = ctx.market(tx.market)
    size = _signed_size(settled, other, market, tx)
    gross = sum(abs(position.size) * sheet_of(ctx, position.market).mark for position in settled.positions)
    value = size * sheet_of(ctx, tx.market).mark
    received = proceeds(value, gross, debt - cover)
    paid = contribution(value, gross, cover)
    totals = without(ctx.globals(), paid)
    if paid:
        ctx.stage(GLOBALS, totals)
    closed, met = _close(ctx, tx.market, market, settled, other, size, received)
    closed = with_positions(closed, closed.cash + paid, closed.positions)
    require_range(closed.cash, met.cash, totals.fees, totals.insurance)
    found = require_initial(ctx, met) if not debt else margin(ctx, met)
    ctx.stage(account_key(tx.counterparty), with_health(ctx, met, *found))
    left = margin(ctx, closed)
    if not debt and left.maintenance > maintenance:
        raise InvalidTransaction(Reason.MARGIN)
    ctx.stage(account_key(tx.account), with_health(ctx, closed, *left))
    return Deleveraged(
        tx.account, tx.counterparty, tx.market, size, received, paid, account.cash - settled.cash,
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


def proceeds(value: int, gross: int, missing: int) -> int:
    """What an account receives (µUSD, signed) for a part worth `value` (signed) of all it holds: that, unless it owes.

    `value` and `gross`, the sum of what all its positions are worth without their signs, are in 10⁻¹² USD. What is
    `missing` (µUSD) is spread over all it holds by value, which gives the bankruptcy price. Rounded up, in its favour:
    what is closed last must not leave it below zero. The price is at least zero and at most twice the mark: nobody
    pays to give up what he holds. The rest is to be written off.
    """
    if gross == 0:
        return 0
    missing = min(gross, missing * MILLION)
    return div_ceil(value * gross + abs(value) * missing, gross * MILLION)


def contribution(value: int, gross: int, cover: int) -> int:
    """What the fund pays (µUSD) of all that it could give towards the deficit, `cover`: the part's share by value.

    Rounded up, so that it has paid all of it with the last part that is worth anything, and never more than `cover`,
    which is never more than what is owed then: all parts together get no more than the deficit. With what is worth
    nothing it pays nothing; what is owed behind that is for the write-off.
    """
    return div_ceil(abs(value) * cover, gross) if gross else 0


def _require_auction_over(ctx: Context, account: Account, debt: int) -> int:
    """What the fund could give towards a debt (µUSD); AUCTION_OPEN while the auction runs if that is all of it."""
    totals = ctx.globals()
    cover = min(available(totals), debt)
    if cover == debt and ctx.timestamp - account.flagged < totals.auction:
        raise InvalidTransaction(Reason.AUCTION_OPEN)
    return cover


def _signed_size(account: Account, counterparty: Account, market: Market, tx: Deleverage) -> int:
    mine, theirs = held(account, tx.market), held(counterparty, tx.market)
    size = tx.size
    if size == 0 or size % market.lot or size > min(abs(mine), abs(theirs)) or mine * theirs >= 0:
        raise InvalidTransaction(Reason.DELEVERAGE_SIZE)
    return size if mine > 0 else -size


def _close(
    ctx: Context, number: int, market: Market, account: Account, other: Account, size: int, received: int
) -> tuple[Account, Account]:
    """Both accounts with `size` closed; the market's open interest is staged."""
    index = ctx.underlying(market.underlying).funding_index if market.kind == MarketKind.PERP else 0
    closed = with_size(account, number, held(account, number) - size, index, account.cash + received)
    met = with_size(other, number, held(other, number) + size, index, other.cash - received)
    ctx.stage(market_key(number), with_totals(market, market.open_interest - abs(size), market.pool))
    return closed, met
