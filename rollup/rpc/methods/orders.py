"""Placing and cancelling orders. What authorises them is the signature in the request, nothing else."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from rollup.rpc.dispatch import Dispatcher, Params
from rollup.rpc.methods.fields import Hexadecimal, Integer, Text, amount_of, integer, read_hex, read_signature
from rollup.rpc.methods.shapes import show_order, show_trade, show_transaction
from rollup.rpc.session import Session
from rollup.sequencer.catalogue import Catalogue
from rollup.sequencer.commands import OrderReport, Reply
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.matching_orders import TimeInForce
from rollup.sequencer.rejections import BadCombination
from rollup.types.transactions import (
    FLAG_IMMEDIATE,
    FLAG_POST_ONLY,
    FLAG_REDUCE_ONLY,
    FLAG_SELL,
    Cancel,
    FreshOrder,
)


class OrderParams(Params, frozen=True):
    """A signed order. `time_in_force`, `order_type` and the flags must agree with what was signed."""

    instrument_name: Text
    subaccount_id: int
    direction: Literal["buy", "sell"]
    nonce: Integer
    signature_expiry_sec: int
    signature: Hexadecimal
    size: Integer | UnsetType = UNSET
    amount: Text | UnsetType = UNSET
    price: Integer | UnsetType = UNSET
    limit_price: Text | UnsetType = UNSET
    order_type: Literal["limit", "market"] = "limit"
    time_in_force: Literal["gtc", "post_only", "ioc", "fok"] | None = None
    reduce_only: bool = False
    label: Annotated[str, msgspec.Meta(max_length=64)] = ""


class CancelParams(Params, frozen=True):
    """A signed cancel of one order, by its nonce or by its id; `hard` puts it into a block."""

    subaccount_id: int
    signature: Hexadecimal
    nonce: Integer | UnsetType = UNSET
    order_id: Hexadecimal | UnsetType = UNSET
    hard: bool = False


class CancelAllParams(Params, frozen=True):
    """A signed cancel of every order with a nonce below `nonce`; `hard` puts it into a block."""

    subaccount_id: int
    nonce: Integer
    signature: Hexadecimal
    hard: bool = False


class OpenOrdersParams(Params, frozen=True):
    """Whose open orders to list."""

    subaccount_id: int
    instrument_name: Text | None = None


class PlacedOrder:
    """The answer to `private/order`, promised."""

    __slots__ = ("_names", "_reply", "hear")

    def __init__(self, names: Catalogue, reply: Reply[OrderReport]) -> None:
        self._names = names
        self._reply = reply
        self.hear = reply.hear

    def result(self) -> dict[str, Any]:
        """The order and its trades; raises Rejected."""
        names, report = self._names, self._reply.result()
        return {"order": show_order(names, report), "trades": [show_trade(names, t) for t in report.trades]}


def register_orders(dispatcher: Dispatcher, exchange: Exchange) -> None:
    """private/order, cancel, cancel_all and get_open_orders."""

    def order(_: Session, params: OrderParams) -> PlacedOrder:
        fresh, time_in_force = read_order(exchange, params)
        return PlacedOrder(exchange.catalogue, exchange.begin_placing(fresh, time_in_force, params.label))

    async def cancel(_: Session, params: CancelParams) -> dict[str, Any]:
        signature = read_signature(params.signature)
        nonce = integer(params.nonce) if not isinstance(params.nonce, UnsetType) else None
        if (nonce is None) == isinstance(params.order_id, UnsetType):
            raise BadCombination("give either nonce or order_id")
        if nonce is None:
            assert not isinstance(params.order_id, UnsetType)
            nonce = exchange.nonce_of(params.subaccount_id, read_hex(params.order_id, 32, "order_id"))
        return await cancel_orders(Cancel(params.subaccount_id, False, nonce, signature), params.hard)

    async def cancel_all(_: Session, params: CancelAllParams) -> dict[str, Any]:
        signature = read_signature(params.signature)
        return await cancel_orders(Cancel(params.subaccount_id, True, integer(params.nonce), signature), params.hard)

    async def cancel_orders(request: Cancel, hard: bool) -> dict[str, Any]:
        if hard:
            return show_transaction(await exchange.submit(request))
        reports = await exchange.cancel(request)
        return {"cancelled_orders": len(reports), "orders": [show_order(exchange.catalogue, r) for r in reports]}

    def open_orders(_: Session, params: OpenOrdersParams) -> dict[str, Any]:
        name = params.instrument_name
        wanted = None if name is None else exchange.catalogue.by_name(name).number
        reports = [r for r in exchange.open_orders(params.subaccount_id) if wanted is None or r.market == wanted]
        shown = [show_order(exchange.catalogue, report) for report in reports]
        return {"subaccount_id": params.subaccount_id, "orders": shown}

    dispatcher.register_promise("private/order", OrderParams, order)
    dispatcher.register("private/cancel", CancelParams, cancel)
    dispatcher.register("private/cancel_all", CancelAllParams, cancel_all)
    dispatcher.register("private/get_open_orders", OpenOrdersParams, open_orders)


def read_order(exchange: Exchange, params: OrderParams) -> tuple[FreshOrder, TimeInForce]:
    """The signed order behind the parameters; raises what is wrong with them."""
    wish = params.time_in_force or ("ioc" if params.order_type == "market" else "gtc")
    if params.order_type == "market" and wish in ("gtc", "post_only"):
        raise BadCombination("a market order is ioc or fok", time_in_force=wish)
    time_in_force = TimeInForce(wish) if wish != "post_only" else TimeInForce.GTC
    flags = FLAG_SELL if params.direction == "sell" else 0
    flags |= FLAG_POST_ONLY if wish == "post_only" else 0
    flags |= FLAG_REDUCE_ONLY if params.reduce_only else 0
    flags |= FLAG_IMMEDIATE if time_in_force is not TimeInForce.GTC else 0
    order = FreshOrder(
        account=params.subaccount_id,
        market=exchange.catalogue.by_name(params.instrument_name).number,
        flags=flags,
        size=amount_of(params.size, params.amount, "size", "amount"),
        price=amount_of(params.price, params.limit_price, "price", "limit_price"),
        nonce=integer(params.nonce),
        expiry=params.signature_expiry_sec,
        signature=read_signature(params.signature),
    )
    return order, time_in_force
