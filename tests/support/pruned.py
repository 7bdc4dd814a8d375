"""A node that has dropped its old history, over HTTP: it passes requests on and leaves out what is old."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import trio

from rollup.errors import L1Refused
from rollup.l1 import dev
from rollup.l1.node.http import HttpServer
from tests.support.deployed import Site


@asynccontextmanager
async def pruned_node(site: Site, *, politely: bool = True) -> AsyncIterator[str]:
    """The URL of a node that shows no logs and no transactions from before now; without a word, or with an error."""
    await dev.increase_time(site.l1, 5)
    await dev.mine(site.l1)
    horizon = await site.l1.block_number()

    async def answer(body: bytes) -> bytes:
        request = msgspec.json.decode(body)
        reply = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            result = await site.l1.request(request["method"], *request["params"])
        except L1Refused as refusal:
            return msgspec.json.encode(
                reply | {"error": {"code": refusal.code, "message": refusal.reason, "data": refusal.data}}
            )
        if request["method"] == "eth_getLogs" and politely and int(request["params"][0]["fromBlock"], 16) < horizon:
            return msgspec.json.encode(reply | {"error": {"code": 4444, "message": "pruned history unavailable"}})
        return msgspec.json.encode(reply | {"result": _forget(request["method"], result, horizon)})

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, HttpServer(answer).handle, listeners)
        yield f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


def _forget(method: str, result: Any, horizon: int) -> Any:
    if method == "eth_getLogs":
        return [log for log in result if int(log["blockNumber"], 16) >= horizon]
    if method == "eth_getTransactionByHash" and result is not None and int(result["blockNumber"], 16) < horizon:
        return None
    return result
