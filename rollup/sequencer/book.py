"""The order book of one market: strict price-time priority on integers.

Stands between admission and execution. The book proposes, the state transition disposes: `best_match` names the
resting order that is next by right, the caller executes the trade, then tells the book with `fill`, or with `remove` if
the maker was refused. `plan` proposes a whole list without touching anything. `rollup.sequencer.matching.submit` drives
all this for one incoming order.

Self-trade prevention: an order never meets an order of its own account; the *resting* one is cancelled when the
incoming one reaches it (the incoming order is the owner's later intention).

The book has no clock. `now` is the timestamp of the block under construction in Unix seconds; an order lives up to and
including its `expiry`, and a dead order is never matched even if nobody called `expire`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rollup.sequencer.matching_expiry import ExpiryIndex
from rollup.sequencer.matching_levels import Level, Side
from rollup.sequencer.matching_orders import Fill, Order, OrderId, Removal, Removed


class OpenSize(NamedTuple):
    """What an account's resting orders in this market could still buy and sell, in µcoin."""

    buy: int
    sell: int


class OpenValue(NamedTuple):
    """What an account's resting orders in this market would cost (`buy`) and bring (`sell`): Σ size x price."""

    buy: int
    sell: int


class DepthLevel(NamedTuple):
    """One row of a depth snapshot: `orders` at `price` (µUSD per coin) have `size` (µcoin) left in all."""

    price: int
    size: int
    orders: int


class _AccountOrders:
    __slots__ = ("buy", "buy_value", "orders", "sell", "sell_value")

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self.buy = 0
        self.sell = 0
        self.buy_value = 0
        self.sell_value = 0


