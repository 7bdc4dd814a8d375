"""The devnet: L1, contracts, sequencer, challenger and actors, each a process of its own, started in order of need.

L1 ◄─ deploy ◄─ sequencer ◄─ challenger ◄─ actors; what all of them report passes through one narrator.
"""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from rollup.config import DevnetConfig
from rollup.devnet.folder import own_folder
from rollup.devnet.lines import Narrator
from rollup.devnet.processes import Event, Role
from rollup.devnet.roles import (
    ADMIN,
    BANKER,
    CHALLENGER,
    FEEDERS,
    SEQUENCER,
    Site,
    challenger_role,
    l1_role,
    running,
    sequencer_role,
)
from rollup.devnet.schedule import Schedule
from rollup.errors import L1Error
from rollup.feeder.panel import threshold_of
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.deployment import Deployment, DeploymentPlan, deploy_contracts
from rollup.l1.devkeys import dev_address, dev_key

DEPLOYMENT: Final = "deployment.json"
HOUR: Final = 3_600

Tell = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running devnet can be reached."""

    l1: str
    http: str
    ws: str
    deployment: Deployment
    file: Path


async def run_devnet(config: DevnetConfig, on_ready: Callable[[Addresses], None], tell: Tell) -> None:
    """Run until SIGINT, SIGTERM or `config.seconds` after it was ready; `tell` hears the narrator's events.

    `ConfigError` for a folder that is not ours or in use, RoleFailed (in a group) if a process ends by itself.
    """
    narrator = Narrator()

    def hear(report: Event) -> None:
        for event in narrator.events(report):
            tell(event)

    with own_folder(config.data), trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_at_signal, signals, nursery.cancel_scope)
            async with AsyncExitStack() as stack:
                addresses = await _start(config, stack, hear)
                on_ready(addresses)
                await trio.sleep(float("inf") if config.seconds is None else config.seconds)
            nursery.cancel_scope.cancel()


async def _cancel_at_signal(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for _ in signals:
        scope.cancel()


async def _start(config: DevnetConfig, stack: AsyncExitStack, hear: Tell) -> Addresses:
    """Start everything in order of need."""
    folder = config.data
    l1_url = config.l1
    if l1_url is None:
        l1 = await stack.enter_async_context(running(l1_role(folder, config.l1_port), hear))
        l1_url = str(l1["url"])
    site = Site(folder, l1_url, folder / DEPLOYMENT)
    deployment = await deploy(config, l1_url)
    deployment.save(site.deployment)
    sequencer = await stack.enter_async_context(running(sequencer_role(site, SEQUENCER, port=config.rpc_port), hear))
    if config.challenger:
        await stack.enter_async_context(running(challenger_role(site, CHALLENGER), hear, ready="watching"))
    await stack.enter_async_context(running(actors_role(config, site, sequencer["ws"]), hear, ready="playing"))
    return Addresses(l1_url, sequencer["http"], sequencer["ws"], deployment, site.deployment.absolute())


async def deploy(config: DevnetConfig, l1_url: str) -> Deployment:
    """The contracts, with the devnet's short terms."""
    async with L1Client(l1_url) as l1:
        head = await l1.get_block()
        if head is None:
            raise L1Error("the node has no newest block", retryable=True)
        feeders = tuple(dev_address(FEEDERS + index) for index in range(config.feeders))
        plan = DeploymentPlan(
            sequencer=dev_address(SEQUENCER),
            genesis=Schedule(config.series_seconds).genesis(head.timestamp, feeders, threshold_of(config.feeders)),
            dispute_window=config.dispute_seconds,
            proposer_timeout=HOUR,
            force_deadline=HOUR,
            reward_delay=config.dispute_seconds,
            market_admin=dev_address(ADMIN),
            listing_delay=config.listing_delay,
        )
        return await deploy_contracts(L1Account(l1, dev_key(BANKER)), plan)


def actors_role(config: DevnetConfig, site: Site, rpc_url: str) -> Role:
    """Feeders, traders and cashier."""
    arguments = ["actors", "--l1", site.l1_url, "--deployment", str(site.deployment), "--rpc", rpc_url]
    arguments += ["--makers", str(config.makers), "--takers", str(config.takers), "--feeders", str(config.feeders)]
    arguments += ["--feeder-seconds", str(config.feeder_seconds), "--trader-seconds", str(config.trader_seconds)]
    arguments += ["--series-seconds", str(config.series_seconds)]
    arguments += ["--cashier-seconds", str(config.cashier_seconds), "--seed", str(config.seed), "--json"]
    if config.candles is not None:
        arguments += ["--candles", str(config.candles)]
    return Role("actors", "rollup", arguments, site.log("actors"))
