"""The client's end of a WebSocket: many calls at once, answers in any order, notifications beside them."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from math import inf
from typing import Any
from urllib.parse import urlsplit

import msgspec
import trio
from trio.abc import Stream
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import AcceptConnection, CloseConnection, Event, Ping, RejectConnection, Request, TextMessage
from wsproto.utilities import RemoteProtocolError

from rollup.rpc.answers import (
    CallParams,
    Incoming,
    Notification,
    NotificationsLost,
    Reply,
    RpcDisconnected,
    RpcUnreachable,
    decode_incoming,
    decode_notification,
    encode_call,
)
from rollup.rpc.frames import masked_text_frame
from rollup.rpc.outbox import Outbox

READ_BYTES = 64 * 1024
"""One read: several hundred answers under load."""

QUEUED_NOTIFICATIONS = 16_384
"""Notifications kept for a program that is busy elsewhere: some MiB."""

MESSAGE_CHARACTERS = 64 * 1024 * 1024
"""The longest message taken from a server: a snapshot of everything fits, an endless one does not."""

CONNECT_SECONDS = 10.0
"""For name resolution, TCP and the handshake; longer means that nobody is there."""

CLOSE_SECONDS = 2.0
"""For the last frames out and the server's goodbye."""


class WsRpc:
    """One WebSocket to a server, made by `connect_ws`. Callers set timeouts."""

    def __init__(self, stream: Stream, protocol: WSConnection) -> None:
        self._stream = stream
        self._protocol = protocol
        self._outbox = Outbox()
        self._replies: dict[int, Reply] = {}
        self._last_id = 0
        self._parts: list[str] = []
        self._parts_size = 0
        self._notes: deque[Notification] = deque()
        self._noted: trio.Event | None = None
        self._lost = False
        self._failure: RpcDisconnected | None = None
        self._ended = trio.Event()

    async def call(self, method: str, params: CallParams = None, result_type: Any = Any) -> Any:
        """Call and wait for the result, decoded as `result_type`. Raises RpcError or RpcDisconnected."""
        return await self.send(method, params).get(result_type)

    def send(self, method: str, params: CallParams = None) -> Reply:
        """Start a call without waiting, so that one task can have many in flight. Raises RpcDisconnected."""
        if self._failure is not None:
            raise self._failure
        self._last_id += 1
        reply = self._replies[self._last_id] = Reply()
        self._outbox.put(masked_text_frame(encode_call(self._last_id, method, params)))
        return reply

    def notify(self, method: str, params: CallParams = None) -> None:
        """Call without getting an answer. Raises RpcDisconnected."""
        if self._failure is not None:
            raise self._failure
        self._outbox.put(masked_text_frame(encode_call(None, method, params)))

    async def subscribe(self, *channels: str) -> Any:
        """Join channels; what they publish comes out of `notifications`. Raises RpcError or RpcDisconnected."""
        return await self.call("subscribe", {"channels": channels})

    async def unsubscribe(self, *channels: str) -> Any:
        """Leave channels. Raises RpcError or RpcDisconnected."""
        return await self.call("unsubscribe", {"channels": channels})

    def notifications(self) -> Notifications:
        """Iterate over what the subscribed channels publish, in order; one consumer at a time."""
        return Notifications(self)

    async def next_notification(self) -> Notification:
        """The next notification. Raises NotificationsLost at a gap, RpcDisconnected when there will be none."""
        while not self._notes:
            if self._lost:
                self._lost = False
                raise NotificationsLost(f"more than {QUEUED_NOTIFICATIONS} notifications were waiting")
            if self._failure is not None:
                raise self._failure
            self._noted = trio.Event()
            await self._noted.wait()
        return self._notes.popleft()

    async def run(self) -> None:
        """Send and receive until the connection ends; never raises for what the server does."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._outbox.run, self._stream, inf)
            try:
                await self._receive()
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                self._end(1006, str(error) or "the connection broke")
            except (RemoteProtocolError, msgspec.MsgspecError) as error:
                self._end(1002, f"the server sent nonsense: {error}")
            finally:
                self._end(1006, "the connection was dropped")
            with trio.move_on_after(CLOSE_SECONDS):
                await self._outbox.wait_below(1)
            nursery.cancel_scope.cancel()
        # The server waits for this end of the close; the block around the connection may go on for long.
        await trio.aclose_forcefully(self._stream)

    async def finish(self) -> None:
        """Send what waits, say goodbye, and wait briefly for the server's."""
        if self._failure is None and self._protocol.state is ConnectionState.OPEN:
            self._outbox.end(self._protocol.send(CloseConnection(1000)))
            with trio.move_on_after(CLOSE_SECONDS):
                await self._ended.wait()
        self._end(1000, "closed by this side")

    async def _receive(self) -> None:
        while self._failure is None:
            for event in self._protocol.events():
                self._take(event)
            data = await self._stream.receive_some(READ_BYTES)
            if not data:
                self._end(1006, "the server left without a close frame")
                return
            self._protocol.receive_data(bytes(data))

    def _take(self, event: Event) -> None:
        if isinstance(event, TextMessage):
            self._take_text(event)
        elif isinstance(event, Ping):
            self._outbox.put(self._protocol.send(event.response()))
        elif isinstance(event, CloseConnection):
            if self._protocol.state in (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING):
                self._outbox.end(self._protocol.send(event.response()))
            self._end(event.code, event.reason or "")

    def _take_text(self, event: TextMessage) -> None:
        if event.message_finished and not self._parts:
            self._take_message(decode_incoming(event.data))
            return
        self._parts.append(event.data)
        self._parts_size += len(event.data)
        if self._parts_size > MESSAGE_CHARACTERS:
            self._end(1009, f"the server sent a message above {MESSAGE_CHARACTERS} characters")
        elif event.message_finished:
            message = "".join(self._parts)
            self._parts.clear()
            self._parts_size = 0
            self._take_message(decode_incoming(message))

    def _take_message(self, message: Incoming) -> None:
        if message.method == "subscription":
            self._take_notification(message)
        elif isinstance(message.id, int) and (reply := self._replies.pop(message.id, None)) is not None:
            reply.settle(message)

    def _take_notification(self, message: Incoming) -> None:
        if len(self._notes) >= QUEUED_NOTIFICATIONS:
            self._lost = True
        # After a gap nothing is queued until the consumer has seen it, so that it stands where it happened.
        if not self._lost:
            self._notes.append(decode_notification(message.params))
            self._wake()

    def _wake(self) -> None:
        if self._noted is not None:
            self._noted.set()
            self._noted = None

    def _end(self, code: int, reason: str) -> None:
        """Fail what waits, once; the first reason stands."""
        if self._failure is not None:
            return
        failure = self._failure = RpcDisconnected(code, reason)
        for reply in self._replies.values():
            reply.fail(failure)
        self._replies.clear()
        self._ended.set()
        self._wake()


