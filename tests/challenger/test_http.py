"""The read-only HTTP server: status, metrics, and proofs that L1 pays on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
import trio.testing
from prometheus_client.parser import text_string_to_metric_families

from challenger import http
from challenger.http import MAX_CONNECTIONS, StatusServer
from challenger.service import Challenger
from challenger.status import Status
from rollup.crypto.witness import read_witness, roots_of
from rollup.errors import ConfigError
from rollup.l1 import dev
from rollup.l1.devkeys import dev_address
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from rollup.types.keys import account_key
from tests.challenger.life import PATIENCE, Heard, challenging, until
from tests.support.deployed import DISPUTE_WINDOW, RIVAL, SEQUENCER, Site
from tests.support.frauds import LIE
from tests.support.poster import FIRST_OWNER, Poster, with_root

LOOPBACK = "127.0.0.1"


@asynccontextmanager
async def served(site: Site, folder: Path) -> AsyncIterator[tuple[Challenger, Heard, httpx.AsyncClient]]:
    """A watching challenger with its HTTP server, and a client of it."""
    async with challenging(site, folder, http=(LOOPBACK, 0)) as (challenger, heard):
        url = f"http://{LOOPBACK}:{heard.all('serving')[0]['port']}"
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            yield challenger, heard, client


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Port of a server over an empty store, for hostile clients."""
    store = StateStore.in_memory(ChainIdentity(1, bytes(20)))
    server = StatusServer(Status("", "watch"), store, lambda: None)
    async with trio.open_nursery() as nursery:
        yield await nursery.start(server.run, LOOPBACK, 0)
        nursery.cancel_scope.cancel()


async def test_a_withdrawal_is_claimed_with_the_proof_it_serves(site: Site, poster: Poster, tmp_path: Path) -> None:
    """The witness goes to L1 as it is, and the owner is paid."""
    await poster.post(await poster.block(poster.withdraw(0, 7_000_000)))
    final_root = poster.root
    async with served(site, tmp_path) as (challenger, _, client):
        assert (await client.get("/proof/0")).status_code == 404  # nothing is final yet but the genesis
        await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
        await site.contract("Rollup").transact(site.account(RIVAL), "finalise", 1)
        await poster.post(await poster.block(poster.transfer(0, 1, 5)))
        await until(lambda: challenger.pipeline.replica.batch == 2)
        proof = (await client.get("/proof/0")).json()
        assert (proof["account"], proof["batch"], proof["root"]) == (0, 1, f"0x{final_root.hex()}")
        witness = bytes.fromhex(proof["witness"][2:])
        assert roots_of(read_witness(witness), {})[0] == final_root
        assert read_witness(witness).leaves == {account_key(0): bytes.fromhex(proof["leaf"][2:])}
        await site.contract("Vault").transact(site.account(RIVAL), "claim", 1, witness)
        assert await site.contract("TestUSD").call("balanceOf", dev_address(FIRST_OWNER)) == 7_000_000
        for path in ("/proof/2", "/proof/16777216", "/proof/99999999"):
            assert (await client.get(path)).status_code == 404


async def test_status_health_and_metrics_tell_of_fraud(site: Site, poster: Poster, tmp_path: Path) -> None:
    """What is served is the present, not the last file that was written."""
    await poster.post(await poster.block())
    async with served(site, tmp_path) as (challenger, heard, client):
        status = (await client.get("/status?pretty=no")).json()
        assert (status["batch"], status["state_root"]) == (1, f"0x{poster.root.hex()}")
        health = await client.get("/health")
        assert (health.status_code, health.json()) == (200, {"ok": True, "alarm": ""})
        await poster.post(with_root(await poster.block(poster.withdraw(0, 1)), LIE))
        await heard.wait("fraud_found")
        assert (await client.get("/status")).json()["fraud"]["block"] == 2
        metrics = samples((await client.get("/metrics")).text)
        assert (metrics["challenger_fraud"], metrics["challenger_batch"], metrics["challenger_fork"]) == (1, 1, 0)
        assert metrics["challenger_disagreements_total"] == 0
        await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
        await site.contract("Rollup").transact(site.account(SEQUENCER), "finalise", 2)
        await until(lambda: challenger.pipeline.follower.chain.finalised == 2)
        assert samples((await client.get("/metrics")).text)["challenger_finalised"] == 2


