"""Signatures recovered ahead of execution, in a process of its own, while the blocks before them are executed.

Two thirds of the time a replay takes are recoveries, and they wait for nothing that is executed. The process gets the
transactions of the next blocks and answers with (digest, signature, address) of every order in them; execution asks for
each by its own digest, so what it does not find, or what another digest was signed for, it recovers itself. No answer
of the process is a verdict: it depends on nothing but its arguments, like `recover`.

    request   length u32 ‖ transactions of a block
    answer    count u32 ‖ count times (digest ‖ signature ‖ address)
"""

from __future__ import annotations

import signal
import subprocess
import sys
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

WINDOW: Final = 3
"""Blocks asked for ahead of the one to execute: some milliseconds of work, so that neither side waits."""
WORTHWHILE: Final = 32_768
"""Bytes of transactions in a batch for which the process is started: a second's work for many, nothing for a few."""
_ENTRY: Final = 32 + 64 + 20

log = structlog.get_logger(__name__)


class Ahead:
    """Recovers the signatures of a run of blocks; `close` (or leaving the context) ends its process."""

    def __init__(self, separator: bytes) -> None:
        self._separator = separator
        self.process: subprocess.Popen[bytes] | None = None
        """Once a batch was worth it."""
        self._blocks: Sequence[bytes] = ()
        self._sent = self._taken = 0
        self._known: dict[tuple[bytes, bytes], bytes] = {}
        self._ended = False

    def begin(self, blocks: Sequence[bytes]) -> None:
        """Expect these blocks' transactions; `next_block` goes through them, as far as they are right."""
        try:
            while self._taken < self._sent:  # of a run that was not gone through
                self._take()
        except OSError as error:
            self._give_up(error)
        worthwhile = self.process is not None or sum(map(len, blocks)) >= WORTHWHILE
        self._blocks = blocks if worthwhile and not self._ended else ()
        self._sent = self._taken = 0

    def next_block(self) -> None:
        """Have what is known of the next block's signatures ready for `recover`."""
        self._known.clear()
        try:
            while self._sent < min(len(self._blocks), self._taken + 1 + WINDOW):
                self._ask(self._blocks[self._sent])
                self._sent += 1
            if self._taken < self._sent:
                self._take()
        except OSError as error:
            self._give_up(error)

    def recover(self, digest: bytes, signature: bytes) -> bytes:
        """What `rollup.crypto.signatures.recover` would return or raise."""
        return self._known.get((digest, signature)) or recover(digest, signature)

    def close(self) -> None:
        """End the process; from now on everything is recovered where it is asked for."""
        self._ended, self._blocks = True, ()
        self._sent = self._taken = 0
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

    def _ask(self, txs: bytes) -> None:
        if self.process is None:
            command = [sys.executable, "-m", __name__, self._separator.hex()]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - ours
        requests = self.process.stdin
        assert requests is not None, "it is a pipe"
        requests.write(len(txs).to_bytes(4, "big") + txs)
        requests.flush()

    def _take(self) -> None:
        assert self.process is not None, "it was asked"
        assert self.process.stdout is not None, "it is a pipe"
        count = int.from_bytes(_read(self.process.stdout, 4), "big")
        data = _read(self.process.stdout, _ENTRY * count)
        for start in range(0, len(data), _ENTRY):
            key = (data[start : start + 32], data[start + 32 : start + 96])
            self._known[key] = data[start + 96 : start + _ENTRY]
        self._taken += 1


def _read(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise BrokenPipeError("the process has ended")
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
