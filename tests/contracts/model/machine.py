"""Random stories on the stage: honest and dishonest actors do everything in any order, at and around every deadline."""

from __future__ import annotations

from typing import Final

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule

from tests.contracts.model import closing
from tests.contracts.model.inbox import Trick
from tests.contracts.model.ledger import Deed
from tests.contracts.model.rollup import NEVER
from tests.contracts.model.story import ACCOUNTS, AMOUNTS, DEEDS, PEOPLE, POSTERS, TRICKS, Story
from tests.support.chain import CAROL, DAVE
from tests.support.world import BASE_FEE, DISPUTE_WINDOW, FORCE_DEADLINE, MIN_STAKE

LIES: Final = st.sampled_from([""] * 8 + ["steal", "forge", "rob", "invalid"])
TIMES: Final = st.sampled_from(["now"] * 6 + ["ahead", "late", "lag", "early", "fell"])
FEES: Final = st.sampled_from([BASE_FEE, 2 * BASE_FEE, 2 * BASE_FEE])
STAKES: Final = st.sampled_from([-1, 0, 1, MIN_STAKE - 1] + [MIN_STAKE] * 4)
MAX_TAKEN: Final = 32
ANY: Final = st.integers(0, 1 << 10)


def running(story: Machine) -> bool:
    """The chain is not frozen."""
    return not story.rollup.frozen


def frozen(story: Machine) -> bool:
    """It is, and its end state not settled."""
    return story.rollup.frozen and not story.rollup.settled_at


def settled(story: Machine) -> bool:
    """The end state stands."""
    return story.rollup.settled_at > 0


