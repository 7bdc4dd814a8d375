"""What the simulated traders do: pure functions of the tape, their own holding and a seeded source of luck.

None of them means to go bankrupt: each keeps its position within its leverage, sheds when its equity falls near its
margin, and quotes within the price band. Holders are the exception on purpose: they buy and sit through a crash.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar, Final, Protocol

from rollup.replay.tape import Tape
from rollup.types.leaves import Market
from rollup.types.limits import MILLION

BAND: Final = 0.04
"""Prices asked for stay within this fraction of the mark; the market itself takes 5 %."""
SHED_BELOW: Final = 1.4
"""A trader sheds a quarter of its position while its equity is below this multiple of its maintenance margin."""
TAKER_SLIP: Final = 0.004
"""How much worse than the mark an immediate order may fill."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The market at one tick; `market` gives tick and lot."""

    tape: Tape
    tick: int
    market: Market

    @property
    def mark(self) -> int:
        """µUSD per coin."""
        return self.tape.marks[self.tick]


@dataclass(frozen=True, slots=True)
class Holding:
    """What a trader has: equity and maintenance margin in µUSD, position in µcoin (negative: short)."""

    equity: int
    maintenance: int
    size: int

    def value(self, mark: int) -> float:
        """Signed value of the position in µUSD."""
        return self.size * mark / MILLION


@dataclass(frozen=True, slots=True)
class Wish:
    """An order that a trader wants; µcoin, µUSD per coin, seconds to live. `immediate` never rests."""

    sell: bool
    size: int
    price: int
    life: int
    post_only: bool = False
    reduce_only: bool = False
    immediate: bool = False


class Strategy(Protocol):
    """One way to trade; `requotes` if it takes its open orders off the book before it places others."""

    requotes: ClassVar[bool]

    def wishes(self, scene: Scene, holding: Holding, luck: Random) -> list[Wish]:
        """Orders to place now; `luck` decides between equals."""
        ...


@dataclass(frozen=True, slots=True)
class Maker:
    """Quotes both sides around the mark, leaning against what it holds. `half_spread` is a fraction of the mark."""

    requotes: ClassVar[bool] = True
    leverage: float
    half_spread: float

    def wishes(self, scene: Scene, holding: Holding, luck: Random) -> list[Wish]:
        """A bid and an ask, each a twelfth of what it may hold; the side that would overfill it is left out."""
        reach = self.leverage * max(holding.equity, 0)
        if reach <= 0:
            return shed(scene, holding)
        fullness = max(-1.0, min(1.0, holding.value(scene.mark) / reach))
        middle = 1 - fullness * 4 * self.half_spread
        life = luck.choice((60, 120, 180))
        quotes: list[Wish] = []
        for sell, room in ((False, 1 - fullness), (True, 1 + fullness)):
            distance = self.half_spread * luck.uniform(0.6, 1.6)
            price = middle + distance if sell else middle - distance
            size = size_of(scene, min(reach / 12, reach * room))
            quotes += wish(scene, sell, size, price, life, post_only=True)
        return quotes


@dataclass(frozen=True, slots=True)
class TrendFollower:
    """Holds with the move of the last `window` ticks, at its full leverage from a move of `full` (a fraction) on."""

    requotes: ClassVar[bool] = False
    leverage: float
    window: int
    full: float

    def wishes(self, scene: Scene, holding: Holding, luck: Random) -> list[Wish]:
        """One immediate order towards the position that the move asks for."""
        if is_strained(holding):
            return shed(scene, holding)
        conviction = max(-1.0, min(1.0, scene.tape.change(scene.tick, self.window) / self.full))
        target = conviction * self.leverage * holding.equity
        return take_towards(scene, holding, target, luck.uniform(0.15, 0.5))


