"""Orders and cancels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.rpc.entry import WRONG_SIGNER, Entry, Params, Special, abroad, less, with_
from tests.rpc.hostile import AMOUNT, Kind
from tests.rpc.kinds import ACCOUNT, DECIMAL, FLAG, HASH, INSTRUMENT, LABEL, NATURAL, SECONDS, SIGNED, choice
from tests.rpc.requests import FRESH, MARK, RESTING, STRANGER_KEY, TAKER_KEY, USD, Signer

BAD_ORDER, CONTRADICTION, NO_ORDER, MARGIN = 11020, 11112, 11103, 11043
ABOVE = MARK + 200 * USD
"""Better than the best ask."""


def order(signer: Signer, **changes: Any) -> Params:
    """A bid that would rest."""
    return signer.order(signer.taker, TAKER_KEY, price=MARK - 10 * USD, label="mine", order_type="limit", **changes)


def taking(signer: Signer, **changes: Any) -> Params:
    """A bid signed as one that never rests."""
    return signer.order(signer.taker, TAKER_KEY, immediate=True, **changes)


def decimal_order(signer: Signer) -> Params:
    """The same with decimals."""
    plain = order(signer)
    del plain["size"], plain["price"]
    return plain | {"amount": "0.1", "limit_price": "49990"}


def market_order(signer: Signer, wish: str | None) -> Params:
    """A market order that says it would rest."""
    return order(signer) | {"order_type": "market", "time_in_force": wish}


ORDER_KINDS: Mapping[str, Kind] = {
    "instrument_name": INSTRUMENT,
    "subaccount_id": ACCOUNT,
    "direction": choice(),
    "nonce": NATURAL,
    "signature_expiry_sec": SECONDS,
    "signature": SIGNED,
    "size": NATURAL.needed(AMOUNT),
    "price": NATURAL.beyond(BAD_ORDER).needed(AMOUNT),
    "time_in_force": choice().optional(nullable=True),
    "reduce_only": FLAG.optional(),
    "label": LABEL.optional(),
    "order_type": choice().optional(),
}
SIGNED_ORDER: Special = {
    **abroad(order),
    "another key": (lambda s: s.order(s.taker, STRANGER_KEY), WRONG_SIGNER),
    "another account": (with_(order, subaccount_id=0), WRONG_SIGNER),
    "another side": (with_(order, direction="sell"), WRONG_SIGNER),
    "another market": (with_(order, instrument_name="ETH-PERP"), WRONG_SIGNER),
    "another nonce": (with_(order, nonce=99), WRONG_SIGNER),
    "another size": (with_(order, size=99_000), WRONG_SIGNER),
    "another price": (with_(order, price=MARK), WRONG_SIGNER),
    "reduce-only added": (with_(order, reduce_only=True), WRONG_SIGNER),
    "post-only added": (with_(order, time_in_force="post_only"), WRONG_SIGNER),
    "expired": (lambda s: order(s, life=-100), 11023),
    "expired in 1970": (with_(order, signature_expiry_sec=0), 11023),
    "never expires": (with_(order, signature_expiry_sec=2**40 - 1), 11107),
    "size and amount": (with_(order, amount="0.1"), AMOUNT),
    "price and limit price": (with_(order, limit_price="1"), AMOUNT),
    "size zero": (lambda s: order(s, size=0), BAD_ORDER),
    "price zero": (with_(order, price=0), BAD_ORDER),
    "price beyond its bound": (with_(order, price=2**47), BAD_ORDER),
    "off the tick": (with_(order, price=MARK + 1), 11033),
    "off the lot": (with_(order, size=100_001), 11034),
    "immediate without the flag": (with_(order, time_in_force="ioc"), WRONG_SIGNER),
    "fill-or-kill without the flag": (with_(order, time_in_force="fok"), WRONG_SIGNER),
    "flag without immediate": (lambda s: taking(s, time_in_force="gtc"), WRONG_SIGNER),
    "a market order that rests": (lambda s: market_order(s, "gtc"), CONTRADICTION),
    "a market order that only rests": (lambda s: market_order(s, "post_only"), CONTRADICTION),
    "a market order without the flag": (lambda s: market_order(s, None), WRONG_SIGNER),
    "the nonce of an open order": (lambda s: order(s, nonce=RESTING), 11204),
    "the slot of an open order": (lambda s: order(s, nonce=RESTING + 8_192), 11109),
    "post-only that crosses": (lambda s: s.order(s.taker, TAKER_KEY, price=ABOVE, post_only=True), 11202),
    "fill-or-kill that cannot": (lambda s: taking(s, size=5 * USD, price=ABOVE, time_in_force="fok"), 11203),
    "far beyond the margin": (lambda s: s.order(s.taker, TAKER_KEY, size=400 * USD, price=MARK - 10 * USD), MARGIN),
}  # fmt: skip


def cancel(signer: Signer) -> Params:
    """Of the taker's resting order."""
    return signer.cancel(signer.taker, TAKER_KEY)


