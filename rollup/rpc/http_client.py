"""The client over HTTP: one request per call, on connections that are kept open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

from rollup.rpc.answers import (
    CallParams,
    Incoming,
    RpcDisconnected,
    RpcUnreachable,
    decode_incoming,
    encode_call,
    open_answer,
)

REQUEST_SECONDS = 30.0
"""For one request with its answer."""


class HttpRpc:
    """Calls by POST, made by `connect_http`."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self._url = url
        self._last_id = 0

    async def call(self, method: str, params: CallParams = None, result_type: Any = Any) -> Any:
        """Call and wait for the result, decoded as `result_type`.

        Raises RpcError, RpcUnreachable if nothing was sent, RpcDisconnected if the answer did not come.
        """
        self._last_id += 1
        return open_answer(await self._post(encode_call(self._last_id, method, params)), result_type)

    async def _post(self, body: bytes) -> Incoming:
        try:
            response = await self._http.post(self._url, content=body, headers={"content-type": "application/json"})
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise RpcUnreachable(f"{self._url}: {error or 'no answer in time'}") from error
        except httpx.HTTPError as error:
            raise RpcDisconnected(1006, f"{type(error).__name__}: {error}") from error
        try:
            return decode_incoming(response.content)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise RpcUnreachable(f"{self._url}: status {response.status_code} and no JSON-RPC") from None


@asynccontextmanager
async def connect_http(url: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[HttpRpc]:
    """A client of `url` (http://host:port/) for the time of the block; it connects with its first call."""
    # The environment's proxies are for the web; a node is addressed directly.
    async with httpx.AsyncClient(timeout=REQUEST_SECONDS, headers=dict(headers or {}), trust_env=False) as http:
        yield HttpRpc(http, url)
