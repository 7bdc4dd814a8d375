"""L1's time as the sequencer knows it, and what follows from it: the time of blocks, and how long one may go on alone.

L1 refuses a batch whose blocks are too far ahead of it or too far behind, for good: what was signed cannot be signed
again with another time. So the machine's clock is believed only near L1's own, and a sequencer that has not heard from
L1 for long, or cannot post there, stops before its blocks are past posting.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from rollup.sequencer.options import Clock

SHARE: Final = 4
"""A quarter of what L1 would bear may pass in silence; a quarter is left for the operator and for catching up."""


class L1Time:
    """The clock of blocks: the machine's own, held within half of what L1 admits around L1's time. Unix seconds."""

    def __init__(
        self, wall: Clock, *, ahead: int, lag: int, patience: int, steady: Callable[[], float] = time.monotonic
    ) -> None:
        """`ahead` and `lag` are L1's bounds for a block's time, `patience` its force deadline, all in seconds.

        `steady` never jumps; it tells how long ago L1 was heard.
        """
        self._wall = wall
        self._ahead = ahead // 2
        self._lag = lag // 2
        self._too_old = lag - lag // SHARE
        self._alone = min(lag, patience) // SHARE
        self._steady = steady
        self._l1: int | None = None
        self._heard = 0.0
        self._unposted: int | None = None
        self._waiting_since = 0.0

    def hear(self, timestamp: int) -> None:
        """The time of L1's newest block, just read."""
        self._l1, self._heard = timestamp, self._steady()

    @property
    def l1(self) -> int | None:
        """L1's time now, by what it was when last heard; None before that."""
        return None if self._l1 is None else self._l1 + int(self._steady() - self._heard)

    def now(self) -> int:
        """The time that the next block shall have, unless the last one had a later one."""
        wall, l1 = self._wall(), self.l1
        return wall if l1 is None else min(max(wall, l1 - self._lag), l1 + self._ahead)

    def deviation(self) -> int:
        """By how many seconds the machine's clock is further off than is believed; 0 if it is not."""
        return self._wall() - self.now()

    def trouble(self, number: int, timestamp: int | None) -> str:
        """Why nothing more may be acknowledged, empty if it may.

        `number` and `timestamp` are those of the first block that is not on L1; None if there is none.
        """
        steady, l1 = self._steady(), self.l1
        if timestamp is None or number != self._unposted:
            self._unposted, self._waiting_since = number, steady
        if l1 is None:
            return ""
        silent, waiting = int(steady - self._heard), int(steady - self._waiting_since)
        if silent > self._alone:
            return f"nothing was heard from L1 for {silent} s"
        if waiting > self._alone:
            return f"block {number} has waited for L1 for {waiting} s"
        if timestamp is not None and l1 - timestamp > self._too_old:
            return f"block {number} is {l1 - timestamp} s old, and L1 will soon refuse it"
        return ""
