"""Byte streams at their end: saying goodbye so that the last bytes arrive."""

from __future__ import annotations

import trio
from trio.abc import HalfCloseableStream, Stream

from rollup.rpc.limits import READ_BYTES


async def close_gently(stream: Stream, seconds: float) -> None:
    """Close after the peer has, or after `seconds`.

    Closing while bytes of the peer lie unread makes TCP reset the connection, which can destroy an error answer on its
    way to a client that is still sending. So: end our half, read away what comes, then close.
    """
    with trio.move_on_after(seconds):
        try:
            if isinstance(stream, HalfCloseableStream):
                await stream.send_eof()
            while await stream.receive_some(READ_BYTES):
                pass
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
    await trio.aclose_forcefully(stream)


def peer_name(stream: Stream) -> str:
    """The peer's address for logs and sessions."""
    if isinstance(stream, trio.SocketStream):
        try:
            host, port = stream.socket.getpeername()[:2]
        except OSError:
            return "gone"
        return f"{host}:{port}"
    return "local"
