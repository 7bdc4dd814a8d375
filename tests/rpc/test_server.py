from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import pytest
import trio
import trio.testing

from rollup.errors import ConfigError
from rollup.rpc.client import RpcDisconnected, RpcUnreachable, connect_http, connect_ws
from rollup.rpc.limits import Limits
from rollup.rpc.server import RpcAddress, run_rpc_server
from rollup.rpc.session import Session
from tests.rpc.wire import Api, Wire, make_api, open_world


@dataclass
class Running:
    """A server on a port."""

    api: Api
    address: RpcAddress
    stop: trio.Event
    stopped: trio.Event


@asynccontextmanager
async def serve(limits: Limits | None = None) -> AsyncIterator[Running]:
    """A server on a free port for the time of a test."""
    api, stop, stopped = make_api(), trio.Event(), trio.Event()

    async def run(task_status: trio.TaskStatus[RpcAddress]) -> None:
        await run_rpc_server(
            api.dispatcher, "127.0.0.1", 0, limits=limits or Limits(), stop=stop, task_status=task_status
        )
        stopped.set()

    async with trio.open_nursery() as nursery:
        address = await nursery.start(run)
        yield Running(api, address, stop, stopped)
        stop.set()
        with trio.fail_after(60):
            await stopped.wait()


async def test_one_port_serves_http_and_websocket() -> None:
    """The address that `started` reports is the one to connect to."""
    async with serve() as running:
        assert running.address.host == "127.0.0.1"
        assert running.address.port > 0
        async with connect_ws(running.address.ws_url) as ws, connect_http(running.address.http_url) as http:
            assert await ws.call("add", {"a": 1}) == await http.call("add", {"a": 1}) == {"sum": 1}


async def test_taken_port_is_told_in_one_line() -> None:
    """Starting twice fails at once, and names the port."""
    async with serve() as running:
        taken = f"cannot listen on 127.0.0.1:{running.address.port}: Address already in use"
        with pytest.raises(ConfigError, match=taken):
            await run_rpc_server(make_api().dispatcher, "127.0.0.1", running.address.port)


async def test_stopping_answers_what_is_in_flight_and_closes_with_1001() -> None:
    """No new connections, no lost answers."""
    async with serve() as running, connect_ws(running.address.ws_url) as rpc:
        reply = rpc.send("wait", {"a": 5})
        await running.api.begun.wait()
        running.stop.set()
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(RpcUnreachable):
            async with connect_ws(running.address.ws_url):
                pass
        running.api.gate.set()
        assert await reply.get() == 5
        with pytest.raises(RpcDisconnected) as caught:
            await rpc.next_notification()
        assert caught.value.code == 1001
        with trio.fail_after(60):
            await running.stopped.wait()


async def test_stopping_finishes_the_http_request_at_hand() -> None:
    """Its response says that the connection ends; idle connections end at once."""
    async with serve() as running:
        idle = Wire(await trio.open_tcp_stream(running.address.host, running.address.port))
        busy = Wire(await trio.open_tcp_stream(running.address.host, running.address.port))
        body = b'{"a":5}'
        await busy.send(b"POST /wait HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await running.api.begun.wait()
        running.stop.set()
        assert await idle.ended()
        running.api.gate.set()
        status, headers, answer = await busy.response()
        assert (status, headers["connection"], answer["result"]) == (200, "close", 5)
        assert await busy.ended()
        await idle.stream.aclose()
        await busy.stream.aclose()


async def test_stopping_does_not_wait_for_ever() -> None:
    """A call that never ends is cancelled after the drain."""
    async with serve(Limits(drain_seconds=0.05, close_seconds=0.05)) as running:
        async with connect_ws(running.address.ws_url) as rpc:
            reply = rpc.send("wait", {"a": 5})
            await running.api.begun.wait()
            running.stop.set()
            with pytest.raises(RpcDisconnected):
                await reply.get()
        with trio.fail_after(60):
            await running.stopped.wait()
        assert running.api.finished == 0


async def test_cancelled_server_lets_go_of_its_port() -> None:
    """Cancelling drops all connections, and the port is free."""
    async with trio.open_nursery() as nursery:
        address = await nursery.start(partial(run_rpc_server, make_api().dispatcher, "127.0.0.1", 0))
        stream = await trio.open_tcp_stream(address.host, address.port)
        await stream.send_all(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n")
        assert await stream.receive_some()
        nursery.cancel_scope.cancel()
    assert await Wire(stream).ended()
    await stream.aclose()
    with pytest.raises(OSError, match="connect"):
        await trio.open_tcp_stream(address.host, address.port)


async def test_reset_connections_harm_nobody() -> None:
    """Clients that vanish at any moment leave a server that serves."""
    async with serve() as running:
        for sent in (b"", b"GET", b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n" * 50):
            stream = await trio.open_tcp_stream(running.address.host, running.address.port)
            # SO_LINGER with zero seconds: closing resets the connection.
            stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            await stream.send_all(sent)
            await stream.aclose()
        async with connect_http(running.address.http_url) as http:
            assert await http.call("add", {"a": 1}) == {"sum": 1}


def test_addresses_are_written_for_clients() -> None:
    """IPv6 hosts in brackets."""
    assert RpcAddress("127.0.0.1", 80).ws_url == "ws://127.0.0.1:80/ws"
    assert RpcAddress("::1", 80).http_url == "http://[::1]:80/"


async def test_session_callbacks_run_once_and_all(capsys: pytest.CaptureFixture[str]) -> None:
    """One that fails does not keep the others from running."""
    seen: list[str] = []
    session = Session("ws", "test", {})
    session.on_close(lambda: seen.append("first"))
    session.on_close(lambda: seen.remove("nothing"))
    session.on_close(lambda: seen.append("last"))
    session.close()
    session.close()
    assert seen == ["last", "first"]
    assert "rpc_close_callback_failed" in capsys.readouterr().out


async def test_session_ends_with_its_connection() -> None:
    """Cancel-on-disconnect hangs on this."""
    async with open_world() as world:
        seen: list[str] = []

        def watch(session: Session, channel: str) -> None:
            session.on_close(lambda: seen.append(channel))

        world.api.subscriptions.add_family("watch", watch)
        wire = await world.websocket()
        await wire.text({"id": 1, "method": "subscribe", "params": {"channels": ["watch.me"]}})
        await wire.answer()
        assert seen == []
        await wire.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert seen == ["watch.me"]
