"""py-evm in a process of its own, from where sequencers use it as well: see `rollup.derive.worker`."""

from __future__ import annotations

from rollup.derive.worker import ATTEMPTS, EvmWorker, WorkerDied, open_worker

__all__ = ["ATTEMPTS", "EvmWorker", "WorkerDied", "open_worker"]
