"""HTTP/1.1 for the embedded L1: POST of JSON in, JSON out, every resource bounded.

Slow, silent, oversized and malformed clients get an HTTP error and lose their connection; others do not notice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import h11
import trio

from rollup.errors import PlumblineError

Answer = Callable[[bytes], Awaitable[bytes]]

MAX_HEADER_BYTES: Final = 16 * 1024
MAX_BODY_BYTES: Final = 4 * 1024 * 1024
"""A batch of transactions; one is at most 256 KiB in hexadecimal."""

MAX_CONNECTIONS: Final = 256
IDLE_SECONDS: Final = 60.0
REQUEST_SECONDS: Final = 20.0
"""From the first byte of a request to its last."""

WRITE_SECONDS: Final = 30.0
LINGER_SECONDS: Final = 1.0
_READ_BYTES: Final = 64 * 1024


class _Unacceptable(PlumblineError):  # noqa: N818 - an outcome, handled in this file
    """A request to be answered with an HTTP error."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class HttpServer:
    """Serves `answer` on accepted streams; pass `handle` to `trio.serve_listeners`."""

    def __init__(
        self,
        answer: Answer,
        *,
        idle_seconds: float = IDLE_SECONDS,
        request_seconds: float = REQUEST_SECONDS,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self._answer = answer
        self._idle_seconds = idle_seconds
        self._request_seconds = request_seconds
        self._max_connections = max_connections
        self._connections = 0

    async def handle(self, stream: trio.abc.Stream) -> None:
        """Serve one connection until it closes, misbehaves or idles."""
        self._connections += 1
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEADER_BYTES)
        try:
            async with stream:
                while await self._serve_request(connection, stream):
                    connection.start_next_cycle()
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            pass  # the client went away, or never read its answer
        finally:
            self._connections -= 1

    async def _serve_request(self, connection: h11.Connection, stream: trio.abc.Stream) -> bool:
        """Serve one request; whether another may follow on the connection."""
        try:
            if self._connections > self._max_connections:
                raise _Unacceptable(503, "too many connections")  # noqa: TRY301 - one place answers errors
            body = await self._read_request(connection, stream)
            if body is None:
                return False
            reply = await self._answer(body)
        except _Unacceptable as refusal:
            await _dismiss(connection, stream, refusal.status, refusal.reason)
            return False
        except h11.RemoteProtocolError as error:
            await _dismiss(connection, stream, error.error_status_hint, "malformed HTTP")
            return False
        await _respond(connection, stream, 200, reply, last=False)
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE

    async def _read_request(self, connection: h11.Connection, stream: trio.abc.Stream) -> bytes | None:
        """Body of the next request; None if the client closed or stayed silent."""
        request = None
        with trio.move_on_after(self._idle_seconds):
            request = await _next_event(connection, stream)
        if request is None or isinstance(request, h11.ConnectionClosed):
            return None
        assert isinstance(request, h11.Request), "h11 starts a cycle with a request"
        _check(request)
        body = bytearray()
        with trio.move_on_after(self._request_seconds):
            if connection.they_are_waiting_for_100_continue:
                await stream.send_all(_sent(connection, h11.InformationalResponse(status_code=100, headers=[])))
            while isinstance(event := await _next_event(connection, stream), h11.Data):
                body += event.data
                if len(body) > MAX_BODY_BYTES:
                    raise _Unacceptable(413, f"a body holds at most {MAX_BODY_BYTES} bytes")
            return bytes(body)
        raise _Unacceptable(408, "the request took too long")


def _check(request: h11.Request) -> None:
    if sum(len(name) + len(value) for name, value in request.headers) > MAX_HEADER_BYTES:
        raise _Unacceptable(431, f"the header holds at most {MAX_HEADER_BYTES} bytes")
    if request.method != b"POST":
        raise _Unacceptable(405, "POST a JSON-RPC request")
    kinds = [value for name, value in request.headers if name == b"content-type"]
    if not kinds or kinds[0].split(b";")[0].strip().lower() != b"application/json":
        # Browsers send other types across sites without asking; a web page must not drive a developer's node.
        raise _Unacceptable(415, "Content-Type must be application/json")
    lengths = [value for name, value in request.headers if name == b"content-length"]
    if lengths and int(lengths[0]) > MAX_BODY_BYTES:
        raise _Unacceptable(413, f"a body holds at most {MAX_BODY_BYTES} bytes")


async def _next_event(connection: h11.Connection, stream: trio.abc.Stream) -> h11.Event:
    while not isinstance(event := connection.next_event(), h11.Event):
        assert event is h11.NEED_DATA, "h11 pauses only between the requests that we serve one by one"
        connection.receive_data(bytes(await stream.receive_some(_READ_BYTES)))
    return event


async def _dismiss(connection: h11.Connection, stream: trio.abc.Stream, status: int, reason: str) -> None:
    """Answer with an error, and let the client finish what it is sending: closing at once would destroy the answer."""
    await _respond(connection, stream, status, reason.encode(), last=True)
    with trio.move_on_after(LINGER_SECONDS):
        while await stream.receive_some(_READ_BYTES):
            pass


async def _respond(
    connection: h11.Connection, stream: trio.abc.Stream, status: int, body: bytes, *, last: bool
) -> None:
    if connection.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
        return
    headers = [
        ("Content-Type", "application/json" if status == 200 else "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
    ]
    if last:
        headers.append(("Connection", "close"))
    wire = _sent(connection, h11.Response(status_code=status, headers=headers))
    wire += _sent(connection, h11.Data(data=body)) + _sent(connection, h11.EndOfMessage())
    with trio.fail_after(WRITE_SECONDS):
        await stream.send_all(wire)


def _sent(connection: h11.Connection, event: h11.Event) -> bytes:
    return connection.send(event) or b""
