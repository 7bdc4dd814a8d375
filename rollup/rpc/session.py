"""Who is calling: one session per WebSocket, and one per HTTP request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import structlog

log = structlog.get_logger(__name__)


class Session:
    """What a handler may know of its caller.

    `headers` are those of the upgrade or of the request, names in lower case. `state` is for handlers (an
    authenticated wallet, say); it ends with the session. `channels` belongs to `Subscriptions`.
    """

    __slots__ = ("_closers", "channels", "closed", "headers", "peer", "push", "state", "transport")

    def __init__(
        self,
        transport: Literal["http", "ws"],
        peer: str,
        headers: Mapping[str, str],
        push: Callable[[bytes], None] | None = None,
    ) -> None:
        self.transport = transport
        self.peer = peer
        self.headers = headers
        self.push = push
        """Queues an encoded notification; None if the transport cannot carry any. Never blocks, never raises."""
        self.state: dict[str, Any] = {}
        self.channels: set[str] = set()
        self.closed = False
        self._closers: list[Callable[[], None]] = []

    def on_close(self, callback: Callable[[], None]) -> None:
        """Have `callback` called once when the session ends (cancel-on-disconnect, unsubscribing)."""
        self._closers.append(callback)

    def close(self) -> None:
        """End the session: run every callback, last registered first, even if one of them fails."""
        self.closed = True
        while self._closers:
            callback = self._closers.pop()
            try:
                callback()
            except Exception:
                log.exception("rpc_close_callback_failed", peer=self.peer)
