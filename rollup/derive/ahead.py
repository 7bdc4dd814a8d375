"""Signatures recovered ahead of execution, in a process of its own, while the blocks before them are executed.

Two thirds of the time a replay takes are recoveries, and they wait for nothing that is executed. The process gets the
transactions of the next blocks and answers with (digest, signature, address) of every order in them; execution asks for
each by its own digest, so what it does not find, or what another digest was signed for, it recovers itself. No answer
of the process is a verdict: it depends on nothing but its arguments, like `recover`.

A process needs tenths of a second to start, in which execution goes on with its own recoveries.

    request   length u32 ‖ transactions of a block
    answer    count u32 ‖ count times (digest ‖ signature ‖ address)
"""

from __future__ import annotations

import select
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import IO, Final, Self

import structlog

from rollup.crypto.eip712 import order_digest
from rollup.crypto.signatures import recover, recover_many
from rollup.errors import Undecodable
from rollup.types.transactions import FreshOrder, Trade, decode_transactions

WINDOW: Final = 12
"""Blocks asked for ahead of the one to execute: tens of milliseconds of work, so that neither side waits for the other
even where the system lets one of them wait. What is asked and answered of so many fits into the pipes."""
WORTHWHILE: Final = 32_768
"""Bytes of transactions in a batch for which the process is started: a second's work for many, nothing for a few."""
_ENTRY: Final = 32 + 64 + 20
_NOTHING: Final = -1
"""Number of a block whose answer nobody needs; lower than that of any other."""

log = structlog.get_logger(__name__)


class Ahead:
    """Recovers the signatures of a run of blocks; `close` (or leaving the context) ends its process."""

    def __init__(self, separator: bytes) -> None:
        self._separator = separator
        self.process: subprocess.Popen[bytes] | None = None
        """Once a batch was worth it."""
        self._blocks: Sequence[bytes] = ()
        self._next = 0
        self._waiting: deque[int] = deque()
        """Blocks asked for and not answered, oldest first; `_NOTHING` for those of a run before this one."""
        self._known: dict[tuple[bytes, bytes], bytes] = {}
        self._has_answered = self._ended = False

    def start(self) -> None:
        """Have the process up now, and wait for that; otherwise the first large batch starts it, and nobody waits."""
        if self._has_answered or self._ended:
            return
        try:
            if not self._waiting:
                self._ask(b"")
                self._waiting.append(_NOTHING)
            self._take(_NOTHING)
        except OSError as error:
            self._give_up(error)

    def begin(self, blocks: Sequence[bytes]) -> None:
        """Expect these blocks' transactions; `next_block` goes through them, as far as they are right."""
        worthwhile = self.process is not None or sum(map(len, blocks)) >= WORTHWHILE
        self._blocks = blocks if worthwhile and not self._ended else ()
        self._next = 0
        self._waiting = deque([_NOTHING] * len(self._waiting))

    def next_block(self) -> None:
        """Have what is known of the next block's signatures ready for `recover`."""
        self._known.clear()
        block, self._next = self._next, self._next + 1
        try:
            self._ask_from(block)
            while self._waiting and self._waiting[0] <= block and (self._has_answered or self._is_answering()):
                self._take(block)
        except OSError as error:
            self._give_up(error)

    def recover(self, digest: bytes, signature: bytes) -> bytes:
        """What `rollup.crypto.signatures.recover` would return or raise."""
        return self._known.get((digest, signature)) or recover(digest, signature)

    def close(self) -> None:
        """End the process; from now on everything is recovered where it is asked for."""
        self._ended, self._blocks = True, ()
        self._waiting.clear()
        if self.process is not None:
            self.process.kill()
            with suppress(OSError):
                self.process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def _give_up(self, error: OSError) -> None:
        log.warning("recovery_process_ended", error=str(error))
        self.close()

    def _ask_from(self, block: int) -> None:
        """Ask for the block and those behind it; while the process starts, for one only, which shows when it is up."""
        first = max(block, self._waiting[-1] + 1) if self._waiting else block
        last = min(len(self._blocks), block + 1 + WINDOW)
        if not self._has_answered:
            last = min(last, first + 1 - len(self._waiting))
        for number in range(first, last):
            self._ask(self._blocks[number])
            self._waiting.append(number)

    def _ask(self, txs: bytes) -> None:
        if self.process is None:
            command = [sys.executable, "-m", __name__, self._separator.hex()]
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=0)  # noqa: S603 - ours
        assert self.process.stdin is not None, "it is a pipe"
        _write(self.process.stdin, len(txs).to_bytes(4, "big") + txs)

    def _is_answering(self) -> bool:
        """Whether there is an answer to read, or the end of the process to learn of."""
        assert self.process is not None, "it was asked"
        assert self.process.stdout is not None, "it is a pipe"
        poll = select.poll()
        poll.register(self.process.stdout, select.POLLIN)
        return bool(poll.poll(0))

    def _take(self, block: int) -> None:
        """Read the oldest answer; it is kept if it is that of `block`."""
        assert self.process is not None, "it was asked"
        assert self.process.stdout is not None, "it is a pipe"
        count = int.from_bytes(_read(self.process.stdout, 4), "big")
        data = _read(self.process.stdout, _ENTRY * count)
        self._has_answered = True
        if self._waiting.popleft() != block:
            return
        for start in range(0, len(data), _ENTRY):
            key = (data[start : start + 32], data[start + 32 : start + 96])
            self._known[key] = data[start + 96 : start + _ENTRY]


def _write(stream: IO[bytes], data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) :]


def _read(stream: IO[bytes], size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = stream.read(size - len(data))
        if not part:
            raise BrokenPipeError("the process has ended")
        data += part
    return data


def serve(separator: bytes, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until they end."""
    waiting: SimpleQueue[bytes | None] = SimpleQueue()
    # Whoever writes a request may be the one who reads the answers: taking requests must never wait for that.
    Thread(target=_take_requests, args=(requests, waiting), daemon=True).start()
    while (txs := waiting.get()) is not None:
        pairs = _orders_in(separator, txs)
        found = zip(pairs, recover_many(pairs), strict=True)
        entries = [digest + signature + answer for (digest, signature), answer in found if isinstance(answer, bytes)]
        answers.write(len(entries).to_bytes(4, "big") + b"".join(entries))
        answers.flush()


def _take_requests(requests: IO[bytes], waiting: SimpleQueue[bytes | None]) -> None:
    while len(head := requests.read(4)) == 4:
        waiting.put(requests.read(int.from_bytes(head, "big")))
    waiting.put(None)


def _orders_in(separator: bytes, txs: bytes) -> list[tuple[bytes, bytes]]:
    """(digest, signature) of every order with a signature; none if the block has bytes that are no transaction."""
    try:
        trades = [each for each in decode_transactions(txs) if isinstance(each, Trade)]
    except Undecodable:
        return []
    orders = [side for trade in trades for side in (trade.maker, trade.taker) if isinstance(side, FreshOrder)]
    return [(_digest(separator, order), order.signature) for order in orders]


def _digest(separator: bytes, order: FreshOrder) -> bytes:
    return order_digest(
        separator, order.account, order.market, order.flags, order.size, order.price, order.nonce, order.expiry
    )


def main() -> None:
    """Serve on standard input and output. A terminal's Ctrl-C is for the replay, whose end closes the input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(BrokenPipeError):
        serve(bytes.fromhex(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
