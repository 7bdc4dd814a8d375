"""Walks through a plan: sends what is due, makes the plan anew, until nothing is left or nothing more is due yet.

Nothing is remembered but on L1 itself, so a walk can be broken off at any instant and begun again anywhere: the plan
then holds what is left, and what was sent and not mined yet is waited for first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import trio

from rollup.errors import L1Error
from rollup.exit.clock import PATIENCE, POLL, await_time
from rollup.exit.contracts import Contracts
from rollup.exit.errors import L1StandsStill
from rollup.exit.sending import Done, Passed, Quote, quote, require_funds, send_steps, settle_pool
from rollup.exit.situation import NEVER
from rollup.exit.steps import Key, Plan
from rollup.l1.account import L1Account

FAILURES: Final = 20
"""Failures of the L1 node in a row that a waiting walk endures."""
LONGEST_PAUSE: Final = 60.0

Planner = Callable[[], Awaitable[Plan]]
"""Makes the plan from L1 as it stands."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan at the beginning, and what it costs."""

    plan: Plan
    quote: Quote


@dataclass(frozen=True, slots=True)
class Waits:
    """`what` cannot be sent before L1's time is past `after` (s), None if others must act, for the reason `why`."""

    what: str
    after: int | None
    now: int
    why: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """The L1 node failed; the walk goes on in `pause` seconds."""

    error: L1Error
    pause: float


Happening = Planned | Done | Passed | Waits | Trouble
Agree = Callable[[Planned], Awaitable[bool]]
"""Whether to send what is planned, now and later; asked once, before the first transaction."""


async def say_yes(_planned: Planned) -> bool:
    """Agree to everything."""
    return True


@dataclass(frozen=True, slots=True)
class Manner:
    """How to walk. With `wait` it waits for L1's time and endures failures of the node; else it does what is due now.

    `tell` hears of everything. L1's time standing still for `patience` seconds is the end of waiting; it is looked at
    every `poll` seconds while others may act.
    """

    wait: bool = False
    agree: Agree = say_yes
    tell: Callable[[Happening], None] = lambda _: None
    patience: float = PATIENCE
    poll: float = POLL


DEFAULT: Final = Manner()


@dataclass(frozen=True, slots=True)
class Left:
    """How a walk ended: what was done on it, and the plan of what remains (nothing, if `complete`)."""

    done: tuple[Done, ...]
    plan: Plan

    @property
    def complete(self) -> bool:
        """Whether everything was done that ever will be."""
        return not self.plan.now and not self.plan.later

    @property
    def paid(self) -> int:
        """µUSD paid on this walk."""
        return sum(step.paid for step in self.done)

    @property
    def cost(self) -> int:
        """Wei spent on this walk."""
        return sum(step.cost for step in self.done)


async def walk(payer: L1Account, contracts: Contracts, planner: Planner, manner: Manner = DEFAULT) -> Left:
    """Walk to the end of the plan, or as far as it goes now. What `planner` raises ends it.

    `L1StandsStill` if time does not pass, `WalletEmpty` if gas cannot be paid, other `L1Error` if the node fails; what
    was done until then is done.
    """
    state = _Walk(payer, contracts, planner, manner)
    failures = 0
    while True:
        try:
            plan = await state.advance()
        except L1StandsStill:
            raise
        except L1Error as error:
            failures += 1
            if not (manner.wait and error.retryable) or failures > FAILURES:
                raise
            pause = min(2.0**failures, LONGEST_PAUSE)
            manner.tell(Trouble(error, pause))
            await trio.sleep(pause)
        else:
            failures = 0
            if plan is not None:
                return Left(tuple(state.done), plan)


class _Walk:
    def __init__(self, payer: L1Account, contracts: Contracts, planner: Planner, manner: Manner) -> None:
        self.done: list[Done] = []
        self._payer = payer
        self._contracts = contracts
        self._planner = planner
        self._manner = manner
        self._agreed = False
        self._passed_since: dict[Key, float] = {}

    async def advance(self) -> Plan | None:
        """One round; the plan if the walk ends there."""
        await settle_pool(self._payer)
        plan = await self._planner()
        if not self._agreed:
            self._agreed = await self._ask(plan)
            if not self._agreed:
                return plan
        if plan.now:
            return None if await self._send(plan) else plan
        if not plan.later or not self._manner.wait:
            return plan
        await self._await(plan)
        return None

    async def _ask(self, plan: Plan) -> bool:
        planned = Planned(plan, await quote(self._payer, plan))
        self._manner.tell(planned)
        if not plan.now and not (plan.later and self._manner.wait):
            return False
        require_funds(self._payer, planned.quote)
        return await self._manner.agree(planned)

    async def _send(self, plan: Plan) -> bool:
        """Send what is due; whether to go on."""
        passed: list[Passed] = []
        before = len(self.done)

        def hear(result: Done | Passed) -> None:
            if isinstance(result, Done):
                self.done.append(result)
            else:
                passed.append(result)
            self._manner.tell(result)

        await send_steps(self._payer, self._contracts, plan.now, hear)
        if len(self.done) > before:
            self._passed_since.clear()
            return True
        return await self._bear(passed)

    async def _bear(self, passed: list[Passed]) -> bool:
        """Nothing was done: L1's clock is a block behind, or others were faster, which the next plan shows."""
        if not self._manner.wait and all(result.early for result in passed):
            return False
        now = trio.current_time()
        since = min(self._passed_since.setdefault(result.step.key, now) for result in passed)
        if now - since > self._manner.patience:
            raise L1Error(f"L1 refuses every step of the plan: {passed[0].reason}", retryable=False)
        await trio.sleep(self._manner.poll)
        return True

    async def _await(self, plan: Plan) -> None:
        """Wait for the next step's time; for news on L1, too, if others act, or must: a challenger, say."""
        manner, now = self._manner, plan.situation.now
        after = NEVER if plan.next_due is None or plan.next_due < now else plan.next_due
        first = next((step for step in plan.later if step.after == after), plan.later[0])
        what = first.title
        await await_time(
            self._contracts.client,
            after,
            what,
            tell=lambda time: manner.tell(Waits(what, None if after == NEVER else after, time, first.why)),
            patience=manner.patience,
            poll=manner.poll,
            since_block=plan.situation.l1_block if plan.restless or after == NEVER else None,
        )
