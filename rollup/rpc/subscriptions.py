"""Channels: WebSocket clients subscribe by name, the node publishes, each subscriber gets what follows.

    → {"method": "subscribe", "params": {"channels": ["trades.BTC-PERP"]}}
    ← {"result": {"status": {"trades.BTC-PERP": "ok"}, "current_subscriptions": ["trades.BTC-PERP"]}}
    ← {"method": "subscription", "params": {"channel": "trades.BTC-PERP", "data": …}}

A channel's first part, up to the dot, is its family. Publishing never waits: each client has a bounded queue, and one
that does not keep up is disconnected with close code 4001, because a gap in a feed must be seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from rollup.errors import InvalidRequest, UnknownChannel
from rollup.rpc.dispatch import Dispatcher, Params
from rollup.rpc.limits import CHANNEL_CHARACTERS, SUBSCRIPTIONS
from rollup.rpc.protocol import encode_notification
from rollup.rpc.session import Session

Open = Callable[[Session, str], object | None]
"""Decides on a session's wish for a channel: raises `Rejected` (unknown, not authorised), or returns what to send it
first (a snapshot, which arrives before the answer to `subscribe`), or None."""

Channel = Annotated[str, msgspec.Meta(min_length=1, max_length=CHANNEL_CHARACTERS)]


_KNOWN = "subscriptions"
"""Marks a session that is to be forgotten when it closes; set once, however often it subscribes."""


class ChannelParams(Params, frozen=True):
    """Parameters of subscribe and unsubscribe."""

    channels: Annotated[list[Channel], msgspec.Meta(min_length=1, max_length=SUBSCRIPTIONS)]


class Subscriptions:
    """Who listens to what."""

    def __init__(self, limit: int = SUBSCRIPTIONS) -> None:
        self._limit = limit
        self._families: dict[str, Open] = {}
        # A dict for its order: subscribers are served in the order they came.
        self._subscribers: dict[str, dict[Session, None]] = {}

    def add_family(self, family: str, open_channel: Open) -> None:
        """Offer the channels `family` and `family.…`."""
        assert family not in self._families, f"{family} is offered twice"
        self._families[family] = open_channel

    def register(self, dispatcher: Dispatcher) -> None:
        """Add the methods `subscribe` and `unsubscribe`."""
        dispatcher.register("subscribe", ChannelParams, self.subscribe)
        dispatcher.register("unsubscribe", ChannelParams, self.unsubscribe)

    def subscribe(self, session: Session, params: ChannelParams) -> dict[str, Any]:
        """Join channels, all or none. Raises InvalidRequest, UnknownChannel, or what the family raises."""
        if session.push is None:
            raise InvalidRequest("subscriptions need a WebSocket")
        wished = list(dict.fromkeys(params.channels))
        fresh = [channel for channel in wished if channel not in session.channels]
        if len(session.channels) + len(fresh) > self._limit:
            raise InvalidRequest("too many subscriptions", limit=self._limit)
        firsts = [(channel, self._open(session, channel)) for channel in fresh]
        if _KNOWN not in session.state:
            session.state[_KNOWN] = True
            session.on_close(lambda: self._leave(session, list(session.channels)))
        for channel, first in firsts:
            session.channels.add(channel)
            self._subscribers.setdefault(channel, {})[session] = None
            if first is not None:
                session.push(_notification(channel, first))
        return self._status(session, wished)

    def unsubscribe(self, session: Session, params: ChannelParams) -> dict[str, Any]:
        """Leave channels; those never joined are no error."""
        self._leave(session, params.channels)
        return self._status(session, params.channels)

    def is_wanted(self, channel: str) -> bool:
        """Whether anybody listens: what nobody does need not be made."""
        return channel in self._subscribers

    def publish(self, channel: str, data: object) -> int:
        """Send `data` to a channel's subscribers and return their number. Encodes once, and only if there are any."""
        subscribers = self._subscribers.get(channel)
        if not subscribers:
            return 0
        payload = _notification(channel, data)
        for session in subscribers:
            assert session.push is not None
            session.push(payload)
        return len(subscribers)

    def channels(self) -> list[str]:
        """The channels that somebody listens to, sorted."""
        return sorted(self._subscribers)

    def _open(self, session: Session, channel: str) -> object | None:
        open_channel = self._families.get(channel.partition(".")[0])
        if open_channel is None:
            raise UnknownChannel("no such channel", channel=channel)
        return open_channel(session, channel)

    def _leave(self, session: Session, channels: list[str]) -> None:
        for channel in channels:
            session.channels.discard(channel)
            subscribers = self._subscribers.get(channel)
            if subscribers is not None:
                subscribers.pop(session, None)
                if not subscribers:
                    del self._subscribers[channel]

    def _status(self, session: Session, channels: list[str]) -> dict[str, Any]:
        return {"status": dict.fromkeys(channels, "ok"), "current_subscriptions": sorted(session.channels)}


def _notification(channel: str, data: object) -> bytes:
    return encode_notification("subscription", {"channel": channel, "data": data})
