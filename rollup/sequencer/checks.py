"""Static checks: what can be said of a request before its signature is looked at and without the state."""

from __future__ import annotations

from typing import Final

from rollup.sequencer.catalogue import Instrument
from rollup.sequencer.matching_orders import TimeInForce
from rollup.sequencer.rejections import BadAmount, BadCombination, ExpiryTooFar, refusal
from rollup.types.limits import CASH_BOUND, MAX_ACCOUNT, PRICE_BOUND
from rollup.types.reasons import Reason
from rollup.types.transactions import FLAG_IMMEDIATE, FLAG_POST_ONLY, FLAG_SELL, FreshOrder

_U64: Final = (1 << 64) - 1
_U48: Final = (1 << 48) - 1
_U40: Final = (1 << 40) - 1
LABEL_LENGTH: Final = 64
"""Characters of an order's label, which is kept with the order."""


def check_range(value: int, limit: int, name: str) -> int:
    """`value` if it is in 0 … limit; BadAmount otherwise."""
    if 0 <= value <= limit:
        return value
    raise BadAmount(f"{name} is outside 0 … {limit}", field=name)


def check_account(account: int) -> int:
    """An account number."""
    return check_range(account, MAX_ACCOUNT, "subaccount_id")


def check_nonce(nonce: int) -> int:
    """A nonce."""
    return check_range(nonce, _U64, "nonce")


def check_expiry(expiry: int) -> int:
    """The last second (Unix) in which a signature is good."""
    return check_range(expiry, _U40, "signature_expiry_sec")


def check_cash(amount: int) -> int:
    """An amount to withdraw or transfer (µUSD)."""
    if 0 < amount < CASH_BOUND:
        return amount
    raise refusal(Reason.AMOUNT)


def check_order(order: FreshOrder, instrument: Instrument, time_in_force: TimeInForce, now: int, max_life: int) -> None:
    """Terms that no state could make good: ranges, tick, lot, expiry, contradicting flags."""
    market = instrument.market
    check_account(order.account)
    check_nonce(order.nonce)
    check_range(order.size, _U48, "amount")
    check_range(order.expiry, _U40, "signature_expiry_sec")
    if order.size == 0 or not 0 < order.price < PRICE_BOUND:
        raise refusal(Reason.ORDER_INVALID)
    if now < market.opens:
        raise refusal(Reason.MARKET_CLOSED, opens=market.opens)
    if instrument.expiry and now >= instrument.expiry:
        raise refusal(Reason.MARKET_EXPIRED, expiry=instrument.expiry)
    if order.price % market.tick:
        raise refusal(Reason.TICK, tick=market.tick)
    if order.size % market.lot:
        raise refusal(Reason.LOT, lot=market.lot)
    if order.expiry < now:
        raise refusal(Reason.ORDER_EXPIRED, now=now)
    if order.expiry > now + max_life:
        raise ExpiryTooFar("the order would live too long", latest=now + max_life)
    if bool(order.flags & FLAG_IMMEDIATE) != (time_in_force is not TimeInForce.GTC):
        raise BadCombination("the signed flag `immediate` and time_in_force contradict each other")
    if order.flags & FLAG_IMMEDIATE and order.flags & FLAG_POST_ONLY:
        raise BadCombination("an order cannot be immediate and post-only")


def side_of(flags: int) -> str:
    """`buy` or `sell`."""
    return "sell" if flags & FLAG_SELL else "buy"
