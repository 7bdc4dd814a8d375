"""A dishonest sequencer posts, the challenger reverts: one transaction, the stake gone, the deposits back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import trio

from rollup.cli.amounts import show_usd
from rollup.demo.observer import Observer, Posted, Standing
from rollup.demo.party import DOLLAR, User
from rollup.demo.provoke import PROVOCATIONS
from rollup.demo.report import NotVerified, require, require_equal
from rollup.demo.setting import ETHER, SPARE, Stage, fill_purse
from rollup.demo.waiting import until
from rollup.devnet.client import NoAnswer, open_client
from rollup.devnet.roles import CHALLENGER, running, sequencer_role
from rollup.l1.contract import Event
from rollup.l1.devkeys import dev_address
from rollup.l1.values import Receipt
from rollup.rpc.client import RpcDisconnected, RpcError
from rollup.types.reasons import Reason

DEPOSIT: Final = 777 * DOLLAR + 777_777
"""µUSD paid in just before the fraud."""


BATCH_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Before:
    """How L1 stood before the fraud, and the deposit (position in the inbox, µUSD, whose) that was made into it."""

    standing: Standing
    l1_block: int
    depositor: User
    deposit: int


@dataclass(frozen=True, slots=True)
class Removal:
    """A fraud and its end on L1; `seconds` passed between them, as observed."""

    fraud: Posted
    transactions: int
    gas: int
    seconds: float


async def show_fraud(stage: Stage, fault: str, poster: int, turn: int) -> tuple[Before, Removal]:
    """One fraud, from the deposit that it swallows to the state in which it leaves L1."""
    await fill_purse(stage, poster)
    before = await _deposit(stage)
    provocation = PROVOCATIONS[fault]
    role = sequencer_role(
        stage.site,
        poster,
        name=f"dishonest-{turn}",
        block_seconds=provocation.block_seconds,
        batch_seconds=BATCH_SECONDS,
        fault=fault,
    )
    async with running(role, lambda _: None) as ready:
        fraud, seen = await _see_fraud(stage, before, fault, dev_address(poster), ready["ws"])
        removal = await _see_reversion(stage, before, fraud, seen, provocation.verdict)
    return before, removal


async def _see_fraud(stage: Stage, before: Before, fault: str, poster: bytes, url: str) -> tuple[Posted, float]:
    """Provoke the fraud, and see it on L1; with the moment at which it was seen."""
    with stage.report.step("fraud", f"running a sequencer with --fault {fault}") as step:
        refusal = await _provoke(stage, fault, url)

        async def posted() -> Posted | None:
            found = await stage.observer.posted(poster, after=before.l1_block)
            return found[0] if found else None

        awaited = "its batch on L1" if refusal is None else f"its batch on L1 (before it: {refusal})"
        fraud = await until(step, awaited, posted, SPARE)
        seen = trio.current_time()
        require_equal("number of its batch", before.standing.batch_count, fraud.index)
        least = before.deposit + 1
        require(fraud.inbox_index >= least, "messages consumed by the batch", f"{least} or more", fraud.inbox_index)
        step.found(
            f"{fault}: batch {fraud.index} of 0x{fraud.poster.hex()} consumes the deposit",
            fault=fault,
            batch=fraud.index,
            blocks=[fraud.first_number, fraud.last_number],
            poster=fraud.poster,
            inbox_index=fraud.inbox_index,
            state_root=fraud.state_root,
        )
    return fraud, seen


async def _deposit(stage: Stage) -> Before:
    """Pay in on L1 while no sequencer runs."""
    with stage.report.step("deposit", "paying in before the fraud") as step:
        user = stage.party.poor
        funded = await stage.bank.deposit(user.account, DEPOSIT)
        user.cash += DEPOSIT
        standing = await stage.observer.standing()
        require(
            standing.inbox_index <= funded.inbox_index, "messages consumed", funded.inbox_index, standing.inbox_index
        )
        step.found(
            f"{show_usd(DEPOSIT)} USD to account {user.account}, message {funded.inbox_index} of the inbox",
            account=user.account,
            amount=DEPOSIT,
            inbox_index=funded.inbox_index,
        )
        return Before(standing, await stage.l1.block_number(), user, funded.inbox_index)


async def _provoke(stage: Stage, fault: str, url: str) -> str | None:
    """Send what the fraud needs; that the sequencer's chain is gone before it has answered all is no harm.

    Returns what went wrong, if anything did.
    """
    send = PROVOCATIONS[fault].send
    refusal = None
    if send is None:
        return None
    try:
        async with open_client(url) as client:
            await send(stage, client)
    except* (RpcError, RpcDisconnected, NoAnswer) as failures:
        refusal = str(failures.exceptions[0])
    return refusal


async def _see_reversion(stage: Stage, before: Before, fraud: Posted, seen: float, verdict: str) -> Removal:
    """Wait until L1 has reverted the fraud; by how many transactions, of what gas, and for which reason."""
    observer, prover = stage.observer, dev_address(CHALLENGER)
    with stage.report.step("reversion", f"batch {fraud.index} in dispute") as step:

        async def reverted() -> Event | None:
            found = await observer.events("Reverted", after=before.l1_block)
            return found[0] if found else None

        event = await until(step, "the challenger's proof", reverted, stage.settings.dispute_seconds + SPARE)
        seconds = round(trio.current_time() - seen, 3)
        receipt = await observer.receipt(event.log.tx_hash)
        proven = _one(observer, receipt, "FraudProven")
        sent = await observer.transactions(prover, "prove", fraud.l1_block, receipt.block_number)
        now = await observer.standing()
        require_equal("first batch taken back", fraud.index, event.values["fromBatch"])
        require_equal("prover", prover, proven["prover"])
        require_equal("verdict", verdict, Reason(proven["reason"]).name if proven["reason"] else "WRONG_ROOT")
        require_equal("calls of prove", [event.log.tx_hash], [each.hash for each in sent])
        require_equal("batches that stand", before.standing.batch_count, now.batch_count)
        require_equal("fork", before.standing.fork + 1, now.fork)
        step.found(
            f"{verdict} proven in one transaction of {receipt.gas_used:,} gas, {seconds:g} s after it was posted",
            batch=fraud.index,
            reason=verdict,
            transactions=len(sent),
            transaction=receipt.tx_hash,
            gas=receipt.gas_used,
            calldata_bytes=len(sent[0].data),
            seconds_posted_to_reverted=seconds,
            batch_count=now.batch_count,
            fork=now.fork,
        )
    await _see_slashing(stage, fraud, receipt)
    await _see_queue(stage, before)
    return Removal(fraud, len(sent), receipt.gas_used, seconds)


async def _see_slashing(stage: Stage, fraud: Posted, receipt: Receipt) -> None:
    """The poster's stake: half burnt, half held for the challenger."""
    observer = stage.observer
    with stage.report.step("slashing", "looking at the stake") as step:
        slashed = _one(observer, receipt, "Slashed")
        stake, burnt = slashed["stake"], slashed["burnt"]
        claimant, due, batch, bounty, _, _ = await observer.rollup.call("bountyOf", fraud.poster)
        nowhere, block = bytes(20), receipt.block_number
        gone = await stage.l1.get_balance(nowhere, block) - await stage.l1.get_balance(nowhere, block - 1)
        require_equal("poster that was slashed", fraud.poster, slashed["poster"])
        require_equal("stake that is left, wei", 0, await observer.rollup.call("stakeOf", fraud.poster))
        require_equal("stake that was burnt, wei", stake - stake // 2, burnt)
        require(gone >= burnt, "wei sent to nowhere", burnt, gone)
        require_equal("bounty, wei", stake // 2, bounty)
        require_equal("claimant of the bounty", dev_address(CHALLENGER), claimant)
        require_equal("batch of the bounty", fraud.index, batch)
        step.found(
            f"{stake / ETHER:g} ether gone: {burnt / ETHER:g} burnt, {bounty / ETHER:g} held for the challenger",
            poster=fraud.poster,
            stake=stake,
            burnt=burnt,
            bounty=bounty,
            claimant=claimant,
            due=due,
        )


async def _see_queue(stage: Stage, before: Before) -> None:
    """The deposit is where it was before the fraud: in the queue."""
    observer = stage.observer
    with stage.report.step("queue", "looking at the inbox") as step:
        now, count = await observer.standing(), await observer.inbox.call("count")
        require_equal("messages consumed", before.standing.inbox_index, now.inbox_index)
        require(now.inbox_index <= before.deposit < count, "deposit in the queue", before.deposit, now.inbox_index)
        waiting = count - now.inbox_index
        step.found(
            f"{waiting} message{'s' * (waiting != 1)} waiting again, the deposit among them",
            inbox_index=now.inbox_index,
            count=count,
            waiting=waiting,
        )


def _one(observer: Observer, receipt: Receipt, name: str) -> dict[str, Any]:
    """Values of the only event of this name in a receipt."""
    found = [event.values for event in observer.rollup.decode_events(receipt.logs) if event.name == name]
    if len(found) != 1:
        raise NotVerified(f"0x{receipt.tx_hash.hex()} emitted {len(found)} events {name}")
    return found[0]
