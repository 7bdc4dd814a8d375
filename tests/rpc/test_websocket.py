# ruff: noqa: ARG001 - the clock works by being asked for
from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import trio
import trio.testing

from rollup.rpc.limits import Limits
from tests.rpc.wire import Wire, frame, open_world

ADD = {"jsonrpc": "2.0", "id": 1, "method": "add", "params": {"a": 1, "b": 2}}
SUM = {"jsonrpc": "2.0", "id": 1, "result": {"sum": 3}}


def wait(call_id: int) -> dict[str, object]:
    """A call that hangs until the gate opens."""
    return {"id": call_id, "method": "wait", "params": {"a": call_id}}


async def test_slow_call_does_not_hold_up_a_quick_one() -> None:
    """Calls run side by side, and answers overtake each other."""
    async with open_world() as world:
        wire = await world.websocket()
        await wire.text(wait(7))
        await wire.text(ADD)
        assert await wire.answer() == SUM
        world.api.gate.set()
        assert (await wire.answer())["id"] == 7


async def test_calls_in_flight_are_bounded() -> None:
    """Beyond the bound nothing is read, and nothing is lost once there is room."""
    async with open_world(Limits(in_flight=4)) as world:
        wire = await world.websocket()
        for call_id in range(10):
            await wire.text(wait(call_id))
        await trio.testing.wait_all_tasks_blocked()
        assert world.api.running == 4
        world.api.gate.set()
        assert sorted([(await wire.answer())["id"] for _ in range(10)]) == list(range(10))
        assert world.api.most_running == 4


async def test_batch_takes_as_many_slots_as_it_has_calls() -> None:
    """Batches are no way round the bound."""
    async with open_world(Limits(in_flight=4)) as world:
        wire = await world.websocket()
        for _ in range(3):
            await wire.text([wait(1), wait(2), wait(3)])
        await trio.testing.wait_all_tasks_blocked()
        assert world.api.running == 3
        world.api.gate.set()
        assert [len(await wire.answer()) for _ in range(3)] == [3, 3, 3]


async def test_malformed_message_gets_an_error_and_the_connection_goes_on() -> None:
    """One bad message costs its sender one answer."""
    async with open_world() as world:
        wire = await world.websocket()
        for text, code in (("{", -32700), ("[" * 50_000, -32700), ("7", -32600), ("[]", -32600), ('{"id":1}', -32600)):
            await wire.text(text)
            assert (await wire.answer())["error"]["code"] == code
        await wire.text(ADD)
        assert await wire.answer() == SUM


async def test_fragmented_message_is_joined() -> None:
    """In many frames, some empty, split inside a character, with a ping between them."""
    async with open_world() as world:
        wire = await world.websocket()
        text = '{"id":1,"method":"add","params":{"a":1,"b":2},"x":"µ"}'.encode()
        cut = text.index("µ".encode()) + 1
        await wire.send(frame(1, text[:9], final=False) + frame(0, b"", final=False) + frame(9, b"hi"))
        await wire.send(frame(0, text[9:cut], final=False) + frame(0, text[cut:]))
        assert (await wire.event()).__class__.__name__ == "Pong"
        assert await wire.answer() == SUM
        await wire.text(ADD)
        assert await wire.answer() == SUM


async def test_message_trickling_in_byte_by_byte_is_answered() -> None:
    """Frames may be cut anywhere by the network."""
    async with open_world() as world:
        wire = await world.websocket()
        for byte in frame(1, b'{"id":1,"method":"add","params":{"a":1,"b":2}}'):
            await wire.send(bytes([byte]))
        assert await wire.answer() == SUM


