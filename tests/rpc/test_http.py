# ruff: noqa: ARG001 - the clock works by being asked for
from __future__ import annotations

import json
import random

import pytest
import trio
import trio.testing

from rollup.rpc.http import Site
from rollup.rpc.limits import Limits
from rollup.rpc.server import ConnectionServer
from tests.rpc.wire import Wire, open_world, post

ADD = b'{"jsonrpc":"2.0","id":1,"method":"add","params":{"a":1,"b":2}}'
SUM = {"jsonrpc": "2.0", "id": 1, "result": {"sum": 3}}


async def test_posts_are_answered_in_turn_on_one_connection() -> None:
    """Connections are kept open, pipelined requests too."""
    async with open_world() as world:
        wire = world.connect()
        for _ in range(3):
            assert (await wire.http(post(ADD)))[::2] == (200, SUM)
        await wire.send(post(ADD) + post(ADD.replace(b"add", b"add_later")))
        assert (await wire.response())[::2] == (200, SUM)


async def test_batch_over_http_is_answered_as_one() -> None:
    """As over a WebSocket."""
    async with open_world() as world:
        body = b"[" + ADD + b"," + ADD.replace(b"add", b"add_later") + b"]"
        assert (await world.connect().http(post(body)))[::2] == (200, [SUM, SUM])


async def test_notification_over_http_has_no_content() -> None:
    """Status 204, and the connection goes on."""
    async with open_world() as world:
        wire = world.connect()
        status, _, body = await wire.http(post(b'{"method":"add","params":{"a":1}}'))
        assert (status, body) == (204, "")
        assert (await wire.http(post(ADD)))[0] == 200


async def test_method_in_the_path_takes_the_body_as_params() -> None:
    """The way in which clients of existing venues call."""
    async with open_world() as world:
        wire = world.connect()
        expected = {"jsonrpc": "2.0", "id": None, "result": {"sum": 3}}
        assert (await wire.http(post(b'{"a":1,"b":2}', "/add")))[2] == expected
        assert (await wire.http(post(b'{"a":1,"b":2}', "/add_later?x=1")))[2] == expected
        assert (await wire.http(post(b'{"a":"1"}', "/add")))[2]["error"]["code"] == -32602
        assert (await wire.http(post(b"{", "/add")))[2]["error"]["code"] == -32700
        assert (await wire.http(post(b"", "/nothing")))[2]["error"]["code"] == -32601
        status, _, body = await wire.http(b"GET /public/echo HTTP/1.1\r\nHost: test\r\nX-Wallet: 0xabc\r\n\r\n")
        assert (status, body["result"]["x-wallet"]) == (200, "0xabc")


async def test_endless_method_in_the_path_is_not_echoed() -> None:
    """Names are as long as in a request at most."""
    async with open_world() as world:
        status, _, answer = await world.connect().http(post(b"{}", "/" + "x" * 10_000))
        assert (status, answer["error"]["code"]) == (200, -32600)
        assert len(str(answer)) < 200


async def test_health_and_metrics_are_served() -> None:
    """For load balancers and Prometheus."""
    async with open_world() as world:
        wire = world.connect()
        assert (await wire.http(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n"))[::2] == (200, {"status": "ok"})
        status, headers, body = await wire.http(b"GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n")
        assert (status, body) == (200, "up 1\n")
        assert headers["content-type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 100_000, -32700),
        (b'{"id":1e400,"method":"add"}', -32600),
        (b'{"id":1,"method":"add","params":{"a":1' + b"0" * 4_400 + b"}}", -32602),
        (b'{"id":1,"method":"add","params":{"a":1e999}}', -32602),
        (b'{"id":1,"method":"add","params":{"a":"\xff"}}', -32602),
        (b'{"id":1,"method":"add\xff"}', -32700),
        (b"[" + b",".join([ADD] * 65) + b"]", -32600),
    ],
)
async def test_bad_bodies_get_typed_errors(body: bytes, code: int) -> None:
    """JSON-RPC says what is wrong; the connection goes on."""
    async with open_world() as world:
        wire = world.connect()
        status, _, answer = await wire.http(post(body))
        assert (status, answer["error"]["code"]) == (200, code)
        assert (await wire.http(post(ADD)))[::2] == (200, SUM)


async def test_huge_number_within_reason_stays_exact() -> None:
    """10**400 is a number like any other."""
    async with open_world() as world:
        body = b'{"id":1,"method":"add","params":{"a":1' + b"0" * 400 + b',"b":1}}'
        assert (await world.connect().http(post(body)))[2]["result"]["sum"] == 10**400 + 1


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET /nowhere HTTP/1.1\r\nHost: test\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\nHost: test\r\n\r\n", 404),
        (b"DELETE / HTTP/1.1\r\nHost: test\r\n\r\n", 405),
        (b"GET /ws HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400),
        (b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n" + b"800\r\n" + b"x" * 2_048, 413),
        (b"GET / HTTP/1.1\r\nHost: test\r\nX: " + b"a" * 20_000, 431),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(3_000)), 431),
        (b"GET /" + b"a" * 20_000, 431),
    ],
)
async def test_bad_http_is_refused_with_its_status(request_bytes: bytes, status: int) -> None:
    """A JSON body says why; the connection ends."""
    async with open_world(Limits(body_bytes=1_000)) as world:
        wire = world.connect()
        got, headers, body = await wire.http(request_bytes)
        assert (got, body["error"]["code"]) == (status, -32600)
        assert headers["connection"] == "close"
        assert await wire.ended()


