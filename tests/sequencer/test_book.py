from __future__ import annotations

import gc
import weakref

import pytest

from rollup.sequencer.book import Book
from rollup.sequencer.matching_expiry import HEAP_SLACK
from rollup.sequencer.matching_orders import Order, Removal

NOW = 1_000


def order(account: int, nonce: int, *, buy: bool, size: int, price: int, expiry: int = NOW + 60) -> Order:
    """An order of market 7."""
    return Order(account, nonce, 7, buy, size, price, expiry)


def book_of(*orders: Order) -> Book:
    """A book in which these orders rest."""
    book = Book(market=7)
    for each in orders:
        book.rest(each)
    return book


def test_best_match_prefers_price_then_time() -> None:
    """The lowest ask comes first, and of equal asks the older one."""
    late, early, better = (
        order(2, 1, buy=False, size=5, price=101),
        order(1, 1, buy=False, size=5, price=101),
        order(3, 1, buy=False, size=5, price=100),
    )
    book = book_of(early, late, better)
    taker = order(9, 1, buy=True, size=15, price=101)
    met = []
    while (maker := book.best_match(taker, NOW)) is not None:
        met.append(maker)
        book.fill(maker, taker, maker.remaining)
    assert met == [better, early, late]
    assert taker.remaining == 0
    assert len(book) == 0


def test_best_match_outside_the_limit_is_none() -> None:
    """A taker never gets a price beyond its limit."""
    book = book_of(order(1, 1, buy=True, size=5, price=99))
    assert book.best_match(order(2, 1, buy=False, size=5, price=100), NOW) is None
    assert book.best_match(order(2, 1, buy=False, size=5, price=99), NOW) is not None


def test_order_matches_in_its_last_second_and_not_after() -> None:
    """The expiry second itself still counts, as in the state transition."""
    maker = order(1, 1, buy=False, size=5, price=100, expiry=NOW)
    book = book_of(maker)
    taker = order(2, 1, buy=True, size=5, price=100)
    assert book.best_match(taker, NOW) is maker
    assert book.best_match(taker, NOW + 1) is None
    assert [(r.order, r.reason) for r in book.drain_evicted()] == [(maker, Removal.EXPIRED)]
    assert book.drain_evicted() == []


def test_own_resting_order_is_cancelled_not_traded() -> None:
    """Self-trade prevention drops the resting order and goes on to the next maker."""
    own, other = order(1, 1, buy=False, size=5, price=100), order(2, 1, buy=False, size=5, price=100)
    book = book_of(own, other)
    assert book.best_match(order(1, 2, buy=True, size=5, price=100), NOW) is other
    assert [(r.order, r.reason) for r in book.drain_evicted()] == [(own, Removal.SELF_TRADE)]
    assert not own.is_resting


def test_plan_changes_nothing_and_skips_own_and_dead_orders() -> None:
    """A plan lists exactly the fills that would happen."""
    own = order(9, 1, buy=False, size=5, price=100)
    dead = order(1, 1, buy=False, size=5, price=100, expiry=NOW - 1)
    first, second = order(2, 1, buy=False, size=5, price=100), order(3, 1, buy=False, size=5, price=101)
    book = book_of(own, dead, first, second)
    before = list(book)
    taker = order(9, 2, buy=True, size=8, price=101)
    assert book.plan(taker, NOW, 10) == [(first, 5, 100), (second, 3, 101)]
    assert book.plan(taker, NOW, 1) == [(first, 5, 100)]
    assert list(book) == before
    assert taker.remaining == 8


@pytest.mark.parametrize(("size", "fillable"), [(10, True), (11, False)])
def test_fok_fillable_counts_only_live_orders_of_others(size: int, fillable: bool) -> None:
    """Own and dead orders are no liquidity."""
    book = book_of(
        order(9, 1, buy=True, size=5, price=100),
        order(1, 1, buy=True, size=5, price=100, expiry=NOW - 1),
        order(2, 1, buy=True, size=4, price=100),
        order(3, 1, buy=True, size=6, price=99),
    )
    assert book.fok_fillable(order(9, 2, buy=False, size=size, price=99), NOW) is fillable


def test_would_cross_ignores_dead_orders_and_counts_own() -> None:
    """Only a live order makes a post-only order cross, whoever owns it."""
    book = book_of(order(1, 1, buy=False, size=5, price=100, expiry=NOW - 1))
    quote = order(2, 2, buy=True, size=5, price=100)
    assert not book.would_cross(quote, NOW)
    book.rest(order(2, 1, buy=False, size=5, price=100))
    assert book.would_cross(quote, NOW)


