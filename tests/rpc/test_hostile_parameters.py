"""Every method of the exchange against hostile parameters, over both transports of a sequencer that really serves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import trio

from rollup.rpc.client import RpcError, connect_ws
from tests.rpc.entry import Entry
from tests.rpc.hostile import INVALID, PARSE, Attack
from tests.rpc.served import PATIENCE, Served, serving
from tests.rpc.table import ENTRIES
from tests.rpc.wire import post

NO_REQUEST = -32600


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One sequencer for all attacks: whatever one of them breaks, the others notice."""
    with serving() as opened:
        yield opened


def request(method: str, attack: Attack) -> bytes:
    """The attack as a JSON-RPC request."""
    return b'{"jsonrpc":"2.0","id":"a","method":"' + method.encode() + b'","params":' + attack.params + b"}"


def complaint(entry: Entry, attack: Attack, answer: Any, code: int) -> list[str]:
    """What is wrong with an answer."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if error is None:
        return [f"{attack.name}: {code} expected, got {str(answer)[:200]}"]
    # What is no JSON may already be of the wrong type where it begins.
    if error["code"] not in ({PARSE, INVALID} if code == PARSE else {code}) or not error["message"]:
        return [f"{attack.name}: {code} expected, got {str(error)[:200]}"]
    if code != PARSE and answer["id"] not in ("a", None):
        return [f"{attack.name}: the id is {answer['id']!r} in {entry}"]
    return []


async def attack_http(served: Served, entry: Entry, attacks: list[Attack]) -> list[str]:
    """Both ways of calling over HTTP, on one connection."""
    wire, wrong = await served.connect(), list[str]()
    for attack in attacks:
        expected = NO_REQUEST if entry.websocket_only and attack.code not in (INVALID, PARSE) else attack.code
        for path, body in (("/", request(entry.method, attack)), (f"/{entry.method}", attack.params)):
            if path != "/" and not body:
                continue  # no body is no parameters there
            with trio.fail_after(PATIENCE):
                status, _, answer = await wire.http(post(body, path))
            assert status == 200
            wrong += complaint(entry, attack, answer, expected)
    await wire.stream.aclose()
    return wrong


async def attack_websocket(served: Served, entry: Entry, attacks: list[Attack]) -> list[str]:
    """What text can carry, on one connection that stays."""
    wire, wrong = await served.connect(), list[str]()
    await wire.upgrade()
    for attack in attacks:
        if attack.is_text:
            with trio.fail_after(PATIENCE):
                await wire.text(request(entry.method, attack).decode())
                wrong += complaint(entry, attack, await wire.answer(), attack.code)
    await wire.text({"id": 1, "method": "public/get_time"})
    assert (await wire.answer())["result"] > 0
    await wire.stream.aclose()
    return wrong


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_hostile_parameters_are_refused_by_their_codes_and_change_nothing(served: Served, entry: Entry) -> None:
    """Each attack of the table, over HTTP in both forms and over a WebSocket."""
    attacks = list(entry.attacks(served.signer))
    names = Counter(attack.name for attack in attacks)
    assert not [name for name, count in names.items() if count > 1]
    with served.unharmed():
        wrong = served.run(attack_http, served, entry, attacks) + served.run(attack_websocket, served, entry, attacks)
    assert not wrong, "\n".join(wrong)


def test_every_registered_method_is_in_the_table(served: Served) -> None:
    """A new method has to say what its parameters are, and be attacked."""
    assert {entry.method for entry in ENTRIES} == set(served.node.dispatcher.methods)


def accept(entries: list[Entry], *, post_batches: bool = False) -> None:
    """Call each entry as an honest client does, on a server of their own."""
    with serving(post_batches=post_batches) as fresh:
        for entry in entries:
            before = fresh.run(fresh.picture)
            if entry.refused is not None:
                with pytest.raises(RpcError) as refusal:
                    fresh.run(call_once, fresh, entry)
                assert refusal.value.code == entry.refused, entry
            else:
                assert fresh.run(call_once, fresh, entry) is not None, entry
            # Taking what is not there off the book is no error, and changes nothing.
            assert (fresh.run(fresh.picture) != before) == (entry.writes and entry.method != "private/cancel_all")


async def call_once(served: Served, entry: Entry) -> Any:
    """One call over a WebSocket."""
    async with connect_ws(served.node.address.ws_url) as rpc:
        return await rpc.call(entry.method, entry.honest(served.signer))


def test_honest_parameters_of_the_reading_methods_are_accepted() -> None:
    """The attacks distort what would have been good."""
    accept([entry for entry in ENTRIES if not entry.writes], post_batches=True)


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.writes], ids=str)
def test_honest_parameters_of_a_writing_method_are_accepted(entry: Entry) -> None:
    """And really change what the attacks must not change."""
    accept([entry])
