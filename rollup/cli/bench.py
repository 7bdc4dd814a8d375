"""`rollup bench`: how fast everything is on this machine, as rates and as ratios to signature recovery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from rollup.cli.options import DEFAULT, Common
from rollup.cli.output import Output
from rollup.errors import ConfigError

if TYPE_CHECKING:
    from rich.status import Status

    from rollup.bench.figures import Figure, Report


async def bench(
    *,
    quick: Annotated[bool, Parameter(negative=(), help="a tenth of the work; figures scatter more")] = False,
    accounts: Annotated[int | None, Parameter(help="accounts of the large state")] = None,
    tiny: Annotated[bool, Parameter(negative=(), show=False)] = False,
    common: Common = DEFAULT,
) -> None:
    """Measure recovery, matching, execution, replay, verification, and a whole sequencer over WebSocket.

    Rates depend on the machine; their ratios to signature recovery, measured in the same run, hardly do. A sequencer
    and an L1 are run as processes of their own and end with the command.
    """
    import logging  # noqa: PLC0415 - none of this is worth its time on the way to `--help`
    from dataclasses import replace  # noqa: PLC0415

    import structlog  # noqa: PLC0415

    from rollup.bench.figures import QUICK, TINY, Report, Scale  # noqa: PLC0415
    from rollup.bench.run import machine, run_bench  # noqa: PLC0415

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    scale = TINY if tiny else QUICK if quick else Scale()
    if accounts is not None:
        if not 100 <= accounts <= 1 << 23:
            raise ConfigError("--accounts: 100 to 8388608")
        scale = replace(scale, accounts=(min(scale.accounts[0], accounts), accounts))
    output = common.output()
    report = Report(lambda figure, ratio: _tell(output, figure, ratio))
    with _status(output) as status:
        await run_bench(report, scale, lambda name: status.update(f"measuring {name}") if status else None)
    if output.json:
        output.result({"step": "summary", "ok": True, "machine": machine(), "figures": report.as_json()})
    else:
        _show(output, report, machine())


def _tell(output: Output, figure: Figure, ratio: float | None) -> None:
    from rollup.bench.figures import as_fields  # noqa: PLC0415

    if output.json:
        output.result({"step": "figure", "ok": True, "name": figure.name, **as_fields(figure, ratio)})


def _show(output: Output, report: Report, machine: dict[str, str | int]) -> None:
    rows = []
    for name, figure in report.figures.items():
        ratio = report.ratio(figure)
        value = figure.note if figure.value is None else f"{_readable(figure.value)} {figure.unit}"
        rows.append([name, value, "" if ratio is None else f"{ratio:.3g}", figure.about])
    title = ", ".join(f"{name} {value}" for name, value in machine.items())
    output.table(["figure", "value", "to recovery", "of what"], rows, title=title)


def _readable(value: float) -> str:
    """Thousands apart, and as many digits as mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


@contextmanager
def _status(output: Output) -> Iterator[Status | None]:
    """What is being measured, on standard error, for people."""
    if output.json:
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 - machines do not pay for it

    with Console(stderr=True).status("measuring") as status:
        yield status
