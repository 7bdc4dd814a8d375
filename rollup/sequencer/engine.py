"""The engine: the one task that changes books and ledger. Commands come in, units for the group commit go out.

A unit is sent on when nothing but answers wait, or `interval` seconds after the last that had a block: what comes after
a lull is sealed at once. Only while the flags that a price in it calls for are being found, a block stays open for
`patience`. While the committer writes one unit the engine works on the next; if the committer falls behind, the channel
between them is what slows the engine, then admission, and then callers hear `Busy`. Inbox messages are taken one block
at a time, so that a flood of them leaves commands their turn, and the room behind them in each block.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from typing import Final, TypeVar

import trio

from rollup.errors import Rejected
from rollup.sequencer.commands import Command, PlaceOrder, Reply, SoftCancel, Submit
from rollup.sequencer.desk import Desk
from rollup.sequencer.risk.register import Findings
from rollup.sequencer.unit import Unit
from rollup.types.limits import MAX_TRANSACTIONS

T = TypeVar("T")

EXPIRY_TICK: Final = 0.5
"""Seconds between two looks for expired orders; matching never meets a dead order anyway."""


@dataclass(slots=True, eq=False)
class TakeMessages:
    """Inbox messages that follow those already taken; `first` is the number of the first.

    While an `urgent` one waits, the sequencer puts nothing of its own into blocks: each must begin with messages.
    """

    first: int
    messages: Sequence[bytes]
    urgent: bool = False


@dataclass(slots=True, eq=False)
class Pause:
    """Stop once everything is durable; `resume` once the chain has been moved. For `watch`."""

    stopped: trio.Event = field(default_factory=trio.Event)
    resume: trio.Event = field(default_factory=trio.Event)


Input = Command | TakeMessages | Pause | Findings


class Engine:
    """Runs one desk."""

    def __init__(
        self,
        desk: Desk,
        inputs: trio.MemoryReceiveChannel[list[Input]],
        units: trio.MemorySendChannel[Unit],
        interval: float,
        patience: float = 0.0,
    ) -> None:
        self._desk = desk
        self._inputs = inputs
        self._units = units
        self._interval = interval
        self._patience = patience
        self._opened = inf
        self._sealed = -inf
        self._messages: deque[bytes] = deque()
        self._urgent = False
        self.restrained: Callable[[], bool] = lambda: False
        """Whether blocks are kept for prices and messages: then risk's own transactions wait."""

    async def run(self) -> None:
        """Serve until the inputs end; what was taken in is sent on. Messages not in a block yet come from L1 again."""
        async with self._units:
            expiry = trio.current_time() + EXPIRY_TICK
            while True:
                try:
                    inputs = await self._receive(min(self._due(), expiry))
                except trio.EndOfChannel:
                    break
                self._desk.ledger.refresh()
                for each in inputs:
                    await self._handle(each)
                self._take_block()
                if self._may_take_risk:
                    self._desk.risk.work()
                now = trio.current_time()
                if now >= expiry:
                    self._desk.expire()
                    expiry = now + EXPIRY_TICK
                await self._send_on(now)
            await self._flush()

    async def _receive(self, until: float) -> list[Input]:
        """What has come; nothing at `until`, or at once if there are messages or steps of risk to take."""
        if self._messages or (self._desk.risk.ready and self._may_take_risk):
            await trio.lowlevel.checkpoint()
            try:
                return self._inputs.receive_nowait()
            except trio.WouldBlock:
                return []
        with trio.move_on_at(until):
            return await self._inputs.receive()
        return []

    @property
    def _may_take_risk(self) -> bool:
        return not (self._messages and self._urgent) and not self.restrained()

    async def _handle(self, each: Input) -> None:
        match each:
            case PlaceOrder():
                self._answer(each.reply, lambda: self._desk.place(each))
            case SoftCancel():
                self._answer(each.reply, lambda: self._desk.cancel(each))
            case Submit():
                self._answer(each.reply, lambda: self._desk.submit(each))
            case TakeMessages():
                self._take(each)
            case Findings():
                self._desk.risk.take(each)
            case Pause():
                self._messages.clear()  # the watcher sends them again from where the desk stands then
                await self._flush()
                await self._written()
                each.stopped.set()
                await each.resume.wait()

    def _answer(self, reply: Reply[T], work: Callable[[], T]) -> None:
        try:
            reply.settle(work())
        except Rejected as refusal:
            reply.fail(refusal)
        self._desk.unit.replies.append(reply)

    def _take(self, each: TakeMessages) -> None:
        """Take what is new of the messages; a follower that started over sends some again."""
        known = self._desk.ledger.inbox_index + len(self._messages) - each.first
        assert known >= 0, "messages come in order"
        self._messages.extend(each.messages[known:])
        self._urgent = each.urgent

    def _take_block(self) -> None:
        """Begin a block with the messages that are first in line."""
        if self._messages:
            self._desk.risk.resolve()
            for _ in range(self._desk.take_block(list(islice(self._messages, MAX_TRANSACTIONS)))):
                self._messages.popleft()

    async def _send_on(self, now: float) -> None:
        if self._desk.ledger.is_empty:
            self._opened = inf
            if not self._desk.unit.is_empty:
                await self._flush()
            return
        if self._opened == inf:
            self._opened = now
        if now >= self._due():
            self._sealed = now
            await self._flush()

    def _due(self) -> float:
        """When the open block is to be sealed: with a price in it, not before everybody was screened, or `patience`."""
        if self._patience and self._desk.risk.awaited:
            return self._opened + max(self._interval, self._patience)
        return max(self._opened, self._sealed + self._interval)

    async def _written(self) -> None:
        """Wait until everything sent on so far is durable: its own answer waits behind it."""
        last: Reply[bool] = Reply()
        last.settle(True)
        await self._units.send(Unit(replies=[last]))
        try:
            await last.wait()
        except Rejected:
            await trio.sleep_forever()  # the disk failed, and the process is about to end

    async def _flush(self) -> None:
        unit = self._desk.take_unit()
        self._opened = inf
        if not unit.is_empty:
            await self._units.send(unit)
