"""Orders as a trade names them: with all terms and a signature, or by the slot that remembers both."""

from __future__ import annotations

from typing import NamedTuple

from rollup.crypto.eip712 import order_digest
from rollup.errors import InvalidTransaction
from rollup.stf.authorise import authorise
from rollup.stf.context import Context
from rollup.types.keys import slot_key
from rollup.types.leaves import Account, Slot
from rollup.types.limits import PRICE_BOUND
from rollup.types.reasons import Reason
from rollup.types.transactions import FreshOrder, OrderRef


class Resolved(NamedTuple):
    """An order that stands: its slot's key, and its terms with what is filled of it so far."""

    key: int
    order: Slot


def resolve(ctx: Context, side: FreshOrder | OrderRef, account: Account) -> Resolved:
    """The order that `side` names, authorised and neither cancelled nor replaced."""
    if isinstance(side, FreshOrder):
        return _admit(ctx, side, account)
    return _refer(ctx, side, account)


def filled_by(order: Slot, fill: int) -> Slot:
    """The order with `fill` more µcoin filled."""
    return Slot(order.nonce, order.market, order.flags, order.size, order.price, order.expiry, order.filled + fill)


def _admit(ctx: Context, fresh: FreshOrder, account: Account) -> Resolved:
    if fresh.size == 0 or not 0 < fresh.price < PRICE_BOUND:
        raise InvalidTransaction(Reason.ORDER_INVALID)
    if fresh.nonce < account.nonce_floor:
        raise InvalidTransaction(Reason.NONCE_FLOOR)
    filled = _filled_before(ctx.find_slot(fresh.account, fresh.nonce), fresh)
    digest = order_digest(
        ctx.separator, fresh.account, fresh.market, fresh.flags, fresh.size, fresh.price, fresh.nonce, fresh.expiry
    )
    authorise(ctx, account, digest, fresh.signature, session=True)
    order = Slot(fresh.nonce, fresh.market, fresh.flags, fresh.size, fresh.price, fresh.expiry, filled)
    return Resolved(slot_key(fresh.account, fresh.nonce), order)


def _filled_before(slot: Slot | None, fresh: FreshOrder) -> int:
    if slot is None or slot.nonce < fresh.nonce:
        return 0
    if slot.nonce > fresh.nonce:
        raise InvalidTransaction(Reason.NONCE_STALE)
    terms = (fresh.market, fresh.flags, fresh.size, fresh.price, fresh.expiry)
    if terms != (slot.market, slot.flags, slot.size, slot.price, slot.expiry):
        raise InvalidTransaction(Reason.ORDER_CONFLICT)
    return slot.filled


def _refer(ctx: Context, reference: OrderRef, account: Account) -> Resolved:
    slot = ctx.find_slot(reference.account, reference.slot)
    if slot is None or slot.size == 0:
        raise InvalidTransaction(Reason.ORDER_UNKNOWN)
    if slot.nonce < account.nonce_floor:
        raise InvalidTransaction(Reason.NONCE_FLOOR)
    return Resolved(slot_key(reference.account, reference.slot), slot)
