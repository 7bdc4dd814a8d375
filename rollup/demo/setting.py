"""The setting: an L1 that works, the contracts on it, and everything that the acts share."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import trio

from rollup.cli.funding import Bank
from rollup.crypto.eip712 import domain_separator
from rollup.demo.observer import Observer
from rollup.demo.party import Party
from rollup.demo.report import NotVerified, Report, require, require_equal
from rollup.derive.mirror import open_mirror
from rollup.devnet.roles import BANKER, FEEDERS, SEQUENCER, Site
from rollup.errors import L1Error
from rollup.feeder.panel import OwnKey, Panel, threshold_of
from rollup.l1.account import L1Account
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract
from rollup.l1.deployment import Deployment, DeploymentPlan, deploy_contracts
from rollup.l1.dev import mine
from rollup.l1.devkeys import dev_address, dev_key
from rollup.types.genesis import BTC, Genesis, MarketConfig, SeriesConfig, devnet_genesis
from rollup.types.limits import MILLION
from rollup.types.markets import MarketKind

ETHER: Final = 10**18
HOUR: Final = 3_600
PURSE: Final = 3 * ETHER
"""What every key that stakes or proves must own: a stake of one ether, and gas."""
CLOCKS_APART: Final = 10
"""Seconds by which the clocks of L1 and of this machine may differ: L2 takes its time from the machine."""
STANDSTILL: Final = 1.5
"""Seconds without a block after which a development node is asked to make one."""
SPARE: Final = 180.0
"""Seconds granted on top of what a wait takes by its nature; a machine may be busy."""
REWARD_SECONDS: Final = 3
FEEDER_KEYS: Final = tuple(range(FEEDERS, FEEDERS + 3))
SERIES: Final = 1
"""The expiry of BTC that the genesis has, a month away."""
FUTURE, CALL, PUT, FAR_CALL = 3, 4, 5, 6
STRIKE: Final = 40_000_000_000
FAR_STRIKE: Final = 44_000_000_000
"""µUSD: at the demo's price, and a tenth above."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run does. `faults` are shown one after the other; the dispute window is in seconds."""

    folder: Path
    l1_url: str | None
    faults: tuple[str, ...]
    trades: int
    dispute_seconds: int


@dataclass(slots=True)
class Stage:
    """What the acts share."""

    settings: Settings
    site: Site
    l1: L1Client
    deployment: Deployment
    observer: Observer
    report: Report
    bank: Bank
    panel: Panel
    party: Party

    def account(self, key: int) -> L1Account:
        """A development key on L1."""
        return L1Account(self.l1, dev_key(key))


Planner = Callable[[Settings, L1Client, int], Awaitable[DeploymentPlan]]
"""What is deployed at an L1 time (s); a planner may send what the plan needs."""


async def plan_demo(settings: Settings, _l1: L1Client, time: int) -> DeploymentPlan:
    """Nobody is late within an hour."""
    return DeploymentPlan(
        sequencer=dev_address(SEQUENCER),
        genesis=demo_genesis(time),
        dispute_window=settings.dispute_seconds,
        proposer_timeout=HOUR,
        force_deadline=HOUR,
        reward_delay=REWARD_SECONDS,
        market_admin=dev_address(BANKER),
        listing_delay=0,
    )


