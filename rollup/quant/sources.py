"""Where oracle values come from: a recorded option chain, recorded candles, or a random walk with jumps.

A source says, at rising times since its start, what a coin costs and what each expiry's forward and slice are. What it
says of a moment depends on nothing but its settings and the moment, not on when it was asked before: feeders that each
run their own source arrive at the same values and can co-sign them.
"""

from __future__ import annotations

import bisect
import math
import random
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from rollup.errors import NoSurface
from rollup.quant.black76 import YEAR
from rollup.quant.chain import Chain
from rollup.quant.fit import fit_slice
from rollup.quant.surfaces import SmileShape, Surface, confidence_of
from rollup.quant.svi import WireSvi
from rollup.types.limits import MILLION, PRICE_BOUND

_CALM: Final = 0.02
"""How much of a new squared return a candle source's volatility takes: half of it is forgotten in 34 candles."""


class Prices(NamedTuple):
    """Prices of one coin in µUSD: its spot, and the mark of its perpetual."""

    spot: int
    mark: int


class Source(Protocol):
    """One coin's market in the course of time."""

    def prices(self, elapsed: float) -> Prices:
        """Spot and mark `elapsed` seconds after the start."""
        ...

    def surface(self, elapsed: float, expiry: float) -> Surface:
        """Forward and slice of the expiry that is `expiry` seconds after the start.

        Raises NoSurface if the source knows none.
        """
        ...


class Candle(Protocol):
    """One interval of a recording: its start (s) and prices in µUSD."""

    @property
    def time(self) -> int: ...  # noqa: D102 - see the class
    @property
    def open(self) -> int: ...  # noqa: D102
    @property
    def close(self) -> int: ...  # noqa: D102


class ChainSource:
    """A recorded option chain that stands still: its index, and per expiry its forward and the slice that fits it.

    Times count from the moment the chain was recorded. Expiries that cannot be fitted are left out.
    """

    def __init__(self, chain: Chain) -> None:
        price = _bounded(chain.index * MILLION)
        self._prices = Prices(price, price)
        self._surfaces: dict[float, Surface] = {}
        self.start = int(chain.time)
        for expiry in chain.expiries:
            try:
                fit = fit_slice(expiry.mark_smile())
            except NoSurface:
                continue
            forward = _bounded(expiry.forward() * MILLION)
            self._surfaces[expiry.expiry] = Surface(forward, WireSvi.of(fit.svi), confidence_of(fit))

    @property
    def surfaces(self) -> Mapping[float, Surface]:
        """Surfaces by expiry (s of Unix time)."""
        return self._surfaces

    def prices(self, elapsed: float) -> Prices:  # noqa: ARG002 - it does not matter when
        """The chain's index, twice: it has no perpetual."""
        return self._prices

    def surface(self, elapsed: float, expiry: float) -> Surface:  # noqa: ARG002 - it does not matter when
        """The surface of an expiry of the chain."""
        found = self._surfaces.get(self.start + expiry)
        if found is None:
            raise NoSurface(f"the chain has no slice for an expiry {expiry} s after it was recorded")
        return found


class CandleSource:
    """Recorded candles, from the first on; `speed` recorded seconds pass in one. After the last one its close stays.

    Only prices were recorded. Forwards carry `carry` a year, and the volatility at the money is that of the candles'
    own returns, exponentially averaged, but never below `volatility`: it jumps when the market does.
    """

    def __init__(
        self,
        candles: Sequence[Candle],
        *,
        speed: float = 1.0,
        volatility: float = 0.6,
        carry: float = 0.0,
        shape: SmileShape | None = None,
    ) -> None:
        assert candles, "a price needs at least one candle"
        self._candles = candles
        self._times = [candle.time for candle in candles]
        self._speed = speed
        self._carry = carry
        self._shape = shape or SmileShape()
        self._volatilities = _realised(candles, volatility)

    def prices(self, elapsed: float) -> Prices:
        """Between open and close of the candle, in a straight line."""
        index, share = self._place(elapsed)
        candle = self._candles[index]
        price = _bounded(candle.open + (candle.close - candle.open) * share)
        return Prices(price, price)

    def surface(self, elapsed: float, expiry: float) -> Surface:
        """The shape at the volatility of the returns before this candle."""
        years = _years_left(elapsed, expiry)
        index, _ = self._place(elapsed)
        return _made_up(self.prices(elapsed).spot, self._volatilities[index], self._carry, years, self._shape)

    def _place(self, elapsed: float) -> tuple[int, float]:
        moment = self._times[0] + elapsed * self._speed
        index = max(0, bisect.bisect_right(self._times, moment) - 1)
        start = self._times[index]
        end = self._times[index + 1] if index + 1 < len(self._times) else start + 60
        return index, min(1.0, max(0.0, (moment - start) / (end - start)))


