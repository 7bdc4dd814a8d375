"""`rollup replay`: recorded candles, simulated traders, the real rollup, and at the end the verdict."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from cyclopts import Parameter

from rollup.cli.options import DEFAULT, Common
from rollup.cli.output import Output
from rollup.errors import ConfigError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

ALL: Final = "all"
JSON_EVERY: Final = 10.0
"""Per cent between two lines of progress for machines."""


async def replay(
    *,
    candles: Annotated[Path, Parameter(help="CSV of one-minute candles (.gz allowed)")],
    accounts: Annotated[int, Parameter(help="simulated accounts")] = 400,
    minutes: Annotated[str, Parameter(help="how many candles to replay, or `all`")] = "1440",
    start: Annotated[
        str | None, Parameter(name="--from", help="time to begin at (ISO 8601); default: before the deepest fall")
    ] = None,
    orders: Annotated[float, Parameter(help="orders per candle, about")] = 40.0,
    seed: Annotated[int, Parameter(help="seed of traders and their luck")] = 1,
    l1: Annotated[str | None, Parameter(help="URL of a development node; default: an embedded L1")] = None,
    data: Annotated[Path | None, Parameter(help="new folder for database and logs; default: nothing is kept")] = None,
    common: Common = DEFAULT,
) -> None:
    """Replay recorded candles with simulated traders, check every promise, and rebuild the state from L1 alone.

    The oracle says the candles' closes; accounts trade through the real order book and state transition; batches go to
    L1. Exit code 0 only if money and open interest add up to the unit and L1 alone gives the same state root.
    """
    import structlog  # noqa: PLC0415 - not worth its time on the way to `--help`

    from rollup.feeder.candles import read_candles  # noqa: PLC0415
    from rollup.replay.run import run_replay  # noqa: PLC0415
    from rollup.replay.settings import ReplaySettings  # noqa: PLC0415
    from rollup.replay.tape import Tape, read_stretch  # noqa: PLC0415

    if not 2 <= accounts <= 100_000 or not 0 < orders <= 100_000 or not 0 <= seed < 1 << 63:
        raise ConfigError("accounts (2 to 100000), orders (up to 100000) or seed (63 bits) out of range")
    count, since, output = read_count(minutes), None if start is None else read_time(start), common.output()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    recorded = list(read_candles(candles))
    stretch = read_stretch(recorded, count, since)
    with _folder(data) as folder, Display(output) as display:
        settings = ReplaySettings(Tape(recorded), stretch, accounts, orders, seed, folder, l1)
        display.step("summary", await run_replay(settings, display))


def read_count(text: str) -> int | None:
    """A number of candles, None for all of them; `ConfigError` otherwise."""
    if text == ALL:
        return None
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) < 10**9:
        raise ConfigError(f"minutes: a positive number or `all`, not {text!r}")
    return int(text)


def read_time(text: str) -> int:
    """Unix seconds of an ISO 8601 time, UTC unless it says otherwise; `ConfigError` if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--from: no ISO 8601 time: {text!r}") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


class Display:
    """Steps on standard output; between them, for people, a progress bar on standard error."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._told: dict[str, float] = {}

    def __enter__(self) -> Self:
        if not self._output.json:
            self._bar = make_bar()
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, name: str, figures: Mapping[str, Any]) -> None:
        """A part is done: one object with `step` and `ok`, or words."""
        from rollup.replay.words import tell  # noqa: PLC0415

        if self._bar is None:
            self._output.result({"step": name, "ok": True, **figures})
            return
        for task in self._tasks.values():
            self._bar.remove_task(task)
        self._tasks.clear()
        self._bar.stop()  # so that it leaves no trace between the lines
        print(tell(name, figures), flush=True)
        self._bar.start()

    def progress(self, phase: str, done: int, total: int) -> None:
        """How far a part is; `total` 0 if nobody knows."""
        if self._bar is not None:
            if phase not in self._tasks:
                self._tasks[phase] = self._bar.add_task(phase, total=total or None)
            self._bar.update(self._tasks[phase], completed=done)
        elif total and (100 * done / total >= self._told.get(phase, 0.0) + JSON_EVERY):
            self._told[phase] = 100 * done / total
            self._output.result({"progress": phase, "done": done, "total": total})


def make_bar() -> Progress:
    """A progress bar that leaves no trace when it is gone."""
    from rich.console import Console  # noqa: PLC0415 - machines do not pay for it
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    return Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,  # in a log it would leave empty lines
        redirect_stdout=False,  # results stay on standard output, also where only standard error is a terminal
    )


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    """An empty folder; the one of the caller stays."""
    if wanted is None:
        with tempfile.TemporaryDirectory(prefix="plumbline-replay-") as name:
            yield Path(name)
        return
    if wanted.exists() and (not wanted.is_dir() or any(wanted.iterdir())):
        raise ConfigError(f"{wanted} exists and is not an empty folder")
    wanted.mkdir(parents=True, exist_ok=True)
    yield wanted
