"""One incoming order against a book, from arrival to its end: what it trades, whether it rests, whom it displaces.

Enters: an admitted `Order` and an `execute` that runs trades through the state transition. Leaves: an `Outcome`, or a
`Rejected` error with the book as it was (but for orders that had expired anyway).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, unique

from rollup.errors import FillOrKillUnfilled, NonceInUse, OrderExpired, PostOnlyWouldCross
from rollup.sequencer.book import Book
from rollup.sequencer.matching_orders import Fill, Order, Removal, Removed, TimeInForce

MAX_FILLS = 256
"""Trades that one order may cause: eight full blocks, so that a sweep through dust cannot hold up everybody else."""


@unique
class Party(Enum):
    """Whose fault a refused trade is."""

    MAKER = "maker"
    TAKER = "taker"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The state transition would not execute fill number `index` of a proposal; `reason` is its typed code."""

    index: int
    party: Party
    reason: int


Execute = Callable[[Order, Sequence[Fill]], Refusal | None]
"""Executes proposed fills of a taker, **all or none**, and says why none if so. A fault that is neither party's alone
(a price band, a full block limit) is reported as the taker's: it ends the taker and spares the resting order."""


@unique
class State(Enum):
    """Where an order ended up."""

    FILLED = "filled"
    OPEN = "open"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order. `removed` are other orders that it displaced; `refusal` is set if it was stopped."""

    state: State
    fills: list[Fill]
    removed: list[Removed]
    refusal: Refusal | None = None


def submit(book: Book, order: Order, now: int, execute: Execute, max_fills: int = MAX_FILLS) -> Outcome:
    """Match an order and rest what its time in force allows.

    A maker whose trade is refused leaves the book and matching goes on; a refused taker stops, keeps the fills it has
    and never rests. An order that reaches `max_fills` is cancelled for the rest.

    Raises OrderExpired, NonceInUse, PostOnlyWouldCross or FillOrKillUnfilled, with nothing executed.
    """
    if order.expiry < now:
        raise OrderExpired("the order has expired", expiry=order.expiry, now=now)
    if book.get(order.order_id) is not None:
        raise NonceInUse("an order with this nonce is open", account=order.account, nonce=order.nonce)
    if order.post_only and book.would_cross(order, now):
        raise PostOnlyWouldCross("a post-only order may not trade on arrival", price=order.price)
    if order.time_in_force is TimeInForce.FOK:
        return _fill_or_kill(book, order, now, execute, max_fills)
    return _take_then_rest(book, order, now, execute, max_fills)


def _take_then_rest(book: Book, order: Order, now: int, execute: Execute, max_fills: int) -> Outcome:
    fills: list[Fill] = []
    refused: list[Removed] = []
    while order.remaining and (maker := book.best_match(order, now)) is not None:
        if len(fills) == max_fills:
            return Outcome(State.CANCELLED, fills, book.drain_evicted() + refused)
        fill = Fill(maker, min(maker.remaining, order.remaining), maker.price)
        refusal = execute(order, (fill,))
        if refusal is None:
            book.fill(maker, order, fill.size)
            fills.append(fill)
        elif refusal.party is Party.MAKER:
            book.remove(maker.order_id)
            refused.append(Removed(maker, Removal.REFUSED))
        else:
            return Outcome(State.CANCELLED, fills, book.drain_evicted() + refused, refusal)
    state = State.FILLED
    if order.remaining:
        state = State.OPEN if order.time_in_force is TimeInForce.GTC else State.CANCELLED
        if state is State.OPEN:
            book.rest(order)
    return Outcome(state, fills, book.drain_evicted() + refused)


def _fill_or_kill(book: Book, order: Order, now: int, execute: Execute, max_fills: int) -> Outcome:
    refused: list[Removed] = []
    while True:
        fills = book.plan(order, now, max_fills)
        if sum(fill.size for fill in fills) < order.remaining:
            if refused:
                # Makers have left the book on the way, and the caller must hear of it.
                return Outcome(State.CANCELLED, [], book.drain_evicted() + refused)
            raise FillOrKillUnfilled("the order cannot be filled at once and in full", size=order.size)
        refusal = execute(order, fills)
        if refusal is None:
            break
        if refusal.party is Party.TAKER:
            return Outcome(State.CANCELLED, [], book.drain_evicted() + refused, refusal)
        maker = fills[refusal.index].maker
        book.remove(maker.order_id)
        refused.append(Removed(maker, Removal.REFUSED))
    for fill in fills:
        # The plan was made on this very book; going through `best_match` evicts own orders that stood before it.
        maker = book.best_match(order, now) or order
        assert maker is fill.maker, "the book changed under a plan"
        book.fill(maker, order, fill.size)
    return Outcome(State.FILLED, fills, book.drain_evicted() + refused)
