"""One WebSocket: reads messages, runs calls side by side, sends answers as they come.

Calls on one connection are concurrent up to `in_flight`; answers carry their ids and may overtake each other. All that
a client can make grow is bounded: unanswered calls and unsent answers stop the reading, unsent notifications and
silence end the connection with a close code that says so.
"""

from __future__ import annotations

from collections.abc import Awaitable

import trio
from trio.abc import Stream
from wsproto.connection import Connection, ConnectionState
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage

from rollup.rpc.dispatch import Dispatcher
from rollup.rpc.frames import CloseCode, text_frame
from rollup.rpc.limits import READ_BYTES, Limits
from rollup.rpc.outbox import Outbox
from rollup.rpc.pending import PendingBatch, PendingCall, PromisedCall
from rollup.rpc.reading import MessageReader
from rollup.rpc.session import Session
from rollup.rpc.streams import close_gently


class WebSocketConnection:
    """The server's end of one WebSocket after its handshake; `run` serves it to its end and closes the stream."""

    def __init__(self, stream: Stream, protocol: Connection, dispatcher: Dispatcher, limits: Limits) -> None:
        self._stream = stream
        self._protocol = protocol
        self._reader = MessageReader(protocol, limits.message_bytes)
        self._dispatcher = dispatcher
        self._limits = limits
        self._outbox = Outbox()
        self._reading = trio.CancelScope()
        self._goodbye: CloseConnection | None = None
        self._in_flight = 0
        self._answered: trio.Event | None = None
        self._parts: list[str] = []
        self._parts_size = 0
        self._parts_since: float | None = None
        self._heard = trio.current_time()
        self._held_back = False

    def push(self, payload: bytes) -> None:
        """Queue an encoded notification, or drop the client if it does not keep up."""
        outbox, limits = self._outbox, self._limits
        if self._goodbye is not None:
            return
        if outbox.notifications >= limits.queued_notifications or outbox.size >= limits.queued_notification_bytes:
            # What waits cannot be delivered in time anyway; the close frame must not queue behind it.
            outbox.discard()
            self.close(CloseCode.SLOW_CONSUMER, "notifications are not read fast enough")
        else:
            outbox.put_notification(text_frame(payload))

    def close(self, code: CloseCode, reason: str) -> None:
        """Begin to close: read no more, answer what is in flight, then say why."""
        self._close_with(CloseConnection(code, reason))

    async def run(self, session: Session, handshake: bytes, rest: bytes = b"") -> None:
        """Serve to the end, the handshake's answer first; the session is closed on every way out.

        `rest` came with the handshake and is read before anything else.
        """
        self._outbox.put(handshake)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._send)
                nursery.start_soon(self._watch)
                with self._reading:
                    await self._read(session, nursery, rest)
                await self._finish()
                nursery.cancel_scope.cancel()
        finally:
            session.close()
            await trio.aclose_forcefully(self._stream)

    async def _send(self) -> None:
        await self._outbox.run(self._stream, self._limits.send_seconds)
        # The peer is gone, or we have said goodbye: there is nobody to read from.
        self._reading.cancel()

    async def _watch(self) -> None:
        """Ping a silent peer, and give up on one that stays silent or never ends its message."""
        limits = self._limits
        while True:
            await trio.sleep(limits.ping_seconds)
            now = trio.current_time()
            silent = 0.0 if self._held_back else now - self._heard
            if silent >= limits.idle_seconds:
                self.close(CloseCode.IDLE, "nothing was heard for too long")
            elif self._parts_since is not None and now - self._parts_since >= limits.receive_seconds:
                self.close(CloseCode.SLOW_MESSAGE, "a message took too long to arrive")
            elif silent >= limits.ping_seconds and self._protocol.state is ConnectionState.OPEN:
                self._outbox.put(self._protocol.send(Ping()))

    async def _read(self, session: Session, nursery: trio.Nursery, data: bytes) -> None:
        """Take messages until somebody closes, or the peer leaves."""
        stream, reader = self._stream, self._reader
        try:
            while True:
                for message in reader.read(data):
                    if isinstance(message, str):
                        await self._begin(message, session, nursery)
                    else:
                        await self._take(message, session, nursery)
                    if self._goodbye is not None:
                        return
                data = bytes(await stream.receive_some(READ_BYTES))
                if not data:
                    return
                self._heard = trio.current_time()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return

    async def _take(self, event: Event, session: Session, nursery: trio.Nursery) -> None:
        if isinstance(event, TextMessage):
            message = self._assemble(event)
            if message is not None:
                await self._begin(message, session, nursery)
        elif isinstance(event, Ping):
            self._outbox.put(self._protocol.send(event.response()))
            await self._make_room()
        elif isinstance(event, BytesMessage):
            self.close(CloseCode.UNSUPPORTED_DATA, "messages are JSON text")
        elif isinstance(event, CloseConnection):
            # The peer closes, or it broke the protocol and the event says how: the same frame answers both.
            self._close_with(event.response())

    async def _begin(self, message: str, session: Session, nursery: trio.Nursery) -> None:
        """Answer a message, or start on it."""
        reply = self._dispatcher.begin(session, message)
        if isinstance(reply, bytes):
            self._outbox.put(text_frame(reply))
        elif reply is not None:
            await self._start(reply, nursery)
        await self._make_room()

    async def _make_room(self) -> None:
        if self._outbox.size >= self._limits.outbox_bytes:
            await self._hold_back(self._outbox.wait_below(self._limits.outbox_bytes))

    def _assemble(self, event: TextMessage) -> str | None:
        """The whole message, or None while parts are missing or if there are too many."""
        if event.message_finished and self._parts_since is None:
            message = event.data
            size = len(message)
        else:
            if self._parts_since is None:
                self._parts_since = trio.current_time()
            if event.data:
                self._parts.append(event.data)
                self._parts_size += len(event.data)
            size = self._parts_size
            message = ""
        if size > self._limits.message_bytes:
            self.close(CloseCode.MESSAGE_TOO_BIG, f"messages have at most {self._limits.message_bytes} bytes")
            return None
        if not event.message_finished:
            return None
        if self._parts_since is not None:
            message = "".join(self._parts)
            self._parts.clear()
            self._parts_size = 0
            self._parts_since = None
        return message

    async def _start(self, pending: PendingCall | PendingBatch, nursery: trio.Nursery) -> None:
        """Run a call beside the others as soon as there are slots for it."""
        if self._in_flight and self._in_flight + pending.weight > self._limits.in_flight:
            await self._hold_back(self._wait_for_slots(pending.weight))
        self._in_flight += pending.weight
        if isinstance(pending, PromisedCall):
            pending.start(self._deliver)
        else:
            nursery.start_soon(self._answer, pending)

    async def _answer(self, pending: PendingCall | PendingBatch) -> None:
        self._deliver(await pending.run(), pending.weight)

    def _deliver(self, reply: bytes | None, weight: int = 1) -> None:
        if reply is not None:
            self._outbox.put(text_frame(reply))
        self._in_flight -= weight
        if self._answered is not None:
            self._answered.set()
            self._answered = None

    async def _wait_for_slots(self, weight: int) -> None:
        while self._in_flight and self._in_flight + weight > self._limits.in_flight:
            if self._answered is None:
                self._answered = trio.Event()
            await self._answered.wait()

    async def _hold_back(self, wait: Awaitable[None]) -> None:
        """Wait for our own side; the peer's silence meanwhile proves nothing, since nobody listens."""
        self._held_back = True
        await wait
        self._held_back = False
        self._heard = trio.current_time()

    def _close_with(self, goodbye: CloseConnection) -> None:
        if self._goodbye is None:
            self._goodbye = goodbye
            self._reading.cancel()

    async def _finish(self) -> None:
        """Answer what is in flight, send all that waits and the close frame, and let the peer close first."""
        with trio.move_on_after(self._limits.drain_seconds):
            await self._wait_for_slots(self._limits.in_flight)
        goodbye = self._goodbye
        if goodbye is None:
            return
        self._outbox.end(self._protocol.send(goodbye))
        with trio.move_on_after(self._limits.close_seconds):
            await self._outbox.wait_below(1)
        if not self._outbox.broken:
            await close_gently(self._stream, self._limits.close_seconds)
