"""The other end: the proposer's silence lets a stranger post, who owes the forced withdrawal first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rollup.cli.amounts import show_usd
from rollup.cli.wallet import Wallet
from rollup.demo.escape.books import Books
from rollup.demo.escape.forcing import AMOUNT, Waiting, refuse_to_freeze
from rollup.demo.escape.killing import NEWCOMER, Late
from rollup.demo.escape.machine import Machine
from rollup.demo.escape.setting import STRANGER
from rollup.demo.honest import publish_prices, see_all_posted, see_final, trade
from rollup.demo.observer import Posted
from rollup.demo.party import User
from rollup.demo.report import Step, require, require_equal
from rollup.demo.setting import SPARE, Stage
from rollup.demo.waiting import until
from rollup.devnet.client import open_client
from rollup.devnet.roles import running, sequencer_role
from rollup.l1.devkeys import dev_address, dev_key


async def take_over(stage: Stage, machine: Machine, user: User, waiting: Waiting, late: list[Late]) -> dict[str, Any]:
    """`rollup sequencer --takeover` with a stranger's key and an empty folder, until everybody is served again."""
    role = sequencer_role(stage.site, STRANGER, name="stranger", block_seconds=0.1, batch_seconds=1.0)
    role = replace(role, arguments=[*role.arguments, "--takeover"])
    async with running(role, lambda _: None) as ready:
        await _see_takeover(stage, user, waiting, late)
        async with open_client(ready["ws"]) as client:
            await publish_prices(stage, client)
            await trade(stage, client, "trades-again")
            with stage.report.step("batch", "posting what is left") as step:
                head = await see_all_posted(stage, step, client)
                step.found(f"every block up to {head} is on L1", head=head)
        await see_final(stage, stage.observer.mirror.batch)
        await refuse_to_freeze(stage, machine, user)
        await _see_outcome(stage, machine, user, waiting)
    return await _claim(stage, machine, user)


async def _see_takeover(stage: Stage, user: User, waiting: Waiting, late: list[Late]) -> None:
    with stage.report.step("takeover", "running a stranger's sequencer") as step:
        batch = await _first_batch(stage, step, waiting)
        await stage.observer.replay()
        user.cash -= AMOUNT
        user.withdrawn += AMOUNT
        _credit(stage, late)
        stage.party.check(stage.observer.mirror)
        standing = await stage.observer.standing()
        require(standing.inbox_index > waiting.index, "messages consumed", waiting.index + 1, standing.inbox_index)
        stake: int = await stage.observer.rollup.call("stakeOf", dev_address(STRANGER))
        step.found(
            f"0x{batch.poster.hex()} posts batch {batch.index}, with the forced withdrawal of {show_usd(AMOUNT)} USD",
            poster=batch.poster,
            batch=batch.index,
            inbox_index=standing.inbox_index,
            stake=stake,
        )


async def _first_batch(stage: Stage, step: Step, waiting: Waiting) -> Posted:
    """The stranger's first batch, once one has taken the forced message."""

    async def posted() -> Posted | None:
        found = await stage.observer.posted(dev_address(STRANGER), after=stage.deployment.block)
        return found[0] if found and found[-1].inbox_index > waiting.index else None

    return await until(step, "its batch on L1", posted, SPARE)


def _credit(stage: Stage, late: list[Late]) -> None:
    """The deposits that came after the kill are no loss here: whoever goes on takes them."""
    for each in late:
        known = {user.account for user in stage.party.users}
        if each.account not in known:
            wallet = Wallet(dev_key(NEWCOMER), stage.deployment.chain_id, stage.deployment.rollup)
            stage.party.users.append(User(each.account, NEWCOMER, wallet))
        stage.party.of(each.account).cash += each.amount


async def _see_outcome(stage: Stage, machine: Machine, user: User, waiting: Waiting) -> None:
    """`rollup force status`: what became of the message, from L1 alone."""
    with stage.report.step("outcome", "asking what became of the forced withdrawal") as step:
        key = machine.key(user.key)
        *_, told = await machine.run("force", "status", str(waiting.index), "--key", key)
        require_equal("outcome of the forced withdrawal", ("final", True), (told["stage"], told["done"]))
        step.found(f"done in block {told['block']}, batch {told['batch']}, and final", batch=told["batch"], done=True)


async def _claim(stage: Stage, machine: Machine, user: User) -> dict[str, Any]:
    """The forced withdrawal, paid out; the stranger is gone by then."""
    with stage.report.step("claim", "claiming the forced withdrawal") as step:
        books = Books(stage)
        before = await books.held(user.owner)
        await machine.run("claim", str(user.account), "--key", machine.key(user.key))
        require_equal("µUSD paid to the owner", AMOUNT, await books.held(user.owner) - before)
        gas = (await books.by_account("Claimed"))[user.account].gas
        step.found(f"{show_usd(AMOUNT)} USD paid, {gas:,} gas", account=user.account, amount=AMOUNT, gas=gas)
    return {"paid": AMOUNT}
