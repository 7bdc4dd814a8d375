"""The Rollup against a small model of it, under random sequences of everything that moves batches or money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rollup.errors import L1Reverted
from tests.support.chain import ALICE, BOB, CAROL, DAVE
from tests.support.world import (
    DISPUTE_WINDOW,
    MIN_STAKE,
    PROPOSER_TIMEOUT,
    REWARD_DELAY,
    Posted,
    World,
    trial_world,
)

POSTERS = (ALICE, BOB, CAROL)
FINDER = DAVE
EVERYBODY = (ALICE, BOB, CAROL, DAVE)


@dataclass(slots=True)
class Bounty:
    """What the model holds on a poster."""

    claimant: bytes
    due: int
    batch: int
    amount: int


@dataclass(slots=True)
class Model:
    """Batches, stakes and bounties as they should be. `batches[0]` is the genesis."""

    batches: list[Posted | None] = field(default_factory=lambda: [None])
    posters: list[bytes] = field(default_factory=lambda: [b""])
    posted_at: list[int] = field(default_factory=lambda: [0])
    finalised: int = 0
    fork: int = 0
    stakes: dict[bytes, int] = field(default_factory=lambda: dict.fromkeys(EVERYBODY, 0))
    last: dict[bytes, int] = field(default_factory=lambda: dict.fromkeys(EVERYBODY, 0))
    bounties: dict[bytes, Bounty] = field(default_factory=dict)
    burnt: int = 0
    sequencer_seen: int = 0

    def may_post(self, who: bytes, now: int) -> bool:
        """Stake, and turn."""
        exclusive = self.stakes[ALICE] >= MIN_STAKE and now <= self.sequencer_seen + PROPOSER_TIMEOUT
        return self.stakes[who] >= MIN_STAKE and (who == ALICE or not exclusive)

    def slash(self, poster: bytes, claimant: bytes, batch: int, now: int) -> None:
        """Half burns, half is held; an open bounty goes to the earlier batch."""
        stake, self.stakes[poster] = self.stakes[poster], 0
        self.burnt += stake - stake // 2
        held = self.bounties.get(poster)
        if held is None and stake:
            self.bounties[poster] = Bounty(claimant, now + REWARD_DELAY, batch, stake // 2)
        elif held is not None and now <= held.due and batch < held.batch:
            self.bounties[poster] = Bounty(claimant, now + REWARD_DELAY, batch, held.amount)

    def cut(self, batch: int) -> None:
        """A reversion."""
        del self.batches[batch:], self.posters[batch:], self.posted_at[batch:]
        self.fork += 1


def refusal_of(action: Callable[[], object]) -> L1Reverted | None:
    """What L1 answers to a transaction that it refuses."""
    try:
        action()
    except L1Reverted as refusal:
        return refusal
    return None


class RollupMachine(RuleBasedStateMachine):
    """Each rule does the same to both, and says whether L1 should have agreed."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World = trial_world(EVERYBODY).fork()
        self.world.verifier.send("choose", 1, 0, bytes(32))
        self.model = Model(sequencer_seen=self.world.chain.now)
        self.model.stakes[ALICE] = 2 * MIN_STAKE

    def attempt(self, expected: bool, name: str, *arguments: object, sender: bytes, value: int = 0) -> bool:
        """Send; L1 must take it exactly if `expected`."""
        refusal = refusal_of(lambda: self.world.rollup.send(name, *arguments, sender=sender, value=value))
        assert (refusal is None) == expected, f"{name}: {refusal}"
        return expected

    @rule(who=st.sampled_from(POSTERS), amount=st.sampled_from([1, MIN_STAKE - 1, MIN_STAKE, MIN_STAKE + 1]))
    def stake(self, who: bytes, amount: int) -> None:
        """Stake."""
        if self.attempt(who not in self.model.bounties, "stake", sender=who, value=amount):
            self.model.stakes[who] += amount

    @rule(who=st.sampled_from(POSTERS))
    def unstake(self, who: bytes) -> None:
        """Unstake."""
        model = self.model
        bound = min(model.last[who], len(model.batches) - 1)
        if self.attempt(model.stakes[who] > 0 and bound <= model.finalised, "unstake", sender=who):
            model.stakes[who] = 0

    @rule(who=st.sampled_from(POSTERS))
    def post(self, who: bytes) -> None:
        """Post one block."""
        model, now = self.model, self.world.chain.now
        made: list[Posted] = []
        refusal = refusal_of(lambda: made.append(self.world.post(sender=who)))
        assert (refusal is None) == model.may_post(who, now), refusal
        if refusal is not None:
            return
        model.last[who] = len(model.batches)
        model.batches.append(made[0])
        model.posters.append(who)
        model.posted_at.append(now)
        if who == ALICE:
            model.sequencer_seen = now

    @precondition(lambda self: len(self.model.batches) > 1)
    @rule(back=st.integers(0, 6), who=st.sampled_from(EVERYBODY))
    def prove(self, back: int, who: bytes) -> None:
        """Prove one of the latest batches wrong."""
        model = self.model
        batch = max(1, len(model.batches) - 1 - back)
        posted = model.batches[batch]
        assert posted is not None
        refusal = refusal_of(lambda: self.world.prove(posted, sender=who))
        assert (refusal is None) == (batch > model.finalised), refusal
        if refusal is not None:
            return
        poster = model.posters[batch]
        model.cut(batch)
        model.slash(poster, who, batch, self.world.chain.now)

    @rule(ahead=st.integers(-1, 4))
    def finalise(self, ahead: int) -> None:
        """Finalise some batch."""
        model = self.model
        batch = max(0, model.finalised + ahead)
        known = model.finalised < batch < len(model.batches)
        expected = known and self.world.chain.now > model.posted_at[batch] + DISPUTE_WINDOW
        if self.attempt(expected, "finalise", batch, sender=FINDER):
            model.finalised = batch

    @rule(poster=st.sampled_from(POSTERS))
    def claim(self, poster: bytes) -> None:
        """Have a bounty paid."""
        bounty = self.model.bounties.get(poster)
        before = {who: self.world.chain.balance(who) for who in EVERYBODY}
        due = bounty is not None and self.world.chain.now > bounty.due
        if self.attempt(due, "claimReward", poster, sender=FINDER):
            assert bounty is not None
            assert self.world.chain.balance(bounty.claimant) == before[bounty.claimant] + bounty.amount
            del self.model.bounties[poster]

    @rule(seconds=st.sampled_from([1, PROPOSER_TIMEOUT // 2, PROPOSER_TIMEOUT + 1, REWARD_DELAY, DISPUTE_WINDOW]))
    def travel(self, seconds: int) -> None:
        """Wait."""
        self.world.chain.travel(seconds)

    @invariant()
    def money_is_accounted_for(self) -> None:
        """The contract holds the stakes and the bounties to the wei, and the rest has burnt."""
        model = self.model
        assert self.world.held() == sum(model.stakes.values()) + sum(b.amount for b in model.bounties.values())
        assert self.world.chain.balance(bytes(20)) == model.burnt

    @invariant()
    def chain_is_as_modelled(self) -> None:
        """Count, finality, fork and the last batch."""
        rollup, model = self.world.rollup, self.model
        assert rollup.call("batchCount") == len(model.batches)
        assert rollup.call("finalised") == model.finalised < len(model.batches)
        assert rollup.call("fork") == model.fork
        last = model.batches[-1]
        assert last is None or self.world.parent_hash() == last.batch_hash

    @invariant()
    def stakes_and_bounties_are_as_modelled(self) -> None:
        """Everybody's."""
        for who in POSTERS:
            assert self.world.rollup.call("stakeOf", who) == self.model.stakes[who]
            claimant, due, batch, amount, _, _ = self.world.rollup.call("bountyOf", who)
            bounty = self.model.bounties.get(who)
            held = (bounty.claimant, bounty.due, bounty.batch, bounty.amount) if bounty else (bytes(20), 0, 0, 0)
            assert (claimant, due, batch, amount) == held


RollupMachine.TestCase.settings = settings(max_examples=20, stateful_step_count=40, deadline=None)
TestRollup = pytest.mark.slow(RollupMachine.TestCase)
