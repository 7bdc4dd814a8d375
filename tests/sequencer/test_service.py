"""The whole sequencer against a real L1: what it acknowledges stands, on disk and on L1."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from rollup.crypto.eip712 import header_digest
from rollup.crypto.signatures import recover
from rollup.derive.origin import read_origin
from rollup.l1.devkeys import dev_address
from rollup.rpc.client import RpcDisconnected, connect_http, connect_ws
from rollup.stf.invariants import check_invariants
from tests.support.deployed import SEQUENCER, Site, open_site
from tests.support.served import PRICE, derive, funded, options, serve, until
from tests.support.trader import USD, Trader, open_accounts


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """An L1 with the contracts."""
    async with open_site(patient=True) as opened:
        yield opened


async def test_orders_become_trades_blocks_and_batches_that_anybody_can_derive(site: Site, tmp_path: Path) -> None:
    """From a deposit on L1 to the same state root derived from L1."""
    accounts = await open_accounts(site, [3, 4])
    async with serve(options(site, tmp_path)) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        await rpc.subscribe("trades.BTC-PERP", "blocks")
        maker, taker = accounts
        resting = await rpc.call("private/order", trader.order(maker, 3, True, 200_000, PRICE, 1))
        assert resting["order"]["order_status"] == "open"
        filled = await rpc.call("private/order", trader.immediate(taker, 4, False, 100_000, PRICE, 1))
        assert filled["order"]["order_status"] == "filled"
        await rpc.call("private/withdraw", trader.withdraw(maker, 3, 100 * USD, 1))
        note = await rpc.next_notification()
        assert note.channel == "trades.BTC-PERP"
        status = await rpc.call("public/status")

        async def posted() -> bool:
            block = await rpc.call("public/get_block", {"number": status["head"]})
            return block["batch"] is not None

        await until(posted, "the batch on L1")
        status = await rpc.call("public/status")
        block = await rpc.call("public/get_block", {"number": status["head"]})
        digest = header_digest(trader.separator, bytes.fromhex(block["hash"][2:]))
        assert recover(digest, bytes.fromhex(block["signature"][2:])) == dev_address(SEQUENCER)
        assert (await rpc.call("public/get_batch", {"number": status["posted_batch"]}))["last_block"] == status["head"]
    store = await derive(site)
    assert f"0x{store.root.hex()}" == status["state_root"]
    assert check_invariants(store.iterate_leaves())


async def test_restart_goes_on_where_it_stopped_and_an_empty_database_derives_from_l1(
    site: Site, tmp_path: Path
) -> None:
    """The same book and root after a restart; the same posted state from nothing but L1."""
    accounts = await open_accounts(site, [3, 4])
    async with serve(options(site, tmp_path / "a", post_batches=False)) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        await rpc.call("private/order", trader.order(accounts[0], 3, True, 200_000, PRICE, 1))
        await rpc.call("private/order", trader.immediate(accounts[1], 4, False, 50_000, PRICE, 1))
        before = await rpc.call("public/status")
        book = await rpc.call("private/get_open_orders", {"subaccount_id": accounts[0]})
    async with serve(options(site, tmp_path / "a")) as node, connect_ws(node.address.ws_url) as rpc:
        after = await rpc.call("public/status")
        assert (after["head"], after["state_root"]) == (before["head"], before["state_root"])
        assert await rpc.call("private/get_open_orders", {"subaccount_id": accounts[0]}) == book

        async def posted() -> bool:
            return bool((await rpc.call("public/status"))["posted"] == before["head"])

        await until(posted, "blocks of the earlier life on L1")
    async with serve(options(site, tmp_path / "b")) as node, connect_http(node.address.http_url) as http:
        fresh = await http.call("public/status")
        assert (fresh["head"], fresh["state_root"]) == (before["head"], before["state_root"])


async def test_kill_minus_nine_loses_nothing_acknowledged_and_repeats_nothing(site: Site, tmp_path: Path) -> None:
    """SIGKILL in the middle of streaming orders, three times; every acknowledgement still holds."""
    accounts = await open_accounts(site, [3, 4], 100_000 * USD)
    deployment = tmp_path / "deployment.json"
    site.deployment.save(deployment)
    nonce, open_orders, trades = 1, set[int](), set[str]()
    separator = (await read_origin(site.l1, site.deployment.rollup)).separator
    trader = Trader(separator)
    for life in range(3):
        process, url = await _spawn(site, deployment, tmp_path / "data")
        try:
            async with connect_ws(url) as rpc:
                trader = await funded(rpc, accounts)
                await _check(rpc, accounts, open_orders, trades)
                kill_at, enough = trio.current_time() + 0.4 + 0.2 * life, len(trades) + 5
                while True:
                    selling = trader.order(accounts[0], 3, True, 2_000, PRICE + nonce % 7 * USD, nonce)
                    buying = trader.immediate(accounts[1], 4, False, 1_000, PRICE + 10 * USD, nonce)
                    if trio.current_time() > kill_at and len(trades) >= enough:
                        process.send_signal(signal.SIGKILL)
                    answer = await rpc.call("private/order", selling)
                    open_orders.add(int(answer["order"]["nonce"]))
                    bought = await rpc.call("private/order", buying)
                    trades |= {trade["trade_id"] for trade in bought["trades"]}
                    nonce += 1
        except (RpcDisconnected, trio.BrokenResourceError):
            nonce += 1
        finally:
            await _end(process, signal.SIGKILL)
    assert len(trades) > 10
    process, url = await _spawn(site, deployment, tmp_path / "data")
    try:
        async with connect_ws(url) as rpc:
            await _check(rpc, accounts, open_orders, trades)
    finally:
        assert await _end(process, signal.SIGINT) == 0


async def _check(rpc: Any, accounts: list[int], open_orders: set[int], trades: set[str]) -> None:
    """Acknowledged trades are there once each; acknowledged orders rest or were filled by them."""
    listed: list[str] = []
    for page in range(1, 20):
        history = await rpc.call(
            "public/get_trade_history", {"instrument_name": "BTC-PERP", "page": page, "page_size": 100}
        )
        listed += [trade["trade_id"] for trade in history["trades"]]
        if len(history["trades"]) < 100:
            break
    assert len(listed) == len(set(listed))
    assert trades <= set(listed)
    resting = await rpc.call("private/get_open_orders", {"subaccount_id": accounts[0]})
    still_open = {int(order["nonce"]) for order in resting["orders"]}
    filled = set()
    for page in range(1, 20):
        history = await rpc.call(
            "public/get_trade_history", {"subaccount_id": accounts[0], "page": page, "page_size": 100}
        )
        filled |= {int(trade["maker_nonce"]) for trade in history["trades"]}
        if len(history["trades"]) < 100:
            break
    assert open_orders <= still_open | filled


async def _spawn(site: Site, deployment: Path, data: Path) -> tuple[subprocess.Popen[bytes], str]:
    """`rollup sequencer` in a process of its own; its WebSocket once it serves."""
    command = [
        sys.executable, "-m", "rollup", "sequencer", "--l1", site.url, "--deployment", str(deployment), "--port", "0",
        "--data", str(data), "--key", f"dev:{SEQUENCER}", "--json", "--confirmations", "0",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: ASYNC220 - starting takes a moment
    assert process.stdout is not None
    started = time.monotonic()
    line = await trio.to_thread.run_sync(process.stdout.readline)
    assert line, f"the sequencer ended within {time.monotonic() - started:.1f} s"
    event = msgspec.json.decode(line)
    assert event["event"] == "listening"
    return process, event["ws"]


async def _end(process: subprocess.Popen[bytes], how: signal.Signals) -> int:
    """Stop a process and return its exit code."""
    assert process.stdout is not None
    process.send_signal(how)
    with process.stdout:
        return await trio.to_thread.run_sync(process.wait)


async def test_a_batch_is_posted_as_soon_as_it_has_the_bytes_that_were_asked_for(site: Site, tmp_path: Path) -> None:
    """However long its interval still lasts."""
    accounts = await open_accounts(site, [3, 4])
    given = options(site, tmp_path, batch_interval=10_000.0, batch_bytes=1_000)
    async with serve(given) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        for nonce in range(1, 12):
            await rpc.call("private/withdraw", trader.withdraw(accounts[0], 3, USD, nonce))

        async def posted() -> bool:
            return node.sequencer.store.records.batch(1) is not None

        await until(posted, "a batch of a thousand bytes")
        batch = node.sequencer.store.records.batch(1)
        assert batch is not None
        blocks = list(node.sequencer.store.records.blocks(1, batch.last))
        assert sum(40 + len(block.txs) for block in blocks) >= 1_000
