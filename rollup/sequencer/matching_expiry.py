"""Which resting orders die when: one bucket of orders per expiry second, and a heap of those seconds.

Adding and discarding an order is a dictionary operation (a heap of orders costs three times as much per order, and
keeps cancelled ones until they would have expired). Only the heap is lazy: a second whose bucket emptied stays in it
until it is popped or the heap is rebuilt.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from rollup.sequencer.matching_orders import Order

HEAP_SLACK = 64
"""Seconds without orders that the heap may hold beyond one per live second before it is rebuilt: few enough to be
nothing, many enough that rebuilding costs O(1) per cancel."""


class ExpiryIndex:
    """Resting orders by their `expiry`, in the order they came."""

    __slots__ = ("_buckets", "_seconds")

    def __init__(self) -> None:
        self._buckets: dict[int, dict[Order, None]] = {}
        self._seconds: list[int] = []

    def add(self, order: Order) -> None:
        """Remember an order until it is discarded or popped."""
        bucket = self._buckets.get(order.expiry)
        if bucket is None:
            bucket = self._buckets[order.expiry] = {}
            heappush(self._seconds, order.expiry)
        bucket[order] = None

    def discard(self, order: Order) -> None:
        """Forget an order that was added."""
        bucket = self._buckets[order.expiry]
        del bucket[order]
        if not bucket:
            del self._buckets[order.expiry]
            if len(self._seconds) > 2 * len(self._buckets) + HEAP_SLACK:
                self._seconds = list(self._buckets)
                heapify(self._seconds)

    def due(self, now: int) -> list[Order]:
        """The orders whose expiry lies before `now`, earliest first; the caller discards each."""
        found: list[Order] = []
        while self._seconds and self._seconds[0] < now:
            # A second may stand in the heap twice if its bucket emptied and filled again.
            second = heappop(self._seconds)
            while self._seconds and self._seconds[0] == second:
                heappop(self._seconds)
            found += self._buckets.get(second, ())
        return found