def test_cancel_unknown_returns_none() -> None:
    """Cancelling what does not rest is told apart, not an error of the book."""
    book = book_of(order(1, 1, buy=True, size=5, price=100))
    assert book.cancel(1, 2) is None
    assert book.cancel(2, 1) is None
    assert book.cancel(1, 1) is not None
    assert book.cancel(1, 1) is None


def test_cancel_all_below_floor_spares_the_rest() -> None:
    """A nonce floor takes the orders below it, on both sides, and no one else's."""
    book = book_of(
        order(1, 5, buy=True, size=5, price=99),
        order(1, 6, buy=False, size=5, price=101),
        order(1, 7, buy=True, size=5, price=98),
        order(2, 1, buy=True, size=5, price=99),
    )
    assert [o.nonce for o in book.cancel_all(1, floor=7)] == [5, 6]
    assert [o.order_id for o in book] == [(2, 1), (1, 7)]
    assert [o.nonce for o in book.cancel_all(1)] == [7]
    assert book.cancel_all(1) == []


def test_reduce_keeps_the_place_in_the_queue() -> None:
    """Amending down does not lose time priority; amending up is refused."""
    first, second = order(1, 1, buy=True, size=5, price=100), order(2, 1, buy=True, size=5, price=100)
    book = book_of(first, second)
    assert book.reduce((1, 1), 2) is first
    assert book.reduce((1, 1), 3) is None
    assert book.best_match(order(3, 1, buy=False, size=1, price=100), NOW) is first
    assert book.depth(5)[0] == [(100, 7, 2)]
    assert book.reduce((1, 1), 0) is first
    assert not first.is_resting


def test_depth_lists_best_levels_first() -> None:
    """A snapshot is cut after the levels asked for."""
    book = book_of(*(order(1, n, buy=n < 3, size=n + 1, price=100 + n) for n in range(6)))
    bids, asks = book.depth(2)
    assert bids == [(102, 3, 1), (101, 2, 1)]
    assert asks == [(103, 4, 1), (104, 5, 1)]
    assert book.depth(0) == ([], [])
    assert (book.best_bid(), book.best_ask()) == (102, 103)


def test_empty_book_has_no_best_prices() -> None:
    """Nothing rests, nothing is quoted."""
    book = Book(market=1)
    assert (book.best_bid(), book.best_ask(), book.depth(3), list(book)) == (None, None, ([], []), [])
    assert book.open_size(1) == (0, 0)
    assert book.orders_of(1) == []


def test_bugs_of_the_caller_stop_the_process() -> None:
    """A crossing rest, a second rest, a wrong market and an overfill are assertions."""
    maker = order(1, 1, buy=False, size=5, price=100)
    book = book_of(maker)
    with pytest.raises(AssertionError, match="cross"):
        book.rest(order(2, 1, buy=True, size=5, price=100))
    with pytest.raises(AssertionError, match="rests already"):
        book.rest(maker)
    with pytest.raises(AssertionError, match="taken"):
        book.rest(order(1, 1, buy=False, size=1, price=120))
    with pytest.raises(AssertionError, match="another market"):
        book.rest(Order(1, 2, 8, False, 5, 100, NOW))
    with pytest.raises(AssertionError, match="overfilled"):
        book.fill(maker, order(2, 1, buy=True, size=9, price=100), 6)
    assert list(book) == [maker]


def test_cancelled_orders_leave_nothing_behind() -> None:
    """A churn of quotes neither grows the expiry heap nor keeps departed orders alive."""
    book = book_of(order(1, 0, buy=True, size=1, price=50))
    for nonce in range(1, 5_000):
        book.rest(order(1, nonce, buy=True, size=1, price=60, expiry=NOW + nonce))
        book.cancel(1, nonce)
    assert len(book._expiries._seconds) <= HEAP_SLACK + 3
    assert list(book._bids.levels) == [50]
    Watched = type("Watched", (Order,), {"__slots__": ("__weakref__",)})  # noqa: N806 - a class
    one = Watched(1, 9_999, 7, True, 1, 60, NOW)
    book.rest(one)
    watch = weakref.ref(one)
    book.cancel(1, 9_999)
    book.expire(NOW + 1)
    gc.disable()
    try:
        del one
        assert watch() is None
    finally:
        gc.enable()
