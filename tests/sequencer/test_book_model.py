"""The book against a naive reference: one flat list, searched from the front for everything."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rollup.errors import FillOrKillUnfilled, OrderExpired, PostOnlyWouldCross
from rollup.sequencer.book import Book
from rollup.sequencer.matching import Outcome, Party, Refusal, State, submit
from rollup.sequencer.matching_orders import Fill, Order, Removal, TimeInForce

Key = tuple[int, int]


class NaiveOrder:
    """A resting order of the reference."""

    def __init__(self, order: Order, arrival: int) -> None:
        self.key: Key = (order.account, order.nonce)
        self.account = order.account
        self.is_buy = order.is_buy
        self.price = order.price
        self.remaining = order.remaining
        self.expiry = order.expiry
        self.arrival = arrival


class NaiveBook:
    """Price-time priority by sorting everything, every time."""

    def __init__(self) -> None:
        self.orders: list[NaiveOrder] = []
        self.arrivals = 0

    def side(self, is_buy: bool) -> list[NaiveOrder]:
        """One side by priority."""
        sign = -1 if is_buy else 1
        return sorted((o for o in self.orders if o.is_buy is is_buy), key=lambda o: (sign * o.price, o.arrival))

    def crossing(self, taker: Order, now: int) -> list[NaiveOrder]:
        """Live orders that the taker could meet."""
        makers = (o for o in self.side(not taker.is_buy) if o.expiry >= now)
        return [o for o in makers if (o.price <= taker.price if taker.is_buy else o.price >= taker.price)]

    def take(self, taker: Order, now: int, refused: set[Key]) -> list[tuple[Key, int, int]]:
        """Fill what can be filled, dropping own, expired and refused makers on the way."""
        fills = []
        wanted = taker.size
        for maker in self.side(not taker.is_buy):
            crosses = maker.price <= taker.price if taker.is_buy else maker.price >= taker.price
            if not crosses or wanted == 0:
                break
            if maker.expiry < now or maker.account == taker.account or maker.key in refused:
                self.orders.remove(maker)
                continue
            size = min(wanted, maker.remaining)
            wanted -= size
            maker.remaining -= size
            fills.append((maker.key, size, maker.price))
            if maker.remaining == 0:
                self.orders.remove(maker)
        return fills

    def rest(self, order: Order, remaining: int) -> None:
        """Queue what remains."""
        self.arrivals += 1
        resting = NaiveOrder(order, self.arrivals)
        resting.remaining = remaining
        self.orders.append(resting)


class BookMachine(RuleBasedStateMachine):
    """Drives `submit` and the book's own operations beside the reference."""

    @initialize()
    def start(self) -> None:
        """An empty market."""
        self.book = Book(market=7)
        self.naive = NaiveBook()
        self.now = 1_000
        self.nonce = 0

    def order(self, account: int, *, is_buy: bool, size: int, price: int, life: int, **kinds: object) -> Order:
        """A new order that lives `life` seconds from now."""
        self.nonce += 1
        return Order(account, self.nonce, 7, is_buy, size, price, self.now + life, **kinds)  # type: ignore[arg-type]

    @rule(
        account=st.integers(0, 3),
        is_buy=st.booleans(),
        size=st.integers(1, 30),
        price=st.integers(95, 105),
        life=st.integers(-1, 8),
        kind=st.sampled_from(TimeInForce),
        post_only=st.booleans(),
        distrusted=st.none() | st.integers(0, 3),
    )
    def place(
        self,
        *,
        account: int,
        is_buy: bool,
        size: int,
        price: int,
        life: int,
        kind: TimeInForce,
        post_only: bool,
        distrusted: int | None,
    ) -> None:
        """Submit an order while the execution refuses every maker of one account."""
        order = self.order(
            account, is_buy=is_buy, size=size, price=price, life=life, time_in_force=kind, post_only=post_only
        )

        def execute(taker: Order, fills: Sequence[Fill]) -> Refusal | None:
            assert taker is order
            for index, fill in enumerate(fills):
                if fill.maker.account == distrusted:
                    return Refusal(index, Party.MAKER, 43)
            return None

        live = self.naive.crossing(order, self.now)
        refused = {o.key for o in live if o.account == distrusted}
        others = [o for o in live if o.account != account]
        try:
            outcome = submit(self.book, order, self.now, execute)
        except OrderExpired:
            assert life < 0
            return
        except PostOnlyWouldCross:
            assert post_only
            assert live
            return
        except FillOrKillUnfilled:
            assert kind is TimeInForce.FOK
            assert sum(o.remaining for o in others) < size
            return
        assert life >= 0
        assert not (post_only and live)
        if kind is TimeInForce.FOK and outcome.state is State.CANCELLED:
            self.check_killed(order, outcome, others, refused)
            return
        expected = self.naive.take(order, self.now, refused)
        assert [(f.maker.order_id, f.size, f.price) for f in outcome.fills] == expected
        remaining = size - sum(f.size for f in outcome.fills)
        assert order.remaining == remaining
        self.check_state(order, outcome, kind)

    def check_state(self, order: Order, outcome: Outcome, kind: TimeInForce) -> None:
        """The order ended where its time in force says."""
        if order.remaining == 0:
            assert outcome.state is State.FILLED
        elif kind is TimeInForce.GTC:
            assert outcome.state is State.OPEN
            self.naive.rest(order, order.remaining)
        else:
            assert kind is TimeInForce.IOC
            assert outcome.state is State.CANCELLED

    def check_killed(self, order: Order, outcome: Outcome, others: list[NaiveOrder], refused: set[Key]) -> None:
        """A killed order traded nothing, and only refusals made it unfillable."""
        gone = {r.order.order_id for r in outcome.removed if r.reason is Removal.REFUSED}
        assert gone
        assert gone <= refused
        assert outcome.fills == []
        assert order.remaining == order.size
        assert sum(o.remaining for o in others if o.key not in gone) < order.size
        self.naive.orders = [o for o in self.naive.orders if o.key not in gone]

    @rule(account=st.integers(0, 3), back=st.integers(0, 12))
    def cancel(self, account: int, back: int) -> None:
        """Cancel one recent order of an account, if it rests there."""
        key = (account, self.nonce - back)
        present = any(o.key == key and o.expiry >= self.now for o in self.naive.orders)
        cancelled = self.book.cancel(*key)
        assert cancelled is not None or not present
        self.naive.orders = [o for o in self.naive.orders if o.key != key]

    @rule(account=st.integers(0, 3), back=st.none() | st.integers(0, 12))
    def cancel_all(self, account: int, back: int | None) -> None:
        """Cancel an account's orders, or those below a floor."""
        floor = None if back is None else self.nonce - back
        doomed = {o.key for o in self.naive.orders if o.account == account and (floor is None or o.key[1] < floor)}
        cancelled = {o.order_id for o in self.book.cancel_all(account, floor)}
        assert doomed <= cancelled | self.dead()
        self.naive.orders = [o for o in self.naive.orders if o.key not in doomed]

    def dead(self) -> set[Key]:
        """Orders that are past their time and may or may not have been swept."""
        return {o.key for o in self.naive.orders if o.expiry < self.now}

    @precondition(lambda self: self.naive.orders)
    @rule(pick=st.integers(0, 10**6), to=st.integers(0, 30))
    def reduce(self, pick: int, to: int) -> None:
        """Lower one resting order, or try in vain to raise it."""
        chosen = self.naive.orders[pick % len(self.naive.orders)]
        reduced = self.book.reduce(chosen.key, to)
        if chosen.key in self.dead() and reduced is None:
            return
        assert (reduced is not None) == (to < chosen.remaining)
        if reduced is not None:
            chosen.remaining = to
            if to == 0:
                self.naive.orders.remove(chosen)

    @rule(seconds=st.integers(0, 3))
    def pass_time(self, seconds: int) -> None:
        """Time passes without anybody sweeping."""
        self.now += seconds

    @rule()
    def expire(self) -> None:
        """Sweep expired orders."""
        expired = self.book.expire(self.now)
        assert [o.expiry for o in expired] == sorted(o.expiry for o in expired)
        assert all(o.expiry < self.now for o in expired)
        self.naive.orders = [o for o in self.naive.orders if o.expiry >= self.now]
        assert len(self.book) == len(self.naive.orders)

    @rule()
    def restart(self) -> None:
        """Rebuild the book from its own listing."""
        rebuilt = Book(market=7)
        for o in self.book:
            rebuilt.rest(
                Order(o.account, o.nonce, o.market, o.is_buy, o.size, o.price, o.expiry, remaining=o.remaining)
            )
        assert rebuilt.depth(99) == self.book.depth(99)
        self.book = rebuilt

    @invariant()
    def live_orders_stand_in_the_reference_s_order(self) -> None:
        """Same orders, same queue, same remains."""
        if not hasattr(self, "book"):
            return
        live = [(o.order_id, o.price, o.remaining) for o in self.book if o.expiry >= self.now]
        both = self.naive.side(is_buy=True) + self.naive.side(is_buy=False)
        assert live == [(o.key, o.price, o.remaining) for o in both if o.expiry >= self.now]

    @invariant()
    def book_is_never_crossed(self) -> None:
        """The best bid stays below the best ask."""
        if not hasattr(self, "book"):
            return
        bid, ask = self.book.best_bid(), self.book.best_ask()
        assert bid is None or ask is None or bid < ask

    @invariant()
    def sums_agree_with_the_orders(self) -> None:
        """Levels, accounts and counts are the sums of the resting orders; the expiry heap stays bounded."""
        if not hasattr(self, "book"):
            return
        resting = list(self.book)
        assert len(self.book) == len(resting)
        assert len(self.book._expiries._seconds) <= 2 * len(resting) + 65
        for rows, is_buy in zip(self.book.depth(99), (True, False), strict=True):
            side = [o for o in resting if o.is_buy is is_buy]
            assert sum(r.size for r in rows) == sum(o.remaining for o in side)
            assert sum(r.orders for r in rows) == len(side)
        for account in range(4):
            held = self.book.orders_of(account)
            assert {o.order_id for o in held} == {o.order_id for o in resting if o.account == account}
            assert self.book.open_size(account) == (
                sum(o.remaining for o in held if o.is_buy),
                sum(o.remaining for o in held if not o.is_buy),
            )


BookMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestBookAgainstTheReference = BookMachine.TestCase


@pytest.mark.parametrize("seed", range(4))
def test_long_random_run_agrees_with_the_reference(seed: int) -> None:
    """Thousands of steps reach the deep books that short shrinkable sequences do not."""
    rng = random.Random(seed)
    machine = BookMachine()
    machine.start()
    deepest = 0
    for _ in range(1_500):
        drive(machine, rng)
        machine.live_orders_stand_in_the_reference_s_order()
        machine.book_is_never_crossed()
        machine.sums_agree_with_the_orders()
        deepest = max(deepest, *map(len, machine.book.depth(99)))
    assert deepest >= 5


def drive(machine: BookMachine, rng: random.Random) -> None:
    """One random step, mostly quotes that rest."""
    account = rng.randrange(4)
    match rng.randrange(20):
        case 0 | 1 | 2:
            machine.cancel(account=account, back=rng.randrange(30))
        case 3:
            machine.pass_time(seconds=1)
        case 4:
            machine.reduce(pick=rng.randrange(999), to=rng.randrange(30)) if machine.naive.orders else None
        case 5:
            machine.expire()
        case 6:
            machine.cancel_all(account=account, back=rng.randrange(30)) if rng.random() < 0.3 else machine.restart()
        case kind:
            is_buy = rng.random() < 0.5
            edge = rng.randrange(-9, 3) if kind > 8 else rng.randrange(9)
            machine.place(
                account=account,
                is_buy=is_buy,
                size=rng.randrange(1, 30),
                price=100 + edge if is_buy else 100 - edge,
                life=rng.randrange(-1, 40),
                kind=TimeInForce.GTC if kind > 8 else rng.choice(list(TimeInForce)),
                post_only=rng.random() < 0.2,
                distrusted=rng.choice([None, None, 0, 1]),
            )
