"""The embedded L1 as a service: ticking, staying responsive, starting and stopping."""

from __future__ import annotations

import signal
import subprocess
import sys
from functools import partial

import pytest
import trio

from rollup.errors import ConfigError
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.contract import deploy
from rollup.l1.devkeys import dev_key
from rollup.l1.embedded import EmbeddedL1Config, run_embedded_l1
from rollup.l1.node.node import EmbeddedNode
from tests.support.l1 import probe_artifact, serve_embedded


async def test_blocks_appear_by_themselves() -> None:
    """With an interval, time passes on the chain without transactions."""
    async with serve_embedded(EmbeddedL1Config(block_interval=0.001)) as url, L1Client(url) as client:
        while await client.block_number() < 3:
            assert await client.get_block("latest", full=True)


async def test_blocks_show_the_clock_they_are_given_and_may_share_a_second() -> None:
    """Block times are the wall clock's seconds, and never run backwards when it does."""
    wall = [1_000_000.9]
    node = EmbeddedNode(EmbeddedL1Config(wall_clock=lambda: wall[0]))
    times = []
    for seconds in (0, 0.05, 0.1, 2, -50, 49):
        wall[0] += seconds
        await node.mine()
        times.append(node.head.header.timestamp)
    assert times == [1_000_000, 1_000_000, 1_000_001, 1_000_003, 1_000_003, 1_000_003]


async def test_the_node_answers_while_a_long_transaction_executes(embedded: L1Client) -> None:
    """Seconds of EVM work do not stop the reading of blocks or the calling of contracts."""
    account = L1Account(embedded, dev_key(0))
    probe, _ = await deploy(account, probe_artifact(), 1)
    answers: list[int] = []

    async def watch() -> None:
        while (number := await embedded.block_number()) < 2:
            assert await probe.call("number", block=number) == 1
            answers.append(number)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        receipt = await probe.transact(account, "burn", 5_000, gas=2_000_000)
    assert receipt.success
    assert answers
    assert set(answers) == {1}


async def test_a_port_in_use_is_a_configuration_error(embedded_url: str) -> None:
    """The message names the address."""
    port = int(embedded_url.rsplit(":", 1)[1])
    with pytest.raises(ConfigError, match=f"127.0.0.1:{port}"):
        await run_embedded_l1(port=port)


async def test_a_stopped_node_frees_its_port() -> None:
    """Cancelling ends the service completely; another may take its place."""
    async with serve_embedded() as url:
        port = int(url.rsplit(":", 1)[1])
    async with trio.open_nursery() as nursery:
        assert await nursery.start(partial(run_embedded_l1, port=port)) == url
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_the_node_runs_by_itself_and_stops_on_a_signal(ending: signal.Signals) -> None:
    """`python -m rollup.l1` prints its URL, serves, and exits with 0."""
    command = [sys.executable, "-m", "rollup.l1", "--port", "0", "--block-interval", "0", "--chain-id", "77"]
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        output = bytearray()
        while output.count(b"\n") < 5:
            received = await process.stdout.receive_some()
            assert received, "the node ended before it served"
            output += received
        url = output.split(b"at ")[1].split()[0].decode()
        async with L1Client(url) as client:
            assert await client.chain_id() == 77
        process.send_signal(ending)
        assert await process.wait() == 0
    finally:
        process.kill()
        await process.wait()
        await process.stdout.aclose()
