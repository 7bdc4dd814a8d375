"""py-evm in a process of its own: it holds the interpreter for seconds, and the challenger must keep following L1.

    challenger ── frames of msgpack on stdin ─► worker ── verdicts on stdout ─► challenger

A frame is its length (u32) and a msgpack list. The worker ends when its input does, so it never outlives its parent,
not even one that was killed.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, BinaryIO, Final

import msgpack
import trio

from challenger.execute import GAS_LIMIT, Verdict, VerifierEvm
from rollup.derive.chain import DerivedBlock
from rollup.errors import ProofFault
from rollup.types.blocks import Header

_LENGTH: Final = 4
_MAX_FRAME: Final = 1 << 22
"""A proof is below 128 KiB; anything near this is a bug."""


class WorkerDied(RuntimeError):  # noqa: N818 - what happened
    """The worker process ended while a verdict was awaited."""


class EvmWorker:
    """The verifier's bytecode in another process; one execution at a time, callers wait their turn."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._turn = trio.Lock()

    async def verify(self, block: DerivedBlock, witness: bytes, separator: bytes, *, gas: int = GAS_LIMIT) -> Verdict:
        """Execute a block as L1 would. Raises ProofFault if the verifier reverts."""
        frame = [block.header.encode(), block.txs, list(block.messages), witness, separator, gas]
        async with self._turn:
            with trio.CancelScope(shield=True):  # half a frame would garble all that follow
                answer = await self._exchange(frame)
        if answer[0] == "fault":
            raise ProofFault(answer[1], tuple(answer[2]), answer[3])
        return Verdict(*answer[1:])

    async def _exchange(self, frame: list[Any]) -> list[Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        data: bytes = msgpack.packb(frame)
        try:
            await stdin.send_all(len(data).to_bytes(_LENGTH, "big") + data)
        except trio.BrokenResourceError as error:
            raise WorkerDied("the worker closed its input") from error
        size = int.from_bytes(await _receive(stdout, _LENGTH), "big")
        answer: list[Any] = msgpack.unpackb(await _receive(stdout, size))
        return answer


@asynccontextmanager
async def open_worker(deployed_bytecode: bytes) -> AsyncIterator[EvmWorker]:
    """Start a worker for this verifier and end it with the block."""
    process = await trio.lowlevel.open_process(
        [sys.executable, "-m", "challenger.worker", deployed_bytecode.hex()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # an interrupt from the terminal is the challenger's to handle
    )
    try:
        yield EvmWorker(process)
    finally:
        with trio.CancelScope(shield=True):
            process.kill()
            await process.wait()


async def _receive(stream: trio.abc.ReceiveStream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = await stream.receive_some(size - len(data))
        if not part:
            raise WorkerDied("the worker ended")
        data += part
    return data


def serve(verifier: VerifierEvm, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer frames until there are no more."""
    while len(prefix := requests.read(_LENGTH)) == _LENGTH:
        size = int.from_bytes(prefix, "big")
        assert size <= _MAX_FRAME, "a frame has the size of a proof"
        answer: bytes = msgpack.packb(_answer(verifier, msgpack.unpackb(requests.read(size))))
        answers.write(len(answer).to_bytes(_LENGTH, "big") + answer)
        answers.flush()


def _answer(verifier: VerifierEvm, frame: list[Any]) -> list[Any]:
    header, txs, messages, witness, separator, gas = frame
    try:
        verdict = verifier.verify(Header.decode(header), txs, messages, witness, separator, gas=gas)
    except ProofFault as fault:
        return ["fault", fault.name, [str(argument) for argument in fault.arguments], fault.gas_used]
    return ["verdict", verdict.reason, verdict.index, verdict.post_root, verdict.gas_used]


if __name__ == "__main__":
    serve(VerifierEvm(bytes.fromhex(sys.argv[1])), sys.stdin.buffer, sys.stdout.buffer)
