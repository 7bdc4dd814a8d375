"""Giant messages and clients that dawdle, on a sequencer that really serves, with the limits it is shipped with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trio

from rollup.rpc.frames import CloseCode
from rollup.rpc.limits import BODY_BYTES, MESSAGE_BYTES
from tests.rpc.served import PATIENCE, Served, serving
from tests.rpc.wire import Wire, frame, post

CALL = b'{"id":1,"method":"public/get_time"}'
SLOW = 100
"""Of each kind of dawdler; together well below the limit of connections."""


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One sequencer, which none of this may move."""
    with serving() as opened, opened.unharmed():
        yield opened


def padded(size: int) -> bytes:
    """A good call with so much white space around it."""
    return CALL + b" " * (size - len(CALL))


def test_the_largest_body_is_served_and_a_larger_one_refused(served: Served) -> None:
    """By announced length before it arrives, and by what arrives in chunks; both end the connection."""

    async def ask() -> None:
        status, answer = await served.ask(padded(BODY_BYTES))
        assert (status, answer["result"] > 0) == (200, True)
        announced = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES + 1)
        chunks = b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % (2 * BODY_BYTES)
        for request in (announced, chunks + b" " * (BODY_BYTES + 1)):
            wire = await served.connect()
            with trio.fail_after(PATIENCE):
                status, headers, answer = await wire.http(request)
                assert (status, headers["connection"], answer["error"]["code"]) == (413, "close", -32600)
                assert await wire.ended()
            await wire.stream.aclose()

    served.run(ask)


@pytest.mark.parametrize("parts", [1, 16])
def test_the_largest_message_is_served_and_a_larger_one_closes(served: Served, parts: int) -> None:
    """In one frame or in many; the close code says why."""

    async def ask() -> None:
        wire = await served.connect()
        await wire.upgrade()
        with trio.fail_after(PATIENCE):
            await wire.send(fragments(padded(MESSAGE_BYTES), parts))
            assert (await wire.answer())["result"] > 0
            await wire.send(fragments(padded(MESSAGE_BYTES + 1), parts))
            assert (await wire.closed())[0] == CloseCode.MESSAGE_TOO_BIG
        await wire.stream.aclose()

    served.run(ask)


def fragments(data: bytes, parts: int) -> bytes:
    """One text message in so many frames."""
    size = -(-len(data) // parts)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    last = len(pieces) - 1
    return b"".join(frame(0 if n else 1, piece, final=n == last) for n, piece in enumerate(pieces))


def test_an_endless_batch_and_an_endless_list_are_refused_whole(served: Served) -> None:
    """A body full of calls, and a parameter full of values."""

    async def ask() -> None:
        batch = b"[" + b",".join([CALL] * (BODY_BYTES // (len(CALL) + 1) - 1)) + b"]"
        assert (await served.ask(batch))[1]["error"]["code"] == -32600
        values = b'{"id":1,"method":"oracle/update","params":{"signatures":[%s]}}' % b",".join([b"1"] * 500_000)
        assert (await served.ask(values))[1]["error"]["code"] == -32602

    served.run(ask)


BEGINNINGS = {
    "headers": b"POST / HTTP/1.1\r\nHost: te",
    "body": post(padded(BODY_BYTES))[:600_000],
    "chunk": b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n{",
    "frame": frame(1, CALL)[:-1],
    "message": frame(1, CALL, final=False),
    "unread answers": frame(1, CALL) * 2_000,
}


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_a_crowd_of_dawdlers_does_not_hold_up_the_others(served: Served, kind: str) -> None:
    """Each begins something and then does nothing; who comes after them is served as ever."""

    async def dawdle() -> Wire:
        wire = await served.connect()
        if kind in ("frame", "message", "unread answers"):
            await wire.upgrade()
        with trio.move_on_after(0.01):  # what the server does not want to read yet stays unsent
            await wire.send(BEGINNINGS[kind])
        return wire

    async def ask() -> None:
        wires = [await dawdle() for _ in range(SLOW)]
        with trio.fail_after(PATIENCE):
            assert (await served.ask(CALL))[1]["result"] > 0
            good = await served.connect()
            await good.upgrade()
            await good.send(frame(1, CALL))
            assert (await good.answer())["result"] > 0
        for wire in (*wires, good):
            await trio.aclose_forcefully(wire.stream)

    served.run(ask)
