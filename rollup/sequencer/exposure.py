"""Margin of open orders: an order is taken in only if its account could stand all of it being filled.

And that whatever of its other orders fills besides. This protects the book from orders that would be refused when their
turn comes; what decides in the end is the state transition's own check of each trade. An account that has no other
order open is valued exactly. For others there is a lower bound of what equity exceeds initial margin by, over every
choice of other orders being filled or not: with the sheets of the state transition, in units of 4·10⁻¹² USD,

    4 E + Σ_underlyings min_j Σ_markets [5 s·d_j + min(0, 5 B·d_j + 4 g) + min(0, −5 S·d_j + 4 h)] − 5 C

where s is the position after the order, d_j what scenario j adds to the mark, B and S what the other orders may buy and
sell, g and h what that gains at the mark (never counted as more than 0), and C the contingency of the largest long and
short that they can make. Every part is at its worst by itself, so together they cannot be worse. The orders of one side
of a book count as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from rollup.errors import InvalidTransaction
from rollup.sequencer.book import Book
from rollup.sequencer.ledger import Ledger
from rollup.sequencer.marks import has_price, priced_sheet
from rollup.sequencer.rejections import refusal
from rollup.stf.builder import BlockBuilder
from rollup.stf.context import View
from rollup.stf.fills import open_market
from rollup.stf.holdings import held, is_shrinking, with_size
from rollup.stf.margin import initial, margin
from rollup.stf.settlement import settle
from rollup.stf.sheets import Sheet, sheet_of
from rollup.types.leaves import Account, MarketKind
from rollup.types.limits import MAX_POSITIONS, MILLION
from rollup.types.reasons import Reason
from rollup.types.transactions import FLAG_REDUCE_ONLY, FLAG_SELL, FreshOrder

_BRACKETS: Final = 4 * MILLION
"""A µUSD in the bound's units: what each rounding of the exact figures may make."""


def reducible(account: Account, order: FreshOrder) -> int:
    """How much of an order may trade (µcoin): a reduce-only one no more than closes the position; REDUCE_ONLY."""
    if not order.flags & FLAG_REDUCE_ONLY:
        return order.size
    position = held(account, order.market)
    closable = position if order.flags & FLAG_SELL else -position
    if closable <= 0:
        raise refusal(Reason.REDUCE_ONLY, position=position)
    return min(order.size, closable)


def check_exposure(
    ledger: Ledger, books: Mapping[int, Book], others: Iterable[int], number: int, order: FreshOrder, size: int
) -> None:
    """Refuse an order that its account could not bear; `others` are the markets in which it has orders open.

    MARKET_CLOSED, MARKET_EXPIRED, ORACLE_STALE, HALTED, POSITION_LIMIT, POSITIONS_FULL, MARGIN.
    """
    if not ledger.enforces_margin:
        return
    builder = ledger.begin()
    try:
        _check(builder, books, others, number, order, size)
    except InvalidTransaction as error:
        raise refusal(error.reason, subaccount_id=number) from None
    finally:
        builder.view.drop()


class _Open(NamedTuple):
    """What an account's open orders in one market may still do."""

    market: int
    buys: int
    sells: int
    cost: int
    proceeds: int


_NOTHING: Final = _Open(0, 0, 0, 0, 0)


def _check(
    builder: BlockBuilder, books: Mapping[int, Book], others: Iterable[int], number: int, order: FreshOrder, size: int
) -> None:
    view = builder.view
    account = settle(view, view.account(number))
    market = open_market(view, order.market)
    sheet = priced_sheet(view, order.market)
    buys, sells = books[order.market].open_size(number)
    signed = -size if order.flags & FLAG_SELL else size
    old = held(account, order.market)
    whole = old + (signed - sells if order.flags & FLAG_SELL else signed + buys)
    shrinks = is_shrinking(old, whole)
    if view.timestamp < view.underlying(market.underlying).halted_until and not shrinks:
        raise InvalidTransaction(Reason.HALTED)
    if abs(whole) > market.max_position and not shrinks:
        raise InvalidTransaction(Reason.POSITION_LIMIT)
    after = _filled(view, account, order.market, sheet, signed, order.price)
    waiting = [each for each in (_open_in(books[other], number) for other in others) if each is not None]
    held_in = {position.market for position in after.positions}
    if len(held_in | {each.market for each in waiting}) > MAX_POSITIONS:
        raise InvalidTransaction(Reason.POSITIONS_FULL)
    if not shrinks and not (_bears_all(view, after, waiting) if waiting else _bears(view, after)):
        raise InvalidTransaction(Reason.MARGIN)


