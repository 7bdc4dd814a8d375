"""The demo in order: an honest day, then fraud after fraud, each followed by an honest sequencer that goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from rollup.cli.app import FAILED, OK, deliberate
from rollup.cli.output import Output
from rollup.demo.fraud import Removal, show_fraud
from rollup.demo.honest import (
    claim,
    open_accounts,
    publish_prices,
    see_all_posted,
    see_final,
    send_prices,
    trade,
    weigh_batches,
    withdraw,
)
from rollup.demo.recovery import see_recovery, see_reward
from rollup.demo.report import Report, require
from rollup.demo.setting import Settings, Stage, fill_purse, open_stage
from rollup.devnet.client import Client, open_client
from rollup.devnet.folder import own_folder
from rollup.devnet.roles import CHALLENGER, SEQUENCER, challenger_role, l1_role, running, sequencer_role
from rollup.l1.client import L1Client
from rollup.l1.devkeys import dev_address

SUCCESSOR: Final = 3
"""Development key of the honest sequencer that goes on after a fraud."""
POSTERS: Final = (SEQUENCER, *range(4, 10), *range(13, 30))
"""Keys of the dishonest, one for each fraud; the first is the designated sequencer's, which thereby loses its turn."""
BATCH_SECONDS: Final = 1.0


async def run_demo(settings: Settings, output: Output) -> int:
    """Run everything; the exit code is 0 only if each step was verified on L1. An interruption goes through."""
    report = Report(output)
    try:
        with own_folder(settings.folder):
            removals, gas_per_trade = await _play(settings, report)
    except BaseException as error:
        known = deliberate(error)
        if known is None or not isinstance(known, Exception):
            raise
        report.fail(known)
        report.summary(ok=False, steps=len(report.done))
        return FAILED
    report.summary(
        ok=True,
        steps=len(report.done),
        faults=list(settings.faults),
        fraud_proof_transactions=max(removal.transactions for removal in removals),
        fraud_proof_gas=max(removal.gas for removal in removals),
        l1_gas_per_trade=gas_per_trade,
        seconds_fraud_posted_to_reverted=max(removal.seconds for removal in removals),
    )
    return OK


async def _play(settings: Settings, report: Report) -> tuple[list[Removal], float]:
    async with open_l1(settings) as url, L1Client(url) as l1, open_stage(settings, l1, report) as stage:
        for key in (SEQUENCER, SUCCESSOR, CHALLENGER):
            await fill_purse(stage, key)
        async with _challenger(stage):
            gas_per_trade = await _honest_day(stage)
            removals = [await _dishonest_day(stage, turn) for turn in range(len(settings.faults))]
            await see_reward(stage, [removal.fraud.poster for removal in removals])
    return removals, gas_per_trade


@asynccontextmanager
async def open_l1(settings: Settings) -> AsyncIterator[str]:
    """The node that was named, or the embedded L1."""
    if settings.l1_url is not None:
        yield settings.l1_url
        return
    async with running(l1_role(settings.folder, 0), lambda _: None) as ready:
        yield ready["url"]


@asynccontextmanager
async def _challenger(stage: Stage) -> AsyncIterator[None]:
    """The challenger, which runs all the time."""
    role = challenger_role(stage.site, CHALLENGER, poll_seconds=0.25, audit_ppm=0)
    async with running(role, lambda _: None, ready="watching"):
        with stage.report.step("challenger", "looking at the challenger") as step:
            balance = await stage.l1.get_balance(dev_address(CHALLENGER))
            require(balance > 0, "wei for proofs", "some", balance)
            step.found("watches and defends in a process of its own", address=dev_address(CHALLENGER), balance=balance)
        yield


@asynccontextmanager
async def _sequencer(stage: Stage, key: int, name: str) -> AsyncIterator[Client]:
    """An honest sequencer with an empty database. When the block ends well, everything it sealed is on L1."""
    role = sequencer_role(stage.site, key, name=name, block_seconds=0.1, batch_seconds=BATCH_SECONDS)
    async with running(role, lambda _: None) as ready:
        with stage.report.step("sequencer", f"looking at {name}") as step:
            stake: int = await stage.observer.rollup.call("stakeOf", dev_address(key))
            least: int = (await stage.observer.rollup.call("config"))[1]
            require(stake >= least, "stake, wei", least, stake)
            allowed = await stage.observer.rollup.call("mayPost", dev_address(key))
            require(allowed, "whether it may post", "yes", "no")
            text = f"{name} serves at {ready['http']}, staked with {stake / 10**18:g} ether"
            step.found(text, address=dev_address(key), stake=stake, http=ready["http"], head=ready["head"])
        async with open_client(ready["ws"]) as client:
            yield client
            with stage.report.step("handover", "posting what is left") as step:
                head = await see_all_posted(stage, step, client)
                step.found(f"every block up to {head} is on L1", head=head)


async def _honest_day(stage: Stage) -> float:
    async with _sequencer(stage, SEQUENCER, "sequencer") as client:
        await open_accounts(stage, client)
        await publish_prices(stage, client)
        trades, batches = await trade(stage, client)
        gas_per_trade = await weigh_batches(stage, trades, batches)
        await send_prices(stage, client)  # who holds positions withdraws at fresh prices only
        user, batch = await withdraw(stage, client)
        await see_final(stage, batch)
        await claim(stage, user)
    return gas_per_trade


async def _dishonest_day(stage: Stage, turn: int) -> Removal:
    fault = stage.settings.faults[turn]
    before, removal = await show_fraud(stage, fault, POSTERS[turn], turn + 1)
    is_last = turn + 1 == len(stage.settings.faults)
    async with _sequencer(stage, SUCCESSOR, f"successor-{turn + 1}") as client:
        await see_recovery(stage, client, SUCCESSOR, before, removal)
        if is_last:
            await send_prices(stage, client)
            _, batches = await trade(stage, client, "continuation")
            await see_final(stage, batches[-1])
    return removal
