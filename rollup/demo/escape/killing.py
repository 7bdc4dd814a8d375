"""The sequencer is killed: not asked to stop, and not started again."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import trio

from rollup.cli.amounts import show_usd
from rollup.demo.party import DOLLAR, USERS
from rollup.demo.report import require
from rollup.demo.setting import Stage
from rollup.devnet.client import Client, open_client
from rollup.devnet.processes import RoleFailed
from rollup.devnet.roles import SEQUENCER, running, sequencer_role
from rollup.l1.devkeys import dev_address

LATE_DEPOSIT: Final = 432 * DOLLAR + 198_765
LATE_OPENING: Final = 250 * DOLLAR + 1
"""µUSD that come when nobody takes them any more."""
NEWCOMER: Final = USERS + 50
"""Development key of somebody who opens an account too late."""


@dataclass(frozen=True, slots=True)
class Late:
    """A deposit that no sequencer has taken: message, account, owner, µUSD."""

    index: int
    account: int
    owner: bytes
    amount: int


async def killed_after(stage: Stage, day: Callable[[Client], Awaitable[None]]) -> None:
    """Run the designated sequencer for `day`, then kill it with SIGKILL; it leaves no word on L1 of its end."""
    role = sequencer_role(stage.site, SEQUENCER, block_seconds=0.1, batch_seconds=1.0)
    pid = 0
    try:
        async with running(role, lambda _: None) as ready:
            async with open_client(ready["ws"]) as client:
                await day(client)
            pid = ready["pid"]
            os.kill(pid, signal.SIGKILL)
            await trio.sleep_forever()  # the role's end cancels this
    except* RoleFailed:
        if not pid:
            raise
    await _see_killed(stage, pid)


async def _see_killed(stage: Stage, pid: int) -> None:
    with stage.report.step("kill", "killing the sequencer") as step:
        require(not _runs(pid), f"whether process {pid} runs", "no", "yes")
        standing = await stage.observer.standing()
        pending = standing.batch_count - 1 - standing.finalised
        step.found(
            f"SIGKILL to process {pid}; {pending} of its batches are pending, and nobody starts it again",
            pid=pid,
            finalised=standing.finalised,
            pending=pending,
        )


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def pay_in_late(stage: Stage) -> list[Late]:
    """Two deposits that come after the last batch: into an account, and for a new one."""
    with stage.report.step("late-deposits", "paying in when nobody listens") as step:
        user = stage.party.takers[0]
        await stage.bank.mint(LATE_DEPOSIT + LATE_OPENING)
        into = await stage.bank.deposit(user.account, LATE_DEPOSIT)
        opened = await stage.bank.open(dev_address(NEWCOMER), LATE_OPENING)
        late = [
            Late(into.inbox_index, into.account, user.owner, into.amount),
            Late(opened.inbox_index, opened.account, dev_address(NEWCOMER), opened.amount),
        ]
        standing = await stage.observer.standing()
        require(standing.inbox_index <= late[0].index, "messages consumed", late[0].index, standing.inbox_index)
        total = sum(each.amount for each in late)
        step.found(
            f"{show_usd(total)} USD in messages {late[0].index} and {late[1].index}, which no batch has taken",
            indices=[each.index for each in late],
            accounts=[each.account for each in late],
            amounts=[each.amount for each in late],
        )
    return late