class WalkSource:
    """A random walk with jumps, second by second; its volatility is pulled back to `volatility` within a day.

    Jumps come `jumps_per_day` times a day on average, with a standard deviation of `jump_size`; each raises the
    volatility by its own size, and prices that fall raise it too. The perpetual's mark wanders around spot by a
    fraction of a percent. Asked for an earlier time than before, it answers for the latest.
    """

    def __init__(
        self,
        seed: int | str,
        start: int,
        *,
        volatility: float = 0.6,
        carry: float = 0.03,
        jumps_per_day: float = 24.0,
        jump_size: float = 0.005,
        shape: SmileShape | None = None,
    ) -> None:
        self._random = random.Random(seed)  # noqa: S311 - reproducible on purpose, protects nothing
        self._log = math.log(start)
        self._basis = 0.0
        self._seconds = 0
        self._usual = math.log(volatility)
        self._level = self._usual
        self._carry = carry
        self._jump_rate = jumps_per_day / 86_400
        self._jump_size = jump_size
        self._shape = shape or SmileShape()

    def prices(self, elapsed: float) -> Prices:
        """Walk on to the last whole second."""
        while self._seconds < math.floor(elapsed):
            self._step()
        spot = _bounded(math.exp(self._log))
        return Prices(spot, _bounded(spot * (1 + self._basis)))

    def surface(self, elapsed: float, expiry: float) -> Surface:
        """The shape at the walk's volatility of the moment."""
        years = _years_left(elapsed, expiry)
        return _made_up(self.prices(elapsed).spot, math.exp(self._level), self._carry, years, self._shape)

    def _step(self) -> None:
        """One second. As many draws whatever happens, so that settings do not shift the stream."""
        draw = self._random
        price, jump, size, level, basis = draw.gauss(), draw.random(), draw.gauss(), draw.gauss(), draw.gauss()
        move = price * math.exp(self._level) * math.sqrt(1 / YEAR)
        if jump < self._jump_rate:
            move += size * self._jump_size
            self._level += abs(size) * self._jump_size * 5
        self._log += move
        self._level += (self._usual - self._level) / 86_400 - 2 * move + level * 0.0002
        self._level = min(max(self._level, math.log(0.05)), math.log(4.0))
        # Pulled back to zero within some ten minutes, and within half a percent always.
        self._basis = min(0.005, max(-0.005, self._basis * (1 - 1 / 600) + basis * 0.0001))
        self._seconds += 1


def _realised(candles: Sequence[Candle], least: float) -> list[float]:
    """Volatility at each candle's start: annualised, averaged over the returns before it."""
    mean, found, last = least**2, [], None
    for candle in candles:
        if last is not None:
            rate = math.log(candle.open / last.open) ** 2 * YEAR / (candle.time - last.time)
            mean += _CALM * (rate - mean)
        found.append(max(least, math.sqrt(mean)))
        last = candle
    return found


def _years_left(elapsed: float, expiry: float) -> float:
    if expiry <= elapsed:
        raise NoSurface("the expiry has passed")
    return (expiry - elapsed) / YEAR


def _made_up(spot: int, volatility: float, carry: float, years: float, shape: SmileShape) -> Surface:
    return Surface(_bounded(spot * math.exp(carry * years)), WireSvi.of(shape.slice(volatility, years)))


def _bounded(price: float) -> int:
    return min(max(round(price), 1), PRICE_BOUND - 1)