def cancel_by_id(signer: Signer) -> Params:
    """The same order by its id."""
    return less(cancel, "nonce")(signer) | {"order_id": signer.order_id}


def cancel_all(signer: Signer) -> Params:
    """Of everything below the resting order's nonce, which is nothing."""
    return signer.cancel(signer.taker, TAKER_KEY, every=True)


CANCELS: Special = {
    **abroad(cancel),
    "another key": (lambda s: s.cancel(s.taker, STRANGER_KEY), WRONG_SIGNER),
    "another account": (with_(cancel, subaccount_id=0), WRONG_SIGNER),
    "another nonce": (with_(cancel, nonce=RESTING + 1), WRONG_SIGNER),
    "of all, sent as of one": (cancel_all, WRONG_SIGNER),
    "an order that is not open": (lambda s: s.cancel(s.taker, TAKER_KEY, FRESH), NO_ORDER),
    "nonce and order id": (with_(cancel, order_id="0x" + "12" * 32), CONTRADICTION),
    "hard, another key": (lambda s: s.cancel(s.taker, STRANGER_KEY) | {"hard": True}, WRONG_SIGNER),
}

ORDERS: tuple[Entry, ...] = (
    Entry("private/order", order, ORDER_KINDS, SIGNED_ORDER, writes=True),
    Entry(
        "private/order",
        decimal_order,
        {
            **{name: kind for name, kind in ORDER_KINDS.items() if name not in ("size", "price")},
            "amount": DECIMAL.needed(AMOUNT),
            "limit_price": DECIMAL.needed(AMOUNT),
        },
        {
            "amount below zero": (with_(decimal_order, amount="-0.1"), AMOUNT),
            "price below zero": (with_(decimal_order, limit_price="-1"), BAD_ORDER),
            "amount beyond its field": (with_(decimal_order, amount="9" * 20), AMOUNT),
        },
        variant="in decimals",
        writes=True,
    ),
    Entry(
        "private/cancel",
        cancel,
        {
            "subaccount_id": ACCOUNT,
            "nonce": NATURAL.needed(CONTRADICTION),
            "signature": SIGNED,
            "hard": FLAG.optional(),
        },
        CANCELS,
        writes=True,
    ),
    Entry(
        "private/cancel",
        cancel_by_id,
        {
            "subaccount_id": ACCOUNT,
            "order_id": HASH.needed(CONTRADICTION),
            "signature": SIGNED,
            "hard": FLAG.optional(),
        },
        {
            **abroad(cancel_by_id),
            "of nobody": (with_(cancel_by_id, order_id="0x" + "12" * 32), NO_ORDER),
            "of another": (lambda s: cancel_by_id(s) | {"subaccount_id": s.maker}, NO_ORDER),
        },
        variant="by id",
        writes=True,
    ),
    Entry(
        "private/cancel_all",
        cancel_all,
        {"subaccount_id": ACCOUNT, "nonce": NATURAL, "signature": SIGNED, "hard": FLAG.optional()},
        {
            **abroad(cancel_all),
            "another key": (lambda s: s.cancel(s.taker, STRANGER_KEY, every=True), WRONG_SIGNER),
            "of one, sent as of all": (cancel, WRONG_SIGNER),
            "another nonce": (with_(cancel_all, nonce=2**64 - 1), WRONG_SIGNER),
            "hard, another key": (lambda s: s.cancel(s.taker, STRANGER_KEY, every=True) | {"hard": True}, WRONG_SIGNER),
        },
        writes=True,
    ),
)
