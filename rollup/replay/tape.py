"""The recorded market as the simulation sees it: one tick a candle, and what a trader reads off its past.

Only the perpetual was recorded. Its close is the mark; the index it is funded against is taken to be its own average
over the last minutes, which lags behind it, so that a fast market pays funding as it does on an exchange.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import sqrt
from typing import Final

from rollup.errors import ConfigError
from rollup.feeder.candles import Candle
from rollup.quant.sources import Prices

INDEX_MEMORY: Final = 5
"""Candles after which a step of the mark has moved the index by about two thirds."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Ticks `first` to `last` of a tape, both included."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1


class Tape:
    """All candles as ticks, numbered from 0."""

    def __init__(self, candles: Sequence[Candle]) -> None:
        if not candles:
            raise ConfigError("a replay needs at least one candle")
        self.times = [candle.time for candle in candles]
        self.marks = [candle.close for candle in candles]
        self.spots = list(accumulate(self.marks, _index))
        self._sums = [0, *accumulate(self.marks)]
        self._squares = [0, *accumulate(mark * mark for mark in self.marks)]

    def __len__(self) -> int:
        return len(self.times)

    def delay(self, seconds: int) -> None:
        """Move every time `seconds` later."""
        self.times = [time + seconds for time in self.times]

    def quote(self, tick: int) -> Prices:
        """What the oracle says at a tick."""
        return Prices(self.spots[tick], self.marks[tick])

    def change(self, tick: int, back: int) -> float:
        """Relative change of the mark over the last `back` ticks, as far as the tape reaches back."""
        before = self.marks[max(0, tick - back)]
        return (self.marks[tick] - before) / before

    def deviation(self, tick: int, window: int) -> float:
        """How many standard deviations the mark is above its mean of the last `window` ticks; 0 if it never moved."""
        first, end = max(0, tick - window + 1), tick + 1
        count = end - first
        total = self._sums[end] - self._sums[first]
        variance = count * (self._squares[end] - self._squares[first]) - total * total  # count² times the variance
        return (count * self.marks[tick] - total) / sqrt(variance) if variance > 0 else 0.0


def read_stretch(candles: Sequence[Candle], ticks: int | None, start: int | None) -> Stretch:
    """The stretch to replay: `ticks` candles (None: all) from the Unix time `start` on.

    Without a start it is the stretch of that length in which the price falls the most, because a crash is what tests
    margin, bands and oracle limits. `ConfigError` if the candles have no such stretch.
    """
    if ticks is not None and ticks < 1:
        raise ConfigError("a replay has at least one minute")
    if start is not None:
        first = next((number for number, candle in enumerate(candles) if candle.time >= start), None)
        if first is None:
            raise ConfigError("the candles end before the replay would start")
        return Stretch(first, _last(candles, first, ticks))
    if ticks is None or ticks >= len(candles):
        return Stretch(0, len(candles) - 1)
    first = min(range(len(candles) - ticks + 1), key=lambda at: candles[at + ticks - 1].close / candles[at].close)
    return Stretch(first, first + ticks - 1)


def _last(candles: Sequence[Candle], first: int, ticks: int | None) -> int:
    return len(candles) - 1 if ticks is None else min(len(candles), first + ticks) - 1


def _index(before: int, mark: int) -> int:
    """One step of the exponential average; integer, so that every platform replays the same."""
    return before + (mark - before) // INDEX_MEMORY