async def test_ping_is_answered_with_its_payload() -> None:
    """The pong carries what the ping brought."""
    async with open_world() as world:
        wire = await world.websocket()
        await wire.send(frame(9, b"are you there"))
        event = await wire.event()
        assert getattr(event, "payload", None) == b"are you there"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(2, b"binary"), 1003),
        (frame(1, b"x" * 2_000), 1009),
        (frame(1, b"x" * 600, final=False) + frame(0, b"x" * 600, final=False), 1009),
        (frame(1, b"\xff\xfe"), 1007),
        (frame(1, b"\xe2\x82"), 1007),
        (frame(1, b"{}", masked=False), 1002),
        (frame(1, b"{}", reserved=4), 1002),
        (frame(3, b"unknown opcode"), 1002),
        (frame(0, b"continues nothing"), 1002),
        (frame(1, b"a", final=False) + frame(1, b"b"), 1002),
        (frame(9, b"p", final=False), 1002),
        (frame(9, b"p" * 126), 1002),
        (frame(8, b"\x03"), 1002),
        (frame(8, b"\x03\xe8\xff\xfe"), 1007),
        (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff" + b"mask", 1002),
    ],
    ids=map(str, range(15)),  # the bytes have random masks
)
async def test_broken_protocol_is_closed_with_its_code(data: bytes, code: int) -> None:
    """Each fault has the close code of the RFC, and only its own connection ends."""
    async with open_world(Limits(message_bytes=1_000)) as world:
        wire = await world.websocket()
        await wire.send(data)
        assert (await wire.closed())[0] == code
        assert await wire.ended()


async def test_announced_length_reserves_nothing() -> None:
    """A frame that claims to be huge is cut off at the limit, not waited for."""
    async with open_world(Limits(message_bytes=1_000)) as world:
        wire = await world.websocket()
        await wire.send(b"\x81\xff" + (2**62).to_bytes(8) + b"\0\0\0\0" + b"x" * 1_001)
        assert (await wire.closed())[0] == 1009


async def test_peer_s_close_is_answered() -> None:
    """Code and reason come back, and what was in flight is answered first."""
    async with open_world() as world:
        wire = await world.websocket()
        await wire.text(wait(1))
        await trio.testing.wait_all_tasks_blocked()
        await wire.send(frame(8, (4321).to_bytes(2) + b"bye"))
        await trio.testing.wait_all_tasks_blocked()
        world.api.gate.set()
        assert (await wire.answer())["id"] == 1
        assert await wire.closed() == (4321, "bye")
        assert await wire.ended()


async def test_call_of_a_vanished_client_runs_to_its_end() -> None:
    """Leaving does not cut a handler short in the middle."""
    async with open_world() as world:
        wire = await world.websocket()
        await wire.text(wait(1))
        await trio.testing.wait_all_tasks_blocked()
        await wire.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert (world.api.running, world.api.finished) == (1, 0)
        world.api.gate.set()
        await trio.testing.wait_all_tasks_blocked()
        assert (world.api.running, world.api.finished) == (0, 1)


async def test_call_that_never_ends_is_dropped_after_the_drain(autojump_clock: trio.testing.MockClock) -> None:
    """A vanished client does not hold its connection for ever."""
    async with open_world(Limits(drain_seconds=5)) as world:
        wire = await world.websocket()
        await wire.text(wait(1))
        await trio.testing.wait_all_tasks_blocked()
        began = trio.current_time()
        await wire.stream.aclose()
        await trio.sleep(4)
        assert world.api.running == 1
        await trio.sleep(2)
        assert world.api.running == 0
        assert world.server.statistics.websockets == 0
        assert trio.current_time() - began < 10


async def test_silent_client_is_pinged_then_dropped(autojump_clock: trio.testing.MockClock) -> None:
    """A half-open connection ends after the idle time, with code 4002."""
    async with open_world() as world:
        wire = await world.websocket()
        began = trio.current_time()
        assert wire.protocol is not None
        pings = 0
        while True:
            wire.protocol.receive_data(bytes(await wire.stream.receive_some()))
            names = [(e.__class__.__name__, getattr(e, "code", 0)) for e in wire.protocol.events()]
            pings += names.count(("Ping", 0))
            if ("CloseConnection", 4002) in names:
                break
        assert pings == 2
        assert 60 <= trio.current_time() - began <= 80


