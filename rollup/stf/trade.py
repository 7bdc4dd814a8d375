"""A trade: two orders that cross, filled at the maker's price. The numbers are the steps of SPEC section 6."""

from __future__ import annotations

from typing import Final

from rollup.errors import InvalidTransaction
from rollup.stf.context import Context
from rollup.stf.fixed import div_ceil, require_range
from rollup.stf.funding import settle_funding, with_totals
from rollup.stf.holdings import held, is_shrinking, with_size
from rollup.stf.margin import initial, margin
from rollup.stf.orders import filled_by, resolve
from rollup.stf.receipts import Fill
from rollup.types.keys import GLOBALS, account_key, market_key
from rollup.types.leaves import Account, Globals, Market, MarketKind, Slot
from rollup.types.limits import CASH_BOUND, MAX_POSITIONS, MILLION
from rollup.types.reasons import Reason
from rollup.types.transactions import FLAG_IMMEDIATE, FLAG_POST_ONLY, FLAG_REDUCE_ONLY, FLAG_SELL, Trade

_PERP: Final = int(MarketKind.PERP)


def execute_trade(ctx: Context, tx: Trade) -> Fill:
    """Fill both orders, or raise InvalidTransaction with the first reason why not."""
    if tx.maker.account == tx.taker.account:  # 1
        raise InvalidTransaction(Reason.SELF_TRADE)
    maker = ctx.account(tx.maker.account)  # 2
    taker = ctx.account(tx.taker.account)
    maker_key, maker_order = resolve(ctx, tx.maker, maker)  # 3
    taker_key, taker_order = resolve(ctx, tx.taker, taker)
    _require_crossing(ctx, maker_order, taker_order)  # 4, 5
    number = maker_order.market
    underlying = _require_terms(ctx, number, tx.fill, maker_order, taker_order)  # 6 … 9
    maker_settled = settle_funding(ctx, maker)  # 10
    taker_settled = settle_funding(ctx, taker)
    market = ctx.market(number)
    fill = -tx.fill if maker_order.flags & FLAG_SELL else tx.fill
    index = ctx.underlying(underlying).funding_index
    maker_size, maker_shrinks = _change(market, maker_settled, maker_order, fill)  # 11
    taker_size, taker_shrinks = _change(market, taker_settled, taker_order, -fill)
    amount = tx.fill * maker_order.price // MILLION  # 12; exact, for lot times tick is a multiple of a million
    paid = amount if fill > 0 else -amount
    maker_fee = div_ceil(amount * market.maker_fee, MILLION)
    taker_fee = div_ceil(amount * market.taker_fee, MILLION)
    maker_after = with_size(maker_settled, number, maker_size, index, maker_settled.cash - paid - maker_fee)
    taker_after = with_size(taker_settled, number, taker_size, index, taker_settled.cash + paid - taker_fee)
    interest = _open_interest(market, (maker_size - fill, maker_size), (taker_size + fill, taker_size))
    require_range(maker_after.cash, taker_after.cash)  # 13
    totals = _with_fees(ctx.globals(), maker_fee + taker_fee)
    _require_margin(ctx, maker_settled, maker_after, maker_shrinks)  # 14
    _require_margin(ctx, taker_settled, taker_after, taker_shrinks)
    ctx.stage(maker_key, filled_by(maker_order, tx.fill))  # 15
    ctx.stage(taker_key, filled_by(taker_order, tx.fill))
    ctx.stage(account_key(tx.maker.account), maker_after)
    ctx.stage(account_key(tx.taker.account), taker_after)
    ctx.stage(market_key(number), with_totals(market, interest, market.funding_pool))
    ctx.stage(GLOBALS, totals)
    return Fill(
        number, maker_order.price, tx.fill, tx.maker.account, tx.taker.account, bool(taker_order.flags & FLAG_SELL),
        maker_order.nonce, taker_order.nonce, maker_fee, taker_fee,
        maker.cash - maker_settled.cash, taker.cash - taker_settled.cash,
    )  # fmt: skip


