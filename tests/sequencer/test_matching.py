from __future__ import annotations

from collections.abc import Sequence

import pytest

from rollup.errors import FillOrKillUnfilled, NonceInUse, OrderExpired, PostOnlyWouldCross
from rollup.sequencer.book import Book
from rollup.sequencer.matching import Party, Refusal, State, submit
from rollup.sequencer.matching_orders import Fill, Order, Removal, TimeInForce

NOW = 1_000
MARGIN = 43


class Engine:
    """An execution that refuses chosen accounts and records what it executed."""

    def __init__(self, *poor: int) -> None:
        self.poor = poor
        self.executed: list[tuple[int, int, int]] = []

    def __call__(self, taker: Order, fills: Sequence[Fill]) -> Refusal | None:
        """Execute all or none."""
        for index, fill in enumerate(fills):
            if fill.maker.account in self.poor:
                return Refusal(index, Party.MAKER, MARGIN)
        if taker.account in self.poor:
            return Refusal(0, Party.TAKER, MARGIN)
        self.executed += [(f.maker.account, f.size, f.price) for f in fills]
        return None


def order(account: int, nonce: int, *, buy: bool, size: int, price: int, **kinds: object) -> Order:
    """An order of market 7."""
    return Order(account, nonce, 7, buy, size, price, NOW + 60, **kinds)  # type: ignore[arg-type]


def asks(*rows: tuple[int, int, int]) -> Book:
    """A book of (account, size, price) asks."""
    book = Book(market=7)
    for nonce, (account, size, price) in enumerate(rows):
        book.rest(order(account, nonce, buy=False, size=size, price=price))
    return book


def test_limit_order_trades_then_rests() -> None:
    """What a GTC order cannot fill waits at its own price."""
    book, engine = asks((1, 5, 100), (2, 5, 102)), Engine()
    taker = order(9, 9, buy=True, size=8, price=101)
    outcome = submit(book, taker, NOW, engine)
    assert outcome.state is State.OPEN
    assert engine.executed == [(1, 5, 100)]
    assert (book.best_bid(), taker.remaining, taker.is_resting) == (101, 3, True)


def test_ioc_order_never_rests() -> None:
    """What an IOC order cannot fill is cancelled."""
    book = asks((1, 5, 100))
    taker = order(9, 9, buy=True, size=8, price=101, time_in_force=TimeInForce.IOC)
    outcome = submit(book, taker, NOW, Engine())
    assert (outcome.state, taker.remaining, len(book)) == (State.CANCELLED, 3, 0)


def test_refused_maker_leaves_and_matching_goes_on() -> None:
    """A maker without margin is taken off; the next one trades."""
    book, engine = asks((1, 5, 100), (2, 5, 100)), Engine(1)
    outcome = submit(book, order(9, 9, buy=True, size=5, price=100), NOW, engine)
    assert outcome.state is State.FILLED
    assert engine.executed == [(2, 5, 100)]
    assert [(r.order.account, r.reason) for r in outcome.removed] == [(1, Removal.REFUSED)]


def test_refused_taker_stops_and_does_not_rest() -> None:
    """A taker without margin changes nothing in the book."""
    book = asks((1, 5, 100), (2, 5, 101))
    before = list(book)
    outcome = submit(book, order(9, 9, buy=True, size=8, price=101), NOW, Engine(9))
    assert (outcome.state, outcome.fills, outcome.refusal) == (
        State.CANCELLED,
        [],
        Refusal(0, Party.TAKER, MARGIN),
    )
    assert list(book) == before


def test_fok_executes_all_fills_at_once() -> None:
    """A fill-or-kill order reaches the execution as one proposal, and displaces own orders on its way."""
    book, engine = asks((1, 5, 100), (9, 1, 100), (2, 5, 101)), Engine()
    outcome = submit(book, order(9, 9, buy=True, size=8, price=101, time_in_force=TimeInForce.FOK), NOW, engine)
    assert (outcome.state, engine.executed) == (State.FILLED, [(1, 5, 100), (2, 3, 101)])
    assert [(r.order.account, r.reason) for r in outcome.removed] == [(9, Removal.SELF_TRADE)]
    assert [o.remaining for o in book] == [2]


