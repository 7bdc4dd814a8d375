from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import msgspec
import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage
from wsproto.utilities import generate_accept_token

from rollup.rpc import ws_client
from rollup.rpc.client import (
    Notification,
    NotificationsLost,
    RpcDisconnected,
    RpcError,
    RpcUnreachable,
    connect_http,
    connect_ws,
)
from rollup.rpc.frames import masked_text_frame, text_frame
from rollup.rpc.server import RpcAddress, run_rpc_server
from tests.rpc.wire import Api, frame, make_api


@asynccontextmanager
async def serve() -> AsyncIterator[tuple[Api, RpcAddress]]:
    """A server on a free port."""
    api = make_api()
    async with trio.open_nursery() as nursery:
        address = await nursery.start(partial(run_rpc_server, api.dispatcher, "127.0.0.1", 0))
        yield api, address
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def serve_by(answer: Callable[[trio.SocketStream], Awaitable[None]]) -> AsyncIterator[str]:
    """A server that does not keep to the protocol; gives its host and port."""
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, answer, 0, host="127.0.0.1"))
        yield f"127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


class Sum(msgspec.Struct):
    """A typed result."""

    sum: int


async def test_calls_of_many_tasks_share_a_connection() -> None:
    """Each gets its own answer."""
    async with serve() as (_, address), connect_ws(address.ws_url) as rpc:
        results: dict[int, int] = {}

        async def ask(n: int) -> None:
            results[n] = (await rpc.call("add_later", {"a": n, "b": 1}, Sum)).sum

        async with trio.open_nursery() as nursery:
            for n in range(100):
                nursery.start_soon(ask, n)
        assert results == {n: n + 1 for n in range(100)}


async def test_sent_calls_are_answered_in_any_order() -> None:
    """One task can have many in flight."""
    async with serve() as (api, address), connect_ws(address.ws_url) as rpc:
        slow = rpc.send("wait", {"a": 1})
        quick = rpc.send("add", {"a": 2})
        assert await quick.get() == {"sum": 2}
        api.gate.set()
        assert await slow.get() == 1


@pytest.mark.parametrize("connect", ["ws", "http"])
async def test_errors_come_out_typed(connect: str) -> None:
    """Code, message and data, and not wrapped in a group."""
    async with serve() as (_, address):
        opened = connect_ws(address.ws_url) if connect == "ws" else connect_http(address.http_url)
        with pytest.raises(RpcError) as caught:
            async with opened as rpc:
                await rpc.call("refuse", {"a": 3})
        assert (caught.value.code, caught.value.message, caught.value.data["a"]) == (19_999, "too odd", 3)
        assert "too odd (19999)" in str(caught.value)


@pytest.mark.parametrize("connect", ["ws", "http"])
async def test_result_of_another_type_is_refused(connect: str) -> None:
    """A server of another version is noticed."""
    async with serve() as (_, address):
        opened = connect_ws(address.ws_url) if connect == "ws" else connect_http(address.http_url)
        async with opened as rpc:
            with pytest.raises(msgspec.ValidationError):
                await rpc.call("add", {"a": 3}, list[int])
            assert await rpc.call("add", {"a": 3}, Sum) == Sum(3)


async def test_notifications_are_iterated_beside_calls() -> None:
    """They arrive in order, typed."""
    async with serve() as (api, address), connect_ws(address.ws_url) as rpc:
        assert await rpc.subscribe("news.a") == {"status": {"news.a": "ok"}, "current_subscriptions": ["news.a"]}
        for n in range(3):
            api.subscriptions.publish("news.a", n)
        seen = []
        async for note in rpc.notifications():
            seen.append(note)
            if len(seen) == 3:
                break
        assert seen == [Notification("news.a", n) for n in range(3)]
        assert (await rpc.unsubscribe("news.a"))["current_subscriptions"] == []


