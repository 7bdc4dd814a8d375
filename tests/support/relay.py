"""A TCP relay before an L1 node, which a test can cut."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import trio


class Relay:
    """Passes bytes on while it is up; going down cuts every connection."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        assert parts.hostname is not None
        assert parts.port is not None
        self._target = (parts.hostname, parts.port)
        self._open: set[trio.CancelScope] = set()
        self.up = True
        self.refused = 0
        """Connections that came while it was down."""
        self.url = ""

    def cut(self) -> None:
        """Go down."""
        self.up = False
        for scope in self._open:
            scope.cancel()

    def mend(self) -> None:
        """Come up again."""
        self.up = True

    async def handle(self, client: trio.SocketStream) -> None:
        """Relay one connection."""
        if not self.up:
            self.refused += 1
            await client.aclose()
            return
        with trio.CancelScope() as scope:
            self._open.add(scope)
            async with client, await trio.open_tcp_stream(*self._target) as server, trio.open_nursery() as nursery:
                for source, sink in ((client, server), (server, client)):
                    nursery.start_soon(_pump, source, sink, scope)
        self._open.discard(scope)


async def _pump(source: trio.SocketStream, sink: trio.SocketStream, scope: trio.CancelScope) -> None:
    try:
        while data := await source.receive_some():
            await sink.send_all(data)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass
    scope.cancel()


@asynccontextmanager
async def relay_to(target: str) -> AsyncIterator[Relay]:
    """A relay to this URL, at `relay.url`."""
    relay = Relay(target)
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    relay.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, relay.handle, listeners)
        yield relay
        nursery.cancel_scope.cancel()
