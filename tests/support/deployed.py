"""The rollup's contracts on an embedded L1, deployed once per process; each test goes on from there alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import trio

from rollup.l1.account import L1Account
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract
from rollup.l1.deployment import Deployment, DeploymentPlan, deploy_contracts
from rollup.l1.devkeys import dev_address, dev_key
from rollup.l1.embedded import EmbeddedL1Config
from rollup.l1.node.http import HttpServer
from rollup.l1.node.ledger import Ledger
from rollup.l1.node.methods import Methods
from rollup.l1.node.node import EmbeddedNode
from rollup.l1.node.rpc import answer
from rollup.types.genesis import BTC, Genesis, MarketConfig, SeriesConfig, devnet_genesis
from rollup.types.leaves import MarketKind

ETHER = 10**18
DISPUTE_WINDOW = 600
REWARD_DELAY = 300
HOUR = 3_600
SEQUENCER, RIVAL, CHALLENGER, SECOND_CHALLENGER = range(4)
"""Development accounts; `RIVAL` is a second poster."""
FEEDER = 9
MONEY = 10**12
"""µUSD that the sequencer's key has on L1 and lets the inbox spend."""


@dataclass(frozen=True, slots=True)
class Site:
    """A node with the contracts on it."""

    url: str
    l1: L1Client
    deployment: Deployment

    def account(self, index: int) -> L1Account:
        """A development account."""
        return L1Account(self.l1, dev_key(index))

    def contract(self, name: str) -> Contract:
        """The deployed Rollup, Inbox, Vault or TestUSD."""
        place = {"TestUSD": "token"}.get(name, name.lower())
        address: bytes = getattr(self.deployment, place)
        return Contract(self.l1, address, load_artifact(name))


@asynccontextmanager
async def open_site(*, dated: bool = False, patient: bool = False) -> AsyncIterator[Site]:
    """An embedded L1 of one's own with the contracts, the sequencer staked, and money for deposits.

    `dated`: with an expiry a month away as well, and a future, a call and a put on it. `patient`: prices are good for
    as long as a busy machine may need from one to whatever relies on it; a minute otherwise.
    """
    if (dated, patient) not in _made:
        _made[dated, patient] = await _make(dated, patient)
    origin, deployment = _made[dated, patient]
    node = EmbeddedNode(origin.config)
    node.evm, node.ledger = origin.evm, _copy(origin)
    async with _serve(node) as url, L1Client(url) as l1:
        yield Site(url, l1, deployment)


async def prepare_site(
    l1: L1Client, *, dated: bool = False, patient: bool = False, dispute_window: int = DISPUTE_WINDOW
) -> Deployment:
    """Deploy everything on any development node, and stake."""
    deployer = L1Account(l1, dev_key(SEQUENCER))
    head = await l1.get_block()
    assert head is not None
    genesis = devnet_genesis(head.timestamp, (dev_address(FEEDER),), 1)
    if patient:
        genesis = replace(genesis, underlyings=tuple(replace(each, max_age=HOUR) for each in genesis.underlyings))
    plan = DeploymentPlan(
        dev_address(SEQUENCER),
        with_dated_markets(genesis) if dated else genesis,
        dispute_window=dispute_window,
        proposer_timeout=DISPUTE_WINDOW,
        reward_delay=REWARD_DELAY,
        force_deadline=DISPUTE_WINDOW,
        max_time_ahead=10**6,
    )
    deployment = await deploy_contracts(deployer, plan)
    site = Site(l1.url, l1, deployment)
    await site.contract("TestUSD").transact(deployer, "mint", deployer.address, MONEY)
    await site.contract("TestUSD").transact(deployer, "approve", deployment.inbox, MONEY)
    await site.contract("Rollup").transact(deployer, "stake", value=ETHER)
    return deployment


def with_dated_markets(genesis: Genesis) -> Genesis:
    """The genesis with series 1 of BTC, 30 days away, a future (3), a call (4) and a put (5) at 50,000 dollars."""
    terms: dict[str, Any] = {"tick": 100_000, "lot": 1_000, "series": 1, "band": 200_000}
    strike = 50_000 * 10**6
    dated = (
        MarketConfig(3, BTC, kind=MarketKind.FUTURE, **terms),
        MarketConfig(4, BTC, kind=MarketKind.CALL, strike=strike, **terms),
        MarketConfig(5, BTC, kind=MarketKind.PUT, strike=strike, **terms),
    )
    series = (SeriesConfig(BTC, 1, genesis.time + 30 * 86_400),)
    return replace(genesis, markets=genesis.markets + dated, series=series, auction=20)


_made: dict[tuple[bool, bool], tuple[EmbeddedNode, Deployment]] = {}


async def _make(dated: bool, patient: bool) -> tuple[EmbeddedNode, Deployment]:
    node = EmbeddedNode(EmbeddedL1Config(block_interval=None))
    async with _serve(node) as url, L1Client(url) as l1:
        return node, await prepare_site(l1, dated=dated, patient=patient)


@asynccontextmanager
async def _serve(node: EmbeddedNode) -> AsyncIterator[str]:
    methods = Methods(node)
    server = HttpServer(lambda body: answer(methods, body))
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(node.run_miner)
        await nursery.start(trio.serve_listeners, server.handle, listeners)
        yield f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


def _copy(node: EmbeddedNode) -> Ledger:
    """The chain so far; what is mined on the copy does not show on the original."""
    blocks = [node.ledger.block_at(number) for number in range(node.head.number + 1)]
    assert blocks[0] is not None
    ledger = Ledger(blocks[0])
    for block in blocks[1:]:
        assert block is not None
        ledger.append(block)
    return ledger
