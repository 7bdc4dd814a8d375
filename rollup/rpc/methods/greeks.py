"""Volatilities and Greeks: of markets, of positions, of accounts."""

from __future__ import annotations

from typing import Any

from rollup.errors import InvalidParams
from rollup.rpc.dispatch import Dispatcher, Params
from rollup.rpc.methods.fields import Text
from rollup.rpc.methods.numbers import show_float, show_greeks
from rollup.rpc.methods.shapes import show_totals
from rollup.rpc.session import Session
from rollup.sequencer.amounts import show_micro
from rollup.sequencer.catalogue import Instrument
from rollup.sequencer.exchange import Exchange


class GreeksParams(Params, frozen=True):
    """One instrument, or all active ones of a coin; everything by default."""

    instrument_name: Text | None = None
    currency: Text | None = None


class AccountParams(Params, frozen=True):
    """Whose positions."""

    subaccount_id: int


def register_greeks(dispatcher: Dispatcher, exchange: Exchange) -> None:
    """public/get_greeks and private/get_greeks."""

    def markets(_: Session, params: GreeksParams) -> dict[str, Any]:
        if params.instrument_name is not None and params.currency is not None:
            raise InvalidParams("Invalid params", reason="give instrument_name or currency", field="currency")
        if params.instrument_name is not None:
            chosen = [exchange.catalogue.by_name(params.instrument_name)]
        else:
            active = exchange.catalogue.active(exchange.now())
            chosen = [each for each in active if params.currency in (None, each.currency)]
        return {
            "timestamp": exchange.now() * 1000,
            "greeks": [market_greeks(exchange, instrument) for instrument in chosen],
        }

    def account(_: Session, params: AccountParams) -> dict[str, Any]:
        return account_greeks(exchange, params.subaccount_id)

    dispatcher.register("public/get_greeks", GreeksParams, markets)
    dispatcher.register("private/get_greeks", AccountParams, account)


def market_greeks(exchange: Exchange, instrument: Instrument) -> dict[str, Any]:
    """Of one coin of a market."""
    found = exchange.sensitivities().of_market(instrument.number)
    return {
        "instrument_name": instrument.name,
        "mark_price": show_micro(exchange.mark(instrument)),
        "iv": show_float(found.volatility),
        **show_greeks(found.greeks),
    }


def account_greeks(exchange: Exchange, number: int) -> dict[str, Any]:
    """Of an account's positions, and in all by coin."""
    view = exchange.account(number)
    return {
        "subaccount_id": number,
        "timestamp": exchange.now() * 1000,
        "positions": [
            {
                "instrument_name": exchange.catalogue.by_number(position.market).name,
                "amount": show_micro(position.size),
                **show_greeks(position.greeks),
            }
            for position in view.positions
        ],
        "greeks": show_totals(view.greeks),
    }
