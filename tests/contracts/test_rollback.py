"""Hundreds of pending batches go, or become final, at the cost of one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.support.chain import ALICE, BOB, CAROL, Outcome, reverts
from tests.support.world import DISPUTE_WINDOW, FORCE_DEADLINE, FREEZE_GRACE, Posted, World, trial_world

MANY = 500
SLACK = 12
"""Gas by which an operation on `MANY` batches may exceed that on one: a number of two bytes in calldata, not of one."""
ENOUGH = 200_000
"""Gas that each of these operations fits into."""


@cache
def world_with(count: int) -> tuple[World, Posted]:
    """A chain with so many pending batches, and the first of them."""
    world = trial_world((ALICE,)).fork()
    world.verifier.send("choose", 1, 0, bytes(32))
    batches = [world.post() for _ in range(count)]
    return world, batches[0]


def revert(world: World, first: Posted) -> Outcome:
    """Prove the first batch wrong."""
    outcome = world.prove(first, sender=BOB)
    assert world.rollup.call("batchCount") == 1
    with reverts("BatchUnknown"):
        world.prove(first, sender=BOB)
    return outcome


def revert_after_freeze(world: World, first: Posted) -> Outcome:
    """The same when it settles the end state."""
    world.inbox.send("force", b"\x02", value=world.inbox.call("forceFee"))
    world.chain.travel(FORCE_DEADLINE + FREEZE_GRACE + 1)
    world.rollup.send("freeze", sender=CAROL)
    outcome = world.prove(first, sender=BOB)
    assert world.rollup.call("endState") == (True, 0)
    return outcome


def finalise(world: World, _first: Posted) -> Outcome:
    """Make all of them final."""
    last = world.rollup.call("batchCount") - 1
    world.chain.travel(DISPUTE_WINDOW + 1)
    outcome = world.rollup.send("finalise", last)
    assert world.rollup.call("finalised") == last
    return outcome


@pytest.mark.slow
@pytest.mark.parametrize("operate", [revert, revert_after_freeze, finalise])
def test_gas_does_not_depend_on_how_many_batches_are_pending(operate: Callable[[World, Posted], Outcome]) -> None:
    """Reverting and finalising move one number, whatever lies behind it."""
    gas = {}
    for count in (1, MANY):
        world, first = world_with(count)
        gas[count] = operate(world.fork(), first).gas_used
    assert gas[1] <= gas[MANY] <= gas[1] + SLACK
    assert gas[MANY] <= ENOUGH
