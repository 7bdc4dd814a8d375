"""A state made dear to prove: full accounts, fields without zero bytes, keys far apart.

Zero bytes of calldata cost a quarter of others, and keys that are neighbours share their way up the tree; so nothing
here is small, and accounts, markets and coins are spread over all their numbers. Two books of 32 markets each: even
accounts hold the first, odd ones the second.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Final

from rollup.crypto.signatures import recover
from rollup.stf.builder import BlockBuilder
from rollup.stf.sheets import sheet_of
from rollup.types.accounts import Account, Position, Slot
from rollup.types.keys import account_key, market_key, series_key, slot_key, underlying_key
from rollup.types.leaves import Market, MarketKind
from rollup.types.limits import CLOSING, WIND_UP
from rollup.types.transactions import FLAG_SELL, FreshOrder, Trade
from tests.differential import world as w
from tests.differential.world import COIN, DOLLAR, World, make_world

FEEDERS: Final = 8
BOOK: Final = 32
CROWDED: Final = BOOK
"""The market that has all the open interest it may have: a trade there fails after both parties are settled."""
COINS: Final = 7
"""Each with one series. With 64 markets and the totals they leave one system leaf, which may be the oracle set."""
PRICE: Final = w.BTC_MARK
LOT: Final = 1_000
EVERY_BYTE: Final = 0x0102030405060708
"""A large number without a zero byte."""
SIZE: Final = 101_001 * COIN
"""µcoin held in each market, short: the bytes of a negative number are not zero."""
OLD_NONCE: Final = EVERY_BYTE // 8_192 * 8_192
NEW_NONCE: Final = 2 * OLD_NONCE
QUANTITY: Final = 0x010101010101
EXPIRED: Final = w.NOW - 1


class Book(Enum):
    """What the markets of a crowd are."""

    OPTIONS = "options"
    PERPS = "perpetuals"
    MIXED = "options, then perpetuals"
    EXPIRED = "options that have expired"
    SILENT = "options that have expired, each in a series that nobody ended"
    ABANDONED = "perpetuals whose last price was abandoned"


def coin_number(index: int) -> int:
    """The `index`-th coin, far from its neighbours."""
    return 0x0101 + index * 9_300


def series_number(index: int) -> int:
    """The series of the `index`-th coin."""
    return 0x0303 + index * 8_100


def own_series_number(index: int) -> int:
    """A series of the `index`-th market's own."""
    return 0x0202 + index * 1_010


def market_number(index: int) -> int:
    """The `index`-th market, far from its neighbours; market 0 sorts before all others."""
    return 0x0101 + index * 1_020


