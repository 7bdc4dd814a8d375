"""Opening a port, with one line for whoever finds it taken."""

from __future__ import annotations

import trio

from rollup.errors import ConfigError


async def open_listeners(host: str, port: int) -> list[trio.SocketListener]:
    """Listen on a TCP port (0: any free one); `ConfigError` if that cannot be."""
    try:
        return await trio.open_tcp_listeners(port, host=host)
    except OSError as error:
        raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror}") from error
