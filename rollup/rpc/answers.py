"""What comes back to a client: results, errors and notifications, decoded from a server's messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import trio
from msgspec import UNSET, Raw, UnsetType

from rollup.errors import PlumblineError
from rollup.rpc.protocol import ErrorBody

CallParams = Mapping[str, Any] | msgspec.Struct | None
"""Named parameters; None for a method that takes none."""


class RpcError(PlumblineError):
    """The server answered with an error: its stable `code`, its `message`, and `data` if it gave any."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{message} ({code})" if data is None else f"{message} ({code}): {data}")
        self.code = code
        self.message = message
        self.data = data


class RpcUnreachable(PlumblineError):  # noqa: N818 - a state of affairs
    """No connection could be made, or what answered does not speak the protocol."""


class RpcDisconnected(PlumblineError):  # noqa: N818 - a state of affairs
    """The connection ended before the answer came, so whether the call took effect is unknown.

    `code` and `reason` are the WebSocket's close code (1006: none came) and text.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"disconnected: {reason or 'no reason given'} ({code})")
        self.code = code
        self.reason = reason


class NotificationsLost(PlumblineError):  # noqa: N818 - a state of affairs
    """Notifications came faster than they were taken: the feed has a gap here, and goes on if iterated again."""


class Notification(msgspec.Struct, frozen=True):
    """One message of a channel."""

    channel: str
    data: Any = None


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """Any message of a server, its values still undecoded."""

    id: int | str | None = None
    result: Raw = Raw(b"null")
    error: ErrorBody | UnsetType = UNSET
    method: str | UnsetType = UNSET
    params: Raw = Raw(b"{}")


_incoming = msgspec.json.Decoder(Incoming)
_notifications = msgspec.json.Decoder(Notification)
_encoder = msgspec.json.Encoder()

decode_incoming = _incoming.decode
decode_notification = _notifications.decode


def encode_call(call_id: int | None, method: str, params: CallParams) -> bytes:
    """A call; without an id, one that gets no answer."""
    call: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": {} if params is None else params}
    if call_id is not None:
        call["id"] = call_id
    return _encoder.encode(call)


def open_answer(message: Incoming, result_type: Any) -> Any:
    """The result as `result_type`. Raises RpcError for an error, msgspec.ValidationError for another type of result."""
    error = message.error
    if not isinstance(error, UnsetType):
        raise RpcError(error.code, error.message, error.data)
    return msgspec.json.decode(message.result, type=result_type)


class Reply:
    """An answer under way."""

    __slots__ = ("_answer", "_arrived", "_failure")

    def __init__(self) -> None:
        self._arrived = trio.Event()
        self._answer = Incoming()
        self._failure: RpcDisconnected | None = None

    def settle(self, answer: Incoming) -> None:
        """Hand over the answer; called by the connection."""
        self._answer = answer
        self._arrived.set()

    def fail(self, failure: RpcDisconnected) -> None:
        """Say that no answer will come; called by the connection."""
        self._failure = failure
        self._arrived.set()

    async def get(self, result_type: Any = Any) -> Any:
        """Wait for the result. Raises RpcError, RpcDisconnected or msgspec.ValidationError."""
        await self._arrived.wait()
        if self._failure is not None:
            raise self._failure
        return open_answer(self._answer, result_type)
