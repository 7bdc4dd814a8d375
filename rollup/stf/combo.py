"""A combo: up to four legs that trade between two accounts, all or none (SPEC section 6, ComboTrade)."""

from __future__ import annotations

from rollup.crypto.eip712 import acceptance_digest, legs_hash, quote_digest
from rollup.errors import InvalidTransaction
from rollup.stf.authorise import authorise
from rollup.stf.context import Context
from rollup.stf.fills import Price, collect, count_interest, fill, open_market, require_band, require_margin
from rollup.stf.fixed import require_range
from rollup.stf.health import with_health
from rollup.stf.nonces import consume
from rollup.stf.receipts import Combo, LegFill
from rollup.stf.settlement import settle
from rollup.types.keys import account_key
from rollup.types.leaves import Account
from rollup.types.limits import PRICE_BOUND
from rollup.types.reasons import Reason
from rollup.types.transactions import ComboTrade, Leg


def execute_combo(ctx: Context, tx: ComboTrade) -> Combo:
    """Fill every leg at its price, or raise InvalidTransaction with the first reason why not."""
    if tx.maker == tx.taker:  # 1
        raise InvalidTransaction(Reason.SELF_TRADE)
    maker, taker = ctx.account(tx.maker), ctx.account(tx.taker)
    if any(leg.market >= following.market for leg, following in zip(tx.legs, tx.legs[1:], strict=False)):  # 2
        raise InvalidTransaction(Reason.COMBO_LEGS)
    if ctx.timestamp > tx.maker_expiry or ctx.timestamp > tx.taker_expiry:
        raise InvalidTransaction(Reason.ORDER_EXPIRED)
    _authorise(ctx, tx, maker, taker)  # 3
    prices = [_require_terms(ctx, leg) for leg in tx.legs]  # 4
    maker_settled, taker_settled = settle(ctx, maker, with_another=True), settle(ctx, taker, with_another=True)  # 5
    maker_after, taker_after, fills = _fill_legs(ctx, tx, prices, maker_settled, taker_settled)  # 6
    require_range(maker_after.cash, taker_after.cash)  # 7
    collect(ctx, sum(leg.maker_fee + leg.taker_fee for leg in fills))
    maker_margin = require_margin(ctx, maker_settled, maker_after, all(leg.maker_shrank for leg in fills))  # 8
    taker_margin = require_margin(ctx, taker_settled, taker_after, all(leg.taker_shrank for leg in fills))
    ctx.stage(account_key(tx.maker), with_health(ctx, maker_after, *maker_margin))  # 9
    ctx.stage(account_key(tx.taker), with_health(ctx, taker_after, *taker_margin))
    return Combo(tx.maker, tx.taker, fills, maker.cash - maker_settled.cash, taker.cash - taker_settled.cash)


def _authorise(ctx: Context, tx: ComboTrade, maker: Account, taker: Account) -> None:
    """Step 3: both nonces are used up, both sides signed the legs."""
    consume(ctx, tx.maker, maker, tx.maker_nonce)
    consume(ctx, tx.taker, taker, tx.taker_nonce)
    legs = legs_hash((leg.market, leg.flags, leg.size, leg.price) for leg in tx.legs)
    quote = quote_digest(ctx.separator, tx.maker, tx.taker, legs, tx.maker_nonce, tx.maker_expiry)
    authorise(ctx, maker, quote, tx.maker_signature, session=True)
    acceptance = acceptance_digest(ctx.separator, tx.maker, tx.taker, legs, tx.taker_nonce, tx.taker_expiry)
    authorise(ctx, taker, acceptance, tx.taker_signature, session=True)


def _require_terms(ctx: Context, leg: Leg) -> Price:
    """Step 4: the market trades, the leg's terms fit it, its price is near the mark."""
    if leg.size == 0 or not 0 < leg.price < PRICE_BOUND:
        raise InvalidTransaction(Reason.ORDER_INVALID)
    market = open_market(ctx, leg.market)
    if leg.price % market.tick:
        raise InvalidTransaction(Reason.TICK)
    if leg.size % market.lot:
        raise InvalidTransaction(Reason.LOT)
    return require_band(ctx, leg.market, market, leg.price)


def _fill_legs(
    ctx: Context, tx: ComboTrade, prices: list[Price], maker: Account, taker: Account
) -> tuple[Account, Account, tuple[LegFill, ...]]:
    """Step 6: both accounts after all legs, each filled on top of the one before."""
    fills = []
    for leg, at in zip(tx.legs, prices, strict=True):
        bought = -leg.size if leg.is_sell else leg.size
        made = fill(ctx, at, maker, bought, at.market.maker_fee)
        taken = fill(ctx, at, taker, -bought, at.market.taker_fee)
        count_interest(ctx, leg.market, made, taken, bought)
        maker, taker = made.account, taken.account
        fills.append(
            LegFill(leg.market, leg.price, leg.size, leg.is_sell, made.fee, taken.fee, made.shrank, taken.shrank)
        )
    return maker, taker, tuple(fills)
