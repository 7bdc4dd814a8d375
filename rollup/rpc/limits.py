"""Every bound of the RPC server, each with its reason. A client that hits one gets a typed answer, never a crash."""

from __future__ import annotations

from dataclasses import dataclass

HEADER_BYTES = 16 * 1024
"""Request line and headers. Browsers and proxies stay below 8 KiB; twice that is generous."""

BODY_BYTES = 1024 * 1024
"""An HTTP body. A batch of 64 signed orders is about 50 KiB."""

MESSAGE_BYTES = 1024 * 1024
"""A WebSocket message after joining its fragments (counted in characters, so at most four times that in memory)."""

READ_BYTES = 16 * 1024
"""One read from a socket: about 80 small requests, so that a busy client is handled for a millisecond or two before
the others have their turn."""

BATCH_REQUESTS = 64
"""Requests in one JSON-RPC batch; not above IN_FLIGHT, since a batch takes its slots at once."""

IN_FLIGHT = 64
"""Unanswered requests per WebSocket. Beyond it the connection is not read, so TCP slows the client down. With a commit
every few milliseconds 64 carry more than ten thousand orders a second on one connection."""

CONNECTIONS = 1_000
"""Open connections; the usual limit of 1,024 file descriptors leaves the rest to LevelDB and L1."""

REFUSED_CONNECTIONS = 64
"""Connections above the limit that are being told so at one time; those beyond are dropped unheard."""

OUTBOX_BYTES = 1024 * 1024
"""Unsent answers per WebSocket. Above it the connection is not read until the client takes its answers."""

QUEUED_NOTIFICATIONS = 1_024
"""Unsent notifications per WebSocket: seconds of a busy market. Above it the client is dropped as too slow."""

QUEUED_NOTIFICATION_BYTES = 4 * 1024 * 1024
"""Unsent bytes at which a WebSocket that gets notifications is dropped as too slow, however few they are."""

SUBSCRIPTIONS = 256
"""Channels per WebSocket: all markets of a large book, a few kinds each."""

CHANNEL_CHARACTERS = 128
"""Length of a channel's name; the longest real ones have about 50 characters."""

IDLE_SECONDS = 60.0
"""Silence after which a connection is dropped: two unanswered pings on a WebSocket, no request on HTTP (which includes
sending its headers, so a client that trickles them ends here too)."""

PING_SECONDS = 20.0
"""Silence after which a WebSocket is pinged; below the 30 to 60 seconds after which middleboxes forget a connection."""

RECEIVE_SECONDS = 30.0
"""Time to deliver one body, or one fragmented WebSocket message, once begun: 1 MiB at 35 kB/s."""

SEND_SECONDS = 10.0
"""Time to take what was sent; a client that does not read for so long is dropped."""

DRAIN_SECONDS = 5.0
"""Time for requests in flight to be answered when the server stops or the client left."""

CLOSE_SECONDS = 2.0
"""Time to say goodbye: the last bytes out, and the peer's own close."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one server; the defaults are the constants of this module."""

    header_bytes: int = HEADER_BYTES
    body_bytes: int = BODY_BYTES
    message_bytes: int = MESSAGE_BYTES
    batch_requests: int = BATCH_REQUESTS
    in_flight: int = IN_FLIGHT
    connections: int = CONNECTIONS
    outbox_bytes: int = OUTBOX_BYTES
    queued_notifications: int = QUEUED_NOTIFICATIONS
    queued_notification_bytes: int = QUEUED_NOTIFICATION_BYTES
    subscriptions: int = SUBSCRIPTIONS
    idle_seconds: float = IDLE_SECONDS
    ping_seconds: float = PING_SECONDS
    receive_seconds: float = RECEIVE_SECONDS
    send_seconds: float = SEND_SECONDS
    drain_seconds: float = DRAIN_SECONDS
    close_seconds: float = CLOSE_SECONDS
