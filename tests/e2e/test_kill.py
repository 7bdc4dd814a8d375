"""A sequencer killed in the middle of trading: whatever it acknowledged is on L1 in the end, and nothing twice."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from rollup.cli.funding import Bank
from rollup.cli.wallet import Wallet
from rollup.crypto.eip712 import domain_separator
from rollup.demo.party import OPENINGS, PRICES, USERS, Party, User, make_order
from rollup.derive.mirror import Mirror, open_mirror
from rollup.devnet.client import Client, NoAnswer, open_client
from rollup.feeder.panel import OwnKey, Panel
from rollup.feeder.rounds import publish_prices
from rollup.feeder.venue import Venue
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.deployment import Deployment
from rollup.l1.devkeys import dev_address, dev_key
from rollup.quant.sources import Prices
from rollup.rpc.client import RpcDisconnected, RpcError, RpcUnreachable
from rollup.types.transactions import FreshOrder, Trade, decode_transactions
from tests.support.derived import try_every_block
from tests.support.programs import Program, running_program

pytestmark = pytest.mark.slow

PATIENCE = 300.0
LIVES = 3
"""How often the sequencer is killed."""
BTC = "BTC-PERP"


def sequencer(folder: Path, l1: str) -> list[str]:
    """Its command line; the same database in every life."""
    options = ["--l1", l1, "--deployment", str(folder / "deployment.json"), "--data", str(folder / "sequencer")]
    return ["sequencer", *options, "--key", "dev:1", "--port", "0", "--block-seconds", "0.05", "--batch-seconds", "1"]


def listening(program: Program) -> dict[str, Any]:
    """The first event of a service."""
    return program.wait_for(lambda event: event["event"] == "listening", PATIENCE)


async def open_party(l1: L1Client, deployment: Deployment) -> Party:
    """Users with money on L1."""
    bank = Bank(L1Account(l1, dev_key(0)), deployment)
    await bank.mint(sum(OPENINGS))
    users = []
    for index, amount in enumerate(OPENINGS):
        funded = await bank.open(dev_address(USERS + index), amount)
        wallet = Wallet(dev_key(USERS + index), deployment.chain_id, deployment.rollup)
        users.append(User(funded.account, USERS + index, wallet, cash=amount))
    return Party(users)


async def trade_until_killed(
    client: Client, party: Party, acknowledged: list[dict[str, Any]], program: Program
) -> None:
    """Trade from several tasks at once; kill the sequencer in the midst of it."""
    instrument = await client.instrument(BTC)

    async def trade(turn: int) -> None:
        try:
            while True:
                maker, taker = party.makers[turn % 2], party.takers[turn // 2]
                await client.place(make_order(maker, instrument, sell=turn % 2 == 0), BTC)
                answer = await client.place(make_order(taker, instrument, sell=turn % 2 == 1, taking=True), BTC)
                acknowledged.extend(answer["trades"])
        except (RpcDisconnected, RpcUnreachable, NoAnswer):
            return
        except RpcError:
            nursery.start_soon(trade, turn)  # a quote met one of the other side at its own price; try again

    enough = len(acknowledged) + 12
    async with trio.open_nursery() as nursery:
        for turn in range(4):
            nursery.start_soon(trade, turn)
        with trio.fail_after(PATIENCE):
            while len(acknowledged) < enough:  # noqa: ASYNC110 - acknowledgements come from outside
                await trio.sleep(0.001)
        program.send(signal.SIGKILL)


async def await_prices(client: Client, panel: Panel) -> None:
    """Fresh prices, once the accounts are there."""
    for name, price in PRICES.items():
        coin = (await client.instrument(name)).underlying
        await publish_prices(Venue(client.rpc), panel, coin, Prices(price, price))


async def await_account(client: Client, account: int) -> None:
    """Wait until an account was opened on L2."""
    with trio.fail_after(PATIENCE):
        while True:
            try:
                await client.account(account)
            except RpcError:
                await trio.sleep(0.05)
            else:
                return


def trades_on_l1(mirror: Mirror) -> set[tuple[int, int]]:
    """(block, index) of every trade in the blocks that follow from L1."""
    found: set[tuple[int, int]] = set()
    for block in mirror.store.records.blocks(1, mirror.store.committed):
        offset = len(block.messages)
        for index, each in enumerate(decode_transactions(block.txs)):
            if isinstance(each, Trade):
                found.add((block.header.number, offset + index))
    return found


async def test_a_sequencer_killed_while_trading_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    """Three times killed and started again on its database; L1 shows every acknowledged trade, once."""
    start = partial(running_program, folder=tmp_path)
    acknowledged: list[dict[str, Any]] = []
    with start(["l1", "--port", "0"]) as node:
        url = (await trio.to_thread.run_sync(listening, node))["url"]
        out = ["--out", str(tmp_path / "deployment.json"), "--sequencer", "dev:1", "--key", "dev:0"]
        with start(["deploy", "--l1", url, *out]) as deploying:
            assert await trio.to_thread.run_sync(deploying.wait, PATIENCE) == 0, deploying.said()
        deployment = Deployment.load(tmp_path / "deployment.json")
        async with L1Client(url) as l1:
            party = await open_party(l1, deployment)
            separator = domain_separator(deployment.chain_id, deployment.rollup)
            panel = Panel(separator, [OwnKey(dev_key(key)) for key in (10, 11, 12)])
            for _ in range(LIVES):
                with start(sequencer(tmp_path, url)) as program:
                    ready = await trio.to_thread.run_sync(listening, program)
                    async with open_client(ready["ws"]) as client:
                        await await_account(client, party.users[-1].account)
                        await await_prices(client, panel)
                        await trade_until_killed(client, party, acknowledged, program)
            resting = await _rest_and_kill(tmp_path, url, party, panel)
            with start(sequencer(tmp_path, url)) as program:
                ready = await trio.to_thread.run_sync(listening, program)
                async with open_client(ready["ws"]) as client:
                    await _check_open(client, resting)
                    await _see_on_l1(client, l1, deployment, acknowledged)


async def _rest_and_kill(folder: Path, url: str, party: Party, panel: Panel) -> list[FreshOrder]:
    """Orders acknowledged a moment before the kill."""
    poor = party.poor
    with running_program(sequencer(folder, url), folder) as program:
        ready = await trio.to_thread.run_sync(listening, program)
        async with open_client(ready["ws"]) as client:
            await await_prices(client, panel)
            instrument = await client.instrument(BTC)
            orders = [
                poor.wallet.order(
                    poor.account, instrument.market, sell=False, size=instrument.lot, price=price * instrument.tick
                )
                for price in range(100_000, 100_005)
            ]
            for order in orders:
                await client.place(order, BTC)
            program.send(signal.SIGKILL)
    return orders


async def _check_open(client: Client, orders: list[FreshOrder]) -> None:
    """The orders rest in the book as they did."""
    answer = await client.call("private/get_open_orders", subaccount_id=orders[0].account)
    assert [int(row["nonce"]) for row in answer["orders"]] == [order.nonce for order in orders]


async def _see_on_l1(client: Client, l1: L1Client, deployment: Deployment, acknowledged: list[dict[str, Any]]) -> None:
    """Replay of L1 finds every acknowledged trade where the acknowledgement said."""
    head = (await client.status())["head"]
    async with open_mirror(l1, deployment.rollup) as mirror:
        with trio.fail_after(PATIENCE):
            while mirror.store.committed < head:
                await mirror.advance()
                await trio.sleep(0.1)
        assert mirror.fraud is None
        places = [(row["block_number"], row["transaction_index"]) for row in acknowledged]
        assert len(set(places)) == len(places) >= 12 * LIVES
        assert set(places) <= trades_on_l1(mirror)
    assert await try_every_block(l1, deployment.rollup) >= head