async def test_client_that_answers_pings_stays(autojump_clock: trio.testing.MockClock) -> None:
    """A quiet subscriber is not an idle one."""
    async with open_world() as world:
        wire = await world.websocket()
        with trio.move_on_after(600):
            await wire.event()
            pytest.fail("nothing but pings was to come")
        await wire.text(ADD)
        assert await wire.answer() == SUM


async def test_message_that_never_ends_is_cut_off(autojump_clock: trio.testing.MockClock) -> None:
    """Trickling fragments is no way to stay, however lively."""
    async with open_world() as world:
        wire = await world.websocket()
        await wire.send(frame(1, b'{"', final=False))

        async def trickle() -> None:
            while True:
                await trio.sleep(5)
                await wire.send(frame(0, b"", final=False))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(trickle)
            assert (await wire.closed())[0] == 4003
            nursery.cancel_scope.cancel()


async def test_client_that_reads_no_answers_is_not_served_more(autojump_clock: trio.testing.MockClock) -> None:
    """Unsent answers stop the reading, and a client that never takes them is dropped."""
    async with open_world(Limits(outbox_bytes=2_000)) as world:
        wire = await world.websocket(lockstep=True)
        sent = 0

        async def flood() -> None:
            nonlocal sent
            while True:
                await wire.text(ADD)
                sent += 1

        with trio.move_on_after(8):
            await flood()
        assert 0 < sent < 100
        await trio.sleep(30)
        assert world.server.statistics.websockets == 0


async def test_client_that_resumes_reading_gets_every_answer(autojump_clock: trio.testing.MockClock) -> None:
    """Being held back loses nothing."""
    async with open_world(Limits(outbox_bytes=500)) as world:
        wire = await world.websocket(lockstep=True)

        async def ask() -> None:
            for call_id in range(200):
                await wire.text(ADD | {"id": call_id})

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await trio.sleep(5)
            assert [(await wire.answer())["id"] for _ in range(200)] == list(range(200))


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [line for line in lines if "Key" not in line],
        lambda lines: [line.replace("13", "12") for line in lines],
        lambda lines: [line for line in lines if "Version" not in line],
        lambda lines: [line for line in lines if "Upgrade: " not in line],
        lambda lines: [line.replace("GET", "POST") for line in lines],
    ],
)
async def test_wrong_handshake_is_refused(change: Callable[[list[str]], list[str]]) -> None:
    """A handshake that lacks a part gets an HTTP error."""
    lines = [
        "GET /ws HTTP/1.1",
        "Host: test",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ]
    async with open_world() as world:
        status, _, body = await world.connect().http(("\r\n".join(change(lines)) + "\r\n\r\n").encode())
        assert (status, body.get("error", {}).get("code")) in {(400, -32600), (426, -32600), (200, -32601)}


async def test_bytes_behind_the_handshake_are_not_lost() -> None:
    """A client may send its first call without waiting for the upgrade."""
    async with open_world() as world:
        wire = world.connect()
        handshake = (
            b"GET /ws HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await wire.send(handshake + frame(1, b'{"id":1,"method":"add","params":{"a":1,"b":2}}'))
        received = b""
        while b'"sum":3' not in received:
            received += await wire.stream.receive_some()
        assert received.startswith(b"HTTP/1.1 101")


async def test_headers_of_the_upgrade_reach_the_handlers() -> None:
    """A session is known by them for its whole life."""
    async with open_world() as world:
        wire = await world.websocket()
        await wire.text({"id": 1, "method": "public/echo"})
        assert (await wire.answer())["result"]["x-wallet"] == "0xabc"


async def test_random_bytes_after_the_handshake_harm_nobody() -> None:
    """Whatever comes, the connection ends or goes on, and the server stands."""
    rng = random.Random(5)
    async with open_world() as world:
        for _ in range(200):
            wire: Wire = await world.websocket()
            await wire.send(rng.randbytes(rng.randrange(1, 200)))
            await trio.testing.wait_all_tasks_blocked()
            await wire.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert world.server.statistics.websockets == 0
