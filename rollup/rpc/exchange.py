"""The exchange on a dispatcher: every method, and the channels that tell what became durable."""

from __future__ import annotations

from typing import Any, Final

from rollup.errors import UnknownChannel
from rollup.rpc.dispatch import Dispatcher
from rollup.rpc.methods.accounts import register_accounts
from rollup.rpc.methods.chain import register_chain
from rollup.rpc.methods.greeks import account_greeks, market_greeks, register_greeks
from rollup.rpc.methods.markets import register_markets
from rollup.rpc.methods.oracle import register_oracle
from rollup.rpc.methods.orders import register_orders
from rollup.rpc.methods.rfq import register_rfq, show_quote, show_rfq
from rollup.rpc.methods.risk import register_risk
from rollup.rpc.methods.shapes import (
    show_account,
    show_depth,
    show_instrument,
    show_order,
    show_ticker,
    show_trade,
)
from rollup.rpc.session import Session
from rollup.rpc.subscriptions import Subscriptions
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.rejections import UnknownInstrument
from rollup.sequencer.rfq import Quote, Rfq
from rollup.sequencer.unit import Unit
from rollup.sequencer.watch import Progress

DEPTH: Final = 20
"""Levels of each side that a book's channel shows."""


def register_exchange(dispatcher: Dispatcher, exchange: Exchange) -> None:
    """Every public, private and oracle method."""
    register_markets(dispatcher, exchange)
    register_orders(dispatcher, exchange)
    register_accounts(dispatcher, exchange)
    register_oracle(dispatcher, exchange)
    register_greeks(dispatcher, exchange)
    register_risk(dispatcher, exchange)
    register_rfq(dispatcher, exchange)
    register_chain(dispatcher, exchange)


class Feeds:
    """Publishes what happens on these channels.

    trades.NAME, orderbook.NAME, ticker.NAME, greeks.NAME, account.N, account_greeks.N, quotes.N, rfqs, instruments,
    blocks, batches. Tickers and Greeks come with each word of the oracle.
    """

    def __init__(self, exchange: Exchange, subscriptions: Subscriptions) -> None:
        self._exchange = exchange
        self._subscriptions = subscriptions
        for family in ("trades", "orderbook", "ticker", "greeks"):
            subscriptions.add_family(family, self._open_market)
        for family in ("account", "account_greeks", "quotes"):
            subscriptions.add_family(family, self._open_account)
        for family in ("blocks", "batches", "rfqs", "instruments"):
            subscriptions.add_family(family, _open_chain)
        exchange.listen(self.publish)
        exchange.rfq.book.listen(self.publish_rfq)

    def publish(self, unit: Unit) -> None:
        """Tell of a durable unit."""
        subscriptions, names = self._subscriptions, self._exchange.catalogue
        publish, is_wanted = subscriptions.publish, subscriptions.is_wanted
        for trade in unit.trades:
            if is_wanted(channel := f"trades.{names.by_number(trade.market).name}"):
                publish(channel, show_trade(names, trade))
        for order in unit.orders:
            if is_wanted(channel := f"account.{order.account}"):
                publish(channel, show_order(names, order))
        for number in unit.markets:
            name = names.by_number(number).name
            if is_wanted(channel := f"orderbook.{name}"):
                publish(channel, self._depth(name))
            if is_wanted(channel := f"ticker.{name}"):
                publish(channel, self._ticker(name))
        for instrument in unit.listed:
            publish("instruments", show_instrument(instrument, self._exchange.now()))
        if unit.priced:
            self._publish_prices()
        for block in unit.blocks:
            header = block.header
            publish(
                "blocks",
                {
                    "number": header.number,
                    "fork": header.fork,
                    "timestamp": header.timestamp,
                    "state_root": f"0x{header.state_root.hex()}",
                    "transactions": len(block.receipts),
                    "messages": len(block.messages),
                },
            )

    def _publish_prices(self) -> None:
        """Everything that the oracle's word changes, for those who listen."""
        for channel in self._subscriptions.channels():
            family, _, name = channel.partition(".")
            if family == "ticker":
                self._subscriptions.publish(channel, self._ticker(name))
            elif family == "greeks":
                self._subscriptions.publish(channel, self._greeks(name))
            elif family == "account_greeks":
                self._subscriptions.publish(channel, account_greeks(self._exchange, int(name)))

    def publish_rfq(self, rfq: Rfq, quote: Quote | None) -> None:
        """Tell of a request, or tell the asking account of a quote."""
        names = self._exchange.catalogue
        if quote is None:
            self._subscriptions.publish("rfqs", show_rfq(names, rfq))
        else:
            self._subscriptions.publish(f"quotes.{rfq.account}", show_quote(names, quote))

    def publish_progress(self, progress: Progress) -> None:
        """Tell of what L1 has now."""
        self._subscriptions.publish(
            "batches",
            {
                "batch": progress.batch,
                "last_block": progress.block,
                "finalised": progress.finalised,
                "fork": progress.fork,
            },
        )

    def _open_market(self, _session: Session, channel: str) -> object | None:
        family, _, name = channel.partition(".")
        try:
            self._exchange.catalogue.by_name(name)
        except UnknownInstrument:
            raise UnknownChannel("no such channel", channel=channel) from None
        if family == "orderbook":
            return self._depth(name)
        if family == "greeks":
            return self._greeks(name)
        return self._ticker(name) if family == "ticker" else None

    def _open_account(self, _session: Session, channel: str) -> object | None:
        family, _, number = channel.partition(".")
        if not number.isascii() or not number.isdigit() or len(number) > 8:
            raise UnknownChannel("no such channel", channel=channel)
        view = self._exchange.account(int(number))
        if number != str(view.number):
            raise UnknownChannel("no such channel", channel=channel)  # nothing would ever be published on it
        if family == "account_greeks":
            return account_greeks(self._exchange, view.number)
        return show_account(self._exchange.catalogue, view) if family == "account" else None

    def _greeks(self, name: str) -> dict[str, Any]:
        return market_greeks(self._exchange, self._exchange.catalogue.by_name(name))

    def _depth(self, name: str) -> dict[str, Any]:
        instrument = self._exchange.catalogue.by_name(name)
        return show_depth(instrument, self._exchange.depth(instrument, DEPTH))

    def _ticker(self, name: str) -> dict[str, Any]:
        instrument = self._exchange.catalogue.by_name(name)
        return show_ticker(instrument, self._exchange.ticker(instrument))


def _open_chain(_: Session, channel: str) -> object | None:
    if "." in channel:
        raise UnknownChannel("no such channel", channel=channel)
    return None
