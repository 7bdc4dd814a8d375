"""The clock of the embedded L1: the wall clock, shifted."""

from __future__ import annotations

from collections.abc import Callable


class ChainClock:
    """Seconds since the epoch as the chain sees them. Never runs backwards from one block to the next."""

    def __init__(self, wall_clock: Callable[[], float], start: int | None) -> None:
        self._wall_clock = wall_clock
        self.offset = 0 if start is None else start - int(wall_clock())
        self._next: int | None = None

    def now(self) -> int:
        """Present time of the chain."""
        return int(self._wall_clock()) + self.offset

    def shift(self, seconds: int) -> None:
        """Move forward."""
        self.offset += seconds

    def set_next(self, timestamp: int) -> None:
        """Give exactly this time to the next block; from then on the clock runs on from it."""
        self._next = timestamp

    def peek(self, parent: int) -> int:
        """Time of the next block, if it were made now on a parent of time `parent`."""
        return max(self.now() if self._next is None else self._next, parent)

    def take(self, parent: int) -> int:
        """Time of the next block, which is being made."""
        timestamp = self.peek(parent)
        if self._next is not None:
            self.offset += timestamp - self.now()
            self._next = None
        return timestamp
