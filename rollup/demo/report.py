"""What the demo tells: a line with a tick per step for people, one JSON object per step for machines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import trio

from rollup.cli.output import Output
from rollup.errors import PlumblineError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

WIDTH: Final = 14
"""Of the column of steps."""


class NotVerified(PlumblineError):  # noqa: N818 - a finding
    """L1 does not show what a step should have left there."""


@dataclass(slots=True)
class Step:
    """A step under way: its figures, and in words what it has done or waits for."""

    name: str
    doing: str
    figures: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    status: Status | None = None

    def found(self, text: str, **figures: Any) -> None:
        """What the step has verified."""
        self.text = text
        self.figures |= figures

    def waiting(self, what: str) -> None:
        """What the step waits for."""
        if self.status is not None:
            self.status.update(f"{self.name:<{WIDTH}}{self.doing}: waiting for {what}")


def require(condition: bool, what: str, expected: object, actual: object) -> None:
    """Raise NotVerified with both values unless the condition holds."""
    if not condition:
        raise NotVerified(f"{what}: expected {_show(expected)}, L1 shows {_show(actual)}")


def require_equal(what: str, expected: object, actual: object) -> None:
    """Raise NotVerified unless L1 shows exactly what is expected."""
    require(expected == actual, what, expected, actual)


class Report:
    """All steps of one run."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._console: Console | None = None if output.json else output.console()
        self.current: Step | None = None
        """The step under way, or the one that failed."""
        self.done: list[Step] = []

    @contextmanager
    def step(self, name: str, doing: str) -> Iterator[Step]:
        """Run one step; when the block ends well it is verified, and told."""
        began = trio.current_time()
        self.current = step = Step(name, doing)
        if self._console is None:
            yield step
        else:
            with self._console.status(f"{name:<{WIDTH}}{doing}") as status:
                step.status = status
                yield step
        self._tell(step, ok=True, seconds=round(trio.current_time() - began, 3))
        self.done.append(step)
        self.current = None

    def fail(self, error: BaseException) -> None:
        """The run ends here."""
        step = self.current or Step("demo", "running")
        step.text = " ".join(str(error).split()) or type(error).__name__
        self._tell(step, ok=False, error={"type": type(error).__name__, "message": str(error)})

    def summary(self, ok: bool, **figures: Any) -> None:
        """The last line."""
        step = Step("summary", "", figures, "every step was verified on L1" if ok else "not every step was verified")
        if self._console is not None and ok:
            step.text += "".join(
                f"\n{'':<{WIDTH + 2}}{name.replace('_', ' ')}: {value}" for name, value in figures.items()
            )
        self._tell(step, ok=ok)

    def _tell(self, step: Step, *, ok: bool, **more: Any) -> None:
        if self._console is None:
            self._output.result({"step": step.name, "ok": ok, **step.figures, **more})
            return
        mark = "[green]✓[/]" if ok else "[red]✗[/]"
        self._console.print(f"{mark} [bold]{step.name:<{WIDTH}}[/]", end="")
        self._console.print(step.text, markup=False, highlight=False, soft_wrap=True)


def _show(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else f"{value:,}" if isinstance(value, int) else str(value)
