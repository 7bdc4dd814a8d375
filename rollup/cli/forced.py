"""One forced transaction from its explanation to its end: what it does and costs, the question, sending, waiting."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import trio

from rollup.cli.display import make_bar
from rollup.cli.forcing import Force, Sending
from rollup.cli.output import Output, show
from rollup.errors import L1Error, L1Reverted, PlumblineError
from rollup.exit.amounts import show_cost, show_time
from rollup.exit.errors import NotConfirmed
from rollup.exit.forcing import ForceCost, Forced, force_message, quote_force, require_affordable
from rollup.exit.outcome import MessageUnknown, Outcome, Stage, outcome_of, outcomes_about
from rollup.exit.payloads import sender_of, waiting_messages
from rollup.exit.reasons import sentence
from rollup.exit.room import rehearse
from rollup.l1.artifacts import load_artifact
from rollup.l1.contract import Contract
from rollup.types.messages import Forced as ForcedMessage
from rollup.types.messages import encode_message

POLL: Final = 1.0
"""Seconds between two looks at L1 while waiting."""
MISSES: Final = 20
"""Looks in a row that do not find a message after which it counts as gone: a reorganisation may bring it back soon."""


class MessageGone(PlumblineError):  # noqa: N818 - what happened
    """A reorganisation of L1 took the message back."""


async def send_payload(
    force: Force, what: str, payload: bytes, sending: Sending, notes: list[str], before: Sequence[bytes] = ()
) -> int:
    """Explain a forced transaction and its cost, ask, send it, and wait as far as wished; returns an exit code.

    `before` are payloads that the same sender forces first, for the forecast.
    """
    if force.mirror.fraud is not None:
        notes.append(f"L1 holds a wrong batch ({force.mirror.fraud}); what follows it does not count here")
    cost = await quote_force(force.client, force.sender, force.inbox, payload)
    await _explain(force, what, [*before, payload], cost, notes)
    if force.wallet is not None:
        _tell_call(force, payload, cost)
        return 0
    if sending.dry_run:
        force.output.note("nothing was sent: this was a dry run")
        return 0
    require_affordable(cost, force.sender)
    if not sending.yes:
        await _ask(cost)
    assert force.payer is not None, "without a wallet there is a payer"
    forced = await force_message(force.payer, force.inbox, payload)
    _tell_forced(force.output, forced)
    if sending.wait is None:
        force.output.note(f"see what becomes of it: rollup force status {forced.index}")
        return 0
    message = encode_message(ForcedMessage(force.sender, payload))
    return await await_outcome(force, forced.index, sending, message)


async def await_outcome(force: Force, index: int, sending: Sending, message: bytes | None = None) -> int:
    """Follow L1 until the message is consumed, or final; exit code 1 if it was refused or patience ran out.

    With the `message` itself it is followed through reorganisations of L1, which may give it another number. L1 may
    fail meanwhile: that is told, and waiting goes on.
    """
    told: tuple[object, ...] = ()
    missed = 0
    wanted = {Stage.FINAL, Stage.ENDED} | (set() if sending.wait == "final" else {Stage.PENDING})
    patience = float("inf") if sending.patience is None else sending.patience
    with trio.move_on_after(patience), _watching_wait(force.output) as watch:
        while True:
            try:
                outcome = await _look(force, index, message)
            except L1Reverted:
                if message is None:
                    raise
                outcome = None  # L1 went back between two of its answers, and does not know the message any more
            except L1Error as error:
                if not error.retryable:
                    raise
                force.output.note(f"L1 fails: {error}; trying again")
                await trio.sleep(POLL)
                continue
            missed = 0 if outcome else missed + 1
            if outcome is None:
                if missed > MISSES:
                    raise MessageGone(f"L1 has reorganised message {index} away: force it once more")
                await trio.sleep(POLL)
                continue
            index = outcome.index
            now = (index, outcome.stage, outcome.reason, outcome.overdue)
            if now != told:
                told = now
                tell_outcome(force.output, outcome)
            if outcome.stage in wanted:
                return 0 if outcome.done else 1
            watch(outcome)
            await trio.sleep(POLL)
    again = f"rollup force status {index} --wait {sending.wait}"
    force.output.note(f"still not {sending.wait}; go on waiting with `{again}`")
    return 1


async def _look(force: Force, index: int, message: bytes | None) -> Outcome | None:
    """What became of the message by now; None if L1 does not have it (any more, or yet again) under any number."""
    await force.mirror.advance()
    try:
        outcome = await outcome_of(force.mirror, index)
    except MessageUnknown:
        if message is None:
            raise
    else:
        if message is None or outcome.message == message:
            return outcome
    same = [each for each in await outcomes_about(force.mirror, sender=sender_of(message)) if each.message == message]
    return same[-1] if same else None


@contextmanager
def _watching_wait(output: Output) -> Iterator[Callable[[Outcome], None]]:
    """Show people on standard error how much of its time a message has waited."""
    if output.json:
        yield lambda _: None
        return
    with make_bar() as bar:
        task = bar.add_task("waiting", total=None)

        def watch(outcome: Outcome) -> None:
            final = outcome.stage is Stage.PENDING and outcome.final_at is not None
            until = outcome.final_at if final and outcome.final_at is not None else outcome.due
            what = "until it is final" if final else "until it is due"
            total = max(1, until - outcome.sent_at)
            bar.update(task, description=f"L1 seconds {what}", completed=min(outcome.age, total), total=total)

        yield watch


def tell_outcome(output: Output, outcome: Outcome) -> None:
    """What became of a message, and what can be done about it."""
    if output.json:
        output.result({"status": outcome.stage.value, **outcome.describe()})
        return
    print(f"message {outcome.index} ({outcome.what}): {outcome.tell()}", flush=True)
    if outcome.overdue:
        output.note("`rollup rescue` tells when anyone may freeze the chain, and walks through what follows")


async def _explain(force: Force, what: str, payloads: Sequence[bytes], cost: ForceCost, notes: list[str]) -> None:
    """Tell what the last of these payloads does."""
    rollup = Contract(force.client, force.mirror.pipeline.replica.origin.rollup, load_artifact("Rollup"))
    head, config = await force.client.get_block(), await rollup.call("config")
    now = 0 if head is None else head.timestamp
    ours = [encode_message(ForcedMessage(force.sender, payload)) for payload in payloads]
    before = [data for _, data in waiting_messages(force.mirror)]
    receipt = rehearse(force.mirror.store.read, force.separator, [*before, *ours], now)
    assert receipt is not None, "there is one message at least"
    due = now + config[4]
    fields: dict[str, Any] = {
        "status": "planned",
        "what": what,
        "sender": force.sender,
        "payload": payloads[-1],
        "queue": cost.queue,
        "fee_wei": cost.fee,
        "gas": cost.gas,
        "cost_wei": cost.expected,
        "needed_wei": cost.needed,
        "balance_wei": cost.balance,
        "due": due,
        "freeze_after": due + config[11],
        "forecast": receipt.reason.name,
        "notes": notes,
    }
    if force.output.json:
        force.output.result(fields)
        return
    held = f"{show(force.sender)} holds {show_cost(cost.balance)} ETH"
    print(f"{what}, through L1's inbox, where {cost.queue} messages wait.")
    print(f"It costs about {show_cost(cost.expected)} ETH ({show_cost(cost.fee)} of it is burnt); {held}.")
    print(
        f"It must be executed by {show_time(due)}; if it is not, anyone may freeze after {show_time(due + config[11])}."
    )
    would = f"be refused: {sentence(receipt.reason)}" if receipt.reason else "be done"
    print(f"Executed now, it would {would}.")
    for note in notes:
        print(f"note: {note}")
    sys.stdout.flush()


def _tell_call(force: Force, payload: bytes, cost: ForceCost) -> None:
    """What a contract wallet must call; its own signature is nowhere needed."""
    data = Contract(force.client, force.inbox, load_artifact("Inbox")).abi.encode_call("force", payload)
    force.output.result({"status": "to_call", "to": force.inbox, "value": cost.value, "data": data})
    force.output.note(
        "nothing was sent: the wallet must make this call itself; what the fee leaves of the value comes back"
    )


def _tell_forced(output: Output, forced: Forced) -> None:
    fields = {
        "status": "forced",
        "index": forced.index,
        "transaction": forced.transaction,
        "fee_wei": forced.fee,
        "gas": forced.gas,
        "cost_wei": forced.fee + forced.gas_cost,
        "sent_at": forced.sent_at,
        "due": forced.due,
    }
    output.result(fields)


async def _ask(cost: ForceCost) -> None:
    """`NotConfirmed` unless somebody at a terminal agrees."""
    if not sys.stdin.isatty():
        raise NotConfirmed("nothing sent: there is no terminal to ask at; --yes sends without asking")
    print(f"Send this, for about {show_cost(cost.expected)} ETH? [y/N] ", end="", file=sys.stderr, flush=True)
    answer = await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
    if answer.strip().lower() not in {"y", "yes"}:
        raise NotConfirmed("nothing sent, as you wish")
