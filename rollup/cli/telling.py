"""How the commands of the way out tell what happens: the plan, each step, what is waited for.

Results go to standard output, an object per step for machines; progress goes to standard error, for people only.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rollup.cli.amounts import plain_usd, show_usd
from rollup.cli.display import make_bar
from rollup.cli.output import Output, show
from rollup.derive.pipeline import Progress
from rollup.exit.amounts import show_cost, show_due, show_time
from rollup.exit.sending import Done, Passed
from rollup.exit.situation import Situation
from rollup.exit.steps import Kind, Later, Plan, Step, noun_of
from rollup.exit.walking import Happening, Left, Planned, Trouble, Waits
from rollup.exit.ways import Phase, phase_of, show_span, tell_ways

if TYPE_CHECKING:
    from rich.progress import Progress as Bar


class Teller:
    """Tells a walk. As a context it leaves no bar behind, whatever happens."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._bar: Bar | None = None
        self._shown = ""
        self._begun = 0
        self._phase: Phase | None = None
        self._planned = False
        self._noted: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._clear()

    def watch(self, progress: Progress) -> None:
        """Hear how far the state is rebuilt from L1; shown until there is a plan."""
        if not self._planned and not self._output.json:
            self._show("batches rebuilt from L1", progress.batch, progress.last_batch)

    def situation(self, situation: Situation) -> None:
        """Hear how the chain stands; told when its phase is another than before."""
        phase = phase_of(situation)
        if phase is self._phase:
            return
        self._phase = phase
        self._clear()
        ways = tell_ways(situation)
        if self._output.json:
            self._output.result({"situation": phase.value, "l1_time": situation.now, "ways": ways})
            return
        for line in ways:
            print(line, flush=True)

    def tell(self, happening: Happening) -> None:
        """Hear what happens on a walk."""
        if not isinstance(happening, Waits):
            self._clear()
        match happening:
            case Planned():
                self._planned = True
                self._tell_plan(happening)
            case Done():
                self._tell_done(happening)
            case Passed(step, reason, early):
                why = "not due yet" if early else "done already, or overtaken"
                self._output.note(f"{step.title}: passed over, {why} ({reason})")
            case Waits():
                self._tell_wait(happening)
            case Trouble(error, pause):
                self._output.note(f"L1 fails: {error}; trying again in {pause:g} s")

    def end(self, left: Left, *, dry_run: bool = False) -> None:
        """How the walk ended, and what remains."""
        self._clear()
        if self._output.json:
            self._output.result(_summary(left))
            return
        self._tell_notes(left.plan)
        if left.done:
            paid = f"{show_usd(left.paid)} USD paid out, for" if left.paid else "done, for"
            print(f"{paid} {show_cost(left.cost)} ETH", flush=True)
        for line in _what_remains(left, dry_run=dry_run):
            print(line, flush=True)

    def _tell_plan(self, planned: Planned) -> None:
        plan, quote = planned.plan, planned.quote
        costs = [quote.gas.get(step.key, 0) * quote.price + step.fee for step in plan.now]
        if self._output.json:
            for step, cost in zip(plan.now, costs, strict=True):
                gas = {"gas": quote.gas.get(step.key, 0), "cost_wei": cost}
                self._output.result(_fields(step) | {"status": "planned"} | gas)
            for later in plan.later:
                gas = {"gas": later.gas, "cost_wei": later.gas * quote.price}
                self._output.result(_fields(later) | {"status": "later", "after": later.after} | gas)
            return
        rows = [_row(step, cost, "now") for step, cost in zip(plan.now, costs, strict=True)]
        rows += [
            _row(later, later.gas * quote.price, show_due(later.after, plan.situation.now)) for later in plan.later
        ]
        if rows:
            self._output.table(("step", "of", "USD", "to", "about ETH", "when", "why"), rows)
        self._tell_notes(plan)
        if rows:
            at_once, then, held = map(show_cost, (quote.cost_now, quote.cost - quote.cost_now, quote.balance))
            self._output.note(f"costs about {at_once} ETH now and {then} ETH later; the key holds {held} ETH")

    def _tell_notes(self, plan: Plan) -> None:
        for note in plan.notes:
            if note not in self._noted:
                print(f"note: {note}", flush=True)
        self._noted = plan.notes

    def _tell_done(self, done: Done) -> None:
        step = done.step
        if self._output.json:
            result = {"status": "done", "transaction": done.transaction, "gas": done.gas, "cost_wei": done.cost}
            self._output.result(_fields(step) | result | {"paid": plain_usd(done.paid), "micro_paid": done.paid})
            return
        paid = f", {show_usd(done.paid)} USD to {show(step.owner)}" if done.paid else ""
        print(f"{step.title}: done{paid} ({show(done.transaction)})", flush=True)

    def _tell_wait(self, waits: Waits) -> None:
        what = f"waiting to {waits.what}"
        if what != self._shown:
            self._begun = waits.now
            if self._output.json:
                self._output.result({"waiting": waits.what, "after": waits.after, "now": waits.now})
            else:
                when = "as soon as others act" if waits.after is None else f"possible after {show_time(waits.after)}"
                self._output.note(f"{what}, {when}: {waits.why}")
        if self._output.json:
            self._shown = what
        else:
            self._show(what, waits.now - self._begun, 0 if waits.after is None else waits.after + 1 - self._begun)

    def _show(self, what: str, done: int, total: int) -> None:
        """One bar, on standard error; `total` 0 if nobody knows."""
        if self._bar is None or what != self._shown:
            self._clear()
            self._bar = make_bar()
            self._bar.start()
            self._bar.add_task(what, total=None)
            self._shown = what
        self._bar.update(self._bar.task_ids[0], completed=done, total=total or None)

    def _clear(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar = None


def _fields(step: Step | Later) -> dict[str, Any]:
    fields: dict[str, Any] = {"step": step.kind.value, noun_of(step.kind): step.subject, "why": step.why}
    if step.owner is not None:
        fields["owner"] = step.owner
    if step.amount is not None:
        fields |= {"amount": plain_usd(step.amount), "micro_amount": step.amount}
    return fields


def _row(step: Step | Later, cost: int, when: str) -> tuple[str, ...]:
    amount = "" if step.amount is None else show_usd(step.amount)
    about = f"{noun_of(step.kind)} {step.subject}"
    return step.kind.value, about, amount, show(step.owner or ""), show_cost(cost), when, step.why


def _summary(left: Left) -> dict[str, Any]:
    plan = left.plan
    return {
        "step": "end",
        "complete": left.complete,
        "paid": plain_usd(left.paid),
        "micro_paid": left.paid,
        "cost_wei": left.cost,
        "remaining": len(plan.now) + len(plan.later),
        "next_due": plan.next_due,
        "notes": list(plan.notes),
    }


def _what_remains(left: Left, *, dry_run: bool) -> list[str]:
    plan = left.plan
    if left.complete:
        return ["nothing more can be done now, see the notes" if plan.notes else "nothing is left to do"]
    if dry_run:
        return ["nothing was sent: this was a dry run"]
    steps: list[Step | Later] = [*plan.now, *plan.later]
    names = ", ".join(step.title for step in steps[:8]) + (" and more" if len(steps) > 8 else "")
    told = [f"still to do: {names}"]
    if plan.next_due is not None:
        past = plan.next_due < plan.situation.now
        again = "once others have acted" if past else f"after {show_time(plan.next_due)}"
        told.append(f"run this again {again}, or with --wait")
    if any(step.kind is Kind.REGISTER for step in plan.later):
        window = show_span(plan.situation.terms.registration_window)
        told.append(f"accounts must be registered within {window} of the end state: who comes later may get nothing")
    return told