class Notifications:
    """The notifications of a connection as an asynchronous iterator."""

    __slots__ = ("_rpc",)

    def __init__(self, rpc: WsRpc) -> None:
        self._rpc = rpc

    def __aiter__(self) -> Notifications:
        return self

    async def __anext__(self) -> Notification:
        return await self._rpc.next_notification()


@asynccontextmanager
async def connect_ws(url: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[WsRpc]:
    """A connection to `url` (ws://host:port/path) for the time of the block. Raises RpcUnreachable.

    Exceptions of the block come out as they are, not wrapped in a group.
    """
    stream, protocol = await _open(url, headers or {})
    failure: Exception | None = None
    try:
        async with trio.open_nursery() as nursery:
            rpc = WsRpc(stream, protocol)
            nursery.start_soon(rpc.run)
            try:
                yield rpc
            except Exception as error:  # noqa: BLE001 - raised again outside the nursery, which would wrap it
                failure = error
            await rpc.finish()
            nursery.cancel_scope.cancel()
    finally:
        await trio.aclose_forcefully(stream)
    if failure is not None:
        raise failure


async def _open(url: str, headers: Mapping[str, str]) -> tuple[Stream, WSConnection]:
    parts = urlsplit(url)
    if parts.scheme != "ws" or parts.hostname is None:
        raise RpcUnreachable(f"{url} is not a ws:// address")
    try:
        with trio.fail_after(CONNECT_SECONDS):
            stream = await trio.open_tcp_stream(parts.hostname, parts.port or 80)
            try:
                return stream, await shake_hands(stream, parts.netloc, parts.path or "/", headers)
            except BaseException:
                await trio.aclose_forcefully(stream)
                raise
    except (OSError, trio.BrokenResourceError, trio.TooSlowError, RemoteProtocolError) as error:
        raise RpcUnreachable(f"{url}: {error or 'no answer in time'}") from error


async def shake_hands(stream: Stream, host: str, target: str, headers: Mapping[str, str]) -> WSConnection:
    """Become a WebSocket client on a fresh stream. Raises RpcUnreachable if the server will not have it."""
    protocol = WSConnection(ConnectionType.CLIENT)
    extra = [(name.encode(), value.encode()) for name, value in headers.items()]
    await stream.send_all(protocol.send(Request(host=host, target=target, extra_headers=extra)))
    while True:
        data = await stream.receive_some(READ_BYTES)
        if not data:
            raise RpcUnreachable("the server closed the connection during the handshake")
        protocol.receive_data(bytes(data))
        for event in protocol.events():
            if isinstance(event, AcceptConnection):
                return protocol
            if isinstance(event, RejectConnection):
                raise RpcUnreachable(f"the server answered the handshake with status {event.status_code}")
