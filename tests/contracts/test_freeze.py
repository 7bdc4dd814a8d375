"""The end of a chain that keeps somebody waiting: when anyone may freeze it, and what still happens then."""

from __future__ import annotations

import pytest

from tests.support.chain import ALICE, BOB, CAROL, DAVE, reverts
from tests.support.world import (
    BASE_FEE,
    DISPUTE_WINDOW,
    FORCE_DEADLINE,
    FREEZE_GRACE,
    MINIMUM_OPENING,
    PROPOSER_TIMEOUT,
    Posted,
    World,
)

PATIENCE = FORCE_DEADLINE + FREEZE_GRACE
FOREVER = 2**256 - 1


def wait_for(world: World) -> int:
    """Send a message; returns the last second in which it may wait."""
    added = world.chain.now
    world.inbox.send("force", b"\x02", sender=BOB, value=2 * BASE_FEE)
    return added + PATIENCE


def freeze(world: World) -> World:
    """Freeze a chain whose first message waits."""
    _, deadline = world.rollup.call("freezeDeadline")
    world.chain.travel(max(0, deadline + 1 - world.chain.now))
    world.rollup.send("freeze", sender=DAVE)
    return world


def prove(world: World, bad: Posted) -> None:
    """Prove a batch wrong."""
    world.verifier.send("choose", 1, 0, bytes(32))
    world.prove(bad, sender=CAROL)


def test_anyone_freezes_when_a_message_has_waited_too_long(world: World) -> None:
    """Up to the last second of deadline and grace nobody can; after it anybody can, once."""
    deadline = wait_for(world)
    assert world.rollup.call("freezeDeadline") == (0, deadline)
    world.chain.travel(deadline - world.chain.now)
    with reverts("NotOverdue", 0, deadline, deadline):
        world.rollup.send("freeze", sender=DAVE)
    world.chain.travel(1)
    outcome = world.rollup.send("freeze", sender=DAVE)
    events = world.rollup.events(outcome)
    assert events["Frozen"] == {"caller": DAVE, "index": 0, "time": deadline + 1}
    assert events["Ended"] == {"batch": 0, "time": deadline + 1}
    assert world.rollup.call("frozen")
    assert world.rollup.call("endState") == (True, 0)
    assert world.rollup.call("settledAt") == deadline + 1
    with reverts("ChainFrozen"):
        world.rollup.send("freeze", sender=DAVE)


def test_chain_without_a_waiting_message_cannot_be_frozen(world: World) -> None:
    """Silence alone ends nothing: there is nobody who waits, and strangers can take over."""
    wait_for(world)
    world.post(world.block(messages=1))
    world.chain.travel(10 * PATIENCE)
    assert world.rollup.call("freezeDeadline") == (1, FOREVER)
    with reverts("NotOverdue", 1, world.chain.now, FOREVER):
        world.rollup.send("freeze")
    assert world.rollup.call("endState") == (False, 0)


def test_only_the_first_waiting_message_counts(world: World) -> None:
    """A batch that takes the oldest message moves the deadline to the next one's."""
    wait_for(world)
    world.chain.travel(100)
    later = wait_for(world)
    world.post(world.block(messages=1))
    assert world.rollup.call("freezeDeadline") == (1, later)


def test_every_kind_of_message_counts(world: World) -> None:
    """Whoever waits for a deposit is kept out as much."""
    world.inbox.send("open", BOB, MINIMUM_OPENING)
    freeze(world)
    assert world.rollup.call("frozen")


def test_frozen_chain_takes_no_batches_and_no_messages(world: World) -> None:
    """Nothing that could change the end is accepted, from anybody."""
    world.inbox.send("open", BOB, MINIMUM_OPENING)
    world.stake(BOB)
    freeze(world)
    for poster in (ALICE, BOB):
        assert not world.rollup.call("mayPost", poster)
        with reverts("ChainFrozen"):
            world.post(world.block(messages=1), sender=poster)
    for name, arguments in (
        ("open", (BOB, MINIMUM_OPENING)),
        ("deposit", (0, 1)),
        ("force", (b"\x02",)),
        ("list", (b"\x01",)),
    ):
        with reverts("ChainFrozen"):
            world.inbox.send(name, *arguments)


def test_pending_batches_become_final_after_a_freeze(world: World) -> None:
    """The end state is settled by the finalisation that leaves nothing pending."""
    deadline = wait_for(world)
    world.chain.travel(FORCE_DEADLINE)
    first, second = world.post(), world.post()
    world.chain.travel(deadline + 1 - world.chain.now)
    assert world.chain.now <= world.rollup.call("batches", second.index)[4] + DISPUTE_WINDOW
    world.rollup.send("freeze")
    assert world.rollup.call("endState") == (False, 0)
    with reverts("WindowOpen"):
        world.rollup.send("finalise", first.index)
    world.chain.travel(DISPUTE_WINDOW + 1)
    assert "Ended" not in world.rollup.events(world.rollup.send("finalise", first.index))
    assert world.rollup.call("endState") == (False, first.index)
    now = world.chain.now
    outcome = world.rollup.send("finalise", second.index)
    assert world.rollup.events(outcome)["Ended"] == {"batch": second.index, "time": now}
    assert world.rollup.call("endState") == (True, second.index)


def test_fraud_is_proven_after_a_freeze(world: World) -> None:
    """A fraudulent pending batch does not become the end because somebody froze in time."""
    wait_for(world)
    world.chain.travel(FORCE_DEADLINE)
    good, bad, after = world.post(), world.post(), world.post()
    freeze(world)
    prove(world, bad)
    assert world.rollup.call("batchCount") == bad.index
    assert world.rollup.call("endState") == (False, 0)
    with reverts("BatchUnknown", after.index, bad.index):
        world.rollup.send("finalise", after.index)
    world.chain.travel(DISPUTE_WINDOW + 1)
    world.rollup.send("finalise", good.index)
    assert world.rollup.call("endState") == (True, good.index)
    with reverts("BatchFinal"):
        world.prove(good, sender=CAROL)


