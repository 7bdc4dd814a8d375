"""Requests for quotes: asked for by one account, quoted by others with a signature, accepted with another."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from rollup.rpc.dispatch import Dispatcher, Params
from rollup.rpc.methods.fields import Hexadecimal, Integer, Text, amount_of, integer, read_signature
from rollup.rpc.methods.shapes import show_trade, show_transaction
from rollup.rpc.session import Session
from rollup.sequencer.amounts import show_micro
from rollup.sequencer.catalogue import Catalogue
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.rfq import LIFE, LONGEST, Quote, Rfq, RfqLeg
from rollup.types.limits import MAX_LEGS
from rollup.types.transactions import FLAG_SELL, Cancel, Leg

Label = Annotated[str, msgspec.Meta(max_length=64)]
Direction = Literal["buy", "sell"]
Counterparties = Annotated[list[int], msgspec.Meta(max_length=64)]


class AskedLeg(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One leg wished for, from the side of the asking account."""

    instrument_name: Text
    direction: Direction
    size: Integer | UnsetType = UNSET
    amount: Text | UnsetType = UNSET


class QuotedLeg(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same leg with its price; directions as in the request."""

    instrument_name: Text
    direction: Direction
    size: Integer | UnsetType = UNSET
    amount: Text | UnsetType = UNSET
    price: Integer | UnsetType = UNSET
    limit_price: Text | UnsetType = UNSET


AskedLegs = Annotated[list[AskedLeg], msgspec.Meta(min_length=1, max_length=MAX_LEGS)]
QuotedLegs = Annotated[list[QuotedLeg], msgspec.Meta(min_length=1, max_length=MAX_LEGS)]


class SendRfqParams(Params, frozen=True):
    """A request: one to four legs, open for `seconds`; `counterparties` may quote, anybody if nobody is named."""

    subaccount_id: int
    legs: AskedLegs
    counterparties: Counterparties = []  # noqa: RUF012 - msgspec copies it
    label: Label = ""
    seconds: Annotated[int, msgspec.Meta(ge=1, le=LONGEST)] = LIFE


class SendQuoteParams(Params, frozen=True):
    """A maker's signed offer. `direction` sell: the maker takes the other side of every leg."""

    subaccount_id: int
    rfq_id: Text
    direction: Direction
    legs: QuotedLegs
    nonce: Integer
    signature_expiry_sec: int
    signature: Hexadecimal
    label: Label = ""


class ExecuteQuoteParams(Params, frozen=True):
    """The asking account's signed acceptance of a quote's legs."""

    subaccount_id: int
    rfq_id: Text
    quote_id: Text
    nonce: Integer
    signature_expiry_sec: int
    signature: Hexadecimal


class CancelQuoteParams(Params, frozen=True):
    """A maker's signed cancel of the nonce of its quote."""

    subaccount_id: int
    nonce: Integer
    signature: Hexadecimal


class PollRfqsParams(Params, frozen=True):
    """Whose choice of requests; all by default."""

    subaccount_id: int | None = None


class PollQuotesParams(Params, frozen=True):
    """Whose quotes, made or to be accepted; `rfq_id` for those of one request."""

    subaccount_id: int
    rfq_id: Text | None = None


def register_rfq(dispatcher: Dispatcher, exchange: Exchange) -> None:
    """private/send_rfq, poll_rfqs, send_quote, poll_quotes, execute_quote, cancel_quote."""
    names, door = exchange.catalogue, exchange.rfq

    def send_rfq(_: Session, params: SendRfqParams) -> dict[str, Any]:
        legs = [
            RfqLeg(names.by_name(leg.instrument_name).number, leg.direction == "sell", _size(leg))
            for leg in params.legs
        ]
        asked = door.ask(params.subaccount_id, legs, params.counterparties, params.label, params.seconds)
        return show_rfq(names, asked)

    def poll_rfqs(_: Session, params: PollRfqsParams) -> dict[str, Any]:
        if params.subaccount_id is not None:
            exchange.account(params.subaccount_id)
        return {"rfqs": [show_rfq(names, rfq) for rfq in door.book.requests(params.subaccount_id)]}

    async def send_quote(_: Session, params: SendQuoteParams) -> dict[str, Any]:
        sells = params.direction == "sell"
        legs = [_signed_leg(names, leg, sells) for leg in params.legs]
        quote = await door.quote(
            params.rfq_id, params.subaccount_id, sells, legs, integer(params.nonce), params.signature_expiry_sec,
            read_signature(params.signature), params.label,
        )  # fmt: skip
        return show_quote(names, quote)

    def poll_quotes(_: Session, params: PollQuotesParams) -> dict[str, Any]:
        exchange.account(params.subaccount_id)
        found = door.book.quotes(params.subaccount_id)
        wanted = [quote for quote in found if params.rfq_id in (None, quote.rfq_id)]
        return {"quotes": [show_quote(names, quote) for quote in wanted]}

    async def execute_quote(_: Session, params: ExecuteQuoteParams) -> dict[str, Any]:
        quote, report = await door.execute(
            params.rfq_id, params.quote_id, params.subaccount_id, integer(params.nonce), params.signature_expiry_sec,
            read_signature(params.signature),
        )  # fmt: skip
        return {
            **show_quote(names, quote),
            "status": "filled",
            "trades": [show_trade(names, trade) for trade in report.trades],
            "transaction": show_transaction(report),
        }

    async def cancel_quote(_: Session, params: CancelQuoteParams) -> dict[str, Any]:
        cancel = Cancel(params.subaccount_id, False, integer(params.nonce), read_signature(params.signature))
        return show_quote(names, await door.withdraw(cancel))

    dispatcher.register("private/send_rfq", SendRfqParams, send_rfq)
    dispatcher.register("private/poll_rfqs", PollRfqsParams, poll_rfqs)
    dispatcher.register("private/send_quote", SendQuoteParams, send_quote)
    dispatcher.register("private/poll_quotes", PollQuotesParams, poll_quotes)
    dispatcher.register("private/execute_quote", ExecuteQuoteParams, execute_quote)
    dispatcher.register("private/cancel_quote", CancelQuoteParams, cancel_quote)


def _size(leg: AskedLeg | QuotedLeg) -> int:
    return amount_of(leg.size, leg.amount, "size", "amount")


def _signed_leg(names: Catalogue, leg: QuotedLeg, sells: bool) -> Leg:
    """The leg from the maker's side, as it is signed."""
    flags = FLAG_SELL if (leg.direction == "sell") != sells else 0
    price = amount_of(leg.price, leg.limit_price, "price", "limit_price")
    return Leg(names.by_name(leg.instrument_name).number, flags, _size(leg), price)


def show_rfq(names: Catalogue, rfq: Rfq) -> dict[str, Any]:
    """A request as everybody sees it."""
    return {
        "rfq_id": rfq.rfq_id,
        "subaccount_id": rfq.account,
        "status": rfq.status,
        "label": rfq.label,
        "legs": [
            {
                "instrument_name": names.by_number(leg.market).name,
                "market": leg.market,
                "direction": "sell" if leg.is_sell else "buy",
                "amount": show_micro(leg.size),
            }
            for leg in rfq.legs
        ],
        "counterparties": sorted(rfq.counterparties) or None,
        "creation_timestamp": rfq.created,
        "valid_until": rfq.expiry,
    }


def show_quote(names: Catalogue, quote: Quote) -> dict[str, Any]:
    """A quote; `legs` have the directions of the request, `is_buy` is what the maker signed."""
    return {
        "quote_id": quote.quote_id,
        "rfq_id": quote.rfq_id,
        "subaccount_id": quote.maker,
        "direction": "sell" if quote.sells else "buy",
        "status": quote.status,
        "label": quote.label,
        "legs": [
            {
                "instrument_name": names.by_number(leg.market).name,
                "market": leg.market,
                "direction": "sell" if leg.is_sell != quote.sells else "buy",
                "is_buy": not leg.is_sell,
                "amount": show_micro(leg.size),
                "price": show_micro(leg.price),
            }
            for leg in quote.legs
        ],
        "total_cost": show_micro(quote.cost // 10**6),
        "nonce": str(quote.nonce),
        "signature_expiry_sec": quote.expiry,
        "signature": f"0x{quote.signature.hex()}",
        "creation_timestamp": quote.created,
    }
