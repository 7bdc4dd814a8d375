"""Market data: instruments, tickers, books, trades."""

from __future__ import annotations

from time import time_ns
from typing import Annotated, Any, Literal

import msgspec

from rollup.rpc.dispatch import Dispatcher, NoParams, Params
from rollup.rpc.methods.fields import Count, Text
from rollup.rpc.methods.shapes import show_depth, show_instrument, show_page, show_ticker, show_trade
from rollup.rpc.session import Session
from rollup.sequencer.exchange import Exchange

DEPTH = 100
"""Levels of a book shown unless fewer are asked for."""
Page = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class InstrumentsParams(Params, frozen=True):
    """Which instruments; all kinds, coins and pages by default, expired ones only if asked for."""

    currency: Text | None = None
    instrument_type: Literal["perp", "future", "option"] | None = None
    expired: bool = False
    page: Page = 1
    page_size: Count = 100


class InstrumentParams(Params, frozen=True):
    """Which instrument."""

    instrument_name: Text


class OrderbookParams(Params, frozen=True):
    """Which book, and how many levels of each side."""

    instrument_name: Text
    depth: Annotated[int, msgspec.Meta(ge=1, le=DEPTH)] = DEPTH


class TradesParams(Params, frozen=True):
    """Whose trades; newest first."""

    instrument_name: Text | None = None
    subaccount_id: int | None = None
    page: Page = 1
    page_size: Count = 100


def register_markets(dispatcher: Dispatcher, exchange: Exchange) -> None:
    """All of public/: instruments, one instrument, ticker, orderbook, trade history, time."""
    catalogue = exchange.catalogue

    def instruments(_: Session, params: InstrumentsParams) -> dict[str, Any]:
        now = exchange.now()
        chosen = (
            show_instrument(instrument, now)
            for instrument in (catalogue if params.expired else catalogue.active(now))
            if params.currency in (None, instrument.currency) and params.instrument_type in (None, instrument.kind)
        )
        return show_page(chosen, "instruments", params.page, params.page_size)

    def instrument(_: Session, params: InstrumentParams) -> dict[str, Any]:
        return show_instrument(catalogue.by_name(params.instrument_name), exchange.now())

    def ticker(_: Session, params: InstrumentParams) -> dict[str, Any]:
        found = catalogue.by_name(params.instrument_name)
        return show_ticker(found, exchange.ticker(found))

    def orderbook(_: Session, params: OrderbookParams) -> dict[str, Any]:
        found = catalogue.by_name(params.instrument_name)
        return show_depth(found, exchange.depth(found, params.depth))

    async def trades(_: Session, params: TradesParams) -> dict[str, Any]:
        found = None if params.instrument_name is None else catalogue.by_name(params.instrument_name)
        count, reports = await exchange.trades(found, params.subaccount_id, params.page, params.page_size)
        pages = -(-count // params.page_size)
        shown = [show_trade(catalogue, report) for report in reports]
        return {"trades": shown, "pagination": {"count": count, "num_pages": pages}}

    def time(_: Session, __: NoParams) -> int:
        return time_ns() // 10**6

    dispatcher.register("public/get_all_instruments", InstrumentsParams, instruments)
    dispatcher.register("public/get_instruments", InstrumentsParams, instruments)
    dispatcher.register("public/get_instrument", InstrumentParams, instrument)
    dispatcher.register("public/get_ticker", InstrumentParams, ticker)
    dispatcher.register("public/get_orderbook", OrderbookParams, orderbook)
    dispatcher.register("public/get_trade_history", TradesParams, trades)
    dispatcher.register("public/get_time", NoParams, time)
