"""What the feeders say a coin costs: a seeded random walk with jumps, a fixed price, or recorded candles."""

from __future__ import annotations

import bisect
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from rollup.devnet.candles import Candle
from rollup.types.leaves import Underlying
from rollup.types.limits import MILLION, PRICE_BOUND

YEAR: Final = 365 * 86_400


@dataclass(frozen=True, slots=True)
class Quote:
    """Prices of one coin in µUSD: its spot, and the mark of its perpetual."""

    spot: int
    mark: int


class PriceSource(Protocol):
    """A coin's price in the course of time."""

    def quote(self, elapsed: float) -> Quote:
        """Prices `elapsed` seconds after the start; asked with rising times."""
        ...


class FixedPrice:
    """A price that stands still, for tests of everything else."""

    def __init__(self, price: int) -> None:
        self._quote = Quote(price, price)

    def quote(self, elapsed: float) -> Quote:  # noqa: ARG002 - it does not matter when
        """Always the same."""
        return self._quote


class RandomWalk:
    """Geometric Brownian motion with jumps; the mark wanders around spot by a fraction of a percent.

    `volatility` is annual (0.6: 60 %); jumps come `jumps_per_day` times a day on average, with a standard deviation of
    `jump_size`. The same seed and the same times give the same prices.
    """

    def __init__(
        self,
        seed: int | str,
        start: int,
        *,
        volatility: float = 0.6,
        jumps_per_day: float = 24.0,
        jump_size: float = 0.005,
    ) -> None:
        self._random = random.Random(seed)  # noqa: S311 - reproducible on purpose, protects nothing
        self._log = math.log(start)
        self._basis = 0.0
        self._time = 0.0
        self._volatility = volatility
        self._jump_rate = jumps_per_day / 86_400
        self._jump_size = jump_size

    def quote(self, elapsed: float) -> Quote:
        """Walk on to `elapsed`."""
        step = max(0.0, elapsed - self._time)
        self._time += step
        self._log += self._random.gauss(0.0, self._volatility * math.sqrt(step / YEAR))
        if self._random.random() < 1 - math.exp(-self._jump_rate * step):
            self._log += self._random.gauss(0.0, self._jump_size)
        # The basis is pulled back to zero within some ten minutes and stays within half a percent.
        self._basis += self._random.gauss(0.0, 0.0001 * math.sqrt(step)) - self._basis * min(1.0, step / 600)
        self._basis = min(0.005, max(-0.005, self._basis))
        spot = _bounded(round(math.exp(self._log)))
        return Quote(spot, _bounded(round(spot * (1 + self._basis))))


class RecordedPrice:
    """Recorded candles, from the first on; `speed` recorded seconds pass in one. After the last one its close stays.

    Within a candle the price goes straight from open to close; spot and mark are the same, because one was recorded.
    """

    def __init__(self, candles: Sequence[Candle], *, speed: float = 1.0) -> None:
        assert candles, "a price needs at least one candle"
        self._candles = candles
        self._times = [candle.time for candle in candles]
        self._speed = speed

    def quote(self, elapsed: float) -> Quote:
        """The price of the recorded moment."""
        moment = self._times[0] + elapsed * self._speed
        index = max(0, bisect.bisect_right(self._times, moment) - 1)
        candle = self._candles[index]
        end = self._times[index + 1] if index + 1 < len(self._times) else candle.time + 60
        share = min(1.0, max(0.0, (moment - candle.time) / (end - candle.time)))
        price = _bounded(round(candle.open + (candle.close - candle.open) * share))
        return Quote(price, price)


def within_limits(wanted: Quote, known: Underlying, time: int) -> Quote:
    """The allowed quote nearest to `wanted` for an update at `time` (s) of a coin that stands as `known`.

    The rollup refuses a spot that moves faster than `max_move` and a mark further than `max_basis` from spot; a feeder
    that sent such a price would send none at all, so it goes as far as it may and catches up with the next updates.
    """
    spot = wanted.spot
    if known.time > 0:
        reach = known.max_move * (1 + max(0, time - known.time) // 60) * known.spot // MILLION
        spot = min(max(spot, known.spot - reach, 1), known.spot + reach)
    spot = _bounded(spot)
    width = known.max_basis * spot // MILLION
    return Quote(spot, _bounded(min(max(wanted.mark, spot - width), spot + width)))


def _bounded(price: int) -> int:
    return min(max(price, 1), PRICE_BOUND - 1)