class Book:
    """Resting orders of one market. Every operation is O(1) but for opening or closing a price level."""

    __slots__ = ("_accounts", "_asks", "_bids", "_evicted", "_expiries", "market", "resting")

    def __init__(self, market: int) -> None:
        self.market = market
        self.resting = 0
        self._bids = Side(is_buy=True)
        self._asks = Side(is_buy=False)
        self._accounts: dict[int, _AccountOrders] = {}
        self._expiries = ExpiryIndex()
        self._evicted: list[Removed] = []

    # -- matching --------------------------------------------------------------------------------------------------

    def best_match(self, taker: Order, now: int) -> Order | None:
        """The resting order that `taker` must trade with next, or None if none crosses.

        Evicts the expired orders and the taker's own orders that it meets on the way (see `drain_evicted`).
        """
        side = self._asks if taker.is_buy else self._bids
        keys, levels = side.keys, side.levels
        bound = -taker.price if taker.is_buy else taker.price
        while keys and keys[-1] >= bound:
            maker = levels[keys[-1]].head
            assert maker is not None
            if maker.expiry < now:
                self._evict(maker, Removal.EXPIRED)
            elif maker.account == taker.account:
                self._evict(maker, Removal.SELF_TRADE)
            else:
                return maker
        return None

    def plan(self, taker: Order, now: int, max_fills: int) -> list[Fill]:
        """At most `max_fills` fills that `taker` would get, in order, changing nothing."""
        fills: list[Fill] = []
        wanted = taker.remaining
        for maker in self._opposite(taker, now):
            if wanted == 0 or len(fills) == max_fills:
                break
            size = min(wanted, maker.remaining)
            wanted -= size
            fills.append(Fill(maker, size, maker.price))
        return fills

    def fok_fillable(self, taker: Order, now: int) -> bool:
        """Whether live orders of others within the taker's limit add up to all of it."""
        wanted = taker.remaining
        for maker in self._opposite(taker, now):
            wanted -= maker.remaining
            if wanted <= 0:
                return True
        return False

    def would_cross(self, order: Order, now: int) -> bool:
        """Whether any live order, the account's own included, stands at `order`'s price or better.

        Own orders count because a post-only order may not rest across them either.
        """
        side = self._asks if order.is_buy else self._bids
        keys = side.keys
        bound = -order.price if order.is_buy else order.price
        while keys and keys[-1] >= bound:
            head = side.levels[keys[-1]].head
            assert head is not None
            if head.expiry >= now:
                return True
            self._evict(head, Removal.EXPIRED)
        return False

    def fill(self, maker: Order, taker: Order, size: int) -> None:
        """Record an executed trade: both orders shrink by `size`, and a maker filled up leaves the book."""
        level = maker.level
        assert level is not None, "the maker does not rest"
        assert 0 < size <= maker.remaining, "the maker would be overfilled"
        assert size <= taker.remaining, "the taker would be overfilled"
        taker.remaining -= size
        self._shrink(maker, level, size)

    # -- resting orders --------------------------------------------------------------------------------------------

    def rest(self, order: Order) -> None:
        """Queue what remains of an order behind its price. It must not cross; its id must be free."""
        assert order.level is None, "the order rests already"
        assert order.market == self.market, "the order is for another market"
        assert order.remaining > 0, "nothing remains to rest"
        account = self._accounts.get(order.account)
        if account is None:
            account = self._accounts[order.account] = _AccountOrders()
        assert order.nonce not in account.orders, "the order id is taken"
        if order.is_buy:
            side, other = self._bids, self._asks
            assert not other.keys or -other.keys[-1] > order.price, "the book would cross"
            account.buy += order.remaining
            account.buy_value += order.remaining * order.price
        else:
            side, other = self._asks, self._bids
            assert not other.keys or other.keys[-1] < order.price, "the book would cross"
            account.sell += order.remaining
            account.sell_value += order.remaining * order.price
        side.append(order)
        account.orders[order.nonce] = order
        self.resting += 1
        self._expiries.add(order)

    def reduce(self, order_id: OrderId, remaining: int) -> Order | None:
        """Lower what remains of a resting order to `remaining`, keeping its place; at zero it leaves the book.

        For amendments downwards and for reduce-only orders whose position shrank. Raising is refused (it would have
        to lose its place): None then, and if the order does not rest.
        """
        order = self.get(order_id)
        if order is None or not 0 <= remaining < order.remaining:
            return None
        assert order.level is not None
        self._shrink(order, order.level, order.remaining - remaining)
        return order

    def remove(self, order_id: OrderId) -> Order | None:
        """Take an order off the book and return it, or None if it does not rest here."""
        order = self.get(order_id)
        if order is not None:
            self._detach(order)
        return order

    def cancel(self, account: int, nonce: int) -> Order | None:
        """`remove` for one order by its account and nonce."""
        return self.remove((account, nonce))

    def cancel_all(self, account: int, floor: int | None = None) -> list[Order]:
        """Take off all orders of an account, or those with a nonce below `floor`, oldest first; returns them."""
        held = self._accounts.get(account)
        if held is None:
            return []
        doomed = [o for o in held.orders.values() if floor is None or o.nonce < floor]
        for order in doomed:
            self._detach(order)
        return doomed

    def expire(self, now: int) -> list[Order]:
        """Take off and return every order whose last second has passed, earliest expiry first."""
        expired = self._expiries.due(now)
        for order in expired:
            self._detach(order)
        return expired

    def drain_evicted(self) -> list[Removed]:
        """What matching has dropped since the last call, in order, for telling their owners."""
        evicted, self._evicted = self._evicted, []
        return evicted

    # -- looking ---------------------------------------------------------------------------------------------------

    def get(self, order_id: OrderId) -> Order | None:
        """The resting order of that id, or None."""
        held = self._accounts.get(order_id[0])
        return held.orders.get(order_id[1]) if held is not None else None

    def best_bid(self) -> int | None:
        """The highest price bid, expired orders included until `expire`."""
        return self._bids.best()

    def best_ask(self) -> int | None:
        """The lowest price asked, expired orders included until `expire`."""
        return self._asks.best()

    def depth(self, levels: int) -> tuple[list[DepthLevel], list[DepthLevel]]:
        """(bids, asks), at most `levels` each, best first."""
        return _rows(self._bids, levels), _rows(self._asks, levels)

    def orders_of(self, account: int) -> list[Order]:
        """An account's resting orders, oldest first."""
        held = self._accounts.get(account)
        return list(held.orders.values()) if held is not None else []

    def open_size(self, account: int) -> OpenSize:
        """How much an account's resting orders could still buy and sell."""
        held = self._accounts.get(account)
        return OpenSize(held.buy, held.sell) if held is not None else OpenSize(0, 0)

    def open_value(self, account: int) -> OpenValue:
        """What filling an account's resting orders would cost and bring, in 10^-12 USD."""
        held = self._accounts.get(account)
        return OpenValue(held.buy_value, held.sell_value) if held is not None else OpenValue(0, 0)

    def __len__(self) -> int:
        return self.resting

    def __iter__(self) -> Iterator[Order]:
        """Bids then asks, each by priority: resting them again in this order rebuilds the same book."""
        for side in (self._bids, self._asks):
            for level in side:
                yield from level

    # -- inside ----------------------------------------------------------------------------------------------------

    def _opposite(self, taker: Order, now: int) -> Iterator[Order]:
        side = self._asks if taker.is_buy else self._bids
        bound = -taker.price if taker.is_buy else taker.price
        for key in reversed(side.keys):
            if key < bound:
                return
            for maker in side.levels[key]:
                if maker.expiry >= now and maker.account != taker.account:
                    yield maker

    def _shrink(self, order: Order, level: Level, size: int) -> None:
        order.remaining -= size
        level.size -= size
        held = self._accounts[order.account]
        if order.is_buy:
            held.buy -= size
            held.buy_value -= size * order.price
        else:
            held.sell -= size
            held.sell_value -= size * order.price
        if order.remaining == 0:
            self._detach(order)

    def _evict(self, order: Order, reason: Removal) -> None:
        self._detach(order)
        self._evicted.append(Removed(order, reason))

    def _detach(self, order: Order) -> None:
        held = self._accounts[order.account]
        del held.orders[order.nonce]
        if order.is_buy:
            self._bids.unlink(order)
            held.buy -= order.remaining
            held.buy_value -= order.remaining * order.price
        else:
            self._asks.unlink(order)
            held.sell -= order.remaining
            held.sell_value -= order.remaining * order.price
        if not held.orders:
            del self._accounts[order.account]
        self.resting -= 1
        self._expiries.discard(order)


def _rows(side: Side, levels: int) -> list[DepthLevel]:
    keys = side.keys[-1 : -levels - 1 : -1] if levels > 0 else []
    return [DepthLevel(level.price, level.size, level.count) for level in map(side.levels.__getitem__, keys)]