def test_reversion_that_leaves_nothing_pending_settles_the_end(world: World) -> None:
    """After it the last final batch is the last one."""
    final = world.post()
    world.finalise(final)
    wait_for(world)
    world.chain.travel(FORCE_DEADLINE)
    bad = world.post()
    freeze(world)
    prove(world, bad)
    assert world.rollup.call("endState") == (True, final.index)
    assert world.rollup.call("settledAt") == world.chain.now


def test_no_stake_leaves_between_freeze_and_end(world: World) -> None:
    """Not even the stake of somebody who posted nothing."""
    world.stake(BOB)
    wait_for(world)
    world.chain.travel(FORCE_DEADLINE)
    pending = world.post()
    freeze(world)
    with reverts("StakeBound"):
        world.rollup.send("unstake", sender=ALICE)
    with reverts("EndPending"):
        world.rollup.send("unstake", sender=BOB)
    world.chain.travel(DISPUTE_WINDOW + 1)
    world.rollup.send("finalise", pending.index)
    for staker in (ALICE, BOB):
        world.rollup.send("unstake", sender=staker)
    assert world.held() == 0


def test_messages_of_a_reverted_batch_wait_for_the_grace_anew(world: World) -> None:
    """Fraud proven long after the deadline does not end the chain: whoever goes on gets time to."""
    deadline = wait_for(world)
    world.stake(BOB)
    bad = world.post(world.block(messages=1))
    world.chain.travel(DISPUTE_WINDOW - 1)
    prove(world, bad)
    reverted = world.chain.now
    world.chain.travel(1)
    assert world.rollup.call("lastReversion") == reverted < deadline
    assert world.rollup.call("freezeDeadline") == (0, reverted + FREEZE_GRACE)
    with reverts("NotOverdue", 0, reverted + 1, reverted + FREEZE_GRACE):
        world.rollup.send("freeze")
    world.verifier.send("choose", 0, 0, bytes(32))
    world.post(world.block(messages=1), sender=BOB)
    assert world.rollup.call("freezeDeadline") == (1, FOREVER)


def test_reversions_cannot_delay_the_freeze_without_end(world: World) -> None:
    """Who sacrifices stake after stake to keep a message waiting gains the dispute window once, and no more."""
    deadline = wait_for(world)
    last = deadline + DISPUTE_WINDOW
    for poster in (ALICE, BOB, CAROL):
        world.stake(poster)
    world.chain.travel(FORCE_DEADLINE)
    for poster in (ALICE, BOB, CAROL):
        bad = world.post(world.block(messages=1), sender=poster)
        world.chain.travel(DISPUTE_WINDOW - 1)
        world.verifier.send("choose", 1, 0, bytes(32))
        world.prove(bad, sender=DAVE)
        assert world.rollup.call("freezeDeadline")[1] <= last
    world.rollup.send("freeze", sender=DAVE)
    assert world.rollup.call("endState") == (True, 0)


def test_silent_sequencer_can_be_replaced_before_the_freeze(world: World) -> None:
    """A stranger has the grace less the timeout to take the messages, and then nothing is overdue."""
    deadline = wait_for(world)
    world.stake(CAROL)
    world.chain.travel(FORCE_DEADLINE)
    world.post()
    exclusive = world.chain.now + PROPOSER_TIMEOUT
    world.chain.travel(PROPOSER_TIMEOUT)
    with reverts("SequencerExclusive", CAROL, ALICE, exclusive):
        world.post(world.block(messages=1), sender=CAROL)
    world.chain.travel(1)
    assert world.chain.now <= deadline
    world.post(world.block(messages=1), sender=CAROL)
    world.chain.travel(PATIENCE)
    with reverts("NotOverdue", 1, world.chain.now, FOREVER):
        world.rollup.send("freeze")
    world.post(sender=CAROL)


def test_sequencer_that_starves_one_message_loses_its_turn(world: World) -> None:
    """It posts without the message until the deadline; then its batches fail, and its exclusive right runs out."""
    world.stake(CAROL)
    added = world.chain.now
    wait_for(world)
    while world.chain.now + 100 <= added + FORCE_DEADLINE:
        world.chain.travel(100)
        world.post()
    last = world.rollup.call("lastSequencerPost")
    while world.chain.now <= last + PROPOSER_TIMEOUT:
        world.chain.travel(50)
        with reverts("MessageOverdue", 0, added, added + FORCE_DEADLINE):
            world.post()
    assert world.rollup.call("mayPost", CAROL)
    with reverts("MessageOverdue"):
        world.post(sender=CAROL)
    world.post(world.block(messages=1), sender=CAROL)


def test_reverted_sequencer_is_overtaken_at_once(world: World) -> None:
    """Who is proven wrong has no stake, so no turn, and whoever posts next takes the messages again."""
    wait_for(world)
    world.stake(BOB)
    bad = world.post(world.block(messages=1))
    prove(world, bad)
    world.verifier.send("choose", 0, 0, bytes(32))
    assert world.rollup.call("mayPost", BOB)
    assert not world.rollup.call("mayPost", ALICE)
    world.post(world.block(messages=1), sender=BOB)


@pytest.mark.parametrize("who", [ALICE, DAVE])
def test_sequencer_may_freeze_too(world: World, who: bytes) -> None:
    """The end is nobody's privilege and nobody's loss."""
    wait_for(world)
    world.chain.travel(PATIENCE + 1)
    world.rollup.send("freeze", sender=who)
    assert world.rollup.call("frozen")
