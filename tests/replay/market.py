"""What replay tests share: candles of a made-up crash, and an observer that remembers."""

from __future__ import annotations

from collections.abc import Mapping
from math import sin
from pathlib import Path
from typing import Any

import trio

from rollup.feeder.candles import Candle, read_candles
from rollup.replay.run import run_replay
from rollup.replay.settings import ReplaySettings
from rollup.replay.tape import Tape, read_stretch
from rollup.types.limits import MILLION

STEPS = ["network", "accounts", "trading", "posting", "invariants", "verification"]
BEGIN = 1_600_000_020


def closes_of_a_crash(count: int) -> list[int]:
    """Whole dollars: a wavering market that loses a sixth around the middle and finds back a little."""
    closes = []
    for minute in range(count):
        fall = 6_000 / (1 + 2.718 ** (-(minute - count / 2) / 3))
        closes.append(round(36_000 - fall + 120 * sin(minute / 2.0) + minute * 5))
    return closes


def candles_of_a_crash(count: int) -> list[Candle]:
    """The same as candles, one a minute."""
    closes = [close * MILLION for close in closes_of_a_crash(count)]
    return [
        Candle(BEGIN + 60 * minute, opened, max(opened, closed), min(opened, closed), closed)
        for minute, (opened, closed) in enumerate(zip([closes[0], *closes], closes, strict=False))
    ]


def write_crash(path: Path, count: int) -> Path:
    """A candle file as they are recorded, one line a minute."""
    closes = closes_of_a_crash(count)
    lines = ["timestamp,open,high,low,close,volume"]
    for minute, (opened, closed) in enumerate(zip([closes[0], *closes], closes, strict=False)):
        lines.append(f"{BEGIN + 60 * minute},{opened},{max(opened, closed)},{min(opened, closed)},{closed},1.0")
    path.write_text("\n".join(lines) + "\n")
    return path


class Remembering:
    """An observer that keeps what it hears."""

    def __init__(self) -> None:
        self.steps: dict[str, Mapping[str, Any]] = {}
        self.progressed: dict[str, list[tuple[int, int]]] = {}

    def step(self, name: str, figures: Mapping[str, Any]) -> None:
        """Keep a step's figures."""
        self.steps[name] = figures

    def progress(self, phase: str, done: int, total: int) -> None:
        """Keep how far a part was."""
        self.progressed.setdefault(phase, []).append((done, total))


async def replay_file(
    path: Path, folder: Path, *, ticks: int | None, accounts: int, orders: float, seed: int = 1, l1: str | None = None
) -> tuple[dict[str, Any], Remembering]:
    """Replay a candle file; returns the summary and what the observer heard."""
    candles: list[Candle] = list(read_candles(path))
    stretch = read_stretch(candles, ticks, None)
    heard = Remembering()
    await trio.Path(folder).mkdir()
    settings = ReplaySettings(Tape(candles), stretch, accounts, orders, seed, folder, l1)
    return await run_replay(settings, heard), heard