def samples(text: str) -> dict[str, float]:
    """Metrics by name."""
    return {sample.name: sample.value for family in text_string_to_metric_families(text) for sample in family.samples}


async def test_an_alarm_makes_the_health_bad() -> None:
    """A supervisor learns it from the status code."""
    status, store = Status("", "watch", alarm="L1 is gone"), StateStore.in_memory(ChainIdentity(1, bytes(20)))
    server = StatusServer(status, store, lambda: None)
    code, _, body = await server.answer(b"GET", b"/health")
    assert (code, b"L1 is gone" in body) == (503, True)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [("GET", "/", 404), ("GET", "/proof/x", 404), ("GET", "/proof/-1", 404), ("GET", "/proof/123456789", 404),
     ("POST", "/status", 405), ("DELETE", "/proof/0", 405), ("HEAD", "/health", 200), ("GET", "/proof/0", 503)],
)  # fmt: skip
async def test_other_requests_get_their_status_code(port: int, method: str, path: str, code: int) -> None:
    """And a body that says why, but for HEAD."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.request(method, f"http://{LOOPBACK}:{port}{path}")
        assert answer.status_code == code
        assert bool(answer.content) is (method != "HEAD")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01 is no HTTP\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 9_000,
        b"GET / HTTP/9.9\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_answered_and_dropped(port: int, sent: bytes) -> None:
    """4xx and the end of the connection; the next client is served."""
    stream = await trio.open_tcp_stream(LOOPBACK, port)
    async with stream:
        await stream.send_all(sent)
        assert (await read_all(stream)).startswith((b"HTTP/1.1 4", b"HTTP/1.1 5"))
    await expect_service(port)


async def test_a_slow_client_is_dropped(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a request is not waited for without end."""
    monkeypatch.setattr(http, "SECONDS", 0.05)
    async with await trio.open_tcp_stream(LOOPBACK, port) as stream:
        await stream.send_all(b"GET /sta")
        assert await read_all(stream) == b""
    monkeypatch.setattr(http, "SECONDS", PATIENCE)
    await expect_service(port)


async def test_connections_beyond_the_limit_are_closed_at_once(port: int) -> None:
    """Whoever holds them all cannot exhaust the process; when they leave others are served."""
    held = [await trio.open_tcp_stream(LOOPBACK, port) for _ in range(MAX_CONNECTIONS)]
    await trio.testing.wait_all_tasks_blocked(0.05)
    async with await trio.open_tcp_stream(LOOPBACK, port) as stream:
        assert await read_all(stream) == b""
    for each in held:
        await each.aclose()
    await trio.testing.wait_all_tasks_blocked(0.05)
    await expect_service(port)


async def test_a_taken_port_is_an_error(port: int) -> None:
    """The message names it."""
    server = StatusServer(Status("", "watch"), StateStore.in_memory(ChainIdentity(1, bytes(20))), lambda: None)
    with pytest.raises(ConfigError, match=f"{LOOPBACK}:{port}"):
        await server.run(LOOPBACK, port)


async def read_all(stream: trio.SocketStream) -> bytes:
    """Everything until the server closes."""
    data = b""
    with trio.fail_after(PATIENCE):
        try:
            while part := await stream.receive_some():
                data += bytes(part)
        except trio.BrokenResourceError:
            pass
    return data


async def expect_service(port: int) -> Any:
    """The server lives."""
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"http://{LOOPBACK}:{port}/health")).status_code == 200
