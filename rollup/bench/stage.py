"""The stage for what is measured end to end: L1, contracts, funded accounts, a sequencer process, prices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from rollup.cli.funding import Bank
from rollup.cli.wallet import Wallet
from rollup.devnet.client import Client, open_client
from rollup.devnet.processes import Role
from rollup.devnet.roles import BANKER, FEEDERS, SEQUENCER, TRADERS, l1_role, running
from rollup.feeder.panel import OwnKey, Panel
from rollup.feeder.rounds import publish_prices
from rollup.feeder.venue import Venue
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.deployment import Deployment, DeploymentPlan, deploy_contracts
from rollup.l1.devkeys import dev_address, dev_key
from rollup.quant.sources import Prices
from rollup.types.genesis import devnet_genesis

INSTRUMENT: Final = "BTC-PERP"
PRICE: Final = 40_000_000_000
"""µUSD per coin."""
DEPOSIT: Final = 10**13
"""µUSD of each trader: no order fails for want of money."""
PRICE_SECONDS: Final = 15.0
"""Between two prices; they are good for a minute."""
PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A sequencer ready to be measured: its address and process, who trades (account and wallet), and the L1 behind."""

    ws_url: str
    pid: int
    l1: L1Client
    deployment: Deployment
    traders: tuple[tuple[int, Wallet], ...]
    market: int
    tick: int
    lot: int


@asynccontextmanager
async def set_stage(folder: Path, traders: int) -> AsyncIterator[Stage]:
    """Everything running for the time of the block; every process ends with it."""
    async with AsyncExitStack() as stack:
        l1_event = await stack.enter_async_context(running(l1_role(folder, 0), _ignore))
        l1 = await stack.enter_async_context(L1Client(str(l1_event["url"])))
        deployment = await _deploy(l1)
        accounts = await _open_accounts(l1, deployment, traders)
        arguments = [l1.url, deployment.rollup.hex(), str(folder / "sequencer")]
        role = Role("sequencer", "rollup.bench.serve", arguments, folder / "logs" / "sequencer.log")
        listening = await stack.enter_async_context(running(role, _ignore))
        ws_url, pid = str(listening["ws"]), int(str(listening["pid"]))
        client = await stack.enter_async_context(open_client(ws_url, PATIENCE))
        await _await_accounts(client, accounts[-1])
        instrument = await client.instrument(INSTRUMENT)
        key = dev_key(TRADERS)
        wallets = tuple((account, Wallet(key, deployment.chain_id, deployment.rollup)) for account in accounts)
        panel = Panel(wallets[0][1].separator, [OwnKey(dev_key(FEEDERS))])
        await _price(client, panel, instrument.underlying)
        nursery = await stack.enter_async_context(trio.open_nursery())
        nursery.start_soon(_keep_priced, client, panel, instrument.underlying)
        yield Stage(ws_url, pid, l1, deployment, wallets, instrument.market, instrument.tick, instrument.lot)
        nursery.cancel_scope.cancel()


async def _deploy(l1: L1Client) -> Deployment:
    head = await l1.get_block()
    assert head is not None, "there is always a newest block"
    genesis = devnet_genesis(head.timestamp, (dev_address(FEEDERS),), 1)
    return await deploy_contracts(L1Account(l1, dev_key(BANKER)), DeploymentPlan(dev_address(SEQUENCER), genesis))


async def _open_accounts(l1: L1Client, deployment: Deployment, count: int) -> list[int]:
    bank = Bank(L1Account(l1, dev_key(BANKER)), deployment)
    await bank.mint(count * DEPOSIT)
    return [(await bank.open(dev_address(TRADERS), DEPOSIT)).account for _ in range(count)]


async def _await_accounts(client: Client, last: int) -> None:
    """Wait until the sequencer has taken the deposits from L1."""
    with trio.fail_after(PATIENCE):
        while (await client.status())["inbox_index"] <= last:  # noqa: ASYNC110 - L1 sends no word
            await trio.sleep(0.1)


async def _price(client: Client, panel: Panel, coin: int) -> None:
    await publish_prices(Venue(client.rpc), panel, coin, Prices(PRICE, PRICE))


async def _keep_priced(client: Client, panel: Panel, coin: int) -> None:
    while True:
        await trio.sleep(PRICE_SECONDS)
        await _price(client, panel, coin)


def _ignore(_: object) -> None:
    """What the processes tell is not needed here."""
