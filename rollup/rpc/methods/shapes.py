"""Values of the exchange as JSON: Derive's public names, amounts and prices as decimal text, times in milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rollup.rpc.methods.fields import show_bytes
from rollup.rpc.methods.numbers import show_float, show_greeks
from rollup.sequencer.amounts import show_micro, show_nano
from rollup.sequencer.catalogue import Catalogue, Instrument
from rollup.sequencer.commands import OrderReport, TradeReport, TransactionReport
from rollup.sequencer.sensitivities import Greeks
from rollup.sequencer.views import AccountView, BlockView, DepthView, TickerView
from rollup.types.instruments import symbol_of

QUOTE = "USD"
HEALTH = ("sound", "unsafe", "insolvent")


def show_instrument(instrument: Instrument, now: int) -> dict[str, Any]:
    """Terms that do not change; `market` and `underlying` are the numbers that are signed."""
    market, index = instrument.market, f"{instrument.currency}-{QUOTE}"
    return {
        "instrument_name": instrument.name,
        "instrument_type": instrument.kind,
        "market": instrument.number,
        "underlying": market.underlying,
        "base_currency": instrument.currency,
        "quote_currency": QUOTE,
        "is_active": market.opens <= now and not instrument.has_expired(now),
        "tick_size": show_micro(market.tick),
        "amount_step": show_micro(market.lot),
        "minimum_amount": show_micro(market.lot),
        "maximum_amount": show_micro(market.max_position),
        "maker_fee_rate": show_micro(market.maker_fee),
        "taker_fee_rate": show_micro(market.taker_fee),
        "base_fee": "0",
        "price_band": show_micro(market.band),
        "maximum_open_interest": show_micro(market.max_open_interest),
        "scheduled_activation": market.opens,
        "scheduled_deactivation": instrument.expiry,
        "series": market.series,
        "option_details": _show_option(instrument, index) if instrument.kind == "option" else None,
        "future_details": {"expiry": instrument.expiry, "index": index} if instrument.kind == "future" else None,
        "perp_details": {"index": index} if instrument.kind == "perp" else None,
    }


def _show_option(instrument: Instrument, index: str) -> dict[str, Any]:
    return {
        "expiry": instrument.expiry,
        "index": index,
        "option_type": instrument.option_type,
        "strike": show_micro(instrument.market.strike),
        "settlement_price": None,
    }


def show_ticker(instrument: Instrument, view: TickerView) -> dict[str, Any]:
    """Best prices and the state of the market; an empty side of the book shows as zero.

    `trading_status` is open, closed, halted, stale or expired, `trading_status_until` (s) when that ends by itself.
    """
    shown = show_instrument(instrument, view.time)
    settled = show_micro(view.settlement) if view.settlement else None
    if shown["option_details"] is not None:
        shown["option_details"]["settlement_price"] = settled
    return {
        **shown,
        "timestamp": view.time * 1000,
        "best_bid_price": show_micro(view.bid_price),
        "best_bid_amount": show_micro(view.bid_size),
        "best_ask_price": show_micro(view.ask_price),
        "best_ask_amount": show_micro(view.ask_size),
        "mark_price": show_micro(view.mark),
        "index_price": show_micro(view.spot),
        "forward_price": show_micro(view.forward) if instrument.expiry else None,
        "settlement_price": settled,
        "trading_status": view.status.trading,
        "trading_status_until": view.status.until,
        "price_timestamp": view.price_time * 1000,
        "last_price": show_micro(view.last_price),
        "open_interest": show_micro(view.open_interest),
        "funding_index": show_nano(view.funding_index),
        "funding_rate": show_micro(view.funding_rate),
        "option_pricing": show_pricing(view) if instrument.kind == "option" else None,
    }


def show_pricing(view: TickerView) -> dict[str, Any]:
    """An option's mark with the volatility behind it and its Greeks; null where there is no price."""
    return {
        **show_greeks(view.greeks),
        "iv": show_float(view.volatility),
        "mark_price": show_micro(view.mark),
        "forward_price": show_micro(view.forward),
        "confidence": show_micro(view.confidence),
        "discount_factor": "1",
    }


def show_depth(instrument: Instrument, view: DepthView) -> dict[str, Any]:
    """Rows of (price, amount), best first."""
    return {
        "instrument_name": instrument.name,
        "timestamp": view.time * 1000,
        "publish_id": view.sequence,
        "bids": [[show_micro(row.price), show_micro(row.size)] for row in view.bids],
        "asks": [[show_micro(row.price), show_micro(row.size)] for row in view.asks],
    }


