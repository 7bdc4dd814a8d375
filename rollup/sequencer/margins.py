"""Accounts and tickers as the exchange shows them, computed from the newest state."""

from __future__ import annotations

from typing import Final

from rollup.errors import InvalidTransaction
from rollup.sequencer.catalogue import Instrument
from rollup.sequencer.desk import Desk
from rollup.sequencer.rejections import refusal
from rollup.sequencer.views import AccountView, PositionView, TickerView
from rollup.stf.fixed import clamp
from rollup.stf.margin import initial
from rollup.types.keys import market_key, underlying_key
from rollup.types.leaves import Account, Market, Underlying
from rollup.types.limits import MILLION
from rollup.types.reasons import Reason

_NO_PRICE: Final = 0


def ticker_view(desk: Desk, instrument: Instrument, last_price: int) -> TickerView:
    """Best prices, oracle prices and totals of a market."""
    ledger = desk.ledger
    market = Market.decode(ledger.leaf(market_key(instrument.number)))
    underlying = Underlying.decode(ledger.leaf(underlying_key(market.underlying)))
    bids, asks = desk.books[instrument.number].depth(1)
    bid_price, bid_size, _ = bids[0] if bids else (0, 0, 0)
    ask_price, ask_size, _ = asks[0] if asks else (0, 0, 0)
    return TickerView(
        time=ledger.now(),
        bid_price=bid_price,
        bid_size=bid_size,
        ask_price=ask_price,
        ask_size=ask_size,
        mark=underlying.mark,
        spot=underlying.spot,
        price_time=underlying.time,
        last_price=last_price,
        open_interest=market.open_interest,
        funding_index=underlying.funding_index,
        funding_rate=funding_rate(underlying),
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
        positions=_positions(desk, account),
        orders=tuple(order.report("open") for order in desk.orders.of_account(number)),
    )


def _positions(desk: Desk, account: Account) -> tuple[PositionView, ...]:
    views = []
    for position in account.positions:
        market = desk.catalogue.by_number(position.market).market
        mark = Underlying.decode(desk.ledger.leaf(underlying_key(market.underlying))).mark
        views.append(PositionView(position.market, position.size, mark, position.size * mark // MILLION))
    return tuple(views)
