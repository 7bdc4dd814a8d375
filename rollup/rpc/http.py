"""One HTTP/1.1 connection: requests in turn until it closes or becomes a WebSocket.

    POST /              a JSON-RPC message, batches too
    POST /<method>      the body is the method's parameters (as clients of Derive's public API call it)
    GET  /public/<m>    the same without parameters
    GET  /health        200 and JSON while the node serves
    GET  /metrics       Prometheus text, if the node gives any
    GET  /ws            upgrade to WebSocket

Faults of HTTP itself (a malformed request, a body too long) are answered with their HTTP status; whatever reached
JSON-RPC is answered with 200 and says in the body how it went. Either way the body is JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import h11
import msgspec
import trio
from trio.abc import Stream
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import AcceptConnection
from wsproto.events import Request as UpgradeRequest
from wsproto.handshake import H11Handshake
from wsproto.utilities import RemoteProtocolError as UpgradeError

from rollup.errors import InvalidRequest, PlumblineError
from rollup.rpc import protocol
from rollup.rpc.dispatch import Dispatcher
from rollup.rpc.limits import READ_BYTES, Limits
from rollup.rpc.session import Session
from rollup.rpc.streams import peer_name

JSON = b"application/json"
METRICS = b"text/plain; version=0.0.4; charset=utf-8"
WEBSOCKET_PATH = "/ws"


@dataclass(frozen=True, slots=True)
class Site:
    """What a server answers with: the methods, and what its GET pages say."""

    dispatcher: Dispatcher
    limits: Limits
    health: Callable[[], Mapping[str, Any]] | None = None
    metrics: Callable[[], bytes] | None = None


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A connection that asked properly to be a WebSocket: its session's headers, the answer due, and its protocol."""

    headers: Mapping[str, str]
    response: bytes
    protocol: Connection
    rest: bytes


class _HttpFault(PlumblineError):  # noqa: N818 - never leaves this module
    """The request cannot be served; `status` is the answer and the connection ends."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class HttpConnection:
    """The server's end of one HTTP connection; `run` serves it until it ends or is upgraded, and leaves it open."""

    def __init__(self, stream: Stream, site: Site) -> None:
        self._stream = stream
        self._site = site
        self._limits = site.limits
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=site.limits.header_bytes)
        self._waiting: trio.CancelScope | None = None
        self._stopping = False

    def stop(self) -> None:
        """Serve the request at hand, if any, and no other."""
        self._stopping = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def run(self) -> Upgrade | None:
        """Serve requests; an Upgrade if the connection goes on as a WebSocket, None if it is to be closed.

        Raises what `health` or `metrics` raise, after a 500.
        """
        try:
            while not self._stopping and (request := await self._next_request()) is not None:
                upgrade = await self._serve(request)
                if upgrade is not None:
                    return upgrade
                if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                    return None
                self._http.start_next_cycle()
        except _HttpFault as fault:
            await self._refuse(fault.status, fault.reason)
        except h11.RemoteProtocolError as error:
            await self._refuse(error.error_status_hint, str(error))
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            pass
        except Exception:
            await self._refuse(500, protocol.INTERNAL_MESSAGE)
            raise
        return None

    async def _next_request(self) -> h11.Request | None:
        """The next request's head; None if there will be none."""
        event: Any = None
        with trio.move_on_after(self._limits.idle_seconds) as self._waiting:
            event = await self._next_event()
        expired = self._waiting.cancelled_caught and not self._stopping
        self._waiting = None
        if expired and self._http.trailing_data[0]:
            raise _HttpFault(408, "the request took too long to arrive")
        return event if isinstance(event, h11.Request) else None

    async def _next_event(self) -> Any:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self._http.they_are_waiting_for_100_continue:
                await self._write(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(bytes(await self._stream.receive_some(READ_BYTES)))

    async def _body(self, request: h11.Request) -> bytes:
        """The whole body. Raises _HttpFault if it is too long or too slow."""
        limit = self._limits.body_bytes
        for name, value in request.headers:
            if name == b"content-length" and int(value) > limit:
                raise _HttpFault(413, f"bodies have at most {limit} bytes")
        body = bytearray()
        with trio.move_on_after(self._limits.receive_seconds):
            while isinstance(event := await self._next_event(), h11.Data):
                body += event.data
                if len(body) > limit:
                    raise _HttpFault(413, f"bodies have at most {limit} bytes")
            return bytes(body)
        raise _HttpFault(408, "the body took too long to arrive")

    async def _serve(self, request: h11.Request) -> Upgrade | None:
        path = request.target.decode("ascii").partition("?")[0]
        body = await self._body(request)
        match request.method, path:
            case b"POST", "/":
                await self._call(request, None, body)
            case b"POST", _:
                await self._call(request, path[1:], body)
            case b"GET", "/health":
                health = self._site.health() if self._site.health else {"status": "ok"}
                await self._respond(200, JSON, msgspec.json.encode(health))
            case b"GET", "/metrics" if self._site.metrics:
                await self._respond(200, METRICS, self._site.metrics())
            case b"GET", "/ws":
                return self._upgrade(request)
            case b"GET", _ if path.startswith("/public/"):
                await self._call(request, path[1:], b"")
            case b"GET", _:
                raise _HttpFault(404, f"nothing is at {path[:64]}")
            case _:
                raise _HttpFault(405, "only GET and POST are served")
        return None

    async def _call(self, request: h11.Request, method: str | None, body: bytes) -> None:
        session = Session("http", peer_name(self._stream), _header_map(request))
        try:
            dispatcher = self._site.dispatcher
            reply = dispatcher.begin(session, body) if method is None else dispatcher.begin_call(session, method, body)
            if reply is not None and not isinstance(reply, bytes):
                reply = await reply.run()
        finally:
            session.close()
        if reply is None:
            await self._respond(204, JSON, b"")
        else:
            await self._respond(200, JSON, reply)

    def _upgrade(self, request: h11.Request) -> Upgrade:
        """Check the handshake. Raises _HttpFault if it is none."""
        handshake = H11Handshake(ConnectionType.SERVER)
        try:
            handshake.initiate_upgrade_connection(list(request.headers), request.target.decode("ascii"))
            asked = [event for event in handshake.events() if isinstance(event, UpgradeRequest)]
            response = handshake.send(AcceptConnection()) if asked else b""
        except UpgradeError as error:
            raise _HttpFault(400, str(error)) from None
        if handshake.connection is None:
            raise _HttpFault(400, "this is not a WebSocket handshake")
        return Upgrade(_header_map(request), response, handshake.connection, self._http.trailing_data[0])

    async def _refuse(self, status: int, reason: str) -> None:
        """Answer with a fault, if the state of the connection still allows an answer, and end it."""
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        code = protocol.INTERNAL_ERROR if status == 500 else InvalidRequest.code
        try:
            await self._respond(status, JSON, protocol.encode_failure(None, code, reason), close=True)
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            return

    async def _respond(self, status: int, content: bytes, body: bytes, *, close: bool = False) -> None:
        headers = [(b"content-type", content), (b"content-length", b"%d" % len(body))] if status != 204 else []
        if close or self._stopping:
            headers.append((b"connection", b"close"))
        if status == 405:
            headers.append((b"allow", b"GET, POST"))
        await self._write(h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage())

    async def _write(self, *events: h11.Event) -> None:
        data = b"".join(filter(None, map(self._http.send, events)))
        with trio.fail_after(self._limits.send_seconds):
            await self._stream.send_all(data)


def _header_map(request: h11.Request) -> Mapping[str, str]:
    return {name.decode("ascii"): value.decode("latin-1") for name, value in request.headers}
