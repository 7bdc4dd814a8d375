"""`rollup verify`: from an L1 endpoint and an address to the whole state, every root on the way checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from rollup.cli.addresses import read_address
from rollup.cli.app import FAILED, OK
from rollup.cli.options import DEFAULT, Common, ExportFlag
from rollup.cli.output import Output
from rollup.config import L1Config
from rollup.derive.pipeline import Progress
from rollup.derive.verification import Verification, verify_from_l1
from rollup.l1.client import L1Client
from rollup.l1.deployment import Deployment

__all__ = ["show_verification", "verify", "verify_from_l1", "watching_progress"]


async def verify(
    *,
    l1: Annotated[str | None, Parameter(help="HTTP endpoint of an Ethereum node")] = None,
    rollup: Annotated[str | None, Parameter(help="address of the Rollup contract; default: from the file")] = None,
    deployment: Annotated[Path | None, Parameter(help="file written by `rollup deploy`")] = None,
    export: ExportFlag = None,
    common: Common = DEFAULT,
) -> int:
    """Rebuild the whole state from L1 alone, in memory, and check every root and the protocol's invariants.

    Nothing but the node and the address is used or believed. Exit code 1 names the first wrong block, also if the
    batch that holds it can still be reverted.
    """
    chain = common.settings().role(L1Config, url=l1, deployment=deployment, export=export)
    address = read_address(rollup, "--rollup") if rollup else Deployment.load(chain.deployment).rollup
    output = common.output()
    async with L1Client(chain.url, timeout=chain.timeout) as client:
        with watching_progress(output) as watch:
            found = await verify_from_l1(client, address, export=chain.export, on_progress=watch)
    show_verification(output, found)
    return OK if found.ok else FAILED


@contextmanager
def watching_progress(output: Output) -> Iterator[Callable[[Progress], None]]:
    """Show progress of derivation on standard error while the block runs, to people."""
    if output.json:
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - machines do not pay for it
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.progress import Progress as Bars  # noqa: PLC0415

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    console = Console(stderr=True)
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        reading = bars.add_task("L1 blocks read", total=None)
        executing = bars.add_task("batches executed", total=None)

        def watch(progress: Progress) -> None:
            bars.update(reading, completed=progress.l1_block, total=progress.l1_head)
            bars.update(executing, completed=progress.batch, total=progress.last_batch)

        yield watch


def show_verification(output: Output, found: Verification) -> None:
    """What was found, and in words what is wrong."""
    output.result(describe(found))
    if found.fraud is not None:
        output.note(f"WRONG: {found.fraud}")
    if found.broken:
        output.note(f"BROKEN: {found.broken}")


def describe(found: Verification) -> dict[str, Any]:
    """The fields of the answer."""
    fields: dict[str, Any] = {
        "ok": found.ok,
        "batches": found.batches,
        "batches_on_l1": found.posted,
        "blocks": found.blocks,
        "transactions": found.transactions,
        "messages": found.messages,
        "state_root": found.state_root,
        "l1_root": found.l1_root,
        "equal": found.state_root == found.l1_root,
        "l1_block": found.l1_block,
        "finalised": found.finalised,
        "fork": found.fork,
        "fraud": None if found.fraud is None else found.fraud.describe(),
        "broken_invariant": found.broken or None,
    }
    if found.report is not None:
        report = found.report
        fields |= {
            "accounts": report.accounts,
            "cash": report.cash,
            "fees": report.fees,
            "deposits": report.deposits,
            "withdrawals": report.withdrawals,
            "open_interest": {str(market): size for market, size in report.open_interest.items()},
        }
    return fields | {"seconds": round(found.seconds, 3)}