class Machine(Story):
    """Each rule does the same to the contracts and to the model."""

    @precondition(running)
    @rule(payer=PEOPLE, owner=PEOPLE, amount=AMOUNTS, trick=TRICKS)
    def open(self, payer: bytes, owner: bytes, amount: int, trick: Trick) -> None:
        """Open an account."""
        self.stage.open(payer, owner if amount else bytes(20), amount, trick)

    @precondition(running)
    @rule(payer=PEOPLE, account=ACCOUNTS, amount=AMOUNTS, trick=TRICKS)
    def deposit(self, payer: bytes, account: int, amount: int, trick: Trick) -> None:
        """Deposit."""
        self.stage.deposit(payer, account, amount, trick)

    @precondition(running)
    @rule(
        sender=PEOPLE, account=ACCOUNTS, amount=AMOUNTS, value=st.sampled_from([BASE_FEE, 2 * BASE_FEE, 2 * BASE_FEE])
    )
    def force(self, sender: bytes, account: int, amount: int, value: int) -> None:
        """Force a withdrawal."""
        self.stage.force(sender, account, amount, value)

    @rule(which=st.integers(0, 4), sender=PEOPLE)
    def meddle(self, which: int, sender: bytes) -> None:
        """List something, give the vault coins, or send messages even after the end."""
        if which == 0:
            self.stage.list(sender, b"\x01\x02\x03")
        elif which == 1:
            self.stage.gift(sender, 1_000_003)
        elif which == 2:
            self.stage.open(sender, sender, 1_000_000)
        elif which == 3:
            self.stage.deposit(sender, 0, 1)
        else:
            self.stage.force(sender, 0, 1, 2 * BASE_FEE)

    @precondition(running)
    @rule(deeds=DEEDS, lie=LIES, extra=st.integers(0, 2))
    def post(self, deeds: list[Deed], lie: str, extra: int) -> None:
        """Whoever may post does, and takes all messages."""
        count = min(len(self.rollup.inbox.messages) - self.rollup.consumed, MAX_TAKEN)
        self.publish(self.proposer(), count=count, deeds=deeds, lie=lie, extra=extra)

    @precondition(lambda self: running(self) and self.rollup.consumed < len(self.rollup.inbox.messages))
    @rule(late=st.booleans())
    def neglect(self, late: bool) -> None:
        """Leave the first message waiting in the last second in which that may be, or in the next."""
        deadline = self.rollup.inbox.times[self.rollup.consumed] + FORCE_DEADLINE
        closing.watch(self.stage, max(self.stage.now, deadline + late))
        self.publish(self.proposer(), count=0, deeds=[])

    @rule(
        poster=st.sampled_from(POSTERS), taken=st.integers(-2, 2), time=TIMES, lie=LIES, deeds=DEEDS,
        stale=st.sampled_from([""] * 6 + ["parent", "inbox"]),
    )  # fmt: skip
    def post_wildly(self, poster: bytes, taken: int, time: str, lie: str, deeds: list[Deed], stale: str) -> None:
        """Somebody posts, with too few or too many messages, at the wrong time, or on another parent."""
        waiting = len(self.rollup.inbox.messages) - self.rollup.consumed
        count = max(0, min(waiting + 1 if taken > 1 else waiting - abs(taken), MAX_TAKEN))
        self.publish(poster, count=count, deeds=deeds, at=self.time_of(time), lie=lie, stale=stale)

    @precondition(lambda self: len(self.rollup.batches) > 1)
    @rule(back=st.integers(0, 4), position=st.integers(0, 2), prover=PEOPLE)
    def prove(self, back: int, position: int, prover: bytes) -> None:
        """Try to prove a block of one of the latest batches wrong."""
        batches = self.rollup.batches
        batch = batches[max(1, len(batches) - 1 - back)]
        self.stage.prove(batch.index, position % len(batch.headers), prover)

    @precondition(lambda self: any(b.fraud is not None for b in self.rollup.batches[self.rollup.finalised + 1 :]))
    @rule(which=ANY, prover=PEOPLE, commit=st.booleans())
    def find_fraud(self, which: int, prover: bytes, commit: bool) -> None:
        """Prove or commit to a fraud that is pending."""
        found = [b for b in self.rollup.batches[self.rollup.finalised + 1 :] if b.fraud is not None]
        batch = found[which % len(found)]
        assert batch.fraud is not None
        if commit:
            self.stage.commit(prover, batch.verdict_hash(batch.fraud))
        else:
            self.stage.prove(batch.index, batch.fraud, prover)

    @precondition(lambda self: self.rollup.cut)
    @rule(which=ANY, prover=PEOPLE)
    def prove_past(self, which: int, prover: bytes) -> None:
        """Try to prove what stands no more."""
        self.stage.prove_past(self.rollup.cut[which % len(self.rollup.cut)], prover)

    @rule(ahead=st.sampled_from([-1, 0, 1, 1, 1, 2, 9]))
    def finalise(self, ahead: int) -> None:
        """Finalise up to some batch."""
        self.stage.finalise(max(0, self.rollup.finalised + ahead))

    @rule(who=PEOPLE)
    def freeze(self, who: bytes) -> None:
        """Try to end the chain."""
        self.stage.freeze(who)

    @precondition(running)
    @rule(offset=st.sampled_from([0, 1, 1]))
    def starve(self, offset: int) -> None:
        """Let a message wait until anyone may freeze, or just not, and try."""
        if self.rollup.freeze_deadline == NEVER:
            self.stage.deposit(DAVE, 0, 77)
        if self.rollup.freeze_deadline != NEVER:
            closing.watch(self.stage, self.rollup.freeze_deadline + offset)
        self.stage.freeze(DAVE)

    @precondition(frozen)
    @rule()
    def settle(self) -> None:
        """Let what is pending become final."""
        closing.watch(self.stage, self.rollup.latest.deadline + 1)
        self.stage.finalise(len(self.rollup.batches) - 1)

    @rule(which=ANY, offset=st.sampled_from([-1, 0, 0, 1, 1, 1]))
    def travel_to_deadline(self, which: int, offset: int) -> None:
        """Wait until just before, until, or just after some deadline."""
        deadlines = self.deadlines()
        if deadlines:
            closing.watch(self.stage, max(self.stage.now, deadlines[which % len(deadlines)] + offset))

    @rule(seconds=st.sampled_from([1, 60, 200, DISPUTE_WINDOW]))
    def travel(self, seconds: int) -> None:
        """Wait."""
        closing.watch(self.stage, self.stage.now + seconds)

    @rule(
        who=st.sampled_from(POSTERS), amount=st.sampled_from([-1, 0, 1, MIN_STAKE - 1, MIN_STAKE, MIN_STAKE, MIN_STAKE])
    )
    def stake(self, who: bytes, amount: int) -> None:
        """Stake, or (below 0) take a stake back."""
        if amount < 0:
            self.stage.unstake(who)
        else:
            self.stage.stake(who, amount)

    @rule(which=st.integers(0, 6), who=st.sampled_from(POSTERS), other=PEOPLE)
    def unstake_or_slash(self, which: int, who: bytes, other: bytes) -> None:
        """Take a stake back, or (seldom) sign two headers for one height and be reported."""
        if which:
            self.stage.unstake(who)
        else:
            self.stage.equivocate(who, other)

    @precondition(lambda self: self.rollup.stakes.bounties)
    @rule(which=ANY, who=PEOPLE, poster=PEOPLE, how=st.sampled_from(["reveal", "copy", "claim"]))
    def reward(self, which: int, who: bytes, poster: bytes, how: str) -> None:
        """Reveal a commitment, perhaps one that only copies the proof, or have a bounty paid."""
        bounties = self.rollup.stakes.bounties
        held = [*bounties] * 3 + [poster]
        chosen = held[which % len(held)]
        if how == "copy" and chosen in bounties:
            self.stage.commit(who, bounties[chosen].verdict)
        if how == "claim":
            self.stage.claim_reward(chosen)
        else:
            self.stage.reveal(who, chosen)

    @rule(account=ACCOUNTS, back=st.sampled_from([0, 0, 0, 1, 2]), trick=TRICKS)
    def claim(self, account: int, back: int, trick: Trick) -> None:
        """Claim by a final batch."""
        batch = self.rollup.batches[max(0, self.rollup.finalised - back)]
        if batch.ledger.holders:
            self.stage.claim(batch.index, batch.ledger, account % len(batch.ledger.holders), DAVE, trick)

    @rule(number=ANY, account=ACCOUNTS, other=st.integers(0, 9))
    def claim_wrongly(self, number: int, account: int, other: int) -> None:
        """Claim by a state that is not final, that was reverted, or that another batch's number goes with."""
        shown = [*self.rollup.batches, *self.rollup.cut, *self.rollup.cut]
        ledger = shown[number % len(shown)].ledger
        if ledger.holders:
            self.stage.claim(other % (len(self.rollup.batches) + 1), ledger, account % len(ledger.holders), DAVE)

    @precondition(lambda self: self.rollup.final.ledger.holders and not settled(self))
    @rule(which=st.integers(0, 2))
    def jump_the_gun(self, which: int) -> None:
        """Ask for what is only due after the end."""
        if which == 0:
            self.stage.register(self.rollup.final.ledger, 0, DAVE)
        elif which == 1:
            self.stage.collect(0, DAVE)
        else:
            self.stage.refund(0, 0, DAVE)

    @precondition(settled)
    @rule(account=ACCOUNTS, other=st.sampled_from([-1] * 6 + [0, 1, 2]), trick=TRICKS)
    def register(self, account: int, other: int, trick: Trick) -> None:
        """Register by the end state, or by another."""
        shown = [*self.rollup.batches, *self.rollup.cut]
        ledger = self.rollup.final.ledger if other < 0 else shown[-1 - other % len(shown)].ledger
        if ledger.holders:
            self.stage.register(ledger, account % len(ledger.holders), DAVE, trick)

    @precondition(settled)
    @rule(account=ACCOUNTS, trick=TRICKS)
    def collect(self, account: int, trick: Trick) -> None:
        """Collect a share."""
        self.stage.collect(account, CAROL, trick)

    @precondition(settled)
    @rule(early=st.integers(-2, 0), shift=st.sampled_from([0] * 6 + [1]), which=ANY, trick=TRICKS)
    def refund(self, early: int, shift: int, which: int, trick: Trick) -> None:
        """Ask for a message back that was never taken, or for a wrong one."""
        messages, first = self.stage.model.inbox.messages, self.rollup.final.ledger.consumed
        index = max(0, first + (early if early and which % 2 else which % (len(messages) - first + 1)))
        self.stage.refund(index, min(index + shift, len(messages) - 1), CAROL, trick)