def _require_crossing(ctx: Context, maker: Slot, taker: Slot) -> None:
    """Steps 4 and 5: one market, opposite sides, the flags allow the roles, both still live."""
    if maker.market != taker.market:
        raise InvalidTransaction(Reason.MARKET_MISMATCH)
    if (maker.flags ^ taker.flags) & FLAG_SELL == 0:
        raise InvalidTransaction(Reason.SIDE_MISMATCH)
    if maker.flags & FLAG_IMMEDIATE:
        raise InvalidTransaction(Reason.MAKER_IMMEDIATE)
    if taker.flags & FLAG_POST_ONLY:
        raise InvalidTransaction(Reason.TAKER_POST_ONLY)
    if ctx.timestamp > maker.expiry or ctx.timestamp > taker.expiry:
        raise InvalidTransaction(Reason.ORDER_EXPIRED)


def _require_terms(ctx: Context, number: int, fill: int, maker: Slot, taker: Slot) -> int:
    """Steps 6 to 9: market, limits and band allow the price, both orders the size. Gives the underlying's number."""
    market = ctx.market(number)
    price = maker.price
    if market.kind != _PERP:
        raise InvalidTransaction(Reason.MARKET_KIND)
    if price % market.tick:
        raise InvalidTransaction(Reason.TICK)
    if fill == 0 or fill % market.lot:
        raise InvalidTransaction(Reason.LOT)
    if price < taker.price if taker.flags & FLAG_SELL else price > taker.price:
        raise InvalidTransaction(Reason.PRICE_LIMIT)
    if maker.filled + fill > maker.size or taker.filled + fill > taker.size:
        raise InvalidTransaction(Reason.OVERFILL)
    mark = ctx.fresh_underlying(market.underlying).mark
    if abs(price - mark) * MILLION > market.band * mark:
        raise InvalidTransaction(Reason.PRICE_BAND)
    return market.underlying


def _change(market: Market, account: Account, order: Slot, fill: int) -> tuple[int, bool]:
    """Step 11: the new size of the account's position, and whether it shrank."""
    old = held(account, order.market)
    new = old + fill
    shrinks = is_shrinking(old, new)
    if order.flags & FLAG_REDUCE_ONLY and not shrinks:
        raise InvalidTransaction(Reason.REDUCE_ONLY)
    if abs(new) > market.max_position and abs(new) >= abs(old):
        raise InvalidTransaction(Reason.POSITION_LIMIT)
    if old == 0 and len(account.positions) == MAX_POSITIONS:
        raise InvalidTransaction(Reason.POSITIONS_FULL)
    return new, shrinks


def _open_interest(market: Market, *sides: tuple[int, int]) -> int:
    """The end of step 12: Σ of long positions, of which two went from old to new; OPEN_INTEREST if above the limit."""
    change = 0
    for old, new in sides:
        change += max(new, 0) - max(old, 0)
    interest = market.open_interest + change
    if change > 0 and interest > market.max_open_interest:
        raise InvalidTransaction(Reason.OPEN_INTEREST)
    return interest


def _with_fees(totals: Globals, fees: int) -> Globals:
    """The end of step 13: the chain's totals with `fees` more; CASH_RANGE."""
    collected = totals.fees + fees
    if collected >= CASH_BOUND:
        raise InvalidTransaction(Reason.CASH_RANGE)
    return Globals(
        totals.inbox_index, totals.inbox_hash, totals.time, collected, totals.insurance, totals.deposits,
        totals.withdrawals, totals.accounts,
    )  # fmt: skip


def _require_margin(ctx: Context, before: Account, after: Account, shrinks: bool) -> None:
    """Step 14: initial margin, or a smaller position at no worse a ratio of equity to margin."""
    equity, maintenance = margin(ctx, after)
    if equity >= initial(maintenance):
        return
    if not shrinks:
        raise InvalidTransaction(Reason.MARGIN)
    equity_before, maintenance_before = margin(ctx, before)
    if equity * maintenance_before < equity_before * maintenance:
        raise InvalidTransaction(Reason.MARGIN)
