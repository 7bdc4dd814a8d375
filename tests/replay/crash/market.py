"""A made-up fall for leveraged replays: slow enough for auctions first, then faster than any of them."""

from __future__ import annotations

from math import sin
from pathlib import Path

from tests.replay.market import BEGIN


def closes_of_a_fall() -> list[int]:
    """Dollars, minute by minute: calm, half an hour down by a tenth of a per cent a minute, four plunges, calm."""
    closes = [36_000.0]
    for minute in range(1, 56):
        step = -0.001 if 10 <= minute < 40 else -0.016 if 40 <= minute < 44 else 0.0
        closes.append(closes[-1] * (1 + step + 0.0005 * sin(minute)))
    return [round(close) for close in closes]


def write_fall(path: Path) -> Path:
    """A candle file as they are recorded, one line a minute."""
    closes = closes_of_a_fall()
    lines = ["timestamp,open,high,low,close,volume"]
    for minute, (opened, closed) in enumerate(zip([closes[0], *closes], closes, strict=False)):
        lines.append(f"{BEGIN + 60 * minute},{opened},{max(opened, closed)},{min(opened, closed)},{closed},1.0")
    path.write_text("\n".join(lines) + "\n")
    return path
