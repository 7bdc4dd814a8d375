"""What was measured: named figures, and rates among them as ratios to signature recovery."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

PER_SECOND: Final = "1/s"
RECOVERY: Final = "recover_1_thread"
"""The rate that all other rates are divided by."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value in its unit; None with a `note` where it could not be measured. `about` says of what."""

    name: str
    value: float | None
    unit: str
    about: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much work each measurement does."""

    recoveries: int = 20_000
    matched: int = 200_000
    blocks: int = 200
    accounts: tuple[int, int] = (1_000, 100_000)
    verifications: int = 3
    traders: int = 64
    orders: int = 30_000
    connections: int = 8
    latency_seconds: float = 6.0
    option_accounts: int = 10_000


QUICK: Final = Scale(2_000, 20_000, 20, (1_000, 10_000), 1, 16, 3_000, 4, 2.0, 2_000)
TINY: Final = Scale(64, 400, 2, (50, 100), 1, 4, 200, 2, 0.4, 40)
"""Too small to mean anything: for tests."""


@dataclass
class Report:
    """All figures of a run; `tell` hears each when it is there."""

    tell: Callable[[Figure, float | None], None] = lambda _figure, _ratio: None
    figures: dict[str, Figure] = field(default_factory=dict)

    def add(self, name: str, value: float | None, unit: str, about: str, note: str = "") -> None:
        """Note a figure."""
        figure = Figure(name, value, unit, about, note)
        self.figures[name] = figure
        self.tell(figure, self.ratio(figure))

    def rate(self, name: str, about: str, count: int, seconds: float) -> None:
        """Note a rate."""
        self.add(name, count / seconds, PER_SECOND, about)

    def ratio(self, figure: Figure) -> float | None:
        """A rate over that of recovery on one thread; None for what is no rate."""
        base = self.figures[RECOVERY].value if RECOVERY in self.figures else None
        if figure.unit != PER_SECOND or figure.value is None or not base:
            return None
        return figure.value / base

    def as_json(self) -> dict[str, Any]:
        """All figures with their ratios, for machines."""
        return {name: as_fields(figure, self.ratio(figure)) for name, figure in self.figures.items()}


def as_fields(figure: Figure, ratio: float | None) -> dict[str, Any]:
    """A figure for machines; rounded, for no clock is better than that."""
    fields: dict[str, Any] = {"value": rounded(figure.value), "unit": figure.unit}
    if ratio is not None:
        fields["ratio"] = rounded(ratio)
    if figure.note:
        fields["note"] = figure.note
    return fields


def rounded(value: float | None) -> float | int | None:
    """Five significant digits."""
    if value is None or isinstance(value, int):
        return value
    return float(f"{value:.5g}")


def timed(work: Callable[[], Any]) -> float:
    """Seconds that the work takes; what was made before it is none of the garbage collector's business meanwhile."""
    gc.collect()
    gc.freeze()
    try:
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun
    finally:
        gc.unfreeze()
