"""The bot against a served sequencer: it takes over what a crash has left below its margin."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from rollup.cli.wallet import Wallet
from rollup.l1.devkeys import dev_key
from rollup.liquidator.bot import Bot, Event
from rollup.liquidator.strategy import Limits
from rollup.rpc.client import WsRpc, connect_ws
from tests.support.deployed import Site, open_site
from tests.support.programs import running_program
from tests.support.served import PATIENCE, PRICE, derive, funded, options, posted, serve, until
from tests.support.trader import USD, Trader, open_accounts

COIN = 1_000_000


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Auctions take twenty seconds here."""
    async with open_site(dated=True, patient=True) as opened:
        yield opened


async def crash(rpc: WsRpc, trader: Trader, long: int, short: int) -> None:
    """Seven coins on 100,000 dollars, and two steps down of eight per cent."""
    await rpc.call("private/order", trader.order(short, 4, True, 7 * COIN, PRICE, 1))
    await rpc.call("private/order", trader.order(long, 3, False, 7 * COIN, PRICE, 1))
    price = PRICE
    for _ in range(2):
        await trio.sleep(1.1)
        price = price * 92 // 100
        await rpc.call("oracle/update", trader.price(price))

    async def flagged() -> bool:
        return bool((await rpc.call("public/get_live_auctions"))["auctions"])

    await until(flagged, "the auction")


async def health(rpc: WsRpc, account: int) -> str:
    """As the sequencer shows it."""
    return str((await rpc.call("private/get_subaccount", {"subaccount_id": account}))["health"])


async def test_the_bot_waits_for_its_discount_and_takes_the_slice(site: Site, tmp_path: Path) -> None:
    """The account is sound afterwards, the liquidator holds the rest and has paid less than the mark."""
    accounts = await open_accounts(site, [3, 4, 5], 100_000 * USD)
    events: list[Event] = []
    async with serve(options(site, tmp_path)) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        await crash(rpc, trader, accounts[0], accounts[1])
        wallet = Wallet(dev_key(5), site.deployment.chain_id, site.deployment.rollup)
        dear = Bot(rpc, wallet, accounts[2], Limits(cost=500_000), events.append)
        await dear.look()
        assert (dear.tally.auctions, events) == (1, [])
        bot = Bot(rpc, wallet, accounts[2], Limits(cost=500), events.append)

        async def sound() -> bool:
            await bot.look()
            return await health(rpc, accounts[0]) == "sound"

        await until(sound, "the end of the auction")
        assert [event.kind for event in events][-1] == "bid"
        assert bot.tally.bids >= 1
        taken = await rpc.call("private/get_subaccount", {"subaccount_id": accounts[2]})
        assert float(taken["subaccount_value"]) > 100_000
        assert float(taken["positions"][0]["amount"]) > 0
        await posted(node)
        root = node.sequencer.store.root
    assert (await derive(site)).root == root


async def test_the_command_runs_for_its_seconds_and_says_what_it_did(site: Site, tmp_path: Path) -> None:
    """One JSON object a line, the summary last, also when it is interrupted."""
    accounts = await open_accounts(site, [3, 4, 5], 100_000 * USD)
    deployment = tmp_path / "deployment.json"
    site.deployment.save(deployment)
    async with serve(options(site, tmp_path / "data")) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        command = [
            "liquidator", "--interval", "0.2", "--cost", "0.05", "--rpc", node.address.ws_url, "--key", "dev:5",
            "--account", str(accounts[2]), "--deployment", str(deployment),
        ]  # fmt: skip
        with running_program(command, tmp_path) as bot:  # it is there before the auction, whose time is short
            await trio.to_thread.run_sync(bot.wait_for, lambda line: line["event"] == "watching", PATIENCE)
            await crash(rpc, trader, accounts[0], accounts[1])
            bid = await trio.to_thread.run_sync(bot.wait_for, lambda line: line["event"] == "bid", PATIENCE)
            bot.send(signal.SIGINT)
            await trio.to_thread.run_sync(bot.wait, PATIENCE)
            assert [line["event"] for line in bot.events[:3]] == ["watching", "bid", "summary"]
            assert bid["liquidated"] == accounts[0]
            assert bot.events[2]["bids"] == 1
        with running_program([*command, "--seconds", "0.5"], tmp_path) as later:
            assert await trio.to_thread.run_sync(later.wait, PATIENCE) == 0
            assert [line["event"] for line in later.events] == ["watching", "summary"]
            assert later.events[1]["bids"] == 0
        shown = await trio.run_process(
            [sys.executable, "-m", "rollup", "greeks", "--json", "--rpc", node.address.ws_url, "--account",
             str(accounts[2])],
            capture_stdout=True,
        )  # fmt: skip
        (position,) = json.loads(shown.stdout)["positions"]
        assert position["delta"] == position["amount"]
        absent = await trio.run_process(
            [sys.executable, "-m", "rollup", "greeks", "--rpc", node.address.ws_url, "--currency", "NONE"],
            capture_stdout=True, capture_stderr=True, check=False,
        )  # fmt: skip
        assert (absent.returncode, absent.stdout) == (2, b"")
        assert b"no market of 'NONE' is open" in absent.stderr