def _filled(view: View, account: Account, market: int, sheet: Sheet, signed: int, price: int) -> Account:
    """The account after trading `signed` µcoin at `price`."""
    index = view.underlying(sheet.underlying).funding_index if sheet.kind == MarketKind.PERP else 0
    cash = account.cash - signed * price // MILLION
    return with_size(account, market, held(account, market) + signed, index, cash)


def _open_in(book: Book, number: int) -> _Open | None:
    buys, sells = book.open_size(number)
    return _Open(book.market, buys, sells, *book.open_value(number)) if buys or sells else None


def _bears(view: View, account: Account) -> bool:
    equity, maintenance = margin(view, account)
    return equity >= initial(maintenance)


def _bears_all(view: View, account: Account, waiting: list[_Open]) -> bool:
    """Whether the bound of the module's docstring is positive, roundings included."""
    opens = {each.market: each for each in waiting if has_price(view, each.market)}
    sizes = dict.fromkeys(opens, 0) | {position.market: position.size for position in account.positions}
    value = contingency = 0
    groups: dict[int, list[_Part]] = {}
    for number, size in sizes.items():
        sheet, each = sheet_of(view, number), opens.get(number, _NOTHING)
        value += size * sheet.mark
        contingency += max(sheet.long_rate * (size + each.buys), sheet.short_rate * (each.sells - size), 0)
        bought = 4 * min(0, each.buys * sheet.mark - each.cost)
        sold = 4 * min(0, each.proceeds - each.sells * sheet.mark)
        groups.setdefault(sheet.underlying, []).append(_Part(sheet, size, each, bought, sold))
    for parts in groups.values():
        contingency += _uncovered(parts)
    worst = sum(map(_worst, groups.values()))
    bound = 4 * (account.cash * MILLION + value) + worst - 5 * contingency
    return bound >= _BRACKETS * (4 + 2 * len(groups))


class _Part(NamedTuple):
    """One market in the bound: 4 g and 4 h of the docstring are `bought` and `sold`."""

    sheet: Sheet
    size: int
    open: _Open
    bought: int
    sold: int

    def at(self, shift: int) -> int:
        """What it adds to the bound in a scenario that adds `shift` to the mark."""
        buys, sells = self.open.buys, self.open.sells
        bought, sold = 5 * buys * shift + self.bought, self.sold - 5 * sells * shift
        return 5 * self.size * shift + min(0, bought) + min(0, sold)


def _worst(parts: list[_Part]) -> int:
    """The markets of one underlying in the scenario that is worst for all of them together."""
    if len(parts) == 1:  # concave in the shift, so least at one of the ends
        part = parts[0]
        return min(part.at(part.sheet.lowest), part.at(part.sheet.highest))
    columns = [[part.at(shift) for shift in part.sheet.shifts] for part in parts]
    return min(map(sum, zip(*columns, strict=True)))


def _uncovered(parts: list[_Part]) -> int:
    """Contingency of calls that could be sold beyond those bought, by series."""
    net: dict[int, int] = {}
    rates: dict[int, int] = {}
    for part in parts:
        if part.sheet.call_rate:
            series = part.sheet.series
            net[series] = net.get(series, 0) + part.size - part.open.sells
            rates[series] = part.sheet.call_rate
    return sum(max(0, -size) * rates[series] for series, size in net.items())
