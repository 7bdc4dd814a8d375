"""Calls that are not answered at once, and how their answers come: from a task, or handed over when they are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import trio
from msgspec import UNSET

from rollup.rpc import protocol
from rollup.rpc.session import Session

if TYPE_CHECKING:
    from rollup.rpc.dispatch import Dispatcher

Deliver = Callable[[bytes | None], None]
"""Takes the encoded answer, None for a notification, which gets none. Must be quick and must not raise."""


class Promise(Protocol):
    """An answer under way. Waiting for it costs a callback, where a task and an event cost twenty times as much."""

    def hear(self, callback: Callable[[], None], /) -> None:
        """Have `callback` called once, as soon as the answer is there (at once if it is)."""

    def result(self) -> object:
        """The answer; raises what the handler would have raised."""


class PendingCall:
    """A call whose handler is a coroutine function and has not begun; `weight` is the slots it takes."""

    __slots__ = ("_call", "_dispatcher", "_params", "_request", "_session")
    weight = 1

    def __init__(
        self,
        dispatcher: Dispatcher,
        session: Session,
        request: protocol.Request,
        call: Callable[[Session, Any], Any],
        params: Any,
    ) -> None:
        self._dispatcher = dispatcher
        self._session = session
        self._request = request
        self._call = call
        self._params = params

    async def run(self) -> bytes | None:
        """Call the handler and return the answer, or None for a notification."""
        request = self._request
        try:
            reply = protocol.encode_result(request.id, await self._call(self._session, self._params))
        except Exception as error:  # noqa: BLE001 - `failure` logs or answers each kind
            reply = self._dispatcher.failure(request, error)
        return None if request.id is UNSET else reply


class PromisedCall(PendingCall):
    """A call whose handler returns a promise, and has not begun."""

    __slots__ = ("_deliver", "_promise")
    _deliver: Deliver
    _promise: Promise

    def start(self, deliver: Deliver) -> None:
        """Call the handler, and hand over the answer when it is there."""
        self._deliver = deliver
        try:
            self._promise = self._call(self._session, self._params)
        except Exception as error:  # noqa: BLE001 - `failure` logs or answers each kind
            self._settle(self._dispatcher.failure(self._request, error))
        else:
            self._promise.hear(self._keep)

    async def run(self) -> bytes | None:
        """Call the handler and wait for the answer, as a task that has others to wait for does."""
        arrived = trio.Event()
        answer: bytes | None = None

        def deliver(reply: bytes | None) -> None:
            nonlocal answer
            answer = reply
            arrived.set()

        self.start(deliver)
        await arrived.wait()
        return answer

    def _keep(self) -> None:
        request = self._request
        try:
            reply = protocol.encode_result(request.id, self._promise.result())
        except Exception as error:  # noqa: BLE001 - `failure` logs or answers each kind
            reply = self._dispatcher.failure(request, error)
        self._settle(reply)

    def _settle(self, reply: bytes) -> None:
        self._deliver(None if self._request.id is UNSET else reply)


class PendingBatch:
    """A batch of which some calls are still to be run; its answer comes when all are done, in the batch's order."""

    __slots__ = ("_begun", "weight")

    def __init__(self, begun: list[bytes | PendingCall]) -> None:
        self._begun = begun
        self.weight = sum(isinstance(each, PendingCall) for each in begun)

    async def run(self) -> bytes | None:
        """Run the calls side by side and return the answers as one, or None if none is due."""
        replies: list[bytes | None] = [None] * len(self._begun)

        async def answer(index: int, call: PendingCall) -> None:
            replies[index] = await call.run()

        async with trio.open_nursery() as nursery:
            for index, each in enumerate(self._begun):
                if isinstance(each, PendingCall):
                    nursery.start_soon(answer, index, each)
                else:
                    replies[index] = each
        return join_replies([reply for reply in replies if reply is not None])


def join_replies(replies: list[bytes]) -> bytes | None:
    """The answer to a batch, None if it has none."""
    return b"[" + b",".join(replies) + b"]" if replies else None
