"""Margin of open orders: an order is taken in only if its account could stand all of it being filled.

This protects the book from orders that would be refused when their turn comes; what decides in the end is the state
transition's own check of each trade. Other open orders count at the side that enlarges their position, at the mark.
"""

from __future__ import annotations

from collections.abc import Mapping

from rollup.errors import InvalidTransaction
from rollup.sequencer.book import Book
from rollup.sequencer.ledger import Ledger
from rollup.sequencer.rejections import refusal
from rollup.stf.builder import BlockBuilder
from rollup.stf.holdings import held, is_shrinking, with_size
from rollup.stf.margin import initial
from rollup.types.leaves import Account
from rollup.types.limits import MAX_POSITIONS, MILLION
from rollup.types.reasons import Reason
from rollup.types.transactions import FLAG_REDUCE_ONLY, FLAG_SELL, FreshOrder


def reducible(account: Account, order: FreshOrder) -> int:
    """How much of an order may trade (µcoin): a reduce-only one no more than closes the position; REDUCE_ONLY."""
    if not order.flags & FLAG_REDUCE_ONLY:
        return order.size
    position = held(account, order.market)
    closable = position if order.flags & FLAG_SELL else -position
    if closable <= 0:
        raise refusal(Reason.REDUCE_ONLY, position=position)
    return min(order.size, closable)


def check_exposure(ledger: Ledger, books: Mapping[int, Book], number: int, order: FreshOrder, size: int) -> None:
    """Refuse an order that its account could not bear: MARGIN, POSITION_LIMIT, POSITIONS_FULL, ORACLE_STALE."""
    if not ledger.enforces_margin:
        return
    builder = ledger.begin()
    try:
        _check(builder, books, number, order, size)
    except InvalidTransaction as error:
        raise refusal(error.reason, subaccount_id=number) from None


def _check(builder: BlockBuilder, books: Mapping[int, Book], number: int, order: FreshOrder, size: int) -> None:
    view = builder.view
    account = view.account(number)
    market = view.market(order.market)
    view.fresh_underlying(market.underlying)
    buys, sells = books[order.market].open_size(number)
    signed = -(size + sells) if order.flags & FLAG_SELL else size + buys
    old = held(account, order.market)
    shrinks = is_shrinking(old, old + signed)
    if abs(old + signed) > market.max_position and not shrinks:
        raise InvalidTransaction(Reason.POSITION_LIMIT)
    worst = _filled(builder, account, order.market, signed, order.price)
    for other, book in books.items():
        if other != order.market:
            buys, sells = book.open_size(number)
            if buys or sells:
                worst = _enlarged(builder, worst, other, buys, sells)
    if len(worst.positions) > MAX_POSITIONS:
        raise InvalidTransaction(Reason.POSITIONS_FULL)
    equity, maintenance = builder.margin_of(worst)
    if equity < initial(maintenance) and not shrinks:
        raise InvalidTransaction(Reason.MARGIN)


def _filled(builder: BlockBuilder, account: Account, market: int, signed: int, price: int) -> Account:
    """The account after trading `signed` µcoin at `price`."""
    index = builder.view.underlying(builder.view.market(market).underlying).funding_index
    cash = account.cash - signed * price // MILLION
    return with_size(account, market, held(account, market) + signed, index, cash)


def _enlarged(builder: BlockBuilder, account: Account, market: int, buys: int, sells: int) -> Account:
    """The account after the side of its open orders in another market that leaves the larger position."""
    mark = builder.view.underlying(builder.view.market(market).underlying).mark
    old = held(account, market)
    signed = buys if abs(old + buys) >= abs(old - sells) else -sells
    return _filled(builder, account, market, signed, mark)