def test_fok_replans_around_a_refused_maker() -> None:
    """Another maker's liquidity stands in for the refused one's."""
    book, engine = asks((1, 5, 100), (2, 5, 101), (3, 5, 101)), Engine(1)
    outcome = submit(book, order(9, 9, buy=True, size=8, price=101, time_in_force=TimeInForce.FOK), NOW, engine)
    assert (outcome.state, engine.executed) == (State.FILLED, [(2, 5, 101), (3, 3, 101)])


def test_fok_killed_by_refusals_reports_the_makers_that_left() -> None:
    """Nothing trades, and the removed maker is not lost from the report."""
    book, engine = asks((1, 5, 100), (2, 5, 101)), Engine(1)
    outcome = submit(book, order(9, 9, buy=True, size=8, price=101, time_in_force=TimeInForce.FOK), NOW, engine)
    assert (outcome.state, outcome.fills, engine.executed) == (State.CANCELLED, [], [])
    assert [r.order.account for r in outcome.removed] == [1]


def test_fok_refused_taker_changes_nothing() -> None:
    """The book is as before when the taker cannot pay."""
    book = asks((1, 5, 100))
    before = list(book)
    taker = order(9, 9, buy=True, size=5, price=100, time_in_force=TimeInForce.FOK)
    outcome = submit(book, taker, NOW, Engine(9))
    assert outcome.refusal == Refusal(0, Party.TAKER, MARGIN)
    assert (list(book), taker.remaining) == (before, 5)


def test_fok_unfillable_is_rejected() -> None:
    """A typed error, and nothing executed."""
    book, engine = asks((1, 5, 100)), Engine()
    with pytest.raises(FillOrKillUnfilled) as caught:
        submit(book, order(9, 9, buy=True, size=6, price=100, time_in_force=TimeInForce.FOK), NOW, engine)
    assert (caught.value.code, caught.value.data) == (11203, {"size": 6})
    assert (engine.executed, len(book)) == ([], 1)


def test_post_only_crossing_is_rejected() -> None:
    """A typed error, and the resting order stays."""
    book = asks((1, 5, 100))
    with pytest.raises(PostOnlyWouldCross) as caught:
        submit(book, order(9, 9, buy=True, size=6, price=100, post_only=True), NOW, Engine())
    assert caught.value.code == 11202
    assert submit(book, order(9, 9, buy=True, size=6, price=99, post_only=True), NOW, Engine()).state is State.OPEN


def test_nonce_of_an_open_order_is_rejected() -> None:
    """One id cannot stand in the book twice."""
    book = asks((1, 5, 100))
    with pytest.raises(NonceInUse) as caught:
        submit(book, order(1, 0, buy=False, size=5, price=100), NOW, Engine())
    assert caught.value.code == 11204


def test_expired_order_is_rejected() -> None:
    """An order whose last second has passed does not reach the book."""
    with pytest.raises(OrderExpired) as caught:
        submit(asks((1, 5, 100)), order(9, 9, buy=True, size=5, price=100), NOW + 61, Engine())
    assert (caught.value.code, caught.value.data) == (11201, {"expiry": NOW + 60, "now": NOW + 61})


def test_sweep_through_dust_stops_at_the_bound() -> None:
    """An order cannot cause more trades than allowed, and its rest never crosses the book."""
    book = asks(*((1, 1, 100) for _ in range(10)))
    outcome = submit(book, order(9, 99, buy=True, size=10, price=100), NOW, Engine(), max_fills=4)
    assert (outcome.state, len(outcome.fills), len(book)) == (State.CANCELLED, 4, 6)
