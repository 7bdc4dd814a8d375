"""Everybody who uses a devnet: feeders that price its coins, traders with money from L1, a cashier who takes some back.

They know the sequencer by its RPC and the rest by L1, and go on after the sequencer was away.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, Literal

import structlog
import trio

from rollup.cli.amounts import show_usd
from rollup.cli.claims import Vault
from rollup.cli.funding import Bank
from rollup.cli.market_admin import ListingDesk
from rollup.cli.wallet import Wallet
from rollup.crypto.eip712 import domain_separator
from rollup.derive.mirror import Mirror, open_mirror
from rollup.devnet.cashier import Tell, run_cashier
from rollup.devnet.client import Client, NoAnswer, open_client
from rollup.devnet.lister import Lister
from rollup.devnet.roles import ADMIN, BANKER, FEEDERS, TRADERS
from rollup.devnet.schedule import Schedule
from rollup.devnet.traders import Behaviour, Maker, Taker, Trader, run_trader
from rollup.feeder.opinion import Opinion
from rollup.feeder.rounds import Update
from rollup.feeder.service import FeederOptions, run_feeder
from rollup.feeder.sources import SourceSettings, open_sources
from rollup.feeder.statements import Subject, subject_of, surface_of
from rollup.feeder.venue import Venue, VenueSilent
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.deployment import Deployment
from rollup.l1.devkeys import dev_address, dev_key
from rollup.rpc.client import RpcDisconnected, RpcError, RpcUnreachable
from rollup.types.instruments import symbol_of
from rollup.types.limits import MILLION
from rollup.types.prices import SurfaceUpdate

log = structlog.get_logger(__name__)

MONEY: Final = 25_000 * MILLION
"""What each trader's account is opened with, µUSD."""
AWAY_SECONDS: Final = 1.0
"""Pause before a sequencer that is away is tried again."""
CREDIT_SECONDS: Final = 0.2
SURFACE_SECONDS: Final = 30
"""A surface is told this often: it changes every second, and nobody reads so much."""


@dataclass(frozen=True, slots=True)
class Cast:
    """How many there are of each, and how busy they are; see `DevnetConfig`."""

    makers: int
    takers: int
    feeders: int
    feeder_seconds: float
    trader_seconds: float
    cashier_seconds: float
    series_seconds: int
    seed: int
    candles: Path | None


class Surfaces:
    """Tells now and then of the surfaces that the feeders send."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._told: dict[Subject, int] = {}

    def hear(self, update: Update) -> None:
        """Take one update of any kind."""
        said, subject = update.statement, subject_of(update.statement)
        if not isinstance(said, SurfaceUpdate) or said.time - self._told.get(subject, 0) < SURFACE_SECONDS:
            return
        self._told[subject] = said.time
        volatility = float(surface_of(said).svi.floats().volatility(0.0))
        coin = symbol_of(said.underlying)
        text = (
            f"surface   {coin} series {said.series}: forward {said.forward / MILLION:,.2f}, volatility {volatility:.1%}"
        )
        self._tell("surface", text, coin=coin, series=said.series, forward=said.forward, volatility=volatility)


@dataclass(frozen=True, slots=True)
class Company:
    """The actors, ready to play."""

    feeders: FeederOptions
    traders: tuple[Trader, ...]
    behaviours: tuple[Behaviour, ...]


async def run_actors(l1_url: str, rpc_url: str, deployment: Deployment, cast: Cast, tell: Tell) -> None:
    """Open the traders' accounts and play until cancelled. `L1Error` if the accounts cannot be opened."""
    async with L1Client(l1_url) as l1, open_mirror(l1, deployment.rollup) as mirror:
        banker = L1Account(l1, dev_key(BANKER))
        company = await assemble(Bank(banker, deployment), deployment, cast, rpc_url, tell)
        vault = Vault(l1, deployment.vault)
        tell("playing", f"{len(company.traders)} traders and {cast.feeders} feeders play")
        async with trio.open_nursery() as nursery:
            await nursery.start(run_feeder, company.feeders, Surfaces(tell).hear)
            desk = ListingDesk(l1, deployment)
            lister = Lister(desk, L1Account(l1, dev_key(ADMIN)), Schedule(cast.series_seconds), tell)
            while True:
                try:
                    async with open_client(rpc_url) as client, trio.open_nursery() as session:
                        session.start_soon(lister.run, Venue(client.rpc))
                        await _play(client, company, cast, mirror, vault, banker, tell)
                except* (RpcDisconnected, RpcUnreachable, NoAnswer, VenueSilent) as gone:
                    log.warning("sequencer_away", errors=[str(each) for each in gone.exceptions])
                await trio.sleep(AWAY_SECONDS)


async def assemble(bank: Bank, deployment: Deployment, cast: Cast, rpc_url: str, tell: Tell) -> Company:
    """Mint money, open an account for each trader, and make the feeders."""
    separator = domain_separator(deployment.chain_id, deployment.rollup)
    keys = tuple(dev_key(FEEDERS + index) for index in range(cast.feeders))
    opinion = Opinion(open_sources(source_settings(cast)), int(time.time()))
    feeders = FeederOptions(rpc_url, separator, keys, opinion, time.time, cast.feeder_seconds)
    count = cast.makers + cast.takers
    if count:
        await bank.mint(MONEY * count)
    traders = []
    for index in range(count):
        key = TRADERS + index
        funded = await bank.open(dev_address(key), MONEY)
        wallet = Wallet(dev_key(key), deployment.chain_id, deployment.rollup)
        traders.append(Trader(funded.account, wallet, Random(f"{cast.seed}/{index}")))  # noqa: S311 - protects nothing
        text = f"account   {funded.account} opened on L1 with {show_usd(MONEY)} USD for dev:{key}"
        tell("account", text, account=funded.account, amount=MONEY, owner=dev_address(key))
    makers = (Maker(trader) for trader in traders[: cast.makers])
    takers = (Taker(trader) for trader in traders[cast.makers :])
    return Company(feeders, tuple(traders), (*makers, *takers))


def source_settings(cast: Cast) -> SourceSettings:
    """What prices the coins: all walk, but candles drive the first one if there are any."""
    kind: Literal["candles", "walk"] = "walk" if cast.candles is None else "candles"
    return SourceSettings(kind, cast.candles, seed=cast.seed)


async def _play(
    client: Client, company: Company, cast: Cast, mirror: Mirror, vault: Vault, payer: L1Account, tell: Tell
) -> None:
    for trader in company.traders:
        await _await_credit(client, trader.account)
    luck = Random(f"{cast.seed}/cashier")  # noqa: S311 - protects nothing
    async with trio.open_nursery() as nursery:
        for trader, behaviour in zip(company.traders, company.behaviours, strict=True):
            nursery.start_soon(run_trader, client, behaviour, trader.luck, cast.trader_seconds)
        if company.traders:
            nursery.start_soon(
                run_cashier, client, mirror, vault, payer, company.traders, luck, cast.cashier_seconds, tell
            )


async def _await_credit(client: Client, account: int) -> None:
    """Wait until the sequencer has taken in an account's opening."""
    while True:
        try:
            await client.account(account)
        except RpcError:
            await trio.sleep(CREDIT_SECONDS)
        else:
            return
