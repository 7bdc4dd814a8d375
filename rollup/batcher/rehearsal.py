"""A dry run before the performance: some of the sequencer's own blocks, through the bytecode that would judge them.

If the two twins of the state transition ever disagree on a block, posting it would cost the stake, although nobody did
wrong. So from time to time one block of the next batch is executed by the verifier in py-evm, on the witness that a
fraud proof would carry. If the verdict is not ours, neither it nor anything after it is posted. The block is remembered
in the database, so that a restart begins with it: an operator has to bring a version whose twins agree.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import structlog
import trio

from rollup.batcher.alarms import Alarms
from rollup.batcher.pack import Packed
from rollup.crypto.keccak import keccak
from rollup.derive.chain import DerivedBlock
from rollup.derive.worker import EvmWorker, WorkerDied
from rollup.errors import ProofFault, StoreError
from rollup.stf.block import execute_block
from rollup.store.changes import Notes
from rollup.store.state import StateStore
from rollup.store.writer import StoreWriter

META: Final = "disputed"
"""Name under which the number of a block is kept on which the twins disagree."""

log = structlog.get_logger(__name__)


class Rehearsal:
    """Judges one block of a batch every `interval` seconds, and says whether the batch may be posted."""

    def __init__(
        self,
        writer: StoreWriter,
        evm: EvmWorker,
        separator: bytes,
        alarms: Alarms,
        interval: float,
        now: Callable[[], float] = trio.current_time,
    ) -> None:
        self._writer = writer
        self._store: StateStore = writer.store
        self._evm = evm
        self._separator = separator
        self._alarms = alarms
        self._interval = interval
        self._now = now
        self._due = float("-inf")
        self._disputed = _number(self._store.records.meta(META))
        self.judged = 0
        """Blocks that were executed by the verifier."""

    @property
    def stopped(self) -> bool:
        """Whether the twins disagree on a block that is not on L1."""
        return self._disputed is not None

    async def admit(self, batch: Packed) -> bool:
        """Whether `batch` may be posted; takes seconds when a block is due."""
        disputed = self._disputed
        if disputed is not None and disputed < batch.first:
            await self._remember(disputed := None)  # it is on L1, or was taken back
        if disputed is not None and disputed > batch.last:
            return True
        if self._now() < self._due:
            return disputed is None
        self._due = self._now() + self._interval
        chosen = batch.first + int.from_bytes(keccak(batch.data)[:8], "big") % batch.count
        return await self._judge(chosen if disputed is None else disputed)

    async def _judge(self, number: int) -> bool:
        try:
            quarrel = await self._quarrel(number)
        except WorkerDied as error:
            self._alarms.raise_("rehearsal", f"block {number} could not be rehearsed: {error}")
            return self._disputed is None  # posting must not hang on the memory that py-evm takes
        self._alarms.clear("rehearsal")
        self.judged += 1
        if quarrel:
            log.error("twins_disagree", block=number, detail=quarrel)
            self._alarms.raise_("twins", f"block {number} is not posted, nor any after it: {quarrel}")
            await self._remember(number)
            return False
        await self._remember(None)
        return True

    async def _quarrel(self, number: int) -> str:
        """How the verifier's verdict on a stored block differs from what the block says; empty if it does not."""
        block, witness, reason = await trio.to_thread.run_sync(partial(_prepare, self._store, number, self._separator))
        if reason:
            return f"it breaks our own rules: {reason}"
        try:
            verdict = await self._evm.verify(block, witness, self._separator)
        except ProofFault as fault:
            return f"the verifier refuses its witness: {fault}"
        if verdict.reason or verdict.post_root != block.header.state_root:
            return f"the verifier says reason {verdict.reason}, root 0x{verdict.post_root.hex()}"
        return ""

    async def _remember(self, number: int | None) -> None:
        if number is None:
            self._alarms.clear("twins")
        if number != self._disputed:
            self._disputed = number
            value = None if number is None else number.to_bytes(5, "big")
            await self._writer.commit((), Notes(meta={META: value}))


def _prepare(store: StateStore, number: int, separator: bytes) -> tuple[DerivedBlock, bytes, str]:
    """A stored block, its witness, and why our own rules refuse it, empty if they do not. For any thread."""
    view = store.view(number - 1)
    try:
        record = view.records.block(number)
        if record is None:
            raise StoreError(f"block {number} is not stored")
        block = DerivedBlock(record.header, record.txs, record.messages)
        result = execute_block(view.read, block.header, block.txs, block.messages, separator)
        return block, view.proof(result.pre), result.reason.name if result.reason else ""
    finally:
        view.close()


def _number(value: bytes | None) -> int | None:
    return None if value is None else int.from_bytes(value, "big")
