"""Hostile and clumsy clients of the embedded L1 get an error, and nobody else notices."""

from __future__ import annotations

import http.client
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
import trio

from rollup.l1.client import L1Client
from rollup.l1.node.http import MAX_BODY_BYTES, MAX_HEADER_BYTES, HttpServer
from rollup.l1.node.rpc import MAX_BATCH

JSON = {"Content-Type": "application/json"}
PREAMBLE = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


async def post(
    url: str, body: bytes, *, method: str = "POST", headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """Status and body of one HTTP exchange, by an independent client."""

    def exchange() -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
        try:
            connection.request(method, "/", body, JSON if headers is None else headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    return await trio.to_thread.run_sync(exchange)


async def rpc(url: str, request: Any) -> Any:
    """Decoded JSON answer to a request of any shape."""
    status, body = await post(url, request if isinstance(request, bytes) else msgspec.json.encode(request))
    assert status == 200
    return msgspec.json.decode(body) if body else None


@pytest.fixture
async def served(embedded_url: str) -> AsyncIterator[str]:
    """URL of an embedded L1 that must still answer properly after the test."""
    yield embedded_url
    async with L1Client(embedded_url) as client:
        assert await client.chain_id() == 31_337


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\x00", -32700),
        (b"[" * 200_000, -32700),
        (b'{"a":' * 100_000, -32700),
        (b"null", -32600),
        (b'"eth_chainId"', -32600),
        (b"[]", -32600),
        (b'{"id":1,"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_accounts"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"dispatch","params":[]}', -32601),
    ],
)
async def test_a_malformed_request_gets_the_error_of_the_protocol(served: str, body: bytes, code: int) -> None:
    """JSON-RPC 2.0 defines a code for each way to be wrong."""
    assert (await rpc(served, body))["error"]["code"] == code


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_getBlockByNumber", ["0xzz", False]),
        ("eth_getBlockByNumber", ["newest", False]),
        ("eth_getBlockByNumber", ["0x1", "yes"]),
        ("eth_getBlockByNumber", [1e9, False]),
        ("eth_getBlockByHash", ["0x" + "0" * 63, False]),
        ("eth_getBalance", []),
        ("eth_getBalance", ["0x12"]),
        ("eth_getBalance", [["0x" + "00" * 20]]),
        ("eth_getStorageAt", ["0x" + "00" * 20, "0x" + "f" * 65]),
        ("eth_getTransactionReceipt", [None]),
        ("eth_call", ["0x"]),
        ("eth_call", [{"to": "0x12"}]),
        ("eth_call", [{"data": "0xabc"}]),
        ("eth_call", [{"value": -1}]),
        ("eth_estimateGas", [{"gas": "0x1" + "0" * 17}]),
        ("eth_getLogs", []),
        ("eth_getLogs", [{"address": "here"}]),
        ("eth_getLogs", [{"address": ["0x" + "00" * 20] * 1_001}]),
        ("eth_getLogs", [{"topics": ["0x" + "00" * 32] * 5}]),
        ("eth_getLogs", [{"topics": {"0": "0x"}}]),
        ("eth_getLogs", [{"blockHash": 5}]),
        ("eth_feeHistory", ["0x0", "latest", []]),
        ("eth_feeHistory", ["0x401", "latest", []]),
        ("eth_feeHistory", ["0x1", "latest", [50, 10]]),
        ("eth_feeHistory", ["0x1", "latest", [101]]),
        ("eth_feeHistory", ["0x1", "latest", ["x"]]),
        ("eth_sendRawTransaction", ["0x0"]),
        ("eth_sendRawTransaction", [7]),
        ("evm_setNextBlockTimestamp", ["0xffffffffffff"]),
        ("evm_increaseTime", [-5]),
        ("evm_setAutomine", ["off"]),
        ("evm_revert", ["one"]),
    ],
)
async def test_bad_parameters_are_refused_by_name(served: str, method: str, params: list[Any]) -> None:
    """Every method checks what it gets."""
    answer = await rpc(served, {"jsonrpc": "2.0", "id": 5, "method": method, "params": params})
    assert answer["error"]["code"] == -32602
    assert answer["id"] == 5


async def test_a_block_that_does_not_exist_is_refused(served: str) -> None:
    """State of an unknown block is no state."""
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": ["0x" + "00" * 20, "0x99"]}
    assert (await rpc(served, request))["error"] == {"code": -32000, "message": "header not found"}


