"""How a replay shows itself: steps on standard output, progress between them, and a folder to work in."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from rollup.cli.output import Output
from rollup.errors import ConfigError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

JSON_EVERY: Final = 10.0
"""Per cent between two lines of progress for machines."""

Tell = Callable[[str, Mapping[str, Any]], str]
"""The words of a step's figures."""


class Display:
    """Steps on standard output; between them, for people, a progress bar on standard error."""

    def __init__(self, output: Output, tell: Tell) -> None:
        self._output = output
        self._tell = tell
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
        if self._bar is None:
            self._output.result({"step": name, "ok": True, **figures})
            return
        for task in self._tasks.values():
            self._bar.remove_task(task)
        self._tasks.clear()
        self._bar.stop()  # so that it leaves no trace between the lines
        print(self._tell(name, figures), flush=True)
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
def open_folder(wanted: Path | None) -> Iterator[Path]:
    """An empty folder; the one of the caller stays. `ConfigError` if it is not empty or cannot be made."""
    if wanted is None:
        with tempfile.TemporaryDirectory(prefix="plumbline-replay-") as name:
            yield Path(name)
        return
    try:
        if wanted.exists() and (not wanted.is_dir() or any(wanted.iterdir())):
            raise ConfigError(f"{wanted} exists and is not an empty folder")
        wanted.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{wanted}: {error.strerror or error}") from error
    yield wanted
