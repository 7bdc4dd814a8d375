"""A node that serves everything but some transactions: it says that it took them, or refuses them, as told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import msgspec
import trio

from rollup.crypto.keccak import keccak
from tests.support.liar import Request, _read, _send, error, http, result

_JSON = {"Content-Type": "application/json"}


@dataclass
class Censor:
    """Before a node; what contains `banned` does not reach it."""

    target: str
    banned: bytes
    refuses: bool = False
    """Whether it says so; otherwise it lets the sender believe that all is well."""
    url: str = ""
    caught: list[bytes] = field(default_factory=list)

    async def answer(self, client: httpx.AsyncClient, request: Request) -> bytes:
        """What the client hears."""
        if request["method"] == "eth_sendRawTransaction":
            raw = bytes.fromhex(request["params"][0][2:])
            if self.banned in raw:
                self.caught.append(raw)
                if self.refuses:
                    return error(request, -32000, "transaction underpriced")
                return result(request, f"0x{keccak(raw).hex()}")
        answer = await client.post(self.target, content=msgspec.json.encode(request), headers=_JSON)
        return http(answer.content)


@asynccontextmanager
async def censoring(target: str, banned: bytes, *, refuses: bool = False) -> AsyncIterator[Censor]:
    """A censor before `target`, at its `url`."""
    censor = Censor(target, banned, refuses)
    async with httpx.AsyncClient(timeout=60) as client, trio.open_nursery() as nursery:

        async def handle(stream: trio.SocketStream) -> None:
            request = await _read(stream)
            if request is not None:
                await _send(stream, await censor.answer(client, request))

        listeners = await nursery.start(trio.serve_tcp, handle, 0)
        censor.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        yield censor
        nursery.cancel_scope.cancel()
