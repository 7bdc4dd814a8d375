"""Liquidation, settlement and deleveraging: what liquidators bid, and what anybody may ask for."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from rollup.rpc.dispatch import Dispatcher, NoParams, Params
from rollup.rpc.methods.fields import Hexadecimal, Integer, Text, integer, read_signature
from rollup.rpc.methods.shapes import HEALTH, show_transaction
from rollup.rpc.session import Session
from rollup.sequencer.amounts import show_micro
from rollup.sequencer.auctions import AuctionView
from rollup.sequencer.catalogue import Catalogue
from rollup.sequencer.exchange import Exchange
from rollup.types.transactions import Bid, Deleverage, Flag, Settle, WriteOff

Signed = int | Annotated[str, msgspec.Meta(pattern=r"\A-?[0-9]{1,20}\Z")]
"""An integer, as JSON number or as digits."""


class LiquidateParams(Params, frozen=True):
    """A liquidator's signed bid: `fraction` (ppm) of a flagged account's portfolio for at most `price_limit` (µUSD)."""

    subaccount_id: int
    liquidated_subaccount_id: int
    fraction: int
    price_limit: Signed
    nonce: Integer
    signature_expiry_sec: int
    signature: Hexadecimal


class SubjectParams(Params, frozen=True):
    """Which account."""

    subaccount_id: int


class DeleverageParams(Params, frozen=True):
    """Whose position to close against whose; `size` in µcoin."""

    subaccount_id: int
    counterparty_subaccount_id: int
    instrument_name: Text
    size: Integer


def register_risk(dispatcher: Dispatcher, exchange: Exchange) -> None:
    """private/liquidate, public/get_live_auctions, flag, settle, deleverage, write_off."""

    async def liquidate(_: Session, params: LiquidateParams) -> dict[str, Any]:
        bid = Bid(
            params.liquidated_subaccount_id, params.subaccount_id, params.fraction, int(params.price_limit),
            integer(params.nonce), params.signature_expiry_sec, read_signature(params.signature),
        )  # fmt: skip
        return show_transaction(await exchange.submit(bid))

    async def flag(_: Session, params: SubjectParams) -> dict[str, Any]:
        return show_transaction(await exchange.submit(Flag(params.subaccount_id)))

    async def settle(_: Session, params: SubjectParams) -> dict[str, Any]:
        return show_transaction(await exchange.submit(Settle(params.subaccount_id)))

    async def write_off(_: Session, params: SubjectParams) -> dict[str, Any]:
        return show_transaction(await exchange.submit(WriteOff(params.subaccount_id)))

    async def deleverage(_: Session, params: DeleverageParams) -> dict[str, Any]:
        market = exchange.catalogue.by_name(params.instrument_name).number
        request = Deleverage(params.subaccount_id, params.counterparty_subaccount_id, market, integer(params.size))
        return show_transaction(await exchange.submit(request))

    def auctions(_: Session, __: NoParams) -> dict[str, Any]:
        return {"auctions": [show_auction(exchange.catalogue, auction) for auction in exchange.auctions()]}

    dispatcher.register("private/liquidate", LiquidateParams, liquidate)
    dispatcher.register("public/get_live_auctions", NoParams, auctions)
    dispatcher.register("public/flag", SubjectParams, flag)
    dispatcher.register("public/settle", SubjectParams, settle)
    dispatcher.register("public/write_off", SubjectParams, write_off)
    dispatcher.register("public/deleverage", DeleverageParams, deleverage)


def show_auction(names: Catalogue, auction: AuctionView) -> dict[str, Any]:
    """A running auction: what `fraction` of the portfolio costs now, and what a liquidator gains by taking it.

    A bid takes `min_fraction` at least. Where `must_be_flagged` is true the flag is spent: `public/flag` comes first.
    """
    return {
        "subaccount_id": auction.account,
        "auction_type": HEALTH[auction.status],
        "start_timestamp": auction.flagged * 1000,
        "end_timestamp": auction.ends * 1000,
        "subaccount_value": show_micro(auction.equity),
        "maintenance_margin": show_micro(auction.maintenance),
        "initial_margin": show_micro(auction.initial),
        "gross_value": show_micro(auction.gross),
        "fraction": auction.fraction,
        "min_fraction": auction.least,
        "must_be_flagged": auction.spent,
        "mark_value": show_micro(auction.value),
        "bid_price": show_micro(auction.price),
        "estimated_gain": show_micro(auction.gain),
        "insurance_fund": show_micro(auction.fund),
        "slices": [
            {"instrument_name": names.by_number(market).name, "amount": show_micro(size)}
            for market, size in auction.slices
        ],
    }
