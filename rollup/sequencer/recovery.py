"""Signature recovery beside the sequencer: in a thread while little is asked, in a process of its own under load.

A thread must win the interpreter's lock back three times for every signature, each time from an engine that does not
want to let go: it waits up to the switch interval, and the engine is disturbed as often. A process shares nothing. The
first large batch starts it; if it ever ends, threads do its work as before.

    request   count u32 ‖ count times (digest ‖ signature)
    answer    count times (0 and the address, 1 if the signature is malformed, 2 if it shows no address)
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO, Final

import structlog
import trio

from rollup.crypto.signatures import SignatureFault, SignatureInvalid, SignatureMalformed, recover_many
from rollup.types.accounts import NO_ADDRESS

LARGE: Final = 32
"""Signatures in a batch that is worth the process: fewer come while the engine has time to spare."""
THREADS: Final = 2
_DIGEST: Final = 32
_PAIR: Final = 96
_ANSWER: Final = 21
_FOUND, _MALFORMED, _INVALID = 0, 1, 2

Answers = list[bytes | SignatureFault]

log = structlog.get_logger(__name__)


class Recovery:
    """Recovers batches; several may be under way."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(THREADS)
        self.process: trio.Process | None = None
        """Once a large batch has come."""
        self._writing = trio.Lock()
        self._reading = trio.Lock()  # both are fair, so answers are read in the order of the requests
        self._ended = False

    async def recover(self, pairs: Sequence[tuple[bytes, bytes]]) -> Answers:
        """The address, or the fault, of each (digest, signature)."""
        suits = all(len(signature) == _PAIR - _DIGEST for _, signature in pairs)
        if suits and not self._ended and (self.process is not None or len(pairs) >= LARGE):
            try:
                return await self._ask(pairs)
            except (trio.BrokenResourceError, trio.ClosedResourceError, OSError) as error:
                self._ended = True
                log.warning("recovery_process_ended", error=str(error))
        return await trio.to_thread.run_sync(recover_many, pairs, limiter=self._limiter)

    async def close(self) -> None:
        """End the process."""
        self._ended = True
        if self.process is not None:
            with trio.CancelScope(shield=True):
                self.process.kill()
                await self.process.wait()
                for pipe in (self.process.stdin, self.process.stdout):
                    assert pipe is not None, "both are pipes"
                    await pipe.aclose()

    async def _ask(self, pairs: Sequence[tuple[bytes, bytes]]) -> Answers:
        request = len(pairs).to_bytes(4, "big") + b"".join([digest + signature for digest, signature in pairs])
        async with self._writing:
            if self.process is None:
                self.process = await _start()
            assert self.process.stdin is not None, "it is a pipe"
            await self.process.stdin.send_all(request)
        async with self._reading:
            answer = await _receive(self.process, _ANSWER * len(pairs))
        return [_read_answer(answer[start : start + _ANSWER]) for start in range(0, len(answer), _ANSWER)]


async def _start() -> trio.Process:
    command = [sys.executable, "-m", __name__]
    return await trio.lowlevel.open_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


async def _receive(process: trio.Process, size: int) -> bytes:
    assert process.stdout is not None, "it is a pipe"
    received = bytearray()
    while len(received) < size:
        data = await process.stdout.receive_some(size - len(received))
        if not data:
            raise trio.BrokenResourceError("the process has ended")
        received += data
    return bytes(received)


def _read_answer(answer: bytes) -> bytes | SignatureFault:
    if answer[0] == _FOUND:
        return answer[1:]
    return SignatureMalformed("malformed") if answer[0] == _MALFORMED else SignatureInvalid("no key recovers")


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until they end."""
    while len(head := requests.read(4)) == 4:
        data = requests.read(_PAIR * int.from_bytes(head, "big"))
        pairs = [
            (data[start : start + _DIGEST], data[start + _DIGEST : start + _PAIR])
            for start in range(0, len(data), _PAIR)
        ]
        answers.write(b"".join([_write_answer(answer) for answer in recover_many(pairs)]))
        answers.flush()


def _write_answer(answer: bytes | SignatureFault) -> bytes:
    if isinstance(answer, bytes):
        return bytes((_FOUND,)) + answer
    return bytes((_MALFORMED if isinstance(answer, SignatureMalformed) else _INVALID,)) + NO_ADDRESS


def main() -> None:
    """Serve on standard input and output. A terminal's Ctrl-C is for the sequencer, whose end closes the input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
