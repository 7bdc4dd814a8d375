"""The second opinion: blocks that replay found right are executed by the verifier's bytecode as well.

If the twins ever disagree on an honest block, somebody could prove that block wrong; so every such case is an alarm.
The share of audited blocks is chosen by block hash, the same for every auditor with that share, and the queue is
bounded: a challenger that cannot keep up skips blocks and says how many.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import structlog
import trio

from challenger.worker import EvmWorker, WorkerDied
from rollup.crypto.keccak import keccak
from rollup.derive.chain import DerivedBlock
from rollup.errors import ProofFault
from rollup.stf.block import BlockResult

QUEUE: Final = 512
"""Blocks that wait: about 30 MiB of witnesses, ten minutes of py-evm."""
_MILLION: Final = 1_000_000

log = structlog.get_logger()


@dataclass(slots=True)
class AuditTally:
    """How many blocks were audited, left out for lack of time or of a worker, and judged differently by the twins."""

    audited: int = 0
    skipped: int = 0
    failed: int = 0
    gas: int = 0
    disagreements: list[int] = field(default_factory=list)


class Auditor:
    """Samples blocks and compares the verifier's verdict with the replay's root."""

    def __init__(self, worker: EvmWorker, separator: bytes, *, share_ppm: int) -> None:
        self.tally = AuditTally()
        self._worker = worker
        self._separator = separator
        self._share = share_ppm
        self._send, self._receive = trio.open_memory_channel[tuple[DerivedBlock, bytes]](QUEUE)

    def offer(self, block: DerivedBlock, _result: BlockResult, witness: bytes) -> None:
        """Queue a block that replay found right; called from the thread that executes."""
        if int.from_bytes(keccak(block.header.encode())[:8], "big") % _MILLION < self._share:
            trio.from_thread.run_sync(self._queue, block, witness)

    def _queue(self, block: DerivedBlock, witness: bytes) -> None:
        try:
            self._send.send_nowait((block, witness))
        except trio.WouldBlock:
            self.tally.skipped += 1

    async def run(self) -> None:
        """Audit until cancelled."""
        async for block, witness in self._receive:
            await self._audit(block, witness)

    def waiting(self) -> int:
        """Blocks in the queue."""
        return self._receive.statistics().current_buffer_used

    async def _audit(self, block: DerivedBlock, witness: bytes) -> None:
        number = block.header.number
        try:
            verdict = await self._worker.verify(block, witness, self._separator)
        except ProofFault as fault:
            self._alarm(number, f"the verifier refuses the witness: {fault}")
            return
        except WorkerDied as error:
            self.tally.failed += 1
            log.warning("a block could not be audited", block=number, error=str(error))
            return
        self.tally.audited += 1
        self.tally.gas += verdict.gas_used
        if verdict.reason or verdict.post_root != block.header.state_root:
            self._alarm(number, f"the verifier says reason {verdict.reason}, root 0x{verdict.post_root.hex()}")

    def _alarm(self, number: int, what: str) -> None:
        self.tally.disagreements.append(number)
        log.error("twins disagree on an honest block", block=number, detail=what)
