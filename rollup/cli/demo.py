"""`rollup demo`: the whole loop in one run, each step verified on L1."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from rollup.cli.options import DEFAULT, Common
from rollup.config.roles import DATA
from rollup.errors import ConfigError
from rollup.sequencer.faults import FAULTS

if TYPE_CHECKING:
    from rollup.demo.setting import Settings

ALL: Final = "all"
LOOP: Final = "loop"
ESCAPE: Final = "escape"
VARIANTS: Final = ("freeze", "shortfall", "takeover")


async def demo(
    *,
    scenario: Annotated[
        str, Parameter(help=f"{LOOP}: honest days and fraud; {ESCAPE}: the sequencer is killed, everybody leaves")
    ] = LOOP,
    variant: Annotated[
        str,
        Parameter(
            help=f"how the {ESCAPE} ends: {VARIANTS[0]}: all are paid; {VARIANTS[1]}: money is missing, and all are "
            f"paid pro rata; {VARIANTS[2]}: a stranger goes on"
        ),
    ] = VARIANTS[0],
    l1: Annotated[str | None, Parameter(help="URL of a development node; default: an embedded L1 of its own")] = None,
    fault: Annotated[
        str,
        Parameter(help=f"what dishonest sequencers do, kinds joined by commas: {', '.join(FAULTS)}, or {ALL}"),
    ] = "wrong-root",
    trades: Annotated[int, Parameter(help="trades to make, before the fraud and after")] = 60,
    dispute_seconds: Annotated[int, Parameter(help="dispute window; the proof must be on L1 within it")] = 10,
    data: Annotated[Path, Parameter(help="folder of databases and logs, emptied at each start")] = DATA / "demo",
    common: Common = DEFAULT,
) -> int:
    """Show the whole loop: deposits, trades, batch, finality, claim; then fraud, its proof, and recovery.

    Or, with `--scenario escape`, the way out: the sequencer is killed, and users leave with L1 alone. The hours that
    this takes are skipped on the node's clock.

    Every step is verified by reading L1, not by asking the sequencer, and the exit code is 0 only if all were. On
    another node than the embedded one it funds and uses public development keys.
    """
    from rollup.demo.script import run_demo  # noqa: PLC0415 - not worth its time on the way to `--help`
    from rollup.demo.setting import Settings  # noqa: PLC0415

    faults = FAULTS if fault == ALL else tuple(fault.split(","))
    for each in faults:
        if each not in FAULTS:
            raise ConfigError(f"no fault {each!r}; there are {', '.join(FAULTS)}, and {ALL}")
    if len(set(faults)) < len(faults):
        raise ConfigError("--fault names a kind twice")
    if not 1 <= trades <= 10_000 or not 1 <= dispute_seconds <= 86_400:
        raise ConfigError("trades (1 … 10000) or dispute-seconds (1 … 86400) out of range")
    settings = Settings(data, l1, faults, trades, dispute_seconds)
    if scenario == ESCAPE:
        return await _escape(settings, variant, common)
    if scenario != LOOP:
        raise ConfigError(f"no scenario {scenario!r}; there are {LOOP} and {ESCAPE}")
    return await run_demo(settings, common.output())


async def _escape(settings: Settings, variant: str, common: Common) -> int:
    from rollup.demo.escape.script import run_escape  # noqa: PLC0415 - as above
    from rollup.demo.escape.setting import EscapeSettings, Variant  # noqa: PLC0415 - as above

    if variant not in VARIANTS:
        raise ConfigError(f"no variant {variant!r}; there are {', '.join(VARIANTS)}")
    return await run_escape(EscapeSettings(settings, Variant(variant)), common.output())
