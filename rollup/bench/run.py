"""All measurements, one after the other, in one run on one machine."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

import trio

from rollup.bench.execution import measure_execution
from rollup.bench.figures import Report, Scale
from rollup.bench.load import measure_load
from rollup.bench.matching import measure_matching
from rollup.bench.options import measure_risk
from rollup.bench.posting import measure_posting
from rollup.bench.signatures import measure_recovery
from rollup.bench.stage import set_stage
from rollup.bench.verification import measure_verification

MEASUREMENTS = (measure_recovery, measure_matching, measure_execution, measure_risk, measure_verification)
"""What runs in this process alone."""

NAMES = (
    "recover_1_thread", "recover_2_threads", "matching", "execute_small", "replay_blocks", "replay_trades",
    "execute_large", "accounts_margined", "accounts_screened", "recheck_seconds", "typical_block_trades",
    "typical_proof_bytes", "verify_pyevm_gas", "verify_pyevm_seconds", "verify_pyevm", "verify_pyrevm_gas",
    "verify_pyrevm_seconds", "verify_pyrevm", "orders_end_to_end", "sequencer_per_order", "ack_p50", "ack_p99",
    "orders_resting", "bytes_per_trade", "l1_gas_per_trade",
)  # fmt: skip
"""Every figure of a run."""


async def run_bench(report: Report, scale: Scale, begin: Callable[[str], None] = lambda _: None) -> None:
    """Measure everything; `begin` hears what comes next."""
    for measure in MEASUREMENTS:
        begin(measure.__name__.removeprefix("measure_"))
        await trio.to_thread.run_sync(measure, report, scale)
    begin("end to end")
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as folder:
        async with set_stage(Path(folder), scale.traders) as stage:
            await measure_load(report, scale, stage)
            begin("posting")
            await measure_posting(report, stage)


def machine() -> dict[str, str | int]:
    """What the figures were measured on."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count() or 1,
    }
