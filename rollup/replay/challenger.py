"""The second opinion at the end of a replay: a challenger process executes blocks of L1 in py-evm.

It is the program that anybody runs, in watch mode, with nothing but L1 and the address of the contracts. It replays
every block and executes a share of them, chosen by block hash, with the verifier's bytecode.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import trio

from rollup.crypto.keccak import keccak
from rollup.devnet.processes import Event, Role, run_role
from rollup.errors import L1Error, PlumblineError
from rollup.replay.settings import Observer
from rollup.replay.stage import Stage
from rollup.sequencer.unit import Unit
from rollup.types.limits import MILLION

POLL: Final = 0.5
PATIENCE: Final = 3_600.0
"""Seconds until a challenger that does not finish is given up; py-evm takes about a second for 1.5 million gas."""


class TwinsDisagree(PlumblineError):  # noqa: N818 - a verdict, with the blocks
    """The verifier's bytecode judges honest blocks differently from the Python twin."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What the challenger did: of `blocks` it executed `audited` in py-evm, and had no time for `skipped` others."""

    blocks: int
    audited: int
    skipped: int
    share_ppm: int
    seconds: float


class Sample:
    """Counts the blocks that an audit of this share (ppm) will choose."""

    def __init__(self, share_ppm: int) -> None:
        self.share_ppm = share_ppm
        self.blocks = 0
        self.chosen = 0

    def hear(self, unit: Unit) -> None:
        """The sequencer made blocks durable."""
        for block in unit.blocks:
            self.blocks += 1
            self.chosen += int.from_bytes(keccak(block.header.encode())[:8], "big") % MILLION < self.share_ppm


async def audit(stage: Stage, folder: Path, sample: Sample, observer: Observer) -> Audited:
    """Run a challenger on everything that is on L1 until it has audited its share.

    Raises TwinsDisagree if py-evm does not agree with a block, RoleFailed if the process ends, L1Error if it takes too
    long.
    """
    started = trio.current_time()
    deployment, data = folder / "deployment.json", folder / "challenger"
    stage.deployment.save(deployment)
    arguments = ["watch", "--l1", stage.l1.url, "--deployment", str(deployment), "--mode", "watch"]
    arguments += ["--data", str(data), "--confirmations", "0", "--poll-seconds", str(POLL)]
    arguments += ["--audit-ppm", str(sample.share_ppm), "--json"]
    async with trio.open_nursery() as nursery:
        await nursery.start(_run, Role("challenger", "challenger.cli", arguments, folder / "challenger.log"))
        status = await _watch(data, sample, observer)
        nursery.cancel_scope.cancel()
    return Audited(
        sample.blocks, status["audited"], status["audit_skipped"], sample.share_ppm, trio.current_time() - started
    )


async def _run(role: Role, *, task_status: trio.TaskStatus[Event] = trio.TASK_STATUS_IGNORED) -> None:
    await run_role(role, lambda _: None, ready="ready", task_status=task_status)


async def _watch(data: Path, sample: Sample, observer: Observer) -> dict[str, Any]:
    """Its status once nothing waits any more."""
    path = trio.Path(data / "status.json")
    with trio.move_on_after(PATIENCE):
        while True:
            status: dict[str, Any] = msgspec.json.decode(await path.read_bytes())
            done = status["audited"] + status["audit_skipped"]
            observer.progress("auditing in py-evm", done, sample.chosen)
            if status["disagreements"] or status["fraud"] is not None:
                raise TwinsDisagree(f"py-evm disagrees on blocks {status['disagreements']}, fraud: {status['fraud']}")
            if status["block"] == sample.blocks and done >= sample.chosen:
                return status
            await trio.sleep(POLL)
    raise L1Error(f"the challenger has not finished within {PATIENCE:g} s", retryable=True)
