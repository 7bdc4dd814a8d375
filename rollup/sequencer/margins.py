"""Accounts and tickers as the exchange shows them, computed from the newest state."""

from __future__ import annotations

from typing import Final

from rollup.errors import InvalidTransaction
from rollup.sequencer.catalogue import Instrument
from rollup.sequencer.desk import Desk
from rollup.sequencer.marks import mark_of
from rollup.sequencer.rejections import refusal
from rollup.sequencer.sensitivities import Greeks
from rollup.sequencer.trading_status import trading_status
from rollup.sequencer.views import AccountView, PositionView, TickerView
from rollup.stf.fixed import clamp
from rollup.stf.margin import initial
from rollup.types.leaves import Account, MarketKind, Series, Underlying
from rollup.types.limits import MILLION
from rollup.types.reasons import Reason

_NO_PRICE: Final = 0
_NO_SERIES: Final = Series(0)


def ticker_view(desk: Desk, instrument: Instrument, last_price: int) -> TickerView:
    """Best prices, oracle prices, Greeks and totals of a market."""
    view = desk.ledger.begin().view
    market = view.market(instrument.number)
    underlying = view.underlying(market.underlying)
    series = view.series(market.underlying, market.series) if market.series else _NO_SERIES
    is_perp = market.kind == MarketKind.PERP
    bids, asks = desk.books[instrument.number].depth(1)
    bid_price, bid_size, _ = bids[0] if bids else (0, 0, 0)
    ask_price, ask_size, _ = asks[0] if asks else (0, 0, 0)
    found = desk.sensitivities().of_market(instrument.number)
    return TickerView(
        time=desk.ledger.now(),
        bid_price=bid_price,
        bid_size=bid_size,
        ask_price=ask_price,
        ask_size=ask_size,
        mark=mark_of(view, instrument.number),
        spot=underlying.spot,
        forward=0 if is_perp else series.forward,
        price_time=underlying.time if is_perp else series.time,
        settlement=series.settlement,
        confidence=series.confidence,
        last_price=last_price,
        open_interest=market.open_interest,
        funding_index=underlying.funding_index if is_perp else 0,
        funding_rate=funding_rate(underlying) if is_perp else 0,
        status=trading_status(view, instrument),
        volatility=found.volatility,
        greeks=found.greeks,
    )


def funding_rate(underlying: Underlying) -> int:
    """The premium that funding is paid on now, ppm of spot per eight hours, clamped to the cap."""
    if underlying.spot == _NO_PRICE:
        return 0
    return clamp((underlying.mark - underlying.spot) * MILLION // underlying.spot, underlying.funding_cap)


def account_view(desk: Desk, number: int) -> AccountView:
    """An account with its positions and open orders; margin is None while a price it needs is stale."""
    builder = desk.ledger.begin()
    account = builder.account(number)
    if account is None:
        raise refusal(Reason.ACCOUNT_UNKNOWN, account=number)
    equity = maintenance = required = None
    try:
        equity, maintenance = builder.margin_of(account)
        required = initial(maintenance)
    except InvalidTransaction:
        pass  # a stale price: the figures are unknown, and shown as such
    return AccountView(
        number=number,
        owner=account.owner,
        signer=account.signer,
        owner_nonce=account.owner_nonce,
        nonce_floor=account.nonce_floor,
        cash=account.cash,
        withdrawn=account.withdrawn,
        equity=equity,
        maintenance=maintenance,
        initial=required,
        health=account.status,
        flagged=account.flagged,
        positions=_positions(desk, number, account),
        greeks=account_greeks(desk, account),
        orders=tuple(order.report("open") for order in desk.orders.of_account(number)),
    )


def account_greeks(desk: Desk, account: Account) -> dict[int, Greeks]:
    """Greeks of an account by underlying."""
    return desk.sensitivities().of_positions(account.positions)


def _positions(desk: Desk, number: int, account: Account) -> tuple[PositionView, ...]:
    view, table, views = desk.ledger.begin().view, desk.sensitivities(), []
    for position in account.positions:
        mark = mark_of(view, position.market)
        greeks = table.of_market(position.market).greeks.times(position.size / MILLION)
        value = position.size * mark // MILLION
        average = desk.costs.average(number, position.market, position.size)
        views.append(PositionView(position.market, position.size, mark, value, greeks, average))
    return tuple(views)
