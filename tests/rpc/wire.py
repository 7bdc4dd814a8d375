"""Clients for tests: raw bytes on a stream, as a hostile peer would send them."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import trio
import trio.testing
from trio.abc import HalfCloseableStream
from wsproto import WSConnection
from wsproto.events import CloseConnection, Event, Message, Ping, Pong, TextMessage

from rollup.errors import Rejected
from rollup.rpc.dispatch import Dispatcher, NoParams, Params
from rollup.rpc.http import Site
from rollup.rpc.limits import Limits
from rollup.rpc.server import ConnectionServer
from rollup.rpc.session import Session
from rollup.rpc.subscriptions import Subscriptions
from rollup.rpc.ws_client import shake_hands


class AddParams(Params, frozen=True):
    """Two numbers."""

    a: int
    b: int = 0


class TooOdd(Rejected):
    """For tests only."""

    code = 19_999


@dataclass
class Api:
    """A dispatcher with methods of every temper, and what they saw."""

    dispatcher: Dispatcher
    subscriptions: Subscriptions
    gate: trio.Event
    begun: trio.Event
    running: int = 0
    most_running: int = 0
    finished: int = 0


def make_api(**options: Any) -> Api:
    """`add` inline, `add_later` in a task, `wait` until the gate opens, `refuse`, `crash` and `assert` as they say."""
    api = Api(Dispatcher(**options), Subscriptions(limit=8), trio.Event(), trio.Event())

    def add(_session: Session, params: AddParams) -> dict[str, int]:
        return {"sum": params.a + params.b}

    async def add_later(_session: Session, params: AddParams) -> dict[str, int]:
        await trio.lowlevel.checkpoint()
        return {"sum": params.a + params.b}

    async def wait(_session: Session, params: AddParams) -> int:
        api.running += 1
        api.begun.set()
        api.most_running = max(api.running, api.most_running)
        try:
            await api.gate.wait()
        finally:
            api.running -= 1
        api.finished += 1
        return params.a

    def refuse(_session: Session, params: AddParams) -> None:
        raise TooOdd("too odd", a=params.a, raw=b"\x01")

    async def crash(_session: Session, _params: NoParams) -> None:
        raise ValueError("the secret is 42")

    def bug(_session: Session, _params: NoParams) -> None:
        raise AssertionError("an invariant is broken")

    def opaque(_session: Session, _params: NoParams) -> object:
        return object()

    api.dispatcher.register("add", AddParams, add)
    api.dispatcher.register("add_later", AddParams, add_later)
    api.dispatcher.register("wait", AddParams, wait)
    api.dispatcher.register("refuse", AddParams, refuse)
    api.dispatcher.register("crash", NoParams, crash)
    api.dispatcher.register("bug", NoParams, bug)
    api.dispatcher.register("opaque", NoParams, opaque)
    api.dispatcher.register("public/echo", NoParams, lambda session, _: dict(session.headers))
    api.subscriptions.register(api.dispatcher)
    api.subscriptions.add_family("news", lambda _session, channel: {"first": True} if channel == "news.hot" else None)
    return api


class Wire:
    """The client's end of a connection."""

    def __init__(self, stream: HalfCloseableStream) -> None:
        self.stream = stream
        self.protocol: WSConnection | None = None
        self._events: list[Event] = []

    async def send(self, data: bytes) -> None:
        """Bytes as they are."""
        await self.stream.send_all(data)

    async def upgrade(self) -> None:
        """Become a WebSocket."""
        self.protocol = await shake_hands(self.stream, "test", "/ws", {"X-Wallet": "0xabc"})

    async def text(self, message: object) -> None:
        """A text message: JSON of an object, a string as it is."""
        assert self.protocol is not None
        text = message if isinstance(message, str) else json.dumps(message)
        await self.send(self.protocol.send(Message(data=text)))

    async def event(self) -> Event | None:
        """The next WebSocket event, pings answered; None at the end of the stream."""
        assert self.protocol is not None
        while not self._events:
            data = await self.stream.receive_some()
            if not data:
                return None
            self.protocol.receive_data(bytes(data))
            self._events += self.protocol.events()
        event = self._events.pop(0)
        if isinstance(event, Ping):
            await self.send(self.protocol.send(event.response()))
            return await self.event()
        return event

    async def answer(self) -> Any:
        """The next text message as JSON."""
        text = ""
        while True:
            event = await self.event()
            assert isinstance(event, TextMessage), event
            text += event.data
            if event.message_finished:
                return json.loads(text)

    async def closed(self) -> tuple[int, str | None]:
        """The close code and reason that the server sends, whatever comes before them."""
        while not isinstance(event := await self.event(), CloseConnection):
            assert isinstance(event, TextMessage | Pong), event
        return event.code, event.reason

    async def http(self, request: bytes) -> tuple[int, dict[str, str], Any]:
        """Send a request and read one response: status, headers, JSON or text."""
        await self.send(request)
        return await self.response()

    async def response(self) -> tuple[int, dict[str, str], Any]:
        """Read one response."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += await self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        while len(body) < int(headers.get("content-length", 0)):
            body += await self._more()
        value = json.loads(body) if "json" in headers.get("content-type", "") else body.decode()
        return int(lines[0].split()[1]), headers, value

    async def ended(self) -> bool:
        """Whether the server sends nothing more and closes."""
        try:
            return await self.stream.receive_some() == b""
        except trio.BrokenResourceError:
            return True

    async def _more(self) -> bytes:
        data = await self.stream.receive_some()
        assert data, "the server closed in the middle of a response"
        return bytes(data)


def post(body: bytes, path: str = "/", extra: str = "") -> bytes:
    """A POST request."""
    return f"POST {path} HTTP/1.1\r\nHost: test\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body


def frame(opcode: int, payload: bytes, *, final: bool = True, masked: bool = True, reserved: int = 0) -> bytes:
    """One WebSocket frame, right or wrong."""
    first = (0x80 if final else 0) | reserved << 4 | opcode
    size = len(payload)
    length = (
        bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2) if size < 65_536 else b"\x7f" + size.to_bytes(8)
    )
    if not masked:
        return bytes([first]) + length + payload
    mask = os.urandom(4)
    length = bytes([length[0] | 0x80]) + length[1:]
    return bytes([first]) + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


class World:
    """One server and as many in-memory connections to it as a test opens."""

    def __init__(self, api: Api, nursery: trio.Nursery, limits: Limits) -> None:
        self.api = api
        self.limits = limits
        self.server = ConnectionServer(Site(api.dispatcher, limits, metrics=lambda: b"up 1\n"))
        self._nursery = nursery

    def connect(self, *, lockstep: bool = False) -> Wire:
        """A fresh connection; in lockstep, what one end sends stays with it until the other reads."""
        make = trio.testing.lockstep_stream_pair if lockstep else trio.testing.memory_stream_pair
        ours, theirs = make()
        self._nursery.start_soon(self.server.serve, theirs)
        return Wire(ours)

    async def websocket(self, *, lockstep: bool = False) -> Wire:
        """A fresh WebSocket."""
        wire = self.connect(lockstep=lockstep)
        await wire.upgrade()
        return wire

    async def assert_healthy(self) -> None:
        """The server still answers a well-behaved newcomer, both ways."""
        wire = await self.websocket()
        await wire.text({"jsonrpc": "2.0", "id": "well", "method": "add", "params": {"a": 40, "b": 2}})
        assert await wire.answer() == {"id": "well", "result": {"sum": 42}, "jsonrpc": "2.0"}
        await wire.stream.aclose()
        status, _, body = await self.connect().http(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n")
        assert (status, body) == (200, {"status": "ok"})


@asynccontextmanager
async def open_world(limits: Limits | None = None, **options: Any) -> AsyncIterator[World]:
    """A world for the time of a test, checked for health at its end."""
    async with trio.open_nursery() as nursery:
        world = World(make_api(**options), nursery, limits or Limits())
        yield world
        await world.assert_healthy()
        nursery.cancel_scope.cancel()


def decode(data: bytes | None) -> Any:
    """An encoded answer as Python values."""
    assert data is not None
    return msgspec.json.decode(data)
