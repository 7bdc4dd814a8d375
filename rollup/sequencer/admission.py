"""Admission: has signatures recovered, many at a time, and hands commands to the engine in arrival order.

A hop to another thread or process costs about as much as a recovery, so commands are gathered: whatever has arrived if
nothing is being recovered, else at least `GATHER` or `PATIENCE` seconds' worth. Up to `BATCHES` are recovered at once;
they are delivered in the order of arrival, so that an account's cancel cannot overtake its order.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import trio

from rollup.crypto.signatures import SignatureFault, SignatureMalformed
from rollup.sequencer.commands import Command, PlaceOrder, SoftCancel, Submit
from rollup.sequencer.engine import Input
from rollup.sequencer.memo import Memo
from rollup.sequencer.recovery import Recovery
from rollup.sequencer.rejections import Busy, refusal
from rollup.types.reasons import Reason

QUEUE: Final = 4_096
"""Commands waiting for recovery: a fifth of a second of work. Beyond it callers hear `Busy` at once."""
GATHER: Final = 32
LARGEST: Final = 128
"""Commands of one batch: five milliseconds of recovery, which bounds what a late one waits."""
PATIENCE: Final = 0.001
BATCHES: Final = 2


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
        self._recovery = Recovery()
        # Not a channel: a command would cost two calls and a wake-up there, which is a tenth of its whole way.
        self._waiting: deque[Command] = deque()
        self._wanted = 0
        self._under_way = 0
        self._arrived = trio.Event()
        self._stopped = False

    def offer(self, command: Command) -> None:
        """Queue a command; its reply tells the rest."""
        if self._stopped:
            raise Busy("the sequencer is stopping")
        if len(self._waiting) >= QUEUE:
            raise Busy("too many commands are waiting", waiting=QUEUE)
        self._waiting.append(command)
        if len(self._waiting) == self._wanted:
            self._arrived.set()

    async def run(self) -> None:
        """Serve until cancelled."""
        to_deliver, delivery = trio.open_memory_channel[_Batch](BATCHES)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._deliver, delivery)
                while True:
                    batch = _Batch(await self._gather())
                    self._under_way += 1
                    await to_deliver.send(batch)
                    nursery.start_soon(self._recover, batch)
        finally:
            self._stopped = True
            await self._recovery.close()

    async def _gather(self) -> list[Command]:
        await self._wait_for(1)
        if self._under_way and len(self._waiting) < GATHER:
            with trio.move_on_after(PATIENCE):
                await self._wait_for(GATHER)
        gathered = list(islice(self._waiting, LARGEST))
        for _ in gathered:
            self._waiting.popleft()
        return gathered

    async def _wait_for(self, count: int) -> None:
        if len(self._waiting) < count:
            self._wanted, self._arrived = count, trio.Event()
            await self._arrived.wait()

    async def _recover(self, batch: _Batch) -> None:
        pairs = batch.pairs()
        if pairs:
            batch.answers = await self._recovery.recover(pairs)
        self._under_way -= 1
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
                if isinstance(answer, SignatureFault):
                    fault = answer
                elif isinstance(command, Submit):
                    self._memo.put(digest, signature, answer)  # it is executed as it is, and asks again
                else:
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
        return {"waiting": len(self._waiting), "capacity": QUEUE}


def _pairs(command: Command) -> tuple[tuple[bytes, bytes], ...]:
    """(digest, signature) pairs to recover for a command."""
    match command:
        case PlaceOrder(order, digest):
            return ((digest, order.signature),)
        case Submit(digests=digests):
            return digests
        case SoftCancel(cancel, digest):
            return ((digest, cancel.signature),)
