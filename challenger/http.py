"""A small read-only HTTP server beside the challenger: status, health, metrics, and proofs for users.

    GET /status            what `challenger status --json` shows
    GET /health            200, or 503 with the alarm
    GET /metrics           Prometheus
    GET /proof/{account}   the account's leaf and witness at the last final root

One request a connection, every resource bounded; a slow or malformed client loses its connection and nobody notices.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import h11
import msgspec
import trio

from challenger.metrics import CONTENT_TYPE, Metrics
from challenger.proofs import AccountProof, prove_account
from challenger.status import Status
from rollup.errors import StoreError
from rollup.l1.listening import open_listeners
from rollup.store.state import StateStore

MAX_HEADER_BYTES: Final = 8 * 1024
MAX_CONNECTIONS: Final = 64
SECONDS: Final = 10.0
"""For a request and its answer together."""
PROOF_THREADS: Final = 1
"""A proof takes a millisecond once the view of the final state is open; opening it takes longer, once for each."""
_JSON: Final = "application/json"
_PROOF: Final = re.compile(rb"/proof/(\d{1,8})")

Answer = tuple[int, str, bytes]


class StatusServer:
    """Answers requests about one challenger."""

    def __init__(self, status: Status, store: StateStore, refresh: Callable[[], None]) -> None:
        """`refresh` brings the status up to date before it is shown."""
        self._status = status
        self._store = store
        self._refresh = refresh
        self._metrics = Metrics(status)
        self._connections = 0
        self._limiter = trio.CapacityLimiter(PROOF_THREADS)

    async def run(self, host: str, port: int, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; started with the port. `ConfigError` if it is taken."""
        listeners = await open_listeners(host, port)
        task_status.started(listeners[0].socket.getsockname()[1])
        await trio.serve_listeners(self.handle, listeners)

    async def handle(self, stream: trio.abc.Stream) -> None:
        """Serve one connection."""
        self._connections += 1
        try:
            with trio.move_on_after(SECONDS):
                if self._connections <= MAX_CONNECTIONS:
                    await self._converse(stream)
        except trio.BrokenResourceError:
            pass  # the client has gone
        finally:
            self._connections -= 1
            with trio.move_on_after(1) as cleanup:
                cleanup.shield = True
                await stream.aclose()

    async def answer(self, method: bytes, path: bytes) -> Answer:
        """Status code, content type and body."""
        if method not in {b"GET", b"HEAD"}:
            return _error(405, "only GET")
        match = _PROOF.fullmatch(path)
        if match is not None:
            return await self._prove(int(match[1]))
        self._refresh()
        match path:
            case b"/status":
                return 200, _JSON, msgspec.json.encode(self._status)
            case b"/health":
                ok = not self._status.alarm
                return 200 if ok else 503, _JSON, msgspec.json.encode({"ok": ok, "alarm": self._status.alarm})
            case b"/metrics":
                return 200, CONTENT_TYPE, self._metrics.render()
            case _:
                return _error(404, "there are /status, /health, /metrics and /proof/{account}")

    async def _prove(self, account: int) -> Answer:
        try:
            proof = await trio.to_thread.run_sync(prove_account, self._store, account, limiter=self._limiter)
        except StoreError as error:  # the block it was asked for was pruned in this moment
            return _error(503, str(error))
        if proof is None:
            return _error(404, f"no account {account} in the last final state")
        return 200, _JSON, msgspec.json.encode(_plain(proof))

    async def _converse(self, stream: trio.abc.Stream) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEADER_BYTES)
        try:
            request = await _read_request(connection, stream)
        except h11.RemoteProtocolError as error:
            await _reply(connection, stream, _error(error.error_status_hint, "not a request"), head=False)
            return
        if request is not None:
            answer = await self.answer(request.method, request.target.partition(b"?")[0])
            await _reply(connection, stream, answer, head=request.method == b"HEAD")


async def _read_request(connection: h11.Connection, stream: trio.abc.Stream) -> h11.Request | None:
    """The head of the request, None if the client left; a body is not read."""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            return event
        if event is not h11.NEED_DATA:
            return None
        connection.receive_data(bytes(await stream.receive_some(MAX_HEADER_BYTES)))


async def _reply(connection: h11.Connection, stream: trio.abc.Stream, answer: Answer, *, head: bool) -> None:
    status, kind, body = answer
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Connection", "close")]
    if connection.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
        return
    parts = [connection.send(h11.Response(status_code=status, headers=headers, reason=b""))]
    parts.append(b"" if head else connection.send(h11.Data(data=body)))
    await stream.send_all(b"".join(part or b"" for part in parts))


def _plain(proof: AccountProof) -> dict[str, object]:
    return {
        "account": proof.account,
        "batch": proof.batch,
        "root": f"0x{proof.root.hex()}",
        "leaf": f"0x{proof.leaf.hex()}",
        "witness": f"0x{proof.witness.hex()}",
    }


def _error(status: int, message: str) -> Answer:
    return status, _JSON, msgspec.json.encode({"error": message})