def account_number(index: int) -> int:
    """The `index`-th account, far from its neighbours."""
    return 0x010101 + index * ((1 << 24) // 37)


def every_second(k: int) -> bool:
    """Odd accounts: the buyers."""
    return k % 2 == 1


def nobody(_: int) -> bool:
    """No account."""
    return False


def everybody(_: int) -> bool:
    """Every account."""
    return True


def even(k: int) -> bool:
    """Even accounts: the sellers."""
    return k % 2 == 0


def make_crowd(
    full: int, light: int, held: int = BOOK - 1, *, poor: Callable[[int], bool] = every_second,
    sick: Callable[[int], bool] = nobody, long: Callable[[int], bool] = nobody, book: Book = Book.OPTIONS,
    second: Callable[[int], bool] = every_second,
) -> World:  # fmt: skip
    """Accounts 0 … `full`-1 hold the last `held` markets of their book, the next `light` none.

    All are short but those who are `long`. Who is `poor` lacks initial margin, not maintenance; who is `sick` lacks
    that too, and was flagged a minute ago. Who is `second` holds the second book, others the first. Perpetuals owe
    funding on every position, so that each settlement writes every pool.
    """
    world = _make_markets(book).copy()
    leaves: dict[int, bytes] = {}
    for k in range(full + light):
        sign = 1 if long(k) else -1
        positions = _positions(book, second(k), held if k < full else 0, sign)
        equity, maintenance = margin_of(book, second(k), held, sign) if positions else (0, DOLLAR)
        needed = maintenance * 11 // 10 if poor(k) else 3 * maintenance + 10**9 * DOLLAR
        needed = maintenance // 2 if sick(k) else needed
        account = Account(
            w.owner(k), w.owner(k + 1), needed - equity, EVERY_BYTE, EVERY_BYTE, EVERY_BYTE, positions,
            int(sick(k)), w.NOW - 60 if sick(k) else 0,
        )  # fmt: skip
        leaves[account_key(account_number(k))] = account.encode()
    world.write(leaves)
    return world


@cache
def margin_of(book: Book, second: bool, held: int, sign: int) -> tuple[int, int]:
    """Equity without cash, and maintenance margin, of the last `held` markets of a book."""
    world = _make_markets(book).copy()
    positions = _positions(book, second, held, sign)
    account = Account(w.owner(0), bytes(20), 0, 0, 0, 0, positions)
    world.write({account_key(0): account.encode()})
    builder = BlockBuilder(world.read, world.time, w.SEPARATOR, recover)
    return builder.margin_of(0)


@cache
def _make_markets(book: Book) -> World:
    world = make_world(0, feeders=FEEDERS)
    settled = {"expiry": EXPIRED, "settlement": PRICE + 12_345_678_901} if book is Book.EXPIRED else {}
    priced = {"time": w.NOW - WIND_UP - 1} if book is Book.ABANDONED else {}
    leaves: dict[int, bytes] = {}
    for i in range(COINS):
        leaves[underlying_key(coin_number(i))] = w.underlying(
            **({"time": w.NOW - 30, "funding_time": w.NOW - 30, "mark": PRICE + 1, "funding_index": -EVERY_BYTE,
                "spot_step": 49_999 + i, "anchor_spot": PRICE, "anchor_time": w.NOW - 30, "halted_until": w.NOW - 40,
                "max_age": 90} | priced),
        ).encode()  # fmt: skip
        terms = {
            "time": w.NOW - 30, "forward": PRICE + 123_456_789 * i, "expiry": w.FAR_EXPIRY + 10**6 * i,
            "sum": EVERY_BYTE, "covered": 0x01010101, "m": i,
        }  # fmt: skip
        leaves[series_key(coin_number(i), series_number(i))] = w.series(**(terms | settled)).encode()
    for i in range(2 * BOOK):
        leaves[market_key(market_number(i))] = _market(book, i).encode()
        leaves[series_key(coin_number(i % COINS), own_series_number(i))] = w.series(
            expiry=w.NOW - CLOSING, time=w.NOW - CLOSING - 99, forward=PRICE + 123_456_789 * i, sum=PRICE * 1_711,
            covered=1_711,
        ).encode()  # fmt: skip
    world.write(leaves)
    return world


def _market(book: Book, i: int) -> Market:
    base = {
        "underlying": coin_number(i % COINS), "open_interest": EVERY_BYTE, "pool": -EVERY_BYTE,
        "max_open_interest": 1 << 61, "max_position": 1 << 55, "opens": w.NOW - 1,
    }  # fmt: skip
    if i == CROWDED:
        base["max_open_interest"] = EVERY_BYTE
    if book in {Book.PERPS, Book.ABANDONED} or (book is Book.MIXED and i >= BOOK):
        return w.market(**base)
    kind = MarketKind.CALL if i % 2 else MarketKind.PUT
    strike = PRICE * (80 + i % BOOK) // 100 + 1_234_567
    series = own_series_number(i) if book is Book.SILENT else series_number(i % COINS)
    return w.option(kind, series, strike, **base)


def _positions(book: Book, second: bool, held: int, sign: int) -> tuple[Position, ...]:
    """The last `held` markets of a book, all of one sign, and owing funding."""
    numbers = [BOOK * second + BOOK - held + i for i in range(held)]
    return tuple(
        Position(market_number(i), sign * SIZE, -EVERY_BYTE - 10**6 * (i + 1) if _market(book, i).kind == 0 else 0)
        for i in numbers
    )


def remember_old_orders(world: World, slots: set[tuple[int, int]]) -> None:
    """Put a full old order into each (account, slot), so that the slot's value before the block is not empty."""
    world.write(
        {
            slot_key(account_number(k), slot): Slot(
                OLD_NONCE + slot, market_number(3), FLAG_SELL, QUANTITY, PRICE, w.NOW, QUANTITY - 1
            ).encode()
            for k, slot in slots
        }
    )


@cache
def mark_of(book: Book, market: int) -> int:
    """The price on its tick that is nearest to a market's mark, not below."""
    world = _make_markets(book)
    view = BlockBuilder(world.read, world.time, w.SEPARATOR, recover).view
    found = view.market(market_number(market))
    mark = sheet_of(view, market_number(market)).mark
    return -(-mark // found.tick) * found.tick


def order(
    account: int, flags: int, market: int, slot: int, generation: int = 0, price: int = PRICE
) -> FreshOrder:  # fmt: skip
    """A fresh order into a slot; a later `generation` replaces an earlier one."""
    return w.order(
        account_number(account), market_number(market), flags, QUANTITY, price, NEW_NONCE + 8_192 * generation + slot,
        key=w.key_of("owner", account),
    )  # fmt: skip


def trade(
    seller: tuple[int, int], buyer: tuple[int, int], market: int, generation: int = 0, price: int = PRICE
) -> Trade:  # fmt: skip
    """`seller` and `buyer`, each (account, slot), trade a lot by fresh orders; the buyer takes."""
    return Trade(
        order(seller[0], FLAG_SELL, market, seller[1], generation, price),
        order(buyer[0], 0, market, buyer[1], generation, price),
        LOT,
    )


class Slots:
    """Hands out order slots: new ones while the block's meter has room, then those it has."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.used: set[tuple[int, int]] = set()

    def of(self, account: int, turn: int) -> tuple[int, int]:
        """A slot for the `turn`-th order of `account`."""
        wanted = (account, (77 * account + 1_366 * turn) % 8_192)
        if wanted in self.used or len(self.used) < self._limit:
            self.used.add(wanted)
            return wanted
        return min(slot for slot in self.used if slot[0] == account)
