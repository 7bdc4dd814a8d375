"""Liquidation: an account below its maintenance margin is flagged, and sold in slices in a Dutch auction (SPEC 6).

The discount on the slices grows with time since the flag, from nothing to all that the account is still worth; if that
is less than nothing, the fund pays the liquidator up to a tenth of the account's maintenance margin instead. A flag is
spent after two auctions: who relapses long after it is not sold at the end of an old auction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from rollup.crypto.eip712 import bid_digest
from rollup.errors import InvalidTransaction
from rollup.stf import meters
from rollup.stf.authorise import authorise
from rollup.stf.context import Context
from rollup.stf.fixed import div_ceil, div_floor, require_range
from rollup.stf.fund import available, without
from rollup.stf.health import with_health
from rollup.stf.holdings import held, long_change, require_room, slice_of, with_positions, with_size
from rollup.stf.margin import Margin, initial, margin, require_initial
from rollup.stf.nonces import consume
from rollup.stf.receipts import Liquidated, Looked, Slice
from rollup.stf.settlement import settle, with_totals
from rollup.stf.sheets import sheet_of
from rollup.types.keys import GLOBALS, account_key, market_key
from rollup.types.leaves import Account, MarketKind
from rollup.types.limits import GAIN_SHARE, MILLION, MIN_FRACTION, SPENT_AFTER
from rollup.types.reasons import Reason
from rollup.types.transactions import Bid, Flag

_DUES: Final = 5
"""A fifth of the discount goes into the insurance fund."""


def execute_flag(ctx: Context, tx: Flag) -> Looked:
    """Raise an account's flag, clear it, or begin anew if it is spent; NOT_LIQUIDATABLE or FLAGGED if none applies."""
    account = ctx.account(tx.account)
    settled = settle(ctx, account)
    found = margin(ctx, settled)
    after = with_health(ctx, settled, *found)
    if after.status == account.status:
        if not is_spent(account, ctx.timestamp, ctx.globals().auction):
            raise InvalidTransaction(Reason.FLAGGED if account.status else Reason.NOT_LIQUIDATABLE)
        after = replace(after, flagged=ctx.timestamp)
    ctx.stage(account_key(tx.account), after)
    return Looked(account.cash - settled.cash, after.status, *found)


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a bid costs (µUSD): what the liquidator pays, the account receives, and the fund gains (negative: pays)."""

    paid: int
    received: int
    fund: int


def execute_bid(ctx: Context, tx: Bid) -> Liquidated:
    """Move slices of all positions of a flagged account to the liquidator, at the auction's price."""
    account, liquidator = _require_bid(ctx, tx)
    require_flag(ctx, account)
    if not account.positions:
        raise InvalidTransaction(Reason.NOT_LIQUIDATABLE)
    settled, buyer_settled = settle(ctx, account, with_another=True), settle(ctx, liquidator, with_another=True)
    if not settled.positions:
        raise InvalidTransaction(Reason.NOT_LIQUIDATABLE)
    found = require_liquidatable(ctx, settled)
    totals = ctx.globals()
    discount, need = auction_of(found, ctx.timestamp - account.flagged, totals.auction)
    if tx.fraction < min(need, MIN_FRACTION):
        raise InvalidTransaction(Reason.AMOUNT)
    fraction = min(tx.fraction, need)
    slices = tuple(
        Slice(position.market, slice_of(position.size, fraction, ctx.market(position.market).lot))
        for position in settled.positions
    )
    value = div_ceil(sum(part.size * sheet_of(ctx, part.market).mark for part in slices), MILLION)
    terms = _price(found, discount, fraction, value, available(totals))
    if terms.paid > tx.limit:
        raise InvalidTransaction(Reason.PRICE_LIMIT)
    ctx.meters.add(meters.REVALUATIONS, len(slices))  # Moving a position is as much work as valuing it.
    seller, buyer = _move(ctx, settled, buyer_settled, slices)
    seller = with_positions(seller, seller.cash + terms.received, seller.positions)
    buyer = with_positions(buyer, buyer.cash - terms.paid, buyer.positions)
    require_range(seller.cash, buyer.cash, totals.insurance + max(0, terms.fund), totals.fees)
    if terms.fund < 0:
        ctx.stage(GLOBALS, without(totals, -terms.fund))
    elif terms.fund:
        ctx.stage(GLOBALS, replace(totals, insurance=totals.insurance + terms.fund))
    ctx.stage(account_key(tx.liquidator), with_health(ctx, buyer, *require_initial(ctx, buyer)))
    ctx.stage(account_key(tx.account), with_health(ctx, seller, *_require_no_riskier(ctx, seller, found)))
    return Liquidated(
        tx.account, tx.liquidator, fraction, terms.paid, terms.received, terms.fund, slices,
        account.cash - settled.cash, liquidator.cash - buyer_settled.cash,
    )  # fmt: skip


