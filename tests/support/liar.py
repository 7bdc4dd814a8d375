"""An HTTP server that answers L1 requests with whatever bytes a test likes: broken nodes, proxies and liars."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import h11
import msgspec
import trio

Request = dict[str, Any]
Respond = Callable[[Request], bytes | None]
"""Raw bytes to send for a request, after which the connection closes; None stays silent."""


def http(body: bytes, *, status: int = 200, headers: str = "") -> bytes:
    """A complete HTTP answer."""
    return f"HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def result(request: Request, value: Any) -> bytes:
    """A well-formed JSON-RPC result."""
    return http(msgspec.json.encode({"jsonrpc": "2.0", "id": request["id"], "result": value}))


def error(request: Request, code: Any, message: Any, data: Any = None) -> bytes:
    """A well-formed JSON-RPC error."""
    fault = {"code": code, "message": message, "data": data}
    return http(msgspec.json.encode({"jsonrpc": "2.0", "id": request["id"], "error": fault}))


@asynccontextmanager
async def serve_liar(respond: Respond, *, linger: bool = False) -> AsyncIterator[str]:
    """Answer every request by `respond`, and never close the connection if told to `linger`; yields the URL."""

    async def handle(stream: trio.SocketStream) -> None:
        request = await _read(stream)
        answer = None if request is None else respond(request)
        if answer is not None:
            await _send(stream, answer)
        if answer is None or linger:
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, handle, 0)
        port = listeners[0].socket.getsockname()[1]
        yield f"http://127.0.0.1:{port}"
        nursery.cancel_scope.cancel()


async def _read(stream: trio.SocketStream) -> Request | None:
    connection = h11.Connection(h11.SERVER)
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await stream.receive_some())
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            request: Request = msgspec.json.decode(body)
            return request
        elif isinstance(event, h11.ConnectionClosed):
            return None


async def _send(stream: trio.SocketStream, answer: bytes) -> None:
    with suppress(trio.BrokenResourceError):  # the client may have had enough, which some tests are about
        await stream.send_all(answer)
