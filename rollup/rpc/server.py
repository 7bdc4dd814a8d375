"""The RPC server: one TCP port, HTTP and WebSocket, from the first connection to an orderly end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import structlog
import trio
from trio.abc import Stream

from rollup.l1.listening import open_listeners
from rollup.rpc import protocol
from rollup.rpc.dispatch import Dispatcher
from rollup.rpc.frames import CloseCode
from rollup.rpc.http import HttpConnection, Site
from rollup.rpc.limits import REFUSED_CONNECTIONS, Limits
from rollup.rpc.session import Session
from rollup.rpc.streams import close_gently, peer_name
from rollup.rpc.websocket import WebSocketConnection

log = structlog.get_logger(__name__)

TOO_MANY_CONNECTIONS = -32100
"""The error code in the body of the 503 that a full server answers with."""


class RpcAddress(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    @property
    def http_url(self) -> str:
        """For `connect_http`."""
        return f"http://{self._authority}/"

    @property
    def ws_url(self) -> str:
        """For `connect_ws`."""
        return f"ws://{self._authority}/ws"

    @property
    def _authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(slots=True)
class ServerStatistics:
    """Connections now and since the start."""

    http: int = 0
    websockets: int = 0
    accepted: int = 0
    refused: int = 0


class ConnectionServer:
    """Serves single connections, given as streams; `run_rpc_server` feeds it from a port."""

    def __init__(self, site: Site) -> None:
        self.statistics = ServerStatistics()
        self._site = site
        self._limits = site.limits
        self._refusing = 0
        self._stopping = False
        # What ends each open connection in an orderly way; a dict for its order.
        self._stops: dict[Callable[[], None], None] = {}

    def stop(self) -> None:
        """Have every connection finish what it does and close."""
        self._stopping = True
        for stop in list(self._stops):
            stop()

    async def serve(self, stream: Stream) -> None:
        """Serve one connection to its end. Never raises but for cancellation: one client cannot harm the others."""
        try:
            if len(self._stops) >= self._limits.connections:
                await self._refuse(stream)
            else:
                await self._serve(stream)
        except Exception as error:
            log.exception("rpc_connection_failed", peer=peer_name(stream))
            self._site.dispatcher.report_if_fatal(error)
        finally:
            await trio.aclose_forcefully(stream)

    async def _serve(self, stream: Stream) -> None:
        self.statistics.accepted += 1
        http = HttpConnection(stream, self._site)
        self.statistics.http += 1
        self._stops[http.stop] = None
        try:
            upgrade = await http.run()
        finally:
            del self._stops[http.stop]
            self.statistics.http -= 1
        if upgrade is None:
            await close_gently(stream, self._limits.close_seconds)
            return
        socket = WebSocketConnection(stream, upgrade.protocol, self._site.dispatcher, self._limits)
        session = Session("ws", peer_name(stream), upgrade.headers, socket.push)
        stop = partial(socket.close, CloseCode.GOING_AWAY, "the server stops")
        self.statistics.websockets += 1
        self._stops[stop] = None
        try:
            if self._stopping:
                stop()
            await socket.run(session, upgrade.response, upgrade.rest)
        finally:
            del self._stops[stop]
            self.statistics.websockets -= 1

    async def _refuse(self, stream: Stream) -> None:
        """Say that the server is full, to a bounded number of clients at a time."""
        self.statistics.refused += 1
        if self._refusing >= REFUSED_CONNECTIONS:
            return
        self._refusing += 1
        try:
            with trio.move_on_after(self._limits.close_seconds):
                await stream.send_all(_full())
                await close_gently(stream, self._limits.close_seconds)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            self._refusing -= 1


def _full() -> bytes:
    body = protocol.encode_failure(None, TOO_MANY_CONNECTIONS, "too many connections")
    head = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-type: application/json\r\n"
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


async def run_rpc_server(
    dispatcher: Dispatcher,
    host: str,
    port: int,
    *,
    limits: Limits | None = None,
    health: Callable[[], Mapping[str, Any]] | None = None,
    metrics: Callable[[], bytes] | None = None,
    stop: trio.Event | None = None,
    task_status: trio.TaskStatus[RpcAddress] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve `dispatcher` on a port (0: any free one); `started` gets the bound RpcAddress once clients can connect.

    When `stop` is set the server takes no more connections and requests, answers what is in flight, closes WebSockets
    with 1001, and returns after at most `drain_seconds` and twice `close_seconds`. Cancelling it instead drops all at
    once.
    `health` gives the fields of GET /health, `metrics` the Prometheus text of GET /metrics; both are called inline.
    `ConfigError` if the port cannot be bound.
    """
    limits = limits or Limits()
    server = ConnectionServer(Site(dispatcher, limits, health, metrics))
    stop = trio.Event() if stop is None else stop
    listeners = await open_listeners(host, port)
    async with trio.open_nursery() as connections:
        async with trio.open_nursery() as intake:
            serve = partial(trio.serve_listeners, server.serve, listeners, handler_nursery=connections)
            await intake.start(serve)
            bound = listeners[0].socket.getsockname()
            task_status.started(RpcAddress(bound[0], bound[1]))
            await stop.wait()
            intake.cancel_scope.cancel()
        server.stop()
        connections.cancel_scope.deadline = trio.current_time() + limits.drain_seconds + 2 * limits.close_seconds