@dataclass(frozen=True, slots=True)
class MeanReverter:
    """Sells what is above its mean of the last `window` ticks and buys what is below, with orders that rest."""

    requotes: ClassVar[bool] = False
    leverage: float
    window: int

    def wishes(self, scene: Scene, holding: Holding, luck: Random) -> list[Wish]:
        """One limit order near the mark towards the position that the deviation asks for."""
        if is_strained(holding):
            return shed(scene, holding)
        deviation = scene.tape.deviation(scene.tick, self.window)
        target = -max(-1.0, min(1.0, deviation / 2)) * self.leverage * holding.equity
        gap = (target - holding.value(scene.mark)) * luck.uniform(0.1, 0.4)
        distance = luck.uniform(-0.0005, 0.0015)
        price = 1 + distance if gap < 0 else 1 - distance
        return wish(scene, gap < 0, size_of(scene, abs(gap)), price, luck.choice((120, 300, 600)))


@dataclass(frozen=True, slots=True)
class NoiseTrader:
    """Trades for no reason, now at once and now with a limit, and turns back when it holds much."""

    requotes: ClassVar[bool] = False
    leverage: float

    def wishes(self, scene: Scene, holding: Holding, luck: Random) -> list[Wish]:
        """One small order."""
        if is_strained(holding):
            return shed(scene, holding)
        reach = self.leverage * holding.equity
        sell = luck.random() < 0.5 + 0.5 * max(-1.0, min(1.0, holding.value(scene.mark) / reach))
        size = size_of(scene, reach * luck.uniform(0.02, 0.2))
        if luck.random() < 0.6:
            return wish(scene, sell, size, _slipped(sell), 60, immediate=True)
        distance = luck.uniform(0.0, 0.004)
        return wish(scene, sell, size, 1 + distance if sell else 1 - distance, luck.choice((120, 600)))


@dataclass(frozen=True, slots=True)
class Holder:
    """Buys up to its leverage while it rises above it, and never sells: what a crash brings below its margin."""

    requotes: ClassVar[bool] = False
    leverage: float

    def wishes(self, scene: Scene, holding: Holding, luck: Random) -> list[Wish]:
        """One immediate purchase, until it holds what it wants."""
        if holding.size and is_strained(holding):
            return []
        gap = self.leverage * holding.equity - holding.value(scene.mark)
        if gap <= 0.05 * self.leverage * holding.equity:
            return []
        return wish(scene, False, size_of(scene, gap * luck.uniform(0.2, 0.6)), _slipped(False), 60, immediate=True)


def is_strained(holding: Holding) -> bool:
    """Whether a trader should shed rather than trade."""
    return holding.equity <= 0 or holding.equity < SHED_BELOW * holding.maintenance


def shed(scene: Scene, holding: Holding) -> list[Wish]:
    """A reduce-only order for a quarter of the position, or nothing where there is none."""
    sell = holding.size > 0
    size = size_of(scene, max(abs(holding.value(scene.mark)) / 4, _one_lot(scene)))
    return wish(scene, sell, min(size, abs(holding.size)), _slipped(sell), 60, reduce_only=True, immediate=True)


def take_towards(scene: Scene, holding: Holding, target: float, share: float) -> list[Wish]:
    """An immediate order for `share` of the way to a position worth `target` µUSD; nothing if it is nearly there."""
    gap = target - holding.value(scene.mark)
    if abs(gap) < 0.1 * holding.equity:
        return []
    sell = gap < 0
    return wish(scene, sell, size_of(scene, abs(gap) * share), _slipped(sell), 60, immediate=True)


def wish(
    scene: Scene,
    sell: bool,
    size: int,
    price: float,
    life: int,
    *,
    post_only: bool = False,
    reduce_only: bool = False,
    immediate: bool = False,
) -> list[Wish]:
    """An order at `price` times the mark, put on the tick grid; nothing if its size is nothing."""
    if size <= 0:
        return []
    wanted = round(scene.mark * max(1 - BAND, min(1 + BAND, price)))
    tick = scene.market.tick
    on_grid = max(tick, wanted - wanted % tick)
    return [Wish(sell, size, on_grid, life, post_only, reduce_only, immediate)]


def size_of(scene: Scene, value: float) -> int:
    """Size (µcoin, whole lots, rounded down) that is worth `value` µUSD at the mark."""
    size = int(value * MILLION / scene.mark)
    return max(0, size - size % scene.market.lot)


def _one_lot(scene: Scene) -> float:
    return 1.01 * scene.market.lot * scene.mark / MILLION


def _slipped(sell: bool) -> float:
    return 1 - TAKER_SLIP if sell else 1 + TAKER_SLIP
