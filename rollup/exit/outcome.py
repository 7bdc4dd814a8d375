"""What became of a message that L1's inbox took: waiting, executed, final; done, or refused and why.

All of it follows from L1 alone: which batch consumed the message is in the contracts' events, and what it did there is
found by executing that batch (`rollup.derive.outcomes`). If the batch is reverted, the message waits again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from rollup.derive.mirror import Mirror
from rollup.derive.outcomes import MessageRecord, executed_messages, find_message
from rollup.errors import PlumblineError, StoreError
from rollup.exit.amounts import plain_usd
from rollup.exit.payloads import accounts_in, message_of, sender_of, transaction_of, waiting_messages
from rollup.exit.reasons import sentence
from rollup.l1.artifacts import load_artifact
from rollup.l1.contract import Contract
from rollup.types.reasons import Reason


class Stage(StrEnum):
    """How far a message has come."""

    WAITING = "waiting"  # no batch that stands has consumed it
    DISPUTED = "disputed"  # the batch that consumed it is wrong, or stands on a wrong one
    PENDING = "pending"  # executed, in a batch that can still be proven wrong
    FINAL = "final"  # executed for good
    ENDED = "ended"  # the chain was frozen before any batch took it


ESCAPE: Final = "`rollup escape` pays out, and takes deposits back"


class MessageUnknown(PlumblineError):  # noqa: N818 - what was found
    """L1's inbox has no message of that number."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A message and what became of it; times are L1's, in seconds.

    `due` is the last second in which a batch may leave it behind; `ahead` counts the messages that wait before it.
    `block` and `batch` executed it (`batch` also names a wrong one that consumed it), `final_at` is when that batch's
    dispute window ends, `reason` is NONE if it was done. `paid`, `haircut` as in `MessageRecord`. `frozen`: whether the
    chain has ended, so that no batch comes any more.
    """

    index: int
    message: bytes
    stage: Stage
    sent_at: int
    due: int
    now: int
    ahead: int = 0
    block: int | None = None
    batch: int | None = None
    final_at: int | None = None
    reason: Reason | None = None
    paid: int = 0
    haircut: int = 0
    fraud: str = ""
    frozen: bool = False

    @property
    def overdue(self) -> bool:
        """Whether it waits past its deadline: then nobody can post a batch without it, and later anyone may freeze."""
        return self.stage is Stage.WAITING and self.now > self.due

    @property
    def age(self) -> int:
        """Seconds since L1 took it."""
        return self.now - self.sent_at

    @property
    def done(self) -> bool:
        """Whether it was executed and did what it says."""
        return self.reason is Reason.NONE

    @property
    def what(self) -> str:
        """What the message is, in a word."""
        subject = transaction_of(self.message) or message_of(self.message)
        return "Unknown" if subject is None else type(subject).__name__

    def tell(self) -> str:
        """What became of it, in a sentence."""
        match self.stage:
            case Stage.WAITING:
                return self._tell_waiting()
            case Stage.DISPUTED:
                wrong = f"batch {self.batch} took it, and is not right ({self.fraud})"
                then = f"it will never be executed, the chain is frozen: {ESCAPE}" if self.frozen else "it waits again"
                return f"{wrong}: once that is reverted, {then}"
            case Stage.ENDED:
                return f"never executed, the chain was frozen first: {ESCAPE}"
            case _:
                return f"{self._tell_result()}; {self._tell_finality()}"

    def describe(self) -> dict[str, Any]:
        """The fields for machines and lists."""
        return {
            "index": self.index,
            "what": self.what,
            "stage": self.stage.value,
            "done": self.done,
            "reason": None if self.reason is None else self.reason.name,
            "why": None if self.reason in (None, Reason.NONE) else sentence(Reason(self.reason or 0)),
            "sent_at": self.sent_at,
            "age": self.age,
            "due": self.due,
            "overdue": self.overdue,
            "ahead": self.ahead,
            "block": self.block,
            "batch": self.batch,
            "final_at": self.final_at,
            "paid": plain_usd(self.paid),
            "micro_paid": self.paid,
            "haircut": plain_usd(self.haircut),
            "micro_haircut": self.haircut,
            "accounts": sorted(accounts_in(self.message)),
            "sender": sender_of(self.message) or None,
        }

    def _tell_waiting(self) -> str:
        behind = f" behind {self.ahead} others" if self.ahead else ""
        if self.overdue:
            late = f"overdue for {self.now - self.due} s"
            return f"waiting{behind} for {self.age} s, {late}: no batch can leave it behind now"
        return f"waiting{behind} for {self.age} s; due in {self.due - self.now} s at the latest"

    def _tell_result(self) -> str:
        assert self.reason is not None, "it was executed"
        where = f"in block {self.block}"
        if self.reason is Reason.NONE:
            return f"done {where}"
        return f"refused {where}: {sentence(self.reason)} ({self.reason.name})"

    def _tell_finality(self) -> str:
        if self.stage is Stage.FINAL:
            return f"batch {self.batch} is final"
        assert self.final_at is not None, "its batch is pending"
        left = self.final_at - self.now
        when = f"for {left} s more" if left > 0 else "until somebody finalises it, which anyone may do now"
        return f"batch {self.batch} is pending {when}"


async def outcome_of(mirror: Mirror, index: int) -> Outcome:
    """What became of message `index`, as far as `mirror` was advanced.

    `MessageUnknown` if there is none; `StoreError` if the mirror's store was made before outcomes were kept.
    """
    (found,) = await _outcomes(mirror, [_find(mirror, index)])
    return found


async def outcomes_about(mirror: Mirror, account: int | None = None, sender: bytes | None = None) -> list[Outcome]:
    """Outcomes of all messages that are about an account or were forced by `sender`, in their order."""
    known = [(record.index, record.message, record) for record in executed_messages(mirror.store.records)]
    executed = len(known)
    chain = mirror.pipeline.follower.chain
    taken = range(executed, chain.head.inbox_index)  # consumed by batches that are not right
    disputed = zip(taken, chain.inbox.slice(taken.start, len(taken)), strict=True) if taken else ()
    waiting = [(number, message, None) for number, message in (*disputed, *waiting_messages(mirror))]
    wanted = [
        item
        for item in (*known, *waiting)
        if (account is not None and account in accounts_in(item[1])) or (sender and sender_of(item[1]) == sender)
    ]
    return await _outcomes(mirror, wanted)


_Item = tuple[int, bytes, MessageRecord | None]


def _find(mirror: Mirror, index: int) -> _Item:
    chain = mirror.pipeline.follower.chain
    if not 0 <= index < len(chain.inbox):
        raise MessageUnknown(f"L1's inbox has {len(chain.inbox)} messages, and no number {index}")
    record = find_message(mirror.store.records, index)
    if record is not None:
        return index, record.message, record
    if index < chain.batch(max(chain.base, min(mirror.batch, chain.head.index))).inbox_index:
        raise StoreError("the outcomes of old messages were not kept here: begin with an empty folder")
    return index, chain.inbox.slice(index, 1)[0], None


async def _outcomes(mirror: Mirror, items: Iterable[_Item]) -> list[Outcome]:
    """The outcomes, with what only the contracts know."""
    follower = mirror.pipeline.follower
    source, chain = follower.source, follower.chain
    rollup = Contract(source.l1, source.origin.rollup, load_artifact("Rollup"))
    inbox = Contract(source.l1, source.origin.inbox, load_artifact("Inbox"))
    config = await rollup.call("config")
    window, deadline = config[2], config[4]
    # Asked in this order, so that no batch can come between: none is accepted after the freeze.
    taken = await rollup.call("latestInboxIndex") if await rollup.call("frozen") else None
    head = await source.l1.get_block()
    now = 0 if head is None else head.timestamp
    found: list[Outcome] = []
    for index, message, record in items:
        sent_at = await inbox.call("timeAt", index)
        times = (sent_at, sent_at + deadline, now)
        if record is None:
            ended = taken is not None and index >= taken
            outcome = Outcome(index, message, Stage.ENDED, *times)
            outcome = outcome if ended else _not_executed(mirror, index, message, times)
            found.append(replace(outcome, frozen=taken is not None))
            continue
        batch = mirror.store.records.batch_of(record.block)
        assert batch is not None, "a replica keeps blocks in batches"
        final = batch.index <= chain.finalised
        final_at = None if final else (await rollup.call("batches", batch.index))[4] + window
        found.append(
            Outcome(
                index,
                message,
                Stage.FINAL if final else Stage.PENDING,
                *times,
                block=record.block,
                batch=batch.index,
                final_at=final_at,
                reason=record.reason,
                paid=record.paid,
                haircut=record.haircut,
                frozen=taken is not None,
            )
        )
    return found


def _not_executed(mirror: Mirror, index: int, message: bytes, times: tuple[int, int, int]) -> Outcome:
    chain = mirror.pipeline.follower.chain
    if index >= chain.head.inbox_index:
        return Outcome(index, message, Stage.WAITING, *times, ahead=index - chain.head.inbox_index)
    consumer = next(batch for batch in chain.batches if batch.inbox_index > index)
    fraud = "not executed yet" if mirror.fraud is None else str(mirror.fraud)
    return Outcome(index, message, Stage.DISPUTED, *times, batch=consumer.index, fraud=fraud)