def require_liquidatable(ctx: Context, settled: Account) -> Margin:
    """The margin of a settled account; NOT_LIQUIDATABLE unless it is below maintenance."""
    found = margin(ctx, settled)
    if found.equity >= found.maintenance:
        raise InvalidTransaction(Reason.NOT_LIQUIDATABLE)
    return found


def is_spent(account: Account, now: int, auction: int) -> bool:
    """Whether the account's flag has stood for so long (s) that it has to be raised anew; `auction` is one's length."""
    return account.status != 0 and now - account.flagged > SPENT_AFTER * auction


def require_flag(ctx: Context, account: Account) -> None:
    """Raise NOT_FLAGGED unless the account's flag is up and not spent."""
    if account.status == 0 or is_spent(account, ctx.timestamp, ctx.globals().auction):
        raise InvalidTransaction(Reason.NOT_FLAGGED)


def _require_no_riskier(ctx: Context, rest: Account, whole: Margin) -> Margin:
    """The margin of what is left; MARGIN if it needs more maintenance than the whole did: its hedges were taken."""
    found = margin(ctx, rest)
    if found.maintenance > whole.maintenance:
        raise InvalidTransaction(Reason.MARGIN)
    return found


def _require_bid(ctx: Context, tx: Bid) -> tuple[Account, Account]:
    if tx.account == tx.liquidator:
        raise InvalidTransaction(Reason.SELF_TRADE)
    account, liquidator = ctx.account(tx.account), ctx.account(tx.liquidator)
    if ctx.timestamp > tx.expiry:
        raise InvalidTransaction(Reason.ORDER_EXPIRED)
    if not 0 < tx.fraction <= MILLION:
        raise InvalidTransaction(Reason.AMOUNT)
    consume(ctx, tx.liquidator, liquidator, tx.nonce)
    digest = bid_digest(ctx.separator, tx.account, tx.liquidator, tx.fraction, tx.limit, tx.nonce, tx.expiry)
    authorise(ctx, liquidator, digest, tx.signature, session=True)
    return account, liquidator


def auction_of(found: Margin, elapsed: int, length: int) -> tuple[int, int]:
    """The discount on the whole portfolio (µUSD) after `elapsed` of the auction's `length` (s), and what may be sold.

    Of an account that is worth something, no more (ppm, rounded up) than brings the rest back to its initial margin.
    For one that is worth less than nothing the discount is what the fund gives on top of the deficit.
    """
    equity, maintenance = found
    passed = min(elapsed, length)
    if equity < 0:
        return maintenance * passed // (GAIN_SHARE * length), MILLION
    discount = equity * passed // length
    required = initial(maintenance)
    return discount, min(MILLION, div_ceil(MILLION * (required - equity), required - discount))


def _price(found: Margin, discount: int, fraction: int, value: int, fund: int) -> _Terms:
    """The price of a fraction whose slices are worth `value` µUSD at their marks; INSURANCE if the fund lacks it."""
    if found.equity >= 0:
        off = div_floor(discount * fraction, MILLION)
        dues = off // _DUES
        return _Terms(value - off + dues, value - off, dues)
    gain = div_floor(discount * fraction, MILLION)
    cover = div_ceil(-found.equity * fraction, MILLION)
    if gain + cover > fund:
        raise InvalidTransaction(Reason.INSURANCE)
    return _Terms(value - gain, value + cover, -gain - cover)


def _move(ctx: Context, seller: Account, buyer: Account, slices: tuple[Slice, ...]) -> tuple[Account, Account]:
    """Both accounts after the slices changed hands; the markets' open interest is staged."""
    for part in slices:
        number, size = part.market, part.size
        market = ctx.market(number)
        index = ctx.underlying(market.underlying).funding_index if market.kind == MarketKind.PERP else 0
        sold, bought = held(seller, number), held(buyer, number)
        require_room(buyer, bought, bought + size, market.max_position)
        seller = with_size(seller, number, sold - size, index, seller.cash)
        buyer = with_size(buyer, number, bought + size, index, buyer.cash)
        change = long_change(sold, sold - size) + long_change(bought, bought + size)
        if change:
            ctx.stage(market_key(number), with_totals(market, market.open_interest + change, market.pool))
    return seller, buyer
