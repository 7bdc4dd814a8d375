"""py-evm in a process of its own: it holds the interpreter for seconds, and its user must keep following L1.

    challenger or batcher ── frames of msgpack on stdin ─► worker ── verdicts on stdout ─► the same

A frame is its length (u32) and a msgpack value; the first is the verifier's code. A worker that dies is replaced and
asked again. It dies by itself, even in the middle of an execution, when its input ends: so it never outlives its
parent, not even one that was killed.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgpack
import structlog
import trio

from rollup.derive.chain import DerivedBlock
from rollup.errors import PlumblineError, ProofFault
from rollup.l1.verdict import GAS_LIMIT, Verdict
from rollup.types.blocks import Header

if TYPE_CHECKING:
    from rollup.l1.verifier import Verifier

ATTEMPTS: Final = 2
"""A worker may die of lack of memory or by an operator's hand; one that dies of the same frame twice does so again."""
_LENGTH: Final = 4
_MAX_FRAME: Final = 1 << 22
"""A proof is below 128 KiB; anything near this is a bug."""

log = structlog.get_logger()


class WorkerDied(PlumblineError):  # noqa: N818 - what happened
    """The worker process ended while a verdict was awaited, and so did its replacement."""


class EvmWorker:
    """The verifier's bytecode in another process; one execution at a time, callers wait their turn."""

    def __init__(self, deployed_bytecode: bytes) -> None:
        self._code = deployed_bytecode
        self._process: trio.Process | None = None
        self._turn = trio.Lock()

    @property
    def pid(self) -> int | None:
        """Process id of the worker, None if none runs."""
        return None if self._process is None else self._process.pid

    async def verify(self, block: DerivedBlock, witness: bytes, separator: bytes, *, gas: int = GAS_LIMIT) -> Verdict:
        """Execute a block as L1 would. Raises ProofFault if the verifier reverts, WorkerDied if it cannot be run."""
        frame = [block.header.encode(), block.txs, list(block.messages), witness, separator, gas]
        async with self._turn:
            answer = await self._ask(frame)
        if answer[0] == "fault":
            raise ProofFault(answer[1], tuple(answer[2]), answer[3])
        return Verdict(*answer[1:])

    async def start(self) -> None:
        """Start the process if there is none; its imports take a second, which need not be waited for."""
        if self._process is None:
            self._process = await trio.lowlevel.open_process(
                [sys.executable, "-m", "rollup.derive.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # an interrupt from the terminal is the parent's to handle
            )
            await self._send(self._code)

    async def stop(self) -> None:
        """End the process at once."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()

    async def _ask(self, frame: list[Any]) -> list[Any]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self.start()
                await self._send(frame)
                answer: list[Any] = await self._receive()
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                await self.stop()
                log.warning("the verifier's process died", attempt=attempt)
                if attempt == ATTEMPTS:
                    raise WorkerDied("the verifier's process died, and so did its replacement") from error
            except BaseException:
                await self.stop()  # half a frame would garble all that follow
                raise
            else:
                return answer
        raise AssertionError("the last attempt returns or raises")

    async def _send(self, value: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        data: bytes = msgpack.packb(value)
        await self._process.stdin.send_all(len(data).to_bytes(_LENGTH, "big") + data)

    async def _receive(self) -> Any:
        size = int.from_bytes(await self._receive_exactly(_LENGTH), "big")
        return msgpack.unpackb(await self._receive_exactly(size))

    async def _receive_exactly(self, size: int) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        data = b""
        while len(data) < size:
            part = await self._process.stdout.receive_some(size - len(data))
            if not part:
                raise trio.BrokenResourceError("the worker ended")
            data += part
        return data


@asynccontextmanager
async def open_worker(deployed_bytecode: bytes) -> AsyncIterator[EvmWorker]:
    """Start a worker for this verifier and end it with the block."""
    worker = EvmWorker(deployed_bytecode)
    try:
        await worker.start()
        yield worker
    finally:
        await worker.stop()


def main() -> None:
    """The worker process: execute in the main thread, whose stack is the largest; read in another."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever anything prints must not end up between two frames
    frames: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, frames), daemon=True).start()
    from rollup.l1.verifier import VerifierEvm  # noqa: PLC0415 - py-evm takes a second and 50 MB, here alone

    verifier = VerifierEvm(frames.get())
    while True:
        answer: bytes = msgpack.packb(_answer(verifier, frames.get()))
        answers.write(len(answer).to_bytes(_LENGTH, "big") + answer)
        answers.flush()


def _read(requests: BinaryIO, frames: queue.SimpleQueue[Any]) -> None:
    """Pass frames on; when there are no more, nobody waits for an answer either."""
    while len(prefix := requests.read(_LENGTH)) == _LENGTH:
        size = int.from_bytes(prefix, "big")
        if size > _MAX_FRAME:
            break
        frames.put(msgpack.unpackb(requests.read(size)))
    os._exit(0)


def _answer(verifier: Verifier, frame: list[Any]) -> list[Any]:
    header, txs, messages, witness, separator, gas = frame
    try:
        verdict = verifier.verify(Header.decode(header), txs, messages, witness, separator, gas=gas)
    except ProofFault as fault:
        return ["fault", fault.name, [str(argument) for argument in fault.arguments], fault.gas_used]
    return ["verdict", verdict.reason, verdict.index, verdict.post_root, verdict.gas_used]


if __name__ == "__main__":
    main()
