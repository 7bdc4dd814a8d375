"""Raw bodies, at random: whatever arrives, the answer is typed, and nothing behind the door has moved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rollup.sequencer.rejections  # noqa: F401 - so that every kind of refusal is known
from rollup.errors import Rejected
from tests.rpc.entry import Entry
from tests.rpc.hostile import encode
from tests.rpc.served import PATIENCE, Served, serving
from tests.rpc.table import ENTRIES
from tests.rpc.wire import post


def codes(base: type[Rejected]) -> set[int]:
    """The code of every kind of refusal."""
    return {base.code}.union(*(codes(kind) for kind in base.__subclasses__()))


KNOWN = codes(Rejected)
METHODS = sorted({entry.method for entry in ENTRIES})
NAMES = sorted({name for entry in ENTRIES for name in entry.kinds})

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["BTC-PERP", "0x", "0x" + "00" * 64, "1.5", "buy", "ioc", 2**63, -1, 10**30]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), inner),
    max_leaves=12,
)
requests = st.fixed_dictionaries(
    {"method": st.sampled_from(METHODS) | st.text(max_size=10)},
    optional={
        "id": json_values,
        "jsonrpc": st.sampled_from(["2.0", "1.0", 2]),
        "params": json_values | st.dictionaries(st.sampled_from(NAMES), json_values, max_size=12),
    },
)
bodies = st.binary(max_size=300) | (requests | st.lists(requests | json_values, max_size=5)).map(
    lambda value: json.dumps(value).encode()
)
relaxed = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One sequencer for all bodies; at the end nothing of it has changed."""
    with serving() as opened, opened.unharmed():
        yield opened


def check(answer: Any) -> None:
    """An answer is a result of a method that only reads, or a refusal of a known kind; a batch is a list of them."""
    for each in answer if isinstance(answer, list) else [answer]:
        assert "result" in each or each["error"]["code"] in KNOWN, each


async def ask_websocket(served: Served, text: str) -> Any:
    """Send a text on a connection of its own, a good call behind it, and return the answers up to that one's."""
    wire, answers = await served.connect(), list[Any]()
    await wire.upgrade()
    with trio.fail_after(PATIENCE):
        await wire.text(text)
        await wire.text({"id": "the last", "method": "unsubscribe", "params": {"channels": ["blocks"]}})
        while True:
            answer = await wire.answer()
            if isinstance(answer, dict) and answer.get("id") == "the last":
                break
            if not isinstance(answer, dict) or answer.get("method") != "subscription":
                answers.append(answer)
    await wire.stream.aclose()
    return answers


@relaxed
@given(body=bodies)
def test_any_body_over_http_gets_a_typed_answer(served: Served, body: bytes) -> None:
    """Bytes at random, and JSON that looks like calls."""
    status, answer = served.run(served.ask, body)
    assert status == (200 if answer else 204)
    if answer:
        check(answer)


@relaxed
@given(method=st.sampled_from(METHODS), body=bodies | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_parameters_in_a_body_get_a_typed_answer(served: Served, method: str, body: bytes) -> None:
    """The method in the path, anything as its parameters."""
    status, answer = served.run(served.ask, body, f"/{method}")
    assert status == 200
    check(answer)


@relaxed
@given(text=st.text(max_size=200) | requests.map(json.dumps))
def test_any_text_over_a_websocket_gets_a_typed_answer(served: Served, text: str) -> None:
    """Texts at random, and JSON that looks like calls; the connection stays good."""
    for answer in served.run(ask_websocket, served, text):
        check(answer)


def foreign_request(served: Served, entry: Entry) -> bytes:
    """A whole request, signed for another chain, so that no change of it can make it valid."""
    params = encode(entry.honest(served.signer.foreign()[0]))
    return b'{"jsonrpc":"2.0","id":1,"method":"' + entry.method.encode() + b'","params":' + params + b"}"


@relaxed
@given(
    entry=st.sampled_from(ENTRIES),
    at=st.integers(0, 600),
    cut=st.integers(0, 40),
    put=st.binary(max_size=12) | st.sampled_from([b"null", b"-", b"1e9", b"{}", b'"', b",", b"\\u0000", b"9" * 30]),
)
def test_a_damaged_request_gets_a_typed_answer(served: Served, entry: Entry, at: int, cut: int, put: bytes) -> None:
    """A real request with a few bytes cut out and others put in; the next request on the connection is served."""
    body = foreign_request(served, entry)
    at %= len(body)

    async def ask_twice() -> list[Any]:
        wire = await served.connect()
        with trio.fail_after(PATIENCE):
            answers = [(await wire.http(post(data)))[2] for data in (body[:at] + put + body[at + cut :], HONEST)]
        await wire.stream.aclose()
        return answers

    answer, after = served.run(ask_twice)
    if answer:
        check(answer)
    assert after["result"] > 0


HONEST = msgspec.json.encode({"id": 1, "method": "public/get_time"})