async def test_gap_in_notifications_is_raised_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came before it is delivered first, and calls go on."""
    monkeypatch.setattr(ws_client, "QUEUED_NOTIFICATIONS", 5)
    async with serve() as (api, address), connect_ws(address.ws_url) as rpc:
        await rpc.subscribe("news.a")
        for n in range(9):
            api.subscriptions.publish("news.a", n)
        await rpc.call("add", {"a": 1})
        assert [(await rpc.next_notification()).data for _ in range(5)] == list(range(5))
        with pytest.raises(NotificationsLost):
            await rpc.next_notification()
        api.subscriptions.publish("news.a", 10)
        assert (await rpc.next_notification()).data == 10


async def test_notify_gets_no_answer() -> None:
    """It is sent before the connection closes."""
    async with serve() as (api, address):
        async with connect_ws(address.ws_url) as rpc:
            rpc.notify("add", {"a": 1})
        assert api.dispatcher.statistics.received == 1


async def test_block_that_is_cancelled_ends_cleanly() -> None:
    """The connection goes with the scope around it."""
    async with serve() as (_, address):
        with trio.move_on_after(0.05) as scope:
            async with connect_ws(address.ws_url) as rpc:
                await rpc.call("wait", {"a": 1})
        assert scope.cancelled_caught


async def test_nobody_there_is_unreachable() -> None:
    """A refused connection and a wrong address are one typed error."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    await listeners[0].aclose()
    for url in (f"ws://127.0.0.1:{port}/ws", "http://127.0.0.1/ws", "nonsense"):
        with pytest.raises(RpcUnreachable):
            async with connect_ws(url):
                pass
    for url in (f"http://127.0.0.1:{port}/", "nonsense"):
        async with connect_http(url) as http:
            with pytest.raises(RpcUnreachable):
                await http.call("add")


@pytest.mark.parametrize("answer", [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", b"nonsense\r\n\r\n", b""])
async def test_server_without_websockets_is_unreachable(answer: bytes) -> None:
    """Whatever it answers to the handshake."""

    async def refuse(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(answer)
        await stream.aclose()

    async with serve_by(refuse) as where:
        with pytest.raises(RpcUnreachable):
            async with connect_ws(f"ws://{where}/ws"):
                pass
        async with connect_http(f"http://{where}/") as http:
            with pytest.raises((RpcUnreachable, RpcDisconnected)):
                await http.call("add")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(1, b"not json", masked=False), 1002),
        (frame(1, b'{"id":{}}', masked=False), 1002),
        (frame(1, b"\xff", masked=False), 1007),
        (frame(1, b"{}", masked=True), 1002),
        (frame(8, (4001).to_bytes(2) + b"slow", masked=False), 4001),
        (b"", 1006),
    ],
    ids=map(str, range(6)),  # the bytes have random masks
)
async def test_calls_fail_when_the_connection_does(data: bytes, code: int) -> None:
    """With the close code, for waiting and for later calls alike."""

    async def misbehave(stream: trio.SocketStream) -> None:
        request = bytes(await stream.receive_some())
        key = request.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
        accept = generate_accept_token(key)
        head = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        await stream.send_all(head + accept + b"\r\n\r\n")
        await stream.receive_some()
        await stream.send_all(data)
        await stream.aclose()

    async with serve_by(misbehave) as where, connect_ws(f"ws://{where}/ws") as rpc:
        with pytest.raises(RpcDisconnected) as caught:
            await rpc.call("add", {"a": 1})
        assert caught.value.code == code
        with pytest.raises(RpcDisconnected):
            await rpc.call("add", {"a": 1})
        with pytest.raises(RpcDisconnected):
            await rpc.next_notification()


@given(st.binary(max_size=300) | st.integers(0, 70_000).map(lambda n: b"x" * n))
def test_frames_are_read_back_as_they_were(payload: bytes) -> None:
    """Both directions, all three forms of the length, against the library's own reader."""
    text = payload.decode("latin-1")
    data = text.encode()
    for data_frame, reader in (
        (masked_text_frame(data), Connection(ConnectionType.SERVER)),
        (text_frame(data), Connection(ConnectionType.CLIENT)),
    ):
        reader.receive_data(data_frame)
        events = list(reader.events())
        assert all(isinstance(event, TextMessage) for event in events)
        assert "".join(event.data for event in events if isinstance(event, TextMessage)) == text
