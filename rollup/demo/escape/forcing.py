"""A withdrawal that goes through L1 because nobody answers; it lies there until the chain can be frozen for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rollup.cli.amounts import plain_usd, show_usd
from rollup.cli.app import FAILED
from rollup.demo.escape.books import Books
from rollup.demo.escape.machine import Machine
from rollup.demo.escape.setting import pass_time
from rollup.demo.party import DOLLAR, User
from rollup.demo.report import NotVerified, require, require_equal
from rollup.demo.setting import Stage
from rollup.types.messages import Forced, decode_message
from rollup.types.transactions import Withdraw, decode_transactions

AMOUNT: Final = 345 * DOLLAR + 678_901
"""µUSD that the user wants out."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The forced withdrawal: its message, when it came and when it is overdue (s on L1's clock)."""

    index: int
    time: int
    due: int


async def force_withdrawal(stage: Stage, machine: Machine, user: User) -> Waiting:
    """`rollup force-withdraw`, and what it left in the inbox."""
    with stage.report.step("force", "forcing a withdrawal through L1") as step:
        inbox, books = stage.observer.inbox, Books(stage)
        index: int = await inbox.call("count")
        number, key = str(user.account), machine.key(user.key)
        await machine.run("force-withdraw", plain_usd(AMOUNT), "--account", number, "--yes", "--key", key)
        require_equal("messages in the inbox", index + 1, await inbox.call("count"))
        added = (await books.seen(inbox, "MessageAdded"))[-1]
        message = decode_message(added.event.values["message"])
        if not isinstance(message, Forced) or message.sender != user.owner:
            raise NotVerified(f"message {index} is not a transaction forced by 0x{user.owner.hex()}")
        match decode_transactions(message.data):
            case [Withdraw(account, amount)]:
                require_equal("account and µUSD of the forced withdrawal", (user.account, AMOUNT), (account, amount))
            case _:
                raise NotVerified(f"message {index} is not a withdrawal")
        time: int = await inbox.call("timeAt", index)
        deadline: int = (await stage.observer.rollup.call("config"))[4]
        step.found(
            f"{show_usd(AMOUNT)} USD of account {user.account}, message {index} of the inbox, {added.gas:,} gas",
            account=user.account,
            amount=AMOUNT,
            inbox_index=index,
            gas=added.gas,
            due=time + deadline,
        )
    return Waiting(index, time, time + deadline)


async def let_it_lie(stage: Stage, waiting: Waiting) -> None:
    """The deadline passes, and no batch has come."""
    with stage.report.step("overdue", "waiting for a batch that takes it") as step:
        before = await stage.observer.standing()
        skipped = await pass_time(stage, waiting.due)
        after = await stage.observer.standing()
        require_equal("batches, and messages that they took", before, after)
        require(after.inbox_index <= waiting.index, "messages consumed", waiting.index, after.inbox_index)
        step.found(
            f"{skipped} s on, message {waiting.index} still waits: {after.batch_count - 1} batches stand, as before",
            inbox_index=waiting.index,
            consumed=after.inbox_index,
            batch_count=after.batch_count,
            skipped=skipped,
        )


async def freeze(stage: Stage, machine: Machine, user: User, waiting: Waiting) -> int:
    """`rollup freeze`: refused while somebody may take over, then done. The batch after which everything ends."""
    with stage.report.step("freeze", "freezing the chain") as step:
        rollup, books = stage.observer.rollup, Books(stage)
        key = machine.key(user.key)
        await machine.run("freeze", "--yes", "--key", key, codes=(FAILED,))
        require_equal("whether it is frozen during the grace", False, await rollup.call("frozen"))
        _, deadline = await rollup.call("freezeDeadline")
        skipped = await pass_time(stage, deadline)
        await machine.run("freeze", "--yes", "--key", key)
        require_equal("whether it is frozen", True, await rollup.call("frozen"))
        (frozen,) = await books.seen(rollup, "Frozen")
        require_equal("who froze it", user.owner, frozen.event.values["caller"])
        require_equal("message for which it was frozen", waiting.index, frozen.event.values["index"])
        standing = await stage.observer.standing()
        step.found(
            f"{skipped} s on, by anybody: {frozen.gas:,} gas; before that it was refused",
            batch=standing.batch_count - 1,
            gas=frozen.gas,
            skipped=skipped,
            frozen_for=waiting.index,
        )
    return standing.batch_count - 1


async def refuse_to_freeze(stage: Stage, machine: Machine, user: User) -> None:
    """Nothing waits any more, so nobody can freeze."""
    with stage.report.step("no-freeze", "trying to freeze the chain") as step:
        await machine.run("freeze", "--yes", "--key", machine.key(user.key), codes=(FAILED,))
        require_equal("whether it is frozen", False, await stage.observer.rollup.call("frozen"))
        step.found("refused: nothing waits for longer than it may")
