"""The recorded books as resting orders: every level of every option, signed by one of several market makers.

An account holds at most 32 positions, so a desk quotes no more markets than that; two desks share each group of
markets and take turns level by level, so that a book has more than one name in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

import trio

from rollup.errors import Rejected
from rollup.quant.chain import usd_levels
from rollup.quant.quotes import Quote
from rollup.replay.chain.plan import LOT, TICK, Dated, Plan
from rollup.replay.population import trader_key
from rollup.replay.signing import Signer
from rollup.replay.strategies import Wish
from rollup.replay.tally import Tally
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.matching_orders import TimeInForce
from rollup.types.limits import MAX_POSITIONS, MILLION
from rollup.types.transactions import FreshOrder

SHARING: Final = 2
"""Desks that quote each market."""
LIFE: Final = 7 * 86_400
"""Seconds that a resting order lives."""
FLOOR: Final = 10_000_000 * MILLION
"""What every desk brings at least (µUSD)."""
COVER: Final = 60
"""Per cent of the notional of all that it quotes that a desk brings besides: all of it may be hit in any order."""
CROWD: Final = 500
"""Orders on their way at once; the exchange queues some thousands."""


class Level(NamedTuple):
    """An order to rest in a market."""

    market: int
    wish: Wish


@dataclass(frozen=True, slots=True)
class Desk:
    """A market maker before it has an account: its key, deposit (µUSD) and orders."""

    key: bytes
    deposit: int
    levels: tuple[Level, ...]


def draw_desks(plan: Plan, seed: int) -> list[Desk]:
    """Desks for all books of the chain; those that would quote nothing are left out."""
    desks: list[Desk] = []
    for dated in plan.dated:
        for options in _groups(dated.options):
            for turn in range(SHARING):
                levels = tuple(
                    level
                    for number, quote in options.items()
                    for level in islice(levels_of(number, quote, dated), turn, None, SHARING)
                )
                if levels:
                    notional = sum(level.wish.size for level in levels) * dated.surface.forward // MILLION
                    key = trader_key(seed, 1_000_000 + len(desks))
                    desks.append(Desk(key, FLOOR + notional * COVER // 100, levels))
    return desks


def levels_of(number: int, quote: Quote, dated: Dated) -> list[Level]:
    """Both sides of an option's book in our ticks, at the expiry's forward."""
    forward = dated.surface.forward / MILLION
    return [
        Level(number, Wish(sell, level.size, level.price, LIFE, post_only=True))
        for sell, side in ((False, quote.bids), (True, quote.asks))
        for level in usd_levels(side, forward, TICK, LOT, bids=not sell)
    ]


async def load_books(
    exchange: Exchange,
    staffed: Sequence[tuple[Desk, Signer]],
    now: int,
    tally: Tally,
    progress: Callable[[int], None],
) -> None:
    """Sign and place everything; `progress` hears how many orders are placed or refused. Refusals are in the tally."""
    orders = await trio.to_thread.run_sync(_sign_all, staffed, now)
    for start in range(0, len(orders), CROWD):
        async with trio.open_nursery() as nursery:
            for order in orders[start : start + CROWD]:
                # Started one by one, they queue up in this order.
                await nursery.start(place, exchange, order, TimeInForce.GTC, tally)
        progress(min(start + CROWD, len(orders)))


async def place(
    exchange: Exchange,
    order: FreshOrder,
    time_in_force: TimeInForce,
    tally: Tally,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Place an order and count what became of it."""
    task_status.started()
    try:
        tally.acknowledge(await exchange.place(order, time_in_force))
    except Rejected as error:
        tally.refuse(error)


def _groups(options: Mapping[int, Quote]) -> list[dict[int, Quote]]:
    """As few groups as hold all markets, of nearly the same size."""
    count = -(-len(options) // MAX_POSITIONS)
    numbers = sorted(options)
    return [{number: options[number] for number in numbers[turn::count]} for turn in range(count)]


def _sign_all(staffed: Sequence[tuple[Desk, Signer]], now: int) -> list[FreshOrder]:
    return [signer.order(level.wish, level.market, now) for desk, signer in staffed for level in desk.levels]
