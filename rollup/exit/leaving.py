"""Walks out: makes the plan, sends what is due, makes the plan anew, until nothing is left or nothing more is due yet.

Nothing is remembered but on L1 itself, so the walk can be broken off at any instant and begun again anywhere: the plan
then holds what is left, and what was sent and not mined yet is waited for first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import trio

from rollup.derive.mirror import Mirror
from rollup.errors import L1Error, L1Reverted
from rollup.exit.clock import PATIENCE, POLL, await_time
from rollup.exit.contracts import Contracts
from rollup.exit.errors import L1StandsStill, NothingToCollect
from rollup.exit.holdings import Whose
from rollup.exit.plan import plan_leaving
from rollup.exit.sending import Done, Passed, Quote, quote, send_steps, settle_pool
from rollup.exit.steps import Key, Plan
from rollup.l1.account import L1Account

FAILURES: Final = 20
"""Failures of the L1 node in a row that a waiting walk endures."""
LONGEST_PAUSE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan at the beginning, and what it costs."""

    plan: Plan
    quote: Quote


@dataclass(frozen=True, slots=True)
class Waits:
    """Nothing can be sent before L1's time is past `after`; now it is `now`."""

    what: str
    after: int
    now: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """The L1 node failed; the walk goes on in `pause` seconds."""

    error: L1Error
    pause: float


Happening = Planned | Done | Passed | Waits | Trouble
Tell = Callable[[Happening], None]
Agree = Callable[[Planned], Awaitable[bool]]
"""Whether to send what is planned, now and later; asked once, before the first transaction."""


@dataclass(frozen=True, slots=True)
class Left:
    """How a walk ended: what was done on it, and what remains (nothing, if `complete`)."""

    done: tuple[Done, ...]
    plan: Plan

    @property
    def complete(self) -> bool:
        """Whether everything that will ever be paid was paid."""
        return not self.plan.now and not self.plan.later

    @property
    def paid(self) -> int:
        """µUSD paid on this walk."""
        return sum(step.paid for step in self.done)


async def say_yes(_planned: Planned) -> bool:
    """Agree to everything."""
    return True


async def leave(
    payer: L1Account,
    contracts: Contracts,
    mirror: Mirror,
    whose: Whose,
    *,
    wait: bool = False,
    agree: Agree = say_yes,
    tell: Tell = lambda _: None,
    patience: float = PATIENCE,
) -> Left:
    """Get `whose` money out of a frozen chain; `payer` pays for gas, the money goes to its owners.

    Without `wait` it does what can be done now. With it, it waits for L1's time to the end, and endures failures of the
    node. `NothingToCollect` if there is no account and no deposit, `NotFrozen`, `EndUnknown` and `NotInEndState` as
    `plan_leaving`; `L1StandsStill` if L1's time does not pass for `patience` seconds.
    """
    walk = _Walk(payer, contracts, mirror, whose, wait, agree, tell, patience)
    failures = 0
    while True:
        try:
            plan = await walk.advance()
        except L1StandsStill:
            raise
        except L1Error as error:
            failures += 1
            if not (wait and error.retryable) or failures > FAILURES:
                raise
            pause = min(2.0**failures, LONGEST_PAUSE)
            tell(Trouble(error, pause))
            await trio.sleep(pause)
        else:
            failures = 0
            if plan is not None:
                return Left(tuple(walk.done), plan)


class _Walk:
    def __init__(
        self,
        payer: L1Account,
        contracts: Contracts,
        mirror: Mirror,
        whose: Whose,
        wait: bool,
        agree: Agree,
        tell: Tell,
        patience: float,
    ) -> None:
        self.done: list[Done] = []
        self._payer = payer
        self._contracts = contracts
        self._mirror = mirror
        self._whose = whose
        self._wait = wait
        self._agree = agree
        self._tell = tell
        self._patience = patience
        self._agreed = False
        self._refused: dict[Key, float] = {}

    async def advance(self) -> Plan | None:
        """One round; the plan if the walk ends there."""
        await settle_pool(self._payer)
        plan = await plan_leaving(self._contracts, self._mirror, self._whose)
        if not plan.found:
            raise NothingToCollect(f"the end state holds no account, and the inbox no late deposit, of {self._whose}")
        if not self._agreed:
            self._agreed = await self._ask(plan)
            if not self._agreed:
                return plan
        if plan.now:
            return None if await self._send(plan) else plan
        if not plan.later or not self._wait:
            return plan
        await self._await(plan)
        return None

    async def _ask(self, plan: Plan) -> bool:
        planned = Planned(plan, await quote(self._payer, plan))
        self._tell(planned)
        if not plan.now and not (plan.later and self._wait):
            return False
        return await self._agree(planned)

    async def _send(self, plan: Plan) -> bool:
        """Send what is due; whether to go on."""
        results = await send_steps(self._payer, self._contracts, plan.now, self._tell)
        for result in results:
            if isinstance(result, Done):
                self.done.append(result)
        passed = [result for result in results if isinstance(result, Passed)]
        if len(passed) < len(results):
            self._refused.clear()
            return True
        return await self._bear(passed)

    async def _bear(self, passed: list[Passed]) -> bool:
        """Nothing was done: L1's clock is a block behind, or others were faster, which the next plan shows."""
        if not self._wait and all(result.early for result in passed):
            return False
        now = trio.current_time()
        since = min(self._refused.setdefault(result.step.key, now) for result in passed)
        if now - since > self._patience:
            raise L1Reverted(passed[0].reason, (), b"")
        await trio.sleep(POLL)
        return True

    async def _await(self, plan: Plan) -> None:
        after = plan.next_due
        first = plan.later[0]
        what = f"the time to {first.kind}"
        if after is None or after < plan.situation.now:  # somebody else must act first: a challenger, say
            self._tell(Waits(first.why, after or 0, plan.situation.now))
            await trio.sleep(POLL)
            return
        await await_time(
            self._contracts.client,
            after,
            what,
            tell=lambda now: self._tell(Waits(what, after, now)),
            patience=self._patience,
        )
