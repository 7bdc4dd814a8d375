"""Who plays in a leveraged replay: gamblers at many times their equity, who never shed, and those they trade with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from random import Random
from typing import ClassVar, Final

from rollup.replay.population import Character, trader_key
from rollup.replay.strategies import (
    Holding,
    Maker,
    NoiseTrader,
    Scene,
    Strategy,
    TrendFollower,
    Wish,
    size_of,
    take_towards,
    wish,
)
from rollup.types.limits import MILLION

SHARES: Final[Mapping[str, float]] = {
    "bull": 0.40, "bear": 0.14, "maker": 0.14, "trend": 0.12, "noise": 0.12, "writer": 0.08,
}  # fmt: skip
PACES: Final[Mapping[str, float]] = {"bull": 0.25, "bear": 0.25, "maker": 1.0, "trend": 0.3, "noise": 0.5}
"""How often a kind acts in a tick, before everybody is slowed down or hurried alike."""
DEPOSITS: Final[Mapping[str, tuple[int, int]]] = {"maker": (200_000, 1_500_000), "writer": (20_000, 200_000)}
"""Least and most dollars that a kind brings."""
USUAL: Final = (2_000, 80_000)
GREEDS: Final = (600, 1_200, 2_500)
"""One liquidator each: the gain that it wants, ppm of the value at the marks."""
LIQUIDATOR_DEPOSIT: Final = 60_000 * MILLION
"""Each; enough for about a million dollars of positions, so that a great crash exhausts them."""
BUYER_DEPOSIT: Final = 5_000_000 * MILLION
"""Of the one who buys the options that writers sell."""


@dataclass(frozen=True, slots=True)
class Gambler:
    """Builds up to its leverage on one side whenever equity allows, and never sheds: somebody else must."""

    requotes: ClassVar[bool] = False
    leverage: float
    sell: bool

    def wishes(self, scene: Scene, holding: Holding, luck: Random) -> list[Wish]:
        """One immediate order towards the full position, unless it is (nearly) there or below maintenance."""
        if holding.equity <= holding.maintenance:
            return []
        target = self.leverage * holding.equity * (-1 if self.sell else 1)
        missing = target - holding.value(scene.mark)
        if missing * (-1 if self.sell else 1) <= 0:
            return []
        return take_towards(scene, holding, target, luck.uniform(0.3, 0.8))


@dataclass(frozen=True, slots=True)
class Unwinder:
    """A liquidator's other half: sells what it took over, as far as anybody buys within one per cent of the mark."""

    requotes: ClassVar[bool] = False

    def wishes(self, scene: Scene, holding: Holding, luck: Random) -> list[Wish]:
        """One immediate reduce-only order for part of the position."""
        if not holding.size:
            return []
        sell = holding.size > 0
        size = max(size_of(scene, abs(holding.value(scene.mark)) * luck.uniform(0.1, 0.4)), scene.market.lot)
        price = 0.99 if sell else 1.01
        return wish(scene, sell, min(size, abs(holding.size)), price, 60, reduce_only=True, immediate=True)


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody, in order of their accounts: players, then liquidators, then the one who buys options."""

    characters: tuple[Character, ...]

    def numbers(self, kind: str) -> list[int]:
        """Places in the cast of a kind."""
        return [place for place, character in enumerate(self.characters) if character.kind == kind]


def draw_cast(count: int, seed: int, orders_per_tick: float) -> Cast:
    """`count` players who place about `orders_per_tick`, and the few others; the same arguments give the same ones."""
    kinds = _kinds(count)
    work = sum(PACES.get(kind, 0.0) * (2 if kind == "maker" else 1) for kind in kinds)
    hurry = orders_per_tick / work if work else 0.0
    drawn = [_player(number, kind, seed, hurry) for number, kind in enumerate(kinds)]
    for greed in GREEDS:
        drawn.append(_other(len(drawn), "liquidator", Unwinder(), LIQUIDATOR_DEPOSIT, seed))
        assert greed > 0, "a liquidator wants to gain"
    drawn.append(_other(len(drawn), "buyer", Unwinder(), BUYER_DEPOSIT, seed))
    return Cast(tuple(drawn))


def _kinds(count: int) -> list[str]:
    """Kinds in the stated shares for every prefix as well as possible; the first is a maker."""
    drawn = dict.fromkeys(SHARES, 0)
    kinds: list[str] = []
    for number in range(1, count + 1):
        kind = "maker" if number == 1 else max(SHARES, key=lambda kind: SHARES[kind] * number - drawn[kind])
        drawn[kind] += 1
        kinds.append(kind)
    return kinds


def _player(number: int, kind: str, seed: int, hurry: float) -> Character:
    luck = Random(f"{seed}/leverage/{number}")  # noqa: S311 - reproducible on purpose, protects nothing
    low, high = DEPOSITS.get(kind, USUAL)
    dollars = exp(luck.uniform(log(low), log(high)))
    pace = min(1.0, PACES.get(kind, 0.0) * hurry)
    return Character(number, kind, _strategy(kind, luck), round(dollars) * MILLION, trader_key(seed, number), pace)


def _other(number: int, kind: str, strategy: Strategy, deposit: int, seed: int) -> Character:
    pace = 1.0 if kind == "liquidator" else 0.0
    return Character(number, kind, strategy, deposit, trader_key(seed, number), pace)


def _strategy(kind: str, luck: Random) -> Strategy:
    match kind:
        case "maker":
            return Maker(luck.uniform(3.0, 8.0), luck.uniform(0.0002, 0.0012))
        case "trend":
            return TrendFollower(luck.uniform(3.0, 20.0), luck.choice((10, 30, 60)), luck.uniform(0.004, 0.02))
        case "noise":
            return NoiseTrader(luck.uniform(1.0, 6.0))
        case _:
            return Gambler(luck.uniform(12.0, 75.0), sell=kind == "bear")
