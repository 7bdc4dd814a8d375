"""The stage of a replay: an L1 that begins with the candles, the contracts on it, accounts opened through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from rollup.crypto.signatures import address_of
from rollup.devnet.processes import Event, Role, run_role
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.deployment import Deployment, DeploymentPlan, deploy_contracts
from rollup.l1.devkeys import dev_key
from rollup.replay.feed import Feed
from rollup.replay.population import Character
from rollup.replay.settings import DISPUTE_WINDOW, MAX_TIME_AHEAD, PATIENCE_OF_L1
from rollup.replay.timekeeping import l1_time
from rollup.replay.treasury import Treasury
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.options import Clock, SequencerOptions
from rollup.sequencer.stored import STATE
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from rollup.types.genesis import BTC, Genesis, devnet_genesis

PAYER: Final = dev_key(0)
"""PUBLIC development key, see `rollup.l1.devkeys`: deploys, and pays for deposits."""
SEQUENCER: Final = dev_key(1)
"""PUBLIC development key: stakes, posts and finalises."""
FEEDERS: Final = (dev_key(10), dev_key(11), dev_key(12))
"""PUBLIC development keys of the oracle; two of the three sign each price."""
THRESHOLD: Final = 2


MakeGenesis = Callable[[int, tuple[bytes, ...], int], Genesis]


@dataclass(frozen=True, slots=True)
class Stage:
    """A deployment on a node, ready for a sequencer. `opened_at` is the L1 time of the genesis."""

    l1: L1Client
    deployment: Deployment
    treasury: Treasury
    opened_at: int
    genesis: Genesis


async def run_own_l1(begins: int, log: Path, *, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
    """Run the embedded L1 in a process of its own, so that it has a processor of its own; started with its URL.

    Its blocks come with transactions only, for its clock is moved by the replay.
    """
    arguments = ["l1", "--port", "0", "--block-interval", "0", "--genesis-time", str(begins), "--json"]
    async with trio.open_nursery() as nursery:
        event: Event = await nursery.start(_run, Role("l1", "rollup", arguments, log))
        task_status.started(event["url"])


async def _run(role: Role, *, task_status: trio.TaskStatus[Event] = trio.TASK_STATUS_IGNORED) -> None:
    await run_role(role, lambda _: None, task_status=task_status)


async def set_stage(l1: L1Client, make_genesis: MakeGenesis = devnet_genesis, listing_delay: int = 0) -> Stage:
    """Deploy everything, with terms that allow days of recorded time to pass in seconds.

    `make_genesis` gets the genesis time, the feeders' addresses and their threshold. The payer is the market admin too.
    """
    payer = L1Account(l1, PAYER)
    opened_at = await l1_time(l1)
    genesis = make_genesis(opened_at, tuple(address_of(key) for key in FEEDERS), THRESHOLD)
    plan = DeploymentPlan(
        sequencer=address_of(SEQUENCER),
        genesis=genesis,
        dispute_window=DISPUTE_WINDOW,
        proposer_timeout=PATIENCE_OF_L1,
        force_deadline=PATIENCE_OF_L1,
        max_time_ahead=MAX_TIME_AHEAD,
        max_time_lag=PATIENCE_OF_L1,
        market_admin=payer.address,
        listing_delay=listing_delay,
    )
    deployment = await deploy_contracts(payer, plan)
    return Stage(l1, deployment, Treasury(payer, deployment), opened_at, genesis)


async def open_accounts(
    treasury: Treasury, characters: Sequence[Character], progress: Callable[[int], None]
) -> list[int]:
    """Open one account for each character with its deposit."""
    return await open_owners(treasury, [(character.key, character.deposit) for character in characters], progress)


async def open_owners(
    treasury: Treasury, owners: Sequence[tuple[bytes, int]], progress: Callable[[int], None]
) -> list[int]:
    """Open one account for each (private key, µUSD)."""
    await treasury.endow(sum(deposit for _, deposit in owners))
    return await treasury.open([(address_of(key), deposit) for key, deposit in owners], progress)


def sequencer_options(
    stage: Stage, folder: Path, clock: Clock, block_interval: float = 0.004, flag_patience: float = 0.0
) -> SequencerOptions:
    """An ordinary sequencer that is quick to notice deposits and to seal, for the replay waits for both."""
    return SequencerOptions(
        data_dir=folder / "sequencer",
        l1_url=stage.l1.url,
        rollup=stage.deployment.rollup,
        key=SEQUENCER,
        l1_from_block=stage.deployment.block,
        block_interval=block_interval,
        flag_patience=flag_patience,
        batch_interval=3.0,
        poll_interval=0.2,
        confirmations=0,
        clock=clock,
    )


def make_feed(exchange: Exchange) -> Feed:
    """The oracle of the first coin."""
    return Feed(exchange, exchange.status().separator, BTC, exchange.oracle().underlyings[BTC], FEEDERS[:THRESHOLD])


@contextmanager
def stored_state(stage: Stage, folder: Path) -> Iterator[Iterator[tuple[int, bytes]]]:
    """All leaves that a stopped sequencer left on disk."""
    identity = ChainIdentity(stage.deployment.chain_id, stage.deployment.rollup)
    store = StateStore.open(folder / "sequencer" / STATE, identity)
    try:
        yield store.iterate_leaves()
    finally:
        store.close()