@asynccontextmanager
async def open_stage(
    settings: Settings, l1: L1Client, report: Report, plan: Planner = plan_demo
) -> AsyncIterator[Stage]:
    """Check L1, deploy, and watch; a node that makes blocks for transactions only is kept going meanwhile."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_going, l1)
        await _check_l1(settings, l1, report)
        deployment = await _deploy(settings, l1, report, plan)
        site = Site(settings.folder, l1.url, settings.folder / "deployment.json")
        deployment.save(site.deployment)
        async with open_mirror(l1, deployment.rollup) as mirror:
            separator = domain_separator(deployment.chain_id, deployment.rollup)
            panel = Panel(separator, [OwnKey(dev_key(key)) for key in FEEDER_KEYS])
            yield Stage(
                settings,
                site,
                l1,
                deployment,
                Observer(l1, deployment, mirror),
                report,
                Bank(L1Account(l1, dev_key(BANKER)), deployment),
                panel,
                Party(()),
            )
        nursery.cancel_scope.cancel()


async def keep_going(l1: L1Client) -> None:
    """Have a development node make blocks while it makes none by itself; ends at a node that cannot be told to."""
    number, since = -1, trio.current_time()
    while True:
        try:
            newest = await l1.block_number()
            if newest != number:
                number, since = newest, trio.current_time()
            elif trio.current_time() - since > STANDSTILL:
                await mine(l1)
        except L1Error as error:
            if not error.retryable:
                return
        await trio.sleep(0.5)


async def _check_l1(settings: Settings, l1: L1Client, report: Report) -> None:
    """A node with money and a clock that is right."""
    with report.step("l1", "asking the L1 node") as step:
        chain_id, number = await l1.chain_id(), await l1.block_number()
        head = await l1.get_block()
        if head is None:
            raise L1Error("the node has no newest block", retryable=True)
        ahead = head.timestamp - time.time()
        require(ahead < CLOCKS_APART, "clock of L1, seconds ahead of this machine's", "about 0", round(ahead))
        balance = await l1.get_balance(dev_address(BANKER))
        require(balance >= 10 * PURSE, f"wei of the public development key dev:{BANKER}", 10 * PURSE, balance)
        kind = "embedded L1" if settings.l1_url is None else "L1"
        step.found(
            f"{kind}, chain {chain_id}, block {number}, at {l1.url}", url=l1.url, chain_id=chain_id, block=number
        )


async def _deploy(settings: Settings, l1: L1Client, report: Report, planner: Planner) -> Deployment:
    """The contracts, and a look at what now stands on L1."""
    gas: dict[str, int] = {}
    with report.step("deploy", "deploying the contracts") as step:
        head = await l1.get_block()
        if head is None:
            raise L1Error("the node has no newest block", retryable=True)
        plan = await planner(settings, l1, head.timestamp)

        def note(name: str, _address: bytes, used: int) -> None:
            gas[name] = used
            step.waiting(f"what comes after {name}")

        deployment = await deploy_contracts(L1Account(l1, dev_key(BANKER)), plan, note)
        if await l1.get_code(deployment.verifier) != load_artifact("Verifier").deployed_bytecode:
            raise NotVerified("the verifier on L1 is not the committed one")
        rollup = Contract(l1, deployment.rollup, load_artifact("Rollup"))
        require_equal("genesis root", deployment.genesis_root, await rollup.call("stateRootOf", 0))
        require_equal("dispute window", settings.dispute_seconds, (await rollup.call("config"))[2])
        step.found(
            f"Rollup 0x{deployment.rollup.hex()}, {sum(gas.values()):,} gas in all",
            rollup=deployment.rollup,
            inbox=deployment.inbox,
            vault=deployment.vault,
            verifier=deployment.verifier,
            token=deployment.token,
            genesis_root=deployment.genesis_root,
            gas=gas,
        )
    return deployment


def demo_genesis(time: int) -> Genesis:
    """The devnet's markets, and of BTC a future, two calls and a put."""
    plain = devnet_genesis(time, tuple(dev_address(key) for key in FEEDER_KEYS), threshold_of(len(FEEDER_KEYS)))
    dated = (
        MarketConfig(FUTURE, BTC, tick=100_000, lot=1_000, kind=MarketKind.FUTURE, series=SERIES),
        *(
            MarketConfig(number, BTC, tick=MILLION, lot=10_000, kind=kind, series=SERIES, strike=strike)
            for number, kind, strike in (
                (CALL, MarketKind.CALL, STRIKE),
                (PUT, MarketKind.PUT, STRIKE),
                (FAR_CALL, MarketKind.CALL, FAR_STRIKE),
            )
        ),
    )
    series = (SeriesConfig(BTC, SERIES, time + 30 * 24 * HOUR),)
    return replace(plain, series=series, markets=plain.markets + dated)


async def fill_purse(stage: Stage, key: int) -> None:
    """Give a key what it needs to stake and to pay for gas."""
    account = stage.account(key)
    missing = PURSE - await stage.l1.get_balance(account.address)
    if missing > 0:
        await stage.account(BANKER).transact(account.address, value=missing)
