"""Posters who take a message only to keep the chain from being frozen, and lose a stake for each time."""

from __future__ import annotations

from tests.contracts.test_freeze import FOREVER, prove, wait_for
from tests.support.chain import ALICE, BOB, CAROL, DAVE, reverts
from tests.support.world import DISPUTE_WINDOW, MIN_STAKE, Posted, World


def test_each_rescue_after_the_last_deadline_costs_a_stake_and_gains_no_second(world: World) -> None:
    """A wrong batch holds the freeze back only until it is proven wrong; after that there is no grace any more."""
    last = wait_for(world) + DISPUTE_WINDOW
    for poster in (BOB, CAROL):
        world.stake(poster)
    world.chain.travel(last + 1 - world.chain.now)
    for poster in (ALICE, BOB, CAROL):
        bad: Posted = world.post(world.block(messages=1), sender=poster)
        assert world.rollup.call("freezeDeadline") == (1, FOREVER)
        with reverts("NotOverdue", 1, world.chain.now, FOREVER):
            world.rollup.send("freeze", sender=DAVE)
        prove(world, bad)
        assert world.rollup.call("stakeOf", poster) == 0
        assert world.rollup.call("freezeDeadline") == (0, last)
        # In the very second of the reversion, so nobody who proves and freezes in one transaction can be overtaken.
        world.fork().rollup.send("freeze", sender=DAVE)
    assert world.chain.now == last + 1
    assert world.held() == 4 * MIN_STAKE // 2
    world.rollup.send("freeze", sender=DAVE)
    assert world.rollup.call("endState") == (True, 0)


def test_batch_that_takes_the_message_honestly_saves_the_chain_at_any_time(world: World) -> None:
    """Until somebody freezes it, however late: a batch that stands has taken the message, and nobody waits any more."""
    last = wait_for(world) + DISPUTE_WINDOW
    world.chain.travel(10 * (last - world.chain.now))
    posted = world.post(world.block(messages=1))
    with reverts("NotOverdue", 1, world.chain.now, FOREVER):
        world.rollup.send("freeze", sender=DAVE)
    world.finalise(posted)
    assert world.rollup.call("finalised") == posted.index
