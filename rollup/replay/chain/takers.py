"""Those who trade against the recorded books: each takes the best levels of a few markets, round after round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

from rollup.quant.quotes import Quote
from rollup.replay.chain.plan import LOT
from rollup.replay.population import trader_key
from rollup.replay.signing import Signer
from rollup.replay.strategies import Wish
from rollup.sequencer.exchange import Exchange
from rollup.types.limits import MILLION
from rollup.types.transactions import FreshOrder

DEPOSIT: Final = 3_000_000 * MILLION
"""What a taker brings (µUSD)."""
MARKETS: Final = 20
"""Markets that a taker ever trades: well within the positions that an account may have."""
DEEPEST: Final = 3
"""Levels of a book that one order reaches into at most."""
LARGEST: Final = 5 * MILLION
"""Size of one order at most (µcoin)."""
LIFE: Final = 60


class Around(NamedTuple):
    """A mark, and how far from it the market trades at most (µUSD per coin)."""

    mark: int
    band: int


@dataclass(slots=True)
class Taker:
    """One account with the markets that it trades and luck of its own."""

    signer: Signer
    markets: tuple[int, ...]
    luck: Random


def taker_keys(count: int, seed: int) -> list[bytes]:
    """Keys of the takers. PUBLIC, as `trader_key` says."""
    return [trader_key(seed, 2_000_000 + number) for number in range(count)]


def make_takers(signers: Sequence[Signer], options: Mapping[int, Quote], seed: int) -> list[Taker]:
    """Give each taker markets with books on both sides: every market somebody's, as far as there are takers."""
    luck = Random(f"{seed}/takers")  # noqa: S311 - reproducible on purpose, protects nothing
    quoted = sorted(number for number, quote in options.items() if quote.bids and quote.asks)
    luck.shuffle(quoted)
    takers = []
    for number, signer in enumerate(signers):
        first = number * MARKETS % max(1, len(quoted))
        markets = tuple((quoted + quoted)[first : first + min(MARKETS, len(quoted))])
        takers.append(Taker(signer, markets, Random(f"{seed}/taker/{number}")))  # noqa: S311 - as above
    return takers


def draw_orders(
    takers: Sequence[Taker], exchange: Exchange, marks: Mapping[int, Around], count: int, now: int
) -> list[FreshOrder]:
    """About `count` immediate orders at prices that stand in the books, within `bands` (µUSD around the marks)."""
    orders = []
    for turn in range(count):
        taker = takers[turn % len(takers)]
        if not taker.markets:
            continue
        market = taker.luck.choice(taker.markets)
        wish = _wish(taker.luck, exchange, market, marks[market])
        if wish is not None:
            orders.append(taker.signer.order(wish, market, now))
    return orders


def _wish(luck: Random, exchange: Exchange, market: int, around: Around) -> Wish | None:
    sell = luck.random() < 0.5
    depth = exchange.depth(exchange.catalogue.by_number(market), luck.randint(1, DEEPEST))
    levels = [level for level in (depth.bids if sell else depth.asks) if abs(level.price - around.mark) <= around.band]
    if not levels:
        return None
    size = int(min(sum(level.size for level in levels), LARGEST) * luck.uniform(0.2, 1.0)) // LOT * LOT
    return Wish(sell, max(size, LOT), levels[-1].price, LIFE, immediate=True)
