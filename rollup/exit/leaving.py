"""The two commands of the end: freeze a chain that keeps people waiting, and get everybody's money out of it.

situation ─► plan ─► walk (send, plan anew, wait) ─► everything is paid
"""

from __future__ import annotations

from functools import partial

from rollup.derive.mirror import Mirror
from rollup.exit.amounts import show_time
from rollup.exit.contracts import Contracts
from rollup.exit.errors import AlreadyFrozen, NoMessageWaits, NothingToCollect, TooEarly
from rollup.exit.holdings import Whose
from rollup.exit.plan import plan_leaving
from rollup.exit.situation import Situation, read_situation
from rollup.exit.steps import GAS, Kind, Later, Plan, Step
from rollup.exit.walking import DEFAULT, Left, Manner, walk
from rollup.l1.account import L1Account


async def leave(payer: L1Account, contracts: Contracts, mirror: Mirror, whose: Whose, manner: Manner = DEFAULT) -> Left:
    """Get `whose` money out of a frozen chain; `payer` pays for gas, the money goes to its owners.

    `NothingToCollect` if there is no account and no deposit of theirs; `NotFrozen`, `EndUnknown` and `NotInEndState` as
    `plan_leaving`; otherwise as `walk`.
    """
    return await walk(payer, contracts, partial(plan_for, contracts, mirror, whose), manner)


async def freeze(payer: L1Account, contracts: Contracts, manner: Manner = DEFAULT) -> Left:
    """End the chain once a message has waited for too long.

    `AlreadyFrozen`, `NoMessageWaits` if the chain keeps nobody waiting, `TooEarly` before the time if the manner is not
    to wait for it; otherwise as `walk`. Nothing remains if somebody else freezes it meanwhile.
    """
    situation = await read_situation(contracts)
    if situation.frozen:
        raise AlreadyFrozen("the chain is frozen already; `rollup escape` gets the money out")
    if situation.freeze_after is not None and not situation.freezable and not manner.wait:
        raise TooEarly("freezing the chain", situation.freeze_after, situation.now)
    return await walk(payer, contracts, partial(_plan_freeze, contracts), manner)


async def plan_for(contracts: Contracts, mirror: Mirror, whose: Whose) -> Plan:
    """The plan of leaving; `NothingToCollect` for whom it holds nothing, now or later or before."""
    plan = await plan_leaving(contracts, mirror, whose)
    if not plan.found:
        raise NothingToCollect(f"the end state holds nothing of {whose}, and no deposit came too late for it")
    return plan


async def _plan_freeze(contracts: Contracts) -> Plan:
    situation = await read_situation(contracts)
    if situation.frozen:
        return Plan(situation, notes=("the chain has ended: `rollup escape` gets the money out",))
    if situation.waiting is None or situation.freeze_after is None:
        raise NoMessageWaits("nothing to freeze: the chain has taken every message that L1 has for it")
    now, later = freeze_steps(contracts, situation)
    return Plan(situation, now, later)


def freeze_steps(contracts: Contracts, situation: Situation) -> tuple[tuple[Step, ...], tuple[Later, ...]]:
    """The freeze that a waiting message allows, now or later; nothing if none waits."""
    waiting, after = situation.waiting, situation.freeze_after
    if waiting is None or after is None:
        return (), ()
    why = f"no batch has taken message {waiting.index} since {show_time(waiting.time)}"
    if not situation.freezable:
        late = f"it is overdue since {show_time(waiting.due)}, and the chain goes on only with a batch that takes it"
        why = f"{why}; {late if situation.overdue else 'it may still come in time'}"
        return (), (Later(Kind.FREEZE, waiting.index, after, GAS[Kind.FREEZE], why),)
    rollup = contracts.rollup
    why = f"{why}: the chain ends, no batch is accepted any more, and the vault pays everybody out"
    return (Step(Kind.FREEZE, waiting.index, rollup.address, rollup.abi.encode_call("freeze"), why),), ()
