from __future__ import annotations

from typing import Any

import msgspec
import pytest
import trio

from rollup.rpc.dispatch import Dispatcher, NoParams, Params
from rollup.rpc.pending import PendingBatch, PendingCall
from rollup.rpc.session import Session
from tests.rpc.wire import Api, decode, make_api


class Leg(Params, frozen=True):
    """An inner object."""

    size: int


class Legs(Params, frozen=True):
    """A list of them."""

    legs: list[Leg]


def session() -> Session:
    """A caller over HTTP."""
    return Session("http", "test", {})


async def run(api: Api, message: object) -> Any:
    """Dispatch a message to its answer, decoded; None if there is none."""
    data = message if isinstance(message, bytes) else msgspec.json.encode(message)
    begun = api.dispatcher.begin(session(), data)
    if isinstance(begun, PendingCall | PendingBatch):
        begun = await begun.run()
    return None if begun is None else decode(begun)


def call(method: str, params: object = None, call_id: object = 1) -> dict[str, object]:
    """A request."""
    return {"jsonrpc": "2.0", "id": call_id, "method": method, "params": {} if params is None else params}


@pytest.mark.parametrize("method", ["add", "add_later"])
async def test_plain_and_async_handlers_answer_alike(method: str) -> None:
    """Where a handler runs does not show in its answer."""
    answer = await run(make_api(), call(method, {"a": 2**70, "b": 1}))
    assert answer == {"jsonrpc": "2.0", "id": 1, "result": {"sum": 2**70 + 1}}


async def test_unknown_method_is_not_found() -> None:
    """MethodNotFound names the method."""
    answer = await run(make_api(), call("nothing"))
    assert answer["error"] == {"code": -32601, "message": "Method not found", "data": {"method": "nothing"}}


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "a"),
        ({"a": 1, "c": 2}, "c"),
        ({"a": "1"}, "a"),
        ({"a": 1.5}, "a"),
        ({"a": None}, "a"),
        ({"a": 1, "b": []}, "b"),
        ([1, 2], ""),
        (7, ""),
        ("text", ""),
    ],
)
async def test_wrong_params_name_the_field(params: object, field: str) -> None:
    """InvalidParams carries the path of what is wrong; unknown fields are refused too."""
    error = (await run(make_api(), call("add", params)))["error"]
    assert (error["code"], error["message"], error["data"]["field"]) == (-32602, "Invalid params", field)


async def test_nested_field_path_is_reported() -> None:
    """Lists and members inside are named as well."""
    api = make_api()
    api.dispatcher.register("legs", Legs, lambda _session, _params: None)
    error = (await run(api, call("legs", {"legs": [{"size": 1}, {"size": "x"}]})))["error"]
    assert error["data"]["field"] == "legs[1].size"
    error = (await run(api, call("legs", {"legs": [{"size": 1}, {"size": 1, "odd": 2}]})))["error"]
    assert error["data"]["field"] == "legs[1].odd"


async def test_rejection_keeps_its_code_and_fields() -> None:
    """Typed fields arrive, and what JSON cannot hold arrives as text."""
    error = (await run(make_api(), call("refuse", {"a": 3})))["error"]
    assert (error["code"], error["message"], error["data"]["a"]) == (19_999, "too odd", 3)


@pytest.mark.parametrize("method", ["crash", "bug", "opaque"])
async def test_internal_errors_leak_nothing(method: str) -> None:
    """The caller learns that it failed, and not how."""
    api = make_api()
    answer = await run(api, call(method))
    assert answer == {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "Internal error"}}
    assert api.dispatcher.statistics.failed == 1


async def test_broken_invariant_reaches_the_fatal_hook() -> None:
    """An AssertionError is answered and reported; another exception is not fatal."""
    seen: list[BaseException] = []
    api = make_api(fatal=seen.append)
    await run(api, call("crash"))
    assert seen == []
    assert (await run(api, call("bug")))["error"]["code"] == -32603
    assert [type(error) for error in seen] == [AssertionError]


async def test_broken_invariant_in_a_group_reaches_the_fatal_hook() -> None:
    """A handler with a nursery of its own hides nothing."""
    seen: list[BaseException] = []
    api = make_api(fatal=seen.append)

    async def bug() -> None:
        raise AssertionError("inside")

    async def grouped(_session: Session, _params: NoParams) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bug)
            nursery.start_soon(bug)

    api.dispatcher.register("grouped", NoParams, grouped)
    assert (await run(api, call("grouped")))["error"]["code"] == -32603
    assert len(seen) == 1


async def test_notifications_are_never_answered() -> None:
    """Not even if they fail."""
    api = make_api()
    for method, params in (("add", {"a": 1}), ("add_later", {"a": 1}), ("nothing", {}), ("add", {}), ("crash", {})):
        assert await run(api, {"method": method, "params": params}) is None
    assert api.dispatcher.statistics.received == 5


async def test_batch_answers_each_request_in_order() -> None:
    """Good, bad, malformed and silent elements side by side."""
    answers = await run(
        make_api(),
        [
            call("add_later", {"a": 1}, "x"),
            7,
            call("add", {"a": 2}, "y"),
            {"method": "add", "params": {"a": 1}},
            call("no"),
        ],
    )
    assert [(a["id"], a.get("result"), a.get("error", {}).get("code")) for a in answers] == [
        ("x", {"sum": 1}, None),
        (None, None, -32600),
        ("y", {"sum": 2}, None),
        (1, None, -32601),
    ]


@pytest.mark.parametrize("method", ["add", "add_later"])
async def test_batch_of_notifications_is_not_answered(method: str) -> None:
    """An empty array would be no answer."""
    assert await run(make_api(), [{"method": method, "params": {"a": 1}}] * 3) is None


async def test_batch_bomb_is_refused_whole() -> None:
    """One error for a batch that is too long; nothing of it runs."""
    api = make_api(batch_requests=10)
    answer = await run(api, [call("add_later", {"a": 1})] * 11)
    assert (answer["id"], answer["error"]["code"], answer["error"]["data"]) == (
        None,
        -32600,
        {"requests": 11, "limit": 10},
    )
    assert len(await run(api, [call("add", {"a": 1})] * 10)) == 10


async def test_empty_batch_is_an_invalid_request() -> None:
    """As the specification says."""
    assert (await run(make_api(), b"[]"))["error"]["code"] == -32600


async def test_nested_batches_are_no_requests() -> None:
    """A batch in a batch is refused like any other non-request."""
    answers = await run(make_api(), [[call("add", {"a": 1})]])
    assert [a["error"]["code"] for a in answers] == [-32600]


def test_registration_guards_its_own_rules() -> None:
    """A second registration and a type that would ignore unknown fields are bugs."""
    dispatcher = Dispatcher()

    class Loose(msgspec.Struct):
        a: int

    dispatcher.register("a", NoParams, lambda _session, _params: None)
    with pytest.raises(AssertionError, match="twice"):
        dispatcher.register("a", NoParams, lambda _session, _params: None)
    with pytest.raises(AssertionError, match="unknown"):
        dispatcher.register("b", Loose, lambda _session, _params: None)
    assert dispatcher.methods == ["a"]


def test_method_decorator_registers() -> None:
    """The decorated function stays callable."""
    dispatcher = Dispatcher()

    @dispatcher.method("two", NoParams)
    def two(_session: Session, _params: NoParams) -> int:
        return 2

    assert dispatcher.methods == ["two"]
    assert two(session(), NoParams()) == 2