def show_trade(catalogue: Catalogue, trade: TradeReport) -> dict[str, Any]:
    """A fill, as seen by everybody."""
    return {
        "trade_id": trade.trade_id,
        "instrument_name": catalogue.by_number(trade.market).name,
        "timestamp": trade.time * 1000,
        "trade_price": show_micro(trade.price),
        "trade_amount": show_micro(trade.size),
        "direction": "sell" if trade.taker_sells else "buy",
        "maker_subaccount_id": trade.maker,
        "taker_subaccount_id": trade.taker,
        "maker_nonce": str(trade.maker_nonce),
        "taker_nonce": str(trade.taker_nonce),
        "maker_fee": show_micro(trade.maker_fee),
        "taker_fee": show_micro(trade.taker_fee),
        "block_number": trade.block,
        "transaction_index": trade.index,
    }


def show_order(catalogue: Catalogue, report: OrderReport) -> dict[str, Any]:
    """An order as its owner sees it."""
    filled = sum(trade.size for trade in report.trades)
    paid = sum(trade.size * trade.price for trade in report.trades)
    return {
        "order_id": report.order_id,
        "subaccount_id": report.account,
        "instrument_name": catalogue.by_number(report.market).name,
        "direction": "sell" if report.is_sell else "buy",
        "order_type": "limit",
        "order_status": report.status,
        "cancel_reason": report.why,
        "time_in_force": "post_only" if report.post_only else report.time_in_force,
        "reduce_only": report.reduce_only,
        "limit_price": show_micro(report.price),
        "amount": show_micro(report.size),
        "filled_amount": show_micro(report.filled),
        "average_price": show_micro(paid // filled) if filled else "0",
        "nonce": str(report.nonce),
        "signature_expiry_sec": report.expiry,
        "label": report.label,
        "creation_timestamp": report.created,
    }


def show_account(catalogue: Catalogue, view: AccountView) -> dict[str, Any]:
    """An account with its margin; without fresh prices the margin figures are null.

    `health` is sound, unsafe (below maintenance margin, being auctioned) or insolvent.
    """
    return {
        "subaccount_id": view.number,
        "currency": QUOTE,
        "margin_type": "PM",
        "owner": show_bytes(view.owner),
        "signer": show_bytes(view.signer) if any(view.signer) else None,
        "owner_nonce": str(view.owner_nonce),
        "nonce_floor": str(view.nonce_floor),
        "cash": show_micro(view.cash),
        "withdrawn": show_micro(view.withdrawn),
        "subaccount_value": _optional(view.equity),
        "maintenance_margin": _optional(view.maintenance),
        "initial_margin": _optional(view.initial),
        "health": HEALTH[view.health],
        "is_under_liquidation": view.health > 0,
        "flagged_timestamp": view.flagged * 1000,
        "collaterals": [{"asset_name": QUOTE, "asset_type": "cash", "amount": show_micro(view.cash)}],
        "positions": [
            {
                "instrument_name": catalogue.by_number(position.market).name,
                "instrument_type": catalogue.by_number(position.market).kind,
                "amount": show_micro(position.size),
                "mark_price": show_micro(position.mark),
                "mark_value": show_micro(position.value),
                "average_price": _optional(position.average),
                "unrealized_pnl": _optional(position.gain),
                **show_greeks(position.greeks),
            }
            for position in view.positions
        ],
        "greeks": show_totals(view.greeks),
        "open_orders": [show_order(catalogue, report) for report in view.orders],
    }


def show_totals(greeks: Mapping[int, Greeks]) -> list[dict[str, Any]]:
    """Greeks by coin."""
    return [{"currency": symbol_of(coin), **show_greeks(each)} for coin, each in greeks.items()]


def show_transaction(report: TransactionReport) -> dict[str, Any]:
    """Where a transaction stands."""
    return {
        "transaction_id": show_bytes(report.tx_id),
        "block_number": report.block,
        "transaction_index": report.index,
        "status": "sealed",
    }


def show_block(view: BlockView) -> dict[str, Any]:
    """A stored block with the sequencer's promise; `batch` is its batch on L1, if L1 is known to have it."""
    header = view.header
    return {
        "number": header.number,
        "fork": header.fork,
        "hash": show_bytes(view.hash),
        "parent_root": show_bytes(header.parent_root),
        "state_root": show_bytes(header.state_root),
        "timestamp": header.timestamp,
        "inbox_index": header.inbox_index,
        "inbox_hash": show_bytes(header.inbox_hash),
        "txs_hash": show_bytes(header.txs_hash),
        "signature": show_bytes(view.signature),
        "signer": show_bytes(view.signer),
        "txs": show_bytes(view.txs),
        "messages": [show_bytes(message) for message in view.messages],
        "batch": view.batch,
    }


def show_page(rows: Iterable[dict[str, Any]], name: str, page: int, size: int) -> dict[str, Any]:
    """One page of a list, pages counted from 1."""
    everything = list(rows)
    pages = -(-len(everything) // size)
    shown = everything[(page - 1) * size : page * size]
    return {name: shown, "pagination": {"count": len(everything), "num_pages": pages}}


def _optional(value: int | None) -> str | None:
    return None if value is None else show_micro(value)
