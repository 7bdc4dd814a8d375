"""What a replay is made of, and what it tells while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from rollup.replay.tape import Stretch, Tape

HOUR: Final = 3_600
DAY: Final = 24 * HOUR

LEAD: Final = HOUR
"""Recorded seconds before the first candle in which everything is set up."""
DISPUTE_WINDOW: Final = 6 * HOUR
"""Recorded time: in a replay of more than that, batches become final while it goes on."""
PATIENCE_OF_L1: Final = 365 * DAY
"""Proposer timeout, deadline of messages, and lag of batches: recorded days pass in seconds, and posting takes as long
as it takes, so none of them means here what it means on a chain that keeps real time."""
MAX_TIME_AHEAD: Final = DAY
"""L1's clock is moved on in steps, so that blocks are ahead of it by up to one of them, or one candle."""


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """One replay. `l1` is the URL of a development node, None for an embedded one; `folder` keeps database and logs."""

    tape: Tape
    stretch: Stretch
    accounts: int
    orders_per_tick: float
    seed: int
    folder: Path
    l1: str | None = None
    audit_ppm: int = 0
    """Share of the blocks that a challenger executes in py-evm at the end."""


class Observer(Protocol):
    """Hears how a replay goes."""

    def step(self, name: str, figures: Mapping[str, Any]) -> None:
        """A part of the replay is done."""
        ...

    def progress(self, phase: str, done: int, total: int) -> None:
        """How far the present part is."""
        ...
