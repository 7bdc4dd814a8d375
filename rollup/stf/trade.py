"""A trade: two orders that cross, filled at the maker's price. The numbers are the steps of SPEC section 6."""

from __future__ import annotations

from rollup.errors import InvalidTransaction
from rollup.stf.context import Context
from rollup.stf.fills import Price, collect, count_interest, fill, open_market, require_band, require_margin
from rollup.stf.fixed import require_range
from rollup.stf.health import with_health
from rollup.stf.orders import filled_by, resolve
from rollup.stf.receipts import Fill
from rollup.stf.settlement import settle
from rollup.types.keys import account_key
from rollup.types.leaves import Slot
from rollup.types.reasons import Reason
from rollup.types.transactions import FLAG_IMMEDIATE, FLAG_POST_ONLY, FLAG_REDUCE_ONLY, FLAG_SELL, Trade


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
    at = _require_terms(ctx, number, tx.fill, maker_order, taker_order)  # 6 … 9
    maker_settled = settle(ctx, maker, with_another=True)  # 10
    taker_settled = settle(ctx, taker, with_another=True)
    bought = -tx.fill if maker_order.flags & FLAG_SELL else tx.fill
    reduce_only = bool(maker_order.flags & FLAG_REDUCE_ONLY), bool(taker_order.flags & FLAG_REDUCE_ONLY)
    maker_filled = fill(ctx, at, maker_settled, bought, at.market.maker_fee, reduce_only=reduce_only[0])  # 11, 12
    taker_filled = fill(ctx, at, taker_settled, -bought, at.market.taker_fee, reduce_only=reduce_only[1])
    count_interest(ctx, number, maker_filled, taker_filled, bought)
    require_range(maker_filled.account.cash, taker_filled.account.cash)  # 13
    collect(ctx, maker_filled.fee + taker_filled.fee)
    maker_margin = require_margin(ctx, maker_settled, maker_filled.account, maker_filled.shrank)  # 14
    taker_margin = require_margin(ctx, taker_settled, taker_filled.account, taker_filled.shrank)
    ctx.stage(account_key(tx.maker.account), with_health(ctx, maker_filled.account, *maker_margin))  # 15
    ctx.stage(account_key(tx.taker.account), with_health(ctx, taker_filled.account, *taker_margin))
    ctx.stage(maker_key, filled_by(maker_order, tx.fill))
    ctx.stage(taker_key, filled_by(taker_order, tx.fill))
    return Fill(
        number, maker_order.price, tx.fill, tx.maker.account, tx.taker.account, bool(taker_order.flags & FLAG_SELL),
        maker_order.nonce, taker_order.nonce, maker_filled.fee, taker_filled.fee,
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


def _require_terms(ctx: Context, number: int, size: int, maker: Slot, taker: Slot) -> Price:
    """Steps 6 to 9: market, limits and band allow the price, both orders the size."""
    market = open_market(ctx, number)
    price = maker.price
    if price % market.tick:
        raise InvalidTransaction(Reason.TICK)
    if size == 0 or size % market.lot:
        raise InvalidTransaction(Reason.LOT)
    if price < taker.price if taker.flags & FLAG_SELL else price > taker.price:
        raise InvalidTransaction(Reason.PRICE_LIMIT)
    if maker.filled + size > maker.size or taker.filled + size > taker.size:
        raise InvalidTransaction(Reason.OVERFILL)
    return require_band(ctx, number, market, price)
