# ruff: noqa: ARG001 - the clock works by being asked for
from __future__ import annotations

import pytest
import trio
import trio.testing

from rollup.errors import UnknownChannel
from rollup.rpc.limits import Limits
from rollup.rpc.subscriptions import Subscriptions
from tests.rpc.wire import open_world, post


def wish(method: str, *channels: object) -> dict[str, object]:
    """A subscribe or unsubscribe call."""
    return {"id": 1, "method": method, "params": {"channels": channels}}


def news(channel: str, data: object) -> dict[str, object]:
    """The notification expected."""
    return {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}}


async def test_subscriber_gets_what_is_published_in_order() -> None:
    """And nothing of channels that it did not join, nor after it left."""
    async with open_world() as world:
        hub = world.api.subscriptions
        wire = await world.websocket()
        await wire.text(wish("subscribe", "news.a", "news.b"))
        answer = await wire.answer()
        assert answer["result"] == {
            "status": {"news.a": "ok", "news.b": "ok"},
            "current_subscriptions": ["news.a", "news.b"],
        }
        assert [hub.publish("news.a", {"n": n}) for n in range(3)] == [1, 1, 1]
        assert hub.publish("news.c", {}) == 0
        assert [await wire.answer() for _ in range(3)] == [news("news.a", {"n": n}) for n in range(3)]
        await wire.text(wish("unsubscribe", "news.a", "news.never"))
        assert (await wire.answer())["result"]["current_subscriptions"] == ["news.b"]
        assert hub.publish("news.a", {}) == 0
        assert hub.channels() == ["news.b"]


async def test_family_may_send_a_snapshot_first() -> None:
    """It arrives once, when the channel is joined, not when it is joined again."""
    async with open_world() as world:
        wire = await world.websocket()
        await wire.text(wish("subscribe", "news.hot"))
        assert await wire.answer() == news("news.hot", {"first": True})
        assert (await wire.answer())["result"]["status"] == {"news.hot": "ok"}
        await wire.text(wish("subscribe", "news.hot", "news.hot"))
        assert (await wire.answer())["result"]["status"] == {"news.hot": "ok"}
        assert world.api.subscriptions.publish("news.hot", 1) == 1


async def test_everybody_on_a_channel_is_served() -> None:
    """One encoding, many clients; a client that leaves is forgotten."""
    async with open_world() as world:
        wires = [await world.websocket() for _ in range(5)]
        for wire in wires:
            await wire.text(wish("subscribe", "news.a"))
            await wire.answer()
        assert world.api.subscriptions.publish("news.a", 1) == 5
        for wire in wires:
            assert await wire.answer() == news("news.a", 1)
        await wires[0].stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert world.api.subscriptions.publish("news.a", 2) == 4


async def test_unknown_channel_joins_none() -> None:
    """UnknownChannel (13000) names it, and the good ones of the same call are not joined either."""
    async with open_world() as world:
        wire = await world.websocket()
        await wire.text(wish("subscribe", "news.a", "weather.b"))
        error = (await wire.answer())["error"]
        assert (error["code"], error["data"]) == (UnknownChannel.code, {"channel": "weather.b"})
        assert world.api.subscriptions.channels() == []


@pytest.mark.parametrize(
    ("channels", "code"),
    [
        ([f"news.{n}" for n in range(9)], -32600),
        ([f"news.{n}" for n in range(300)], -32602),
        ([], -32602),
        ([""], -32602),
        (["news." + "x" * 200], -32602),
        ([7], -32602),
    ],
)
async def test_unreasonable_wishes_are_refused(channels: list[object], code: int) -> None:
    """Number and length of channels are bounded."""
    async with open_world() as world:
        wire = await world.websocket()
        await wire.text(wish("subscribe", *channels))
        assert (await wire.answer())["error"]["code"] == code
        assert world.api.subscriptions.channels() == []


async def test_subscribing_over_http_is_refused() -> None:
    """There is nothing to push through."""
    async with open_world() as world:
        status, _, answer = await world.connect().http(post(b'{"channels":["news.a"]}', "/subscribe"))
        assert (status, answer["error"]["code"]) == (200, -32600)


async def test_slow_consumer_is_dropped_and_the_others_are_not(autojump_clock: trio.testing.MockClock) -> None:
    """Its queue is bounded; the close code says why once it reads again."""
    async with open_world(Limits(queued_notifications=10)) as world:
        slow, quick = await world.websocket(lockstep=True), await world.websocket()
        for wire in (slow, quick):
            await wire.text(wish("subscribe", "news.a"))
            await wire.answer()
        for n in range(30):
            world.api.subscriptions.publish("news.a", n)
            await trio.testing.wait_all_tasks_blocked()
            assert await quick.answer() == news("news.a", n)
        assert (await slow.closed())[0] == 4001
        await slow.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert world.api.subscriptions.publish("news.a", 99) == 1


async def test_big_notifications_are_bounded_by_bytes(autojump_clock: trio.testing.MockClock) -> None:
    """A few large messages fill the queue as well as many small ones; a client that never reads is cut off."""
    async with open_world(Limits(queued_notification_bytes=10_000)) as world:
        slow = await world.websocket(lockstep=True)
        await slow.text(wish("subscribe", "news.a"))
        await slow.answer()
        for _ in range(20):
            world.api.subscriptions.publish("news.a", "x" * 3_000)
            await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(20)
        assert world.server.statistics.websockets == 0
        assert world.api.subscriptions.channels() == []


async def test_subscribing_again_and_again_leaves_nothing_behind() -> None:
    """Joining and leaving in a loop does not make the session grow."""
    async with open_world() as world:
        sessions = []
        world.api.subscriptions.add_family("spy", lambda session, _channel: sessions.append(session))
        wire = await world.websocket()
        for _ in range(50):
            await wire.text(wish("subscribe", "spy"))
            await wire.answer()
            await wire.text(wish("unsubscribe", "spy"))
            await wire.answer()
        assert len(sessions) == 50
        assert len(sessions[0]._closers) == 1


def test_family_is_offered_once() -> None:
    """A second owner of a name would hide the first."""
    hub = Subscriptions()
    hub.add_family("news", lambda _session, _channel: None)
    with pytest.raises(AssertionError, match="twice"):
        hub.add_family("news", lambda _session, _channel: None)
