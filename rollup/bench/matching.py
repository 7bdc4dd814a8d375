"""The order book alone: orders in, fills out, nothing executed, nothing stored."""

from __future__ import annotations

from random import Random
from typing import Final

from rollup.bench.figures import Report, Scale, timed
from rollup.sequencer.book import Book
from rollup.sequencer.matching import submit
from rollup.sequencer.matching_orders import Order

ACCOUNTS: Final = 500
LEVELS: Final = 40
"""Prices around the middle; half of all orders cross it."""
MIDDLE: Final = 400_000
TICK: Final = 100_000
LARGEST: Final = 5
EXPIRY: Final = 1 << 39


def measure_matching(report: Report, scale: Scale) -> None:
    """Limit orders around one price: about half rest, and are traded with later."""
    luck = Random(1)  # noqa: S311 - repeatable on purpose
    orders = [_order(luck, number) for number in range(scale.matched)]
    book = Book(1)
    seconds = timed(lambda: [submit(book, order, 0, _accept) for order in orders])
    report.rate("matching", "limit orders matched by the bare book", len(orders), seconds)


def _order(luck: Random, number: int) -> Order:
    is_buy = luck.random() < 0.5
    offset = luck.randrange(-LEVELS // 2, LEVELS)
    price = (MIDDLE - offset if is_buy else MIDDLE + offset) * TICK
    size = luck.randint(1, LARGEST) * 1_000
    return Order(luck.randrange(ACCOUNTS), number, 1, is_buy, size, price, EXPIRY)


def _accept(*_: object) -> None:
    """Every trade is right."""
