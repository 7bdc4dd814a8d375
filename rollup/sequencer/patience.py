"""How many of the waiting inbox messages the next blocks take: all of them, unless patience helps their senders.

Messages are executed first in their block, in L1's order, and one that cannot be executed is spent. So an honest
sequencer holds the inbox back at the first forced transaction that needs a price while the state has no fresh one, and
at the first forced withdrawal while an account is known to be insolvent, whose losses liquidation is about to settle.
Every hold has an end, long before L1 would refuse batches for it. Who takes over after an outage finds messages for
which that moment has come already: they wait a little for a price, too, since the batch with them may begin with it.
Pure: L1's time comes in, a number goes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

SHARE: Final = 4
"""Of the force deadline; a quarter of it may pass in a hold."""
AUCTIONS: Final = 4
"""Auctions that an insolvency may take: flag, auction, deleveraging, and one more account that follows."""
RESERVE_SECONDS: Final = 600
"""Time that is kept for posting before a message is overdue: fifty blocks of L1, or an eighth of the deadline."""
RESERVE_SHARE: Final = 8
LAG_SHARE: Final = 4
"""Of the time that a block may be behind L1 when it is posted: a price must not become too old while others wait."""
FREEZE_SHARE: Final = 4
"""Of the time that is left until anyone may freeze the chain; a quarter of it may pass in a late hold."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What L1 bears, in seconds: after `deadline` it takes no batch that leaves a message behind.

    After `grace` more anyone may freeze the chain. `lag`: how far behind L1 a block may be when it is posted.
    """

    deadline: int
    grace: int
    lag: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that no block has taken; L1 took it in at `time` (s)."""

    time: int
    message: bytes


@dataclass(frozen=True, slots=True)
class Need:
    """What the state must have for a message to succeed: a fresh price of `markets`, nobody insolvent (`solvency`)."""

    markets: frozenset[int] = frozenset()
    solvency: bool = False


class Cause(StrEnum):
    """Why a message is held back."""

    PRICE = "no fresh price"
    INSOLVENCY = "an account is insolvent"


@dataclass(frozen=True, slots=True)
class Hold:
    """Message `index` waits at the head of the queue, at most until L1's time `until` (s).

    A `late` one waits so short before its deadline, or after it, that the batch which takes it must hold all before it.
    """

    index: int
    cause: Cause
    until: int
    late: bool = False


class Patience:
    """Remembers since when it has seen messages wait and markets without a price; all times are L1's, in seconds."""

    def __init__(self, bounds: Bounds, auction: int) -> None:
        """`auction`: how long one runs (s)."""
        deadline = bounds.deadline
        self._bounds = bounds
        self._longest = {
            Cause.PRICE: deadline // SHARE,
            Cause.INSOLVENCY: min(deadline // SHARE, AUCTIONS * auction),
        }
        self._reserve = min(deadline // RESERVE_SHARE, RESERVE_SECONDS)
        self._late = min(self._reserve, bounds.lag // LAG_SHARE)
        self._arrivals: list[tuple[int, int]] = []
        self._stale: dict[int, int] = {}
        self.hold: Hold | None = None
        """What the last `admit` held back, if it did."""

    def see(self, count: int, stale: Iterable[int], now: int) -> None:
        """L1 has `count` messages now, and these markets have no fresh price in the state."""
        while self._arrivals and self._arrivals[-1][0] > count:
            self._arrivals.pop()  # L1 went back; what comes in their place is new
        if not self._arrivals or self._arrivals[-1][0] < count:
            self._arrivals.append((count, now))
        # One spell for all messages: who holds what nobody prices could else hold everybody up, again and again.
        self._stale = {market: self._stale.get(market, now) for market in stale}

    def admit(
        self,
        first: int,
        queue: Sequence[Waiting],
        now: int,
        need: Callable[[bytes], Need],
        *,
        insolvent: bool,
        room: Callable[[], bool],
    ) -> int:
        """How many of `queue`, which begins with message `first`, may be taken now. `see` comes before.

        `room` tells whether one batch can hold all that is signed and not posted, and every message that waits: else no
        late hold is safe.
        """
        self._forget(first)
        self.hold = None
        if not insolvent and not self._stale:
            return len(queue)
        for place, waiting in enumerate(queue):
            hold = self._hold(first + place, waiting, need(waiting.message), insolvent=insolvent)
            if hold is None or now >= hold.until:
                continue
            late = now >= self._last(waiting)
            if not late or room():
                self.hold = replace(hold, late=late)
                return place
        return len(queue)

    def _hold(self, index: int, waiting: Waiting, need: Need, *, insolvent: bool) -> Hold | None:
        """The longest hold that there is a cause for, whether or not it has run out."""
        seen, last = self._seen(index), self._last(waiting)
        holds: list[Hold] = []
        if insolvent and need.solvency:
            holds.append(Hold(index, Cause.INSOLVENCY, min(seen + self._longest[Cause.INSOLVENCY], last)))
        if since := [self._stale[market] for market in need.markets if market in self._stale]:
            begun = min(seen, max(since))
            until = min(begun + self._longest[Cause.PRICE], last)
            holds.append(Hold(index, Cause.PRICE, max(until, self._last_for_price(waiting, begun))))
        return max(holds, key=lambda hold: hold.until, default=None)

    def _last(self, waiting: Waiting) -> int:
        """From when on holding a message leaves no time to post batches without it."""
        return waiting.time + self._bounds.deadline - self._reserve

    def _last_for_price(self, waiting: Waiting, begun: int) -> int:
        """Until when a message may wait for its price even so, if it began to wait for it at `begun`."""
        freezable = waiting.time + self._bounds.deadline + self._bounds.grace
        return begun + min(self._late, max(0, freezable - begun) // FREEZE_SHARE)

    def _seen(self, index: int) -> int:
        return next(now for count, now in self._arrivals if count > index)

    def _forget(self, first: int) -> None:
        while len(self._arrivals) > 1 and self._arrivals[0][0] <= first:
            self._arrivals.pop(0)
