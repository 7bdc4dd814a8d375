"""Open orders beside their books: what the book need not know of an order, found by id and by slot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rollup.sequencer.commands import OrderReport, TradeReport
from rollup.sequencer.matching_orders import Order, OrderId, TimeInForce
from rollup.types.limits import SLOT_COUNT
from rollup.types.transactions import FLAG_POST_ONLY, FLAG_REDUCE_ONLY, FreshOrder


@dataclass(slots=True, eq=False)
class OpenOrder:
    """A signed order under way. `signer` is the address behind its signature, `created` a Unix time in milliseconds."""

    fresh: FreshOrder
    digest: bytes
    signer: bytes
    time_in_force: TimeInForce
    label: str
    created: int
    entry: Order = field(init=False)
    capped: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.entry = entry_of(self.fresh, self.time_in_force, self.fresh.size)

    def cap(self, size: int) -> None:
        """Let at most `size` µcoin trade: a reduce-only order cannot do more than close the position."""
        self.capped = max(0, self.fresh.size - size)
        self.entry.remaining = self.fresh.size - self.capped

    @property
    def order_id(self) -> OrderId:
        """Account and nonce."""
        return (self.fresh.account, self.fresh.nonce)

    @property
    def slot(self) -> tuple[int, int]:
        """Account and slot number."""
        return (self.fresh.account, self.fresh.nonce % SLOT_COUNT)

    def report(self, status: str, why: str = "", trades: tuple[TradeReport, ...] = ()) -> OrderReport:
        """The order as it stands, for its owner."""
        fresh = self.fresh
        return OrderReport(
            order_id=f"0x{self.digest.hex()}",
            account=fresh.account,
            market=fresh.market,
            is_sell=fresh.is_sell,
            size=fresh.size,
            price=fresh.price,
            nonce=fresh.nonce,
            expiry=fresh.expiry,
            filled=fresh.size - self.capped - self.entry.remaining,
            status=status,
            time_in_force=self.time_in_force.value,
            post_only=bool(fresh.flags & FLAG_POST_ONLY),
            reduce_only=bool(fresh.flags & FLAG_REDUCE_ONLY),
            label=self.label,
            created=self.created,
            why=why,
            trades=trades,
        )


def entry_of(fresh: FreshOrder, time_in_force: TimeInForce, remaining: int) -> Order:
    """The book's view of an order."""
    return Order(
        account=fresh.account,
        nonce=fresh.nonce,
        market=fresh.market,
        is_buy=not fresh.is_sell,
        size=fresh.size,
        price=fresh.price,
        expiry=fresh.expiry,
        remaining=remaining,
        post_only=bool(fresh.flags & FLAG_POST_ONLY),
        reduce_only=bool(fresh.flags & FLAG_REDUCE_ONLY),
        time_in_force=time_in_force,
    )


class OpenOrders:
    """All resting orders, by (account, nonce), by slot and by public id."""

    def __init__(self) -> None:
        self._orders: dict[OrderId, OpenOrder] = {}
        self._slots: dict[tuple[int, int], OpenOrder] = {}
        self._digests: dict[bytes, OpenOrder] = {}
        self._accounts: dict[int, dict[int, OpenOrder]] = {}
        self._markets: dict[int, dict[int, int]] = {}
        """How many orders an account has in each market."""

    def add(self, order: OpenOrder) -> None:
        """Its slot must be free."""
        assert order.slot not in self._slots, "the slot is taken"
        self._orders[order.order_id] = order
        self._slots[order.slot] = order
        self._digests[order.digest] = order
        self._accounts.setdefault(order.fresh.account, {})[order.fresh.nonce] = order
        markets = self._markets.setdefault(order.fresh.account, {})
        markets[order.fresh.market] = markets.get(order.fresh.market, 0) + 1

    def remove(self, order_id: OrderId) -> OpenOrder:
        """Forget an order and return it."""
        order = self._orders.pop(order_id)
        del self._slots[order.slot]
        del self._digests[order.digest]
        held = self._accounts[order.fresh.account]
        del held[order.fresh.nonce]
        markets = self._markets[order.fresh.account]
        markets[order.fresh.market] -= 1
        if not markets[order.fresh.market]:
            del markets[order.fresh.market]
        if not held:
            del self._accounts[order.fresh.account], self._markets[order.fresh.account]
        return order

    def get(self, order_id: OrderId) -> OpenOrder | None:
        """By account and nonce."""
        return self._orders.get(order_id)

    def in_slot(self, slot: tuple[int, int]) -> OpenOrder | None:
        """By account and slot number."""
        return self._slots.get(slot)

    def by_digest(self, digest: bytes) -> OpenOrder | None:
        """By public id."""
        return self._digests.get(digest)

    def of_account(self, account: int) -> list[OpenOrder]:
        """An account's open orders, oldest first."""
        return list(self._accounts.get(account, {}).values())

    def markets_of(self, account: int) -> list[int]:
        """The markets in which an account has open orders."""
        return list(self._markets.get(account, ()))

    def count(self, account: int) -> int:
        """How many orders an account has open."""
        return len(self._accounts.get(account, ()))

    def __iter__(self) -> Iterator[OpenOrder]:
        return iter(self._orders.values())

    def __len__(self) -> int:
        return len(self._orders)
