"""Admission: recovers signatures in worker threads, many at a time, and hands commands to the engine in arrival order.

A thread hop costs about as much as a recovery, so commands are gathered: whatever has arrived, at least `GATHER` or
`PATIENCE` seconds' worth. Up to `THREADS` batches are recovered at once; they are delivered in the order of arrival,
so that an account's cancel cannot overtake its order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import trio

from rollup.crypto.signatures import SignatureFault, SignatureMalformed, recover_many
from rollup.sequencer.commands import Command, PlaceOrder, SoftCancel, Submit
from rollup.sequencer.engine import Input
from rollup.sequencer.memo import Memo
from rollup.sequencer.rejections import Busy, refusal
from rollup.types.reasons import Reason

QUEUE: Final = 4_096
"""Commands waiting for recovery: a fifth of a second of work. Beyond it callers hear `Busy` at once."""
GATHER: Final = 32
LARGEST: Final = 256
"""Commands of one batch: ten milliseconds in a thread, which bounds what a late one waits."""
PATIENCE: Final = 0.001
THREADS: Final = 2


@dataclass(slots=True, eq=False)
class _Batch:
    commands: list[Command]
    answers: list[bytes | SignatureFault] = field(default_factory=list)
    done: trio.Event = field(default_factory=trio.Event)

    def pairs(self) -> list[tuple[bytes, bytes]]:
        return [pair for command in self.commands for pair in _pairs(command)]


class Admission:
    """`offer` takes a command in or refuses with Busy; `run` moves them on to the engine's channel."""

    def __init__(self, engine: trio.MemorySendChannel[list[Input]], memo: Memo) -> None:
        self._engine = engine
        self._memo = memo
        self._limiter = trio.CapacityLimiter(THREADS)
        self._send, self._receive = trio.open_memory_channel[Command](QUEUE)

    def offer(self, command: Command) -> None:
        """Queue a command; its reply tells the rest."""
        try:
            self._send.send_nowait(command)
        except trio.WouldBlock:
            raise Busy("too many commands are waiting", waiting=QUEUE) from None
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise Busy("the sequencer is stopping") from None

    async def run(self) -> None:
        """Serve until cancelled."""
        to_deliver, delivery = trio.open_memory_channel[_Batch](THREADS)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._deliver, delivery)
            async for first in self._receive:
                batch = _Batch(await self._gather(first))
                await to_deliver.send(batch)
                nursery.start_soon(self._recover, batch)

    async def _gather(self, first: Command) -> list[Command]:
        gathered = [first]
        self._take_waiting(gathered)
        if len(gathered) < GATHER:
            with trio.move_on_after(PATIENCE):
                while len(gathered) < GATHER:
                    gathered.append(await self._receive.receive())
                    self._take_waiting(gathered)
        return gathered

    def _take_waiting(self, gathered: list[Command]) -> None:
        while len(gathered) < LARGEST:
            try:
                gathered.append(self._receive.receive_nowait())
            except (trio.WouldBlock, trio.EndOfChannel):
                return

    async def _recover(self, batch: _Batch) -> None:
        pairs = batch.pairs()
        if pairs:
            batch.answers = await trio.to_thread.run_sync(recover_many, pairs, limiter=self._limiter)
        batch.done.set()

    async def _deliver(self, batches: trio.MemoryReceiveChannel[_Batch]) -> None:
        async for batch in batches:
            await batch.done.wait()
            commands = self._sort_out(batch)
            if commands:
                await self._engine.send(list[Input](commands))

    def _sort_out(self, batch: _Batch) -> list[Command]:
        """Note the answers; commands whose signature shows nothing are refused here."""
        good: list[Command] = []
        answers = iter(batch.answers)
        for command in batch.commands:
            fault: SignatureFault | None = None
            for digest, signature in _pairs(command):
                answer = next(answers)
                self._memo.put(digest, signature, answer)
                if isinstance(answer, SignatureFault):
                    fault = answer
                elif not isinstance(command, Submit):
                    command.recovered = answer
            if fault is None:
                good.append(command)
            else:
                malformed = isinstance(fault, SignatureMalformed)
                command.reply.fail(refusal(Reason.SIGNATURE_MALFORMED if malformed else Reason.SIGNATURE_INVALID))
                command.reply.release()
        return good

    def statistics(self) -> dict[str, float]:
        """Fill of the queue, for metrics."""
        figures = self._receive.statistics()
        return {"waiting": figures.current_buffer_used, "capacity": min(figures.max_buffer_size, math.inf)}


def _pairs(command: Command) -> tuple[tuple[bytes, bytes], ...]:
    """(digest, signature) pairs to recover for a command."""
    match command:
        case PlaceOrder(order, digest):
            return ((digest, order.signature),)
        case Submit(digests=digests):
            return digests
        case SoftCancel(cancel, digest):
            return ((digest, cancel.signature),)
