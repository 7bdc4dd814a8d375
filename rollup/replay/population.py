"""Who trades in a replay, drawn from its seed: strategies, money and how often each acts."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from random import Random
from typing import Final

from rollup.crypto.keccak import keccak
from rollup.replay.strategies import Holder, Maker, MeanReverter, NoiseTrader, Strategy, TrendFollower
from rollup.types.limits import MILLION

SHARES: Final = (("maker", 0.10), ("trend", 0.25), ("reverter", 0.25), ("noise", 0.32), ("holder", 0.08))
"""Kinds of traders and their shares of the population."""
WEIGHTS: Final = {"maker": 5.0, "trend": 1.0, "reverter": 1.0, "noise": 1.5, "holder": 0.3}
"""How often a kind acts, relative to the others."""
ORDERS: Final = {"maker": 2.0, "trend": 0.6, "reverter": 0.9, "noise": 1.0, "holder": 0.3}
"""Orders that an action of each kind makes, about: a trader that holds what it wants places none."""


@dataclass(frozen=True, slots=True)
class Character:
    """A trader: what it does, what it brings (µUSD), its key, and how many times a minute it acts on average."""

    number: int
    kind: str
    strategy: Strategy
    deposit: int
    key: bytes
    pace: float


def draw_population(count: int, seed: int, orders_per_minute: float) -> list[Character]:
    """`count` traders who together place about `orders_per_minute`; the same arguments give the same ones."""
    kinds = _kinds(count)
    work = sum(WEIGHTS[kind] * ORDERS[kind] for kind in kinds)
    return [_character(number, kind, seed, orders_per_minute / work) for number, kind in enumerate(kinds)]


def trader_key(seed: int, number: int) -> bytes:
    """The private key of a simulated trader. PUBLIC: anybody can derive it, for the simulation alone."""
    return keccak(b"plumbline replay trader, worth nothing" + seed.to_bytes(8, "big") + number.to_bytes(4, "big"))


def _kinds(count: int) -> list[str]:
    """Kinds by number, in the stated shares for every prefix as well as possible; the first is a maker."""
    drawn = dict.fromkeys((kind for kind, _ in SHARES), 0)
    kinds: list[str] = []
    for number in range(1, count + 1):
        kind = max(SHARES, key=lambda share: share[1] * number - drawn[share[0]])[0] if number > 1 else "maker"
        drawn[kind] += 1
        kinds.append(kind)
    return kinds


def _character(number: int, kind: str, seed: int, unit: float) -> Character:
    luck = Random(f"{seed}/{number}")  # noqa: S311 - reproducible on purpose, protects nothing
    low, high = (200_000, 2_000_000) if kind == "maker" else (5_000, 200_000)
    dollars = exp(luck.uniform(log(low), log(high)))
    pace = min(1.0, WEIGHTS[kind] * unit)
    return Character(number, kind, _strategy(kind, luck), round(dollars) * MILLION, trader_key(seed, number), pace)


def _strategy(kind: str, luck: Random) -> Strategy:
    match kind:
        case "maker":
            return Maker(luck.uniform(1.0, 2.5), luck.uniform(0.0002, 0.0012))
        case "trend":
            return TrendFollower(luck.uniform(0.5, 3.0), luck.choice((10, 30, 60, 240)), luck.uniform(0.004, 0.02))
        case "reverter":
            return MeanReverter(luck.uniform(0.5, 2.5), luck.choice((30, 60, 240, 720)))
        case "noise":
            return NoiseTrader(luck.uniform(0.3, 2.0))
        case _:
            return Holder(luck.uniform(1.5, 3.6))