async def test_a_batch_is_answered_in_order_and_bounded(served: str) -> None:
    """Good and bad requests of a batch get their own answers; notifications none."""
    good = {"jsonrpc": "2.0", "id": "a", "method": "net_version"}
    notification = {"jsonrpc": "2.0", "method": "eth_chainId"}
    replies = await rpc(served, [good, 7, notification, good | {"id": 2, "method": "web3_clientVersion"}])
    assert [r["id"] for r in replies] == ["a", None, 2]
    assert replies[0]["result"] == "31337"
    assert "error" in replies[1]
    assert await rpc(served, [notification]) is None
    assert (await rpc(served, [good] * (MAX_BATCH + 1)))["error"]["code"] == -32600


async def test_http_that_is_no_json_post_is_refused(served: str) -> None:
    """Other verbs, types and sizes end with their status; a web page's cross-site form cannot reach a method."""
    assert (await post(served, b"", method="GET"))[0] == 405
    assert (await post(served, b"{}", headers={"Content-Type": "text/plain"}))[0] == 415
    assert (await post(served, b"{}", headers={}))[0] == 415
    assert (await post(served, bytes(MAX_BODY_BYTES + 1)))[0] == 413
    assert (await post(served, b"{}", headers=JSON | {"X": "x" * MAX_HEADER_BYTES}))[0] == 431


async def test_a_chunked_body_without_end_is_cut_off(served: str) -> None:
    """The bound holds where no length is announced."""
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    async with await connect(served) as stream:
        await stream.send_all(PREAMBLE + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(MAX_BODY_BYTES // 0x10000 + 1):
            await stream.send_all(chunk)
        assert b" 413 " in await stream.receive_some()


async def connect(url: str) -> trio.SocketStream:
    """A raw connection to a server."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return await trio.open_tcp_stream(parts.hostname, parts.port)


@pytest.mark.parametrize("noise", [b"\0" * 100, b"GET\r\n\r\n", b"POST / HTTP/x\r\n\r\n", b"\x16\x03\x01\x02\x00"])
async def test_what_is_no_http_is_answered_with_an_error(served: str, noise: bytes) -> None:
    """Noise, and TLS on a plain port, get a 400 and the connection closes."""
    stream = await connect(served)
    async with stream:
        await stream.send_all(noise + b"\r\n\r\n")
        assert b" 400 " in await stream.receive_some()


async def test_a_client_that_leaves_in_the_middle_is_forgotten(served: str) -> None:
    """Half a request and a close harm nobody."""
    for part in (
        b"",
        b"PO",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nContent-Type: application/json\r\n\r\n{",
    ):
        stream = await connect(served)
        async with stream:
            await stream.send_all(part)


async def serve_pair(server: HttpServer, nursery: trio.Nursery) -> trio.abc.Stream:
    """A client's end of a connection in memory, so that time can be skipped."""
    ours, theirs = trio.testing.memory_stream_pair()
    nursery.start_soon(server.handle, theirs)
    return ours


async def answer_nothing(_: bytes) -> bytes:
    """A service without content."""
    return b""


async def test_a_silent_client_is_disconnected(autojump_clock: trio.testing.MockClock) -> None:
    """Idle connections end without an answer."""
    async with trio.open_nursery() as nursery:
        stream = await serve_pair(HttpServer(answer_nothing, idle_seconds=30), nursery)
        assert await stream.receive_some() == b""
    assert trio.current_time() == pytest.approx(30)
    assert autojump_clock.rate == 0


async def test_a_slow_client_is_timed_out(autojump_clock: trio.testing.MockClock) -> None:
    """A request that trickles in gets a 408 when its time is over."""
    async with trio.open_nursery() as nursery:
        stream = await serve_pair(HttpServer(answer_nothing, request_seconds=10), nursery)
        await stream.send_all(PREAMBLE + b"Content-Length: 9\r\n\r\n")
        nursery.start_soon(trickle, stream)
        assert b" 408 " in await stream.receive_some()
        nursery.cancel_scope.cancel()
    assert trio.current_time() == pytest.approx(10)
    assert autojump_clock.rate == 0


async def trickle(stream: trio.abc.Stream) -> None:
    """Send a byte now and then."""
    while True:
        await trio.sleep(4)
        await stream.send_all(b" ")


async def test_too_many_connections_are_turned_away() -> None:
    """The next connection gets a 503; the first still works."""
    async with trio.open_nursery() as nursery:
        server = HttpServer(answer_nothing, max_connections=1)
        first = await serve_pair(server, nursery)
        await trio.testing.wait_all_tasks_blocked()
        second = await serve_pair(server, nursery)
        assert b" 503 " in await second.receive_some()
        await first.send_all(PREAMBLE + b"Content-Length: 2\r\n\r\n{}")
        assert b" 200 " in await first.receive_some()
        nursery.cancel_scope.cancel()
