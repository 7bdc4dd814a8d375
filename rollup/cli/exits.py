"""What the commands of the way out share: their flags, the question before sending, and how they tell what happens."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import trio
from cyclopts import Parameter

from rollup.cli.addresses import read_address
from rollup.cli.amounts import plain_usd, show_usd
from rollup.cli.display import make_bar
from rollup.cli.options import Common, ExportFlag
from rollup.cli.output import Output, show
from rollup.config import ClientConfig, L1Config
from rollup.errors import ConfigError
from rollup.exit.amounts import show_cost
from rollup.exit.contracts import Contracts, find_contracts
from rollup.exit.errors import NotConfirmed
from rollup.exit.sending import Done, Passed
from rollup.exit.situation import Situation
from rollup.exit.steps import Later, Plan, Step
from rollup.exit.walking import Happening, Left, Manner, Planned, Trouble, Waits
from rollup.exit.ways import Phase, phase_of, tell_ways
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.deployment import Deployment

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Where:
    """The chain to leave, and who pays for gas. Nothing else is needed or asked."""

    l1: Annotated[str | None, Parameter(help="HTTP endpoint of an Ethereum node")] = None
    rollup: Annotated[str | None, Parameter(help="address of the Rollup contract; default: from the file")] = None
    deployment: Annotated[Path | None, Parameter(help="file written by `rollup deploy`")] = None
    key: Annotated[str | None, Parameter(help="pays for gas: file:PATH or dev:N")] = None
    export: ExportFlag = None


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Consent:
    """What may be sent without asking, and how long it may take."""

    yes: Annotated[bool, Parameter(negative=(), help="send without asking")] = False
    dry_run: Annotated[bool, Parameter(negative=(), help="show what would be sent and what it costs, send nothing")] = (
        False
    )
    wait: Annotated[bool, Parameter(negative=(), help="wait for L1's time, to the end")] = False
    patience: Annotated[float, Parameter(help="seconds of L1 standing still after which waiting ends")] = 180.0


Accounts = Annotated[
    tuple[int, ...], Parameter(negative=(), help="account to get out, whoever owns it; may be repeated")
]
HERE = Where()
ASKING = Consent()


@dataclass(frozen=True, slots=True)
class Exit:
    """An open way out: who pays, on which contracts; `private_key` signs what an owner must sign."""

    payer: L1Account
    contracts: Contracts
    private_key: bytes
    output: Output
    export: Path | None


@asynccontextmanager
async def open_exit(where: Where, common: Common) -> AsyncIterator[Exit]:
    """Connect to L1 and find the contracts. `ConfigError` without a key or an address, `L1Error` if L1 fails."""
    settings = common.settings()
    chain = settings.role(L1Config, url=where.l1, deployment=where.deployment, export=where.export)
    config = settings.role(ClientConfig, key=where.key)
    if config.key is None:
        raise ConfigError("client.key: no key to pay for gas with (--key file:PATH or dev:N)")
    address = read_address(where.rollup, "--rollup") if where.rollup else Deployment.load(chain.deployment).rollup
    secret = config.key.private_key()
    async with L1Client(chain.url, timeout=chain.timeout) as client:
        contracts = await find_contracts(client, address)
        yield Exit(L1Account(client, secret), contracts, secret, common.output(), chain.export)


def manner_of(consent: Consent, teller: Teller) -> Manner:
    """How to walk, as the flags say."""

    async def agree(planned: Planned) -> bool:
        if consent.dry_run:
            return False
        if not consent.yes:
            await _ask(planned)
        return True

    return Manner(wait=consent.wait and not consent.dry_run, agree=agree, tell=teller.tell, patience=consent.patience)


class Teller:
    """Tells a walk: the plan, each step done, what is waited for. Results to standard output, progress to the other."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._awaited = ""
        self._begun = 0
        self._phase: Phase | None = None

    def tell(self, happening: Happening) -> None:
        """Hear what happens on a walk."""
        if not isinstance(happening, Waits):
            self._stop_waiting()
        match happening:
            case Planned():
                self._show_plan(happening)
            case Done():
                self._show_done(happening)
            case Passed(step, reason, early):
                why = "not due yet" if early else "done already, or overtaken"
                self._output.note(f"{step.kind} {subject_of(step)}: passed over, {why} ({reason})")
            case Waits():
                self._show_wait(happening)
            case Trouble(error, pause):
                self._output.note(f"L1 fails: {error}; trying again in {pause:g} s")

    def situation(self, situation: Situation) -> None:
        """Hear how the chain stands; told when its phase is another than before."""
        phase = phase_of(situation)
        if phase is self._phase:
            return
        self._phase = phase
        self._stop_waiting()
        ways = tell_ways(situation)
        if self._output.json:
            self._output.result({"situation": phase.value, "l1_time": situation.now, "ways": ways})
            return
        for line in ways:
            print(line, flush=True)

    def end(self, left: Left, *, dry_run: bool = False) -> None:
        """How the walk ended."""
        self._stop_waiting()
        plan = left.plan
        if self._output.json:
            self._output.result(
                {
                    "step": "end",
                    "complete": left.complete,
                    "paid": plain_usd(left.paid),
                    "micro_paid": left.paid,
                    "cost_wei": left.cost,
                    "remaining": len(plan.now) + len(plan.later),
                    "next_due": plan.next_due,
                    "notes": list(plan.notes),
                }
            )
            return
        if left.done:
            print(f"{show_usd(left.paid)} USD paid out, for {show_cost(left.cost)} ETH of gas", flush=True)
        if left.complete:
            print("nothing is left to do", flush=True)
        elif dry_run:
            print("nothing was sent: this was a dry run", flush=True)
        elif plan.next_due is not None:
            print(f"still to do: {_what_remains(plan)}; run this again after {show_time(plan.next_due)}", flush=True)

    def _show_plan(self, planned: Planned) -> None:
        plan, quote = planned.plan, planned.quote
        if self._output.json:
            for step in plan.now:
                gas = quote.gas.get(step.key, 0)
                self._output.result(_fields(step) | {"status": "planned", "gas": gas, "cost_wei": gas * quote.price})
            for later in plan.later:
                cost = {"gas": later.gas, "cost_wei": later.gas * quote.price, "after": later.after}
                self._output.result(_fields(later) | {"status": "later"} | cost)
            return
        rows = [_row(step, quote.gas.get(step.key, 0) * quote.price, "now") for step in plan.now]
        rows += [_row(step, step.gas * quote.price, show_time(step.after)) for step in plan.later]
        if rows:
            self._output.table(("step", "of", "USD", "to", "about ETH", "when", "why"), rows)
        for note in plan.notes:
            print(f"note: {note}", flush=True)
        if rows:
            at_once, then, held = map(show_cost, (quote.cost_now, quote.cost - quote.cost_now, quote.balance))
            self._output.note(f"costs about {at_once} ETH now and {then} ETH later; the key holds {held} ETH")

    def _show_done(self, done: Done) -> None:
        step = done.step
        if self._output.json:
            result = {"status": "done", "transaction": done.transaction, "gas": done.gas, "cost_wei": done.cost}
            self._output.result(_fields(step) | result | {"paid": plain_usd(done.paid), "micro_paid": done.paid})
            return
        paid = f", {show_usd(done.paid)} USD to {show(step.owner)}" if done.paid else ""
        print(f"{step.kind} {subject_of(step)}: done{paid} ({show(done.transaction)})", flush=True)

    def _show_wait(self, waits: Waits) -> None:
        if self._output.json:
            if waits.what != self._awaited:
                self._output.result({"waiting": waits.what, "after": waits.after, "now": waits.now})
        else:
            if self._bar is None:
                self._output.note(f"waiting for {waits.what}, {_due(waits.after)}")
                self._bar = make_bar()
                self._bar.start()
                self._begun = waits.now
                self._task = self._bar.add_task(f"waiting for {waits.what}", total=None)
            assert self._task is not None, "a bar has its task"
            total = None if waits.after is None else waits.after + 1 - self._begun
            self._bar.update(self._task, total=total, completed=waits.now - self._begun)
        self._awaited = waits.what

    def _stop_waiting(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar = None


async def _ask(planned: Planned) -> None:
    """`NotConfirmed` unless somebody at a terminal agrees."""
    if not sys.stdin.isatty():
        raise NotConfirmed("nothing sent: there is no terminal to ask at; --yes sends without asking")
    held, cost = show_cost(planned.quote.balance), show_cost(planned.quote.cost)
    print(f"Send this, for about {cost} ETH in all (the key holds {held})? [y/N] ", end="", file=sys.stderr, flush=True)
    answer = await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
    if answer.strip().lower() not in {"y", "yes"}:
        raise NotConfirmed("nothing sent, as you wish")


def subject_of(step: Step | Later) -> str:
    """What a step is about."""
    noun = {"finalise": "batch", "freeze": "message", "refund": "message"}.get(step.kind.value, "account")
    return f"{noun} {step.subject}"


def show_time(time: int | None) -> str:
    """L1 time for people."""
    if time is None:
        return "nobody can say when"
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _due(after: int | None) -> str:
    return "as soon as somebody acts" if after is None else f"possible after {show_time(after)}"


def _what_remains(plan: Plan) -> str:
    steps: list[Step | Later] = [*plan.now, *plan.later]
    return ", ".join(f"{step.kind} {subject_of(step)}" for step in steps[:8])


def _fields(step: Step | Later) -> dict[str, Any]:
    fields: dict[str, Any] = {"step": step.kind.value, subject_of(step).split()[0]: step.subject, "why": step.why}
    if step.owner is not None:
        fields["owner"] = step.owner
    if step.amount is not None:
        fields |= {"amount": plain_usd(step.amount), "micro_amount": step.amount}
    return fields


def _row(step: Step | Later, cost: int, when: str) -> tuple[str, ...]:
    amount = "" if step.amount is None else show_usd(step.amount)
    return step.kind.value, subject_of(step), amount, show(step.owner or ""), show_cost(cost), when, step.why
