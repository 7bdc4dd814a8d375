"""Times at their limits: 40 bits of seconds, L1 time near zero, and the ends of what a batch may say."""

from __future__ import annotations

import pytest

from rollup.l1.artifacts import load_artifact
from rollup.types.blocks import BatchBlock
from tests.support.chain import ALICE, BOB, load_test_artifact, reverts
from tests.support.fastchain import FastChain
from tests.support.world import (
    DISPUTE_WINDOW,
    FORCE_DEADLINE,
    FREEZE_GRACE,
    MAX_TIME_AHEAD,
    MAX_TIME_LAG,
    MINIMUM_OPENING,
    REWARD_DELAY,
    World,
    deploy_world,
)

LAST = (1 << 40) - 1
"""Last second of 40 bits; some 34,800 years from now."""
ROOT = b"\x01" * 32


def world_at(time: int, **terms: object) -> World:
    """The contracts deployed at this L1 time."""
    verifier = load_test_artifact("ChosenVerifier")
    return deploy_world(load_artifact("TestUSD"), verifier, [ALICE, BOB], chain=FastChain(time), terms=terms)


def block(timestamp: int, messages: int = 0) -> BatchBlock:
    """A block at any time."""
    return BatchBlock(timestamp, messages, ROOT, b"")


def test_last_second_of_forty_bits_can_be_posted() -> None:
    """Blocks of the last second are taken as long as L1 is near it, and become final after a whole window."""
    world = world_at(LAST - MAX_TIME_AHEAD - DISPUTE_WINDOW - 1)
    with reverts("TimeTooLate", LAST, LAST - DISPUTE_WINDOW - 1):
        world.post(block(LAST))
    world.chain.travel(DISPUTE_WINDOW + 1)
    posted = world.post(block(LAST - MAX_TIME_AHEAD), block(LAST))
    world.post(block(LAST))
    with reverts("TimeFell", 0, LAST - 1, LAST):
        world.post(block(LAST - 1))
    deadline = LAST - MAX_TIME_AHEAD + DISPUTE_WINDOW
    world.chain.travel(DISPUTE_WINDOW)
    # Sums of times have room beyond 40 bits: the window does not wrap around.
    with reverts("WindowOpen", posted.index, deadline, deadline):
        world.rollup.send("finalise", posted.index)
    world.chain.travel(1)
    world.rollup.send("finalise", posted.index)


def test_message_of_the_last_second_has_its_deadlines_beyond_it() -> None:
    """The force deadline and the freeze are counted beyond 40 bits as well."""
    world = world_at(LAST)
    world.inbox.send("open", BOB, MINIMUM_OPENING)
    assert world.inbox.call("timeAt", 0) == LAST
    deadline = LAST + FORCE_DEADLINE + FREEZE_GRACE
    assert world.rollup.call("freezeDeadline") == (0, deadline)
    world.chain.travel(FORCE_DEADLINE + FREEZE_GRACE)
    with reverts("NotOverdue", 0, deadline, deadline):
        world.rollup.send("freeze")


def test_longest_terms_do_not_wrap() -> None:
    """With every period as long as can be nothing is ever final or frozen, and nothing reverts for an overflow."""
    longest = dict.fromkeys(("dispute_window", "proposer_timeout", "force_deadline", "reward_delay"), LAST)
    world = world_at(LAST - 1, **longest | {"proposer_timeout": LAST - 1, "freeze_grace": LAST})
    world.inbox.send("open", BOB, MINIMUM_OPENING)
    posted = world.post(block(LAST - 1))
    now = world.chain.now
    assert world.rollup.call("freezeDeadline") == (0, now + 2 * LAST)
    with reverts("WindowOpen", posted.index, now, now + LAST):
        world.rollup.send("finalise", posted.index)
    world.stake(BOB)
    with reverts("SequencerExclusive", BOB, ALICE, now + LAST - 1):
        world.post(block(LAST - 1), sender=BOB)


def test_time_before_the_lag_has_passed_since_zero() -> None:
    """Where L1 time is less than the lag, the earliest timestamp is zero, not a negative number."""
    world = world_at(MAX_TIME_LAG // 2, genesis_timestamp=0)
    world.post(block(0), block(MAX_TIME_LAG // 2 + MAX_TIME_AHEAD))
    behind = world_at(MAX_TIME_LAG, genesis_timestamp=0)
    behind.post(block(0))
    late = world_at(MAX_TIME_LAG + 1, genesis_timestamp=0)
    with reverts("TimeTooEarly", 0, 1):
        late.post(block(0))
    late.post(block(1))


@pytest.mark.parametrize("lag", [0, 1])
def test_chain_without_leeway_takes_its_very_second(lag: int) -> None:
    """Terms of no lead and no lag leave one timestamp; each second of lag one more."""
    world = world_at(1_000, max_time_ahead=0, max_time_lag=lag)
    world.chain.travel(10)
    now = world.chain.now
    with reverts("TimeTooEarly", now - lag - 1, now - lag):
        world.post(block(now - lag - 1))
    with reverts("TimeTooLate", now + 1, now):
        world.post(block(now - lag), block(now + 1))
    world.post(block(now - lag), block(now))


def test_bounty_at_its_last_second_is_still_held() -> None:
    """A reward is paid after its delay, not in its last second, also where the delay ends at the end of 40 bits."""
    world = world_at(LAST - REWARD_DELAY)
    posted = world.post(block(LAST - REWARD_DELAY))
    world.verifier.send("choose", 1, 0, bytes(32))
    world.prove(posted, sender=BOB)
    world.chain.travel(REWARD_DELAY)
    with reverts("RewardHeld", LAST, LAST):
        world.rollup.send("claimReward", ALICE)
    world.chain.travel(1)
    world.rollup.send("claimReward", ALICE)