async def test_wrong_content_length_spoils_only_its_own_connection() -> None:
    """Too long a body is the next request, which is none."""
    async with open_world() as world:
        wire = world.connect()
        await wire.send(
            b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % len(ADD) + ADD + b"extra\r\n\r\n"
        )
        assert (await wire.response())[::2] == (200, SUM)
        assert (await wire.response())[0] == 400


async def test_body_shorter_than_announced_ends_quietly() -> None:
    """A client that leaves in the middle harms nobody."""
    async with open_world() as world:
        wire = world.connect()
        await wire.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n{")
        await wire.stream.send_eof()
        status, _, body = await wire.response()
        assert (status, body["error"]["code"]) == (400, -32600)


@pytest.mark.parametrize("length", [0, 30])
async def test_slow_headers_end_at_the_idle_time(length: int, autojump_clock: trio.testing.MockClock) -> None:
    """Trickled headers are answered with 408, no headers at all with silence."""
    async with open_world() as world:
        wire = world.connect()
        began = trio.current_time()

        async def trickle() -> None:
            for byte in (b"GET /health HTTP/1.1\r\nX-Slow: " + b"a" * 1_000)[:length]:
                await trio.sleep(3)
                await wire.send(bytes([byte]))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(trickle)
            if length:
                assert (await wire.response())[0] == 408
            assert await wire.ended()
            assert 60 <= trio.current_time() - began <= 70
            nursery.cancel_scope.cancel()


async def test_failing_page_is_a_500_that_leaks_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """A bug behind /metrics is answered, logged, and reported if it is a broken invariant."""
    seen: list[BaseException] = []

    def broken() -> bytes:
        raise AssertionError("the secret is 42")

    async with open_world(fatal=seen.append) as world:
        site = Site(world.api.dispatcher, world.limits, metrics=broken)
        ours, theirs = trio.testing.memory_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ConnectionServer(site).serve, theirs)
            status, _, body = await Wire(ours).http(b"GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n")
        assert (status, body["error"]) == (500, {"code": -32603, "message": "Internal error"})
        assert len(seen) == 1
    assert "rpc_connection_failed" in capsys.readouterr().out


async def test_slow_body_ends_at_its_deadline(autojump_clock: trio.testing.MockClock) -> None:
    """A body has to arrive in its time however steadily it trickles."""
    async with open_world() as world:
        wire = world.connect()
        await wire.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n")
        began = trio.current_time()

        async def trickle() -> None:
            while True:
                await trio.sleep(1)
                await wire.send(b"x")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(trickle)
            assert (await wire.response())[0] == 408
            assert trio.current_time() - began == pytest.approx(30)
            nursery.cancel_scope.cancel()


async def test_client_that_takes_no_response_is_dropped(autojump_clock: trio.testing.MockClock) -> None:
    """Sending has a deadline as well."""
    async with open_world() as world:
        wire = world.connect(lockstep=True)
        await wire.send(post(ADD))
        await trio.sleep(15)
        assert world.server.statistics.http == 0


async def test_expect_continue_is_honoured() -> None:
    """The body is asked for before it is sent."""
    async with open_world() as world:
        wire = world.connect()
        head = post(ADD, extra="Expect: 100-continue\r\n")[: -len(ADD)]
        assert (await wire.http(head))[0] == 100
        assert (await wire.http(ADD))[::2] == (200, SUM)


async def test_old_clients_are_served_once() -> None:
    """HTTP/1.0 closes after each response."""
    async with open_world() as world:
        wire = world.connect()
        assert (await wire.http(b"GET /health HTTP/1.0\r\n\r\n"))[0] == 200
        assert await wire.ended()


async def test_chunked_body_is_joined() -> None:
    """Whatever its length was announced as."""
    async with open_world() as world:
        chunks = b"".join(b"%x\r\n%c\r\n" % (1, byte) for byte in ADD) + b"0\r\n\r\n"
        head = b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert (await world.connect().http(head + chunks))[::2] == (200, SUM)


async def test_too_many_connections_are_told_so() -> None:
    """Status 503 with its own code; room again once one has left."""
    async with open_world(Limits(connections=3)) as world:
        wires = [await world.websocket() for _ in range(3)]
        late = world.connect()
        status, _, body = await late.response()
        assert (status, body["error"]["code"]) == (503, -32100)
        assert world.server.statistics.refused == 1
        for wire in wires:
            await wire.stream.aclose()
        await late.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()


async def test_random_bytes_harm_nobody() -> None:
    """Whatever comes instead of HTTP, the server stands."""
    rng = random.Random(6)
    async with open_world() as world:
        for _ in range(200):
            wire = world.connect()
            start = rng.choice([b"", b"GET ", b"POST / HTTP/1.1\r\nHost: a\r\n", post(ADD)[:60]])
            await wire.send(start + rng.randbytes(rng.randrange(1, 300)) + b"\r\n\r\n")
            await trio.testing.wait_all_tasks_blocked()
            await wire.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert world.server.statistics.http == 0


async def test_any_json_to_any_method_is_answered() -> None:
    """Values of every type in every place get a typed answer."""
    rng = random.Random(7)
    values: list[object] = [None, True, 0, -1, 2**64, 1.5, "", "x" * 300, [], [1], {}, {"a": 1}, {"a": [[[]]]}]
    async with open_world() as world:
        wire = world.connect()
        for _ in range(300):
            names = rng.sample(["jsonrpc", "id", "method", "params"], rng.randrange(5))
            message = {name: rng.choice([*values, "2.0", "add"]) for name in names}
            status, _, answer = await wire.http(post(json.dumps(message).encode()))
            assert (status, answer) == (204, "") or "error" in answer or answer["result"] == {"sum": 1}
