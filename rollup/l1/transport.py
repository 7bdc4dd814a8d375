"""JSON-RPC 2.0 over HTTP to an L1 node: one request, one bounded and checked answer, one deadline.

Failures become `L1Error`: retryable if the node may recover (timeouts, refused connections, overload, answers cut
short), final if it speaks nonsense. A JSON-RPC error of the node becomes `L1Refused`.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import aclosing
from types import TracebackType
from typing import Any, Final, Self

import httpx
import msgspec
import trio

from rollup.errors import L1Error, L1LimitExceeded, L1Refused

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
"""A full block of 60M gas holds at most 6 MB of calldata, 12 MB in hexadecimal; logs are fetched in ranges."""

_OVERLOAD_STATUS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_OVERLOAD_CODES: Final = frozenset({-32603, -32002, -32097, 429})
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class JsonRpcTransport:
    """A persistent HTTP connection pool to one node. Use it with `async with`, from any number of tasks."""

    def __init__(self, url: str, *, timeout: float, max_answer_bytes: int = MAX_ANSWER_BYTES) -> None:
        self._url = _checked_url(url)
        self._timeout = timeout
        self._max_answer_bytes = max_answer_bytes
        self._ids = itertools.count(1)
        self._http = httpx.AsyncClient(
            timeout=None,  # noqa: S113 - the deadline of `request` bounds the whole exchange
            trust_env=self._url.host not in _LOOPBACK,  # a proxy of the environment cannot reach our loopback
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=4, keepalive_expiry=10.0),
            headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 1.0):
            await self._http.__aexit__(kind, error, traceback)

    async def request(
        self,
        method: str,
        *params: Any,
        timeout: float | None = None,  # noqa: ASYNC109 - a retryable L1Error tells the caller more than a cancellation
    ) -> Any:
        """Call one method and return its result, within `timeout` seconds if given; see the module for the errors."""
        patience = self._timeout if timeout is None else timeout
        request_id = next(self._ids)
        body = msgspec.json.encode({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        try:
            with trio.fail_after(patience):
                status, answer = await self._exchange(body)
        except trio.TooSlowError:
            raise L1Error(f"{method}: no answer within {patience:g} s", retryable=True) from None
        except httpx.HTTPError as error:
            raise L1Error(f"{method}: {type(error).__name__}: {error}", retryable=True) from error
        return _result(method, request_id, status, answer)

    async def _exchange(self, body: bytes) -> tuple[int, bytes]:
        request = self._http.build_request("POST", self._url, content=body)
        request.stream = _Body(body)
        response = await self._http.send(request, stream=True)
        async with aclosing(response):
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise L1Error("the node compressed its answer though asked not to", retryable=False)
            answer = bytearray()
            # Leaving the loop early would abandon httpx's generators half-way; cancelling ends them from within.
            with trio.CancelScope() as reading:
                async for chunk in response.aiter_raw():
                    answer += chunk
                    if len(answer) > self._max_answer_bytes:
                        reading.cancel()
            if len(answer) > self._max_answer_bytes:
                raise L1LimitExceeded("the answer of the node", self._max_answer_bytes, len(answer))
        return response.status_code, bytes(answer)


class _Body(httpx.AsyncByteStream):
    """A request's bytes. httpx's own is a generator, which a cancellation while sending abandons half-way."""

    def __init__(self, data: bytes) -> None:
        self._parts = [data]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._parts:
            raise StopAsyncIteration
        return self._parts.pop()


def _checked_url(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise L1Error(f"not a URL: {url!r}", retryable=False) from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise L1Error(f"not an http(s) URL: {url!r}", retryable=False)
    return parsed


def _result(method: str, request_id: int, status: int, answer: bytes) -> Any:
    """Take the result out of an answer, or raise what the answer amounts to."""
    try:
        reply = msgspec.json.decode(answer)
    except (msgspec.DecodeError, RecursionError):
        reply = None
    if not isinstance(reply, dict) or not ("result" in reply or reply.get("error") is not None):
        overloaded = status in _OVERLOAD_STATUS
        shown = answer[:80].decode("utf-8", "replace")
        raise L1Error(f"{method}: HTTP {status} without a JSON-RPC answer: {shown!r}", retryable=overloaded)
    if (error := reply.get("error")) is not None:
        raise _refusal(method, status, error)
    if reply.get("id") != request_id or isinstance(reply["id"], bool) or reply.get("jsonrpc") != "2.0":
        # A proxy that mixes answers up may behave next time; the wrong answer itself must never be used.
        raise L1Error(f"{method}: the answer belongs to another request", retryable=True)
    return reply["result"]


def _refusal(method: str, status: int, error: Any) -> L1Error:
    code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, None)
    if type(code) is not int or not isinstance(message, str):
        return L1Error(f"{method}: a malformed JSON-RPC error", retryable=False)
    overloaded = status in _OVERLOAD_STATUS - {500} or code in _OVERLOAD_CODES
    overloaded |= "header not found" in message  # behind a balancer the next node may know the block already
    return L1Refused(method, code, message[:500], retryable=overloaded, data=error.get("data"))
