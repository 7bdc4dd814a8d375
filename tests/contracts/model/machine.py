"""Random stories on the stage: honest and dishonest actors do everything in any order, at and around every deadline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rollup.l1.artifacts import Artifact, load_artifact
from rollup.types.blocks import BatchBlock
from tests.contracts.model import closing, invariants
from tests.contracts.model.inbox import Trick
from tests.contracts.model.ledger import Deed, Ledger
from tests.contracts.model.rollup import NEVER, Batch, Draft, Verdict
from tests.contracts.model.stage import Stage
from tests.support.chain import ALICE, BOB, CAROL, DAVE
from tests.support.ending import USD
from tests.support.world import (
    BASE_FEE,
    DISPUTE_WINDOW,
    FORCE_DEADLINE,
    MAX_TIME_AHEAD,
    MAX_TIME_LAG,
    MIN_STAKE,
    MINIMUM_OPENING,
)

PEOPLE: Final = st.sampled_from([ALICE, BOB, CAROL, DAVE])
ACCOUNTS: Final = st.integers(0, 5)
AMOUNTS: Final = st.sampled_from([0, 1, MINIMUM_OPENING - 1, MINIMUM_OPENING, 7 * USD + 3, 100 * USD])
TRICKS: Final = st.sampled_from([Trick.NONE] * 8 + [*Trick])
ANY: Final = st.integers(0, 1 << 10)
DEEDS: Final = st.lists(
    st.builds(
        Deed,
        st.sampled_from(["withdraw", "withdraw", "trade", "trade", "move"]),
        ACCOUNTS,
        ACCOUNTS,
        st.sampled_from([1, 999_999, USD, 5 * USD, 60 * USD]) | st.integers(0, 10_000),
    ),
    max_size=3,
)
LIES: Final = st.sampled_from(["", "", "", "steal", "forge", "skip", "invalid"])
TIMES: Final = st.sampled_from(["now"] * 8 + ["ahead", "late", "lag", "early", "fell"])
TAKEN: Final = st.sampled_from(["all", "all", "all", "none", "one", "beyond"])
MAX_TAKEN: Final = 32


class Machine(RuleBasedStateMachine):
    """Each rule does the same to the contracts and to the model."""

    load: Callable[[str], Artifact] = staticmethod(load_artifact)
    _stage: Stage | None = None
    _restore: Callable[[], None]

    def __init__(self) -> None:
        super().__init__()
        cls = type(self)
        if cls._stage is None:
            cls._stage = Stage(cls.load)
        else:
            cls._restore()
        self.stage = cls._stage
        cls._restore = self.stage.keep()

    @rule(payer=PEOPLE, owner=PEOPLE | st.just(bytes(20)), amount=AMOUNTS, trick=TRICKS)
    def open(self, payer: bytes, owner: bytes, amount: int, trick: Trick) -> None:
        """Open an account."""
        self.stage.open(payer, owner, amount, trick)

    @rule(payer=PEOPLE, account=ACCOUNTS, amount=AMOUNTS, trick=TRICKS)
    def deposit(self, payer: bytes, account: int, amount: int, trick: Trick) -> None:
        """Deposit."""
        self.stage.deposit(payer, account, amount, trick)

    @rule(sender=PEOPLE, account=ACCOUNTS, amount=AMOUNTS, value=st.sampled_from([BASE_FEE, 2 * BASE_FEE]))
    def force(self, sender: bytes, account: int, amount: int, value: int) -> None:
        """Force a withdrawal."""
        self.stage.force(sender, account, amount, value)

    @rule(sender=PEOPLE)
    def list(self, sender: bytes) -> None:
        """List something."""
        self.stage.list(sender, b"\x01\x02\x03")

    @precondition(lambda self: self.stage.model.rollup.finalised)
    @rule(payer=PEOPLE)
    def gift(self, payer: bytes) -> None:
        """Send the vault coins."""
        self.stage.gift(payer, 1_000_003)

    @rule(
        poster=st.sampled_from([ALICE, ALICE, BOB, CAROL]), taken=TAKEN, time=TIMES, extra=st.integers(0, 2), lie=LIES,
        deeds=DEEDS, stale=st.sampled_from([""] * 8 + ["parent", "inbox"]),
    )  # fmt: skip
    def post(self, poster: bytes, taken: str, time: str, extra: int, lie: str, deeds: list[Deed], stale: str) -> None:  # noqa: PLR0913 - drawn
        """Post a batch: messages and deeds in the first block, nothing in `extra` more."""
        rollup = self.stage.model.rollup
        parent, waiting = rollup.latest, len(rollup.inbox.messages) - rollup.consumed
        count = min({"all": waiting, "none": 0, "one": min(1, waiting), "beyond": waiting + 1}[taken], MAX_TAKEN)
        at = self._time(time, parent)
        messages = rollup.inbox.messages[rollup.consumed :][:count]
        honest = _after(parent.ledger.take(messages), deeds).at(at)
        ledger = _lie(parent.ledger.skip(count).at(at) if lie == "skip" else honest, lie, poster)
        root = ledger.root
        first: Verdict = (43, 2, bytes(32)) if lie == "invalid" else (0, 0, honest.root)
        blocks = (BatchBlock(at, count, root, b""), *[BatchBlock(at, 0, root, b"\x01")] * extra)
        index = rollup.consumed + count - (stale == "inbox")
        parent_hash = rollup.batches[-2 if stale == "parent" and len(rollup.batches) > 1 else -1].batch_hash
        draft = Draft(parent_hash, blocks, rollup.inbox.hash_at(max(0, index)))
        self.stage.post(poster, draft, ledger, (first, *[(0, 0, root)] * extra))

    @precondition(lambda self: len(self.stage.model.rollup.batches) > 1)
    @rule(back=st.integers(0, 4), position=st.integers(0, 2), prover=PEOPLE)
    def prove(self, back: int, position: int, prover: bytes) -> None:
        """Try to prove a block of one of the latest batches wrong."""
        batches = self.stage.model.rollup.batches
        batch = batches[max(1, len(batches) - 1 - back)]
        self.stage.prove(batch.index, position % len(batch.headers), prover)

    @precondition(lambda self: self.stage.model.rollup.cut)
    @rule(which=ANY, prover=PEOPLE)
    def prove_past(self, which: int, prover: bytes) -> None:
        """Try to prove what stands no more."""
        cut = self.stage.model.rollup.cut
        self.stage.prove_past(cut[which % len(cut)], prover)

    @rule(ahead=st.sampled_from([-1, 0, 1, 1, 1, 2, 3, 9]))
    def finalise(self, ahead: int) -> None:
        """Finalise up to some batch."""
        self.stage.finalise(max(0, self.stage.model.rollup.finalised + ahead))

    @rule(who=PEOPLE)
    def freeze(self, who: bytes) -> None:
        """Try to end the chain."""
        self.stage.freeze(who)

    @rule(which=ANY, offset=st.sampled_from([-1, 0, 1, 1]))
    def travel_to_deadline(self, which: int, offset: int) -> None:
        """Wait until just before, until, or just after some deadline."""
        deadlines = self._deadlines()
        if deadlines:
            closing.watch(self.stage, max(self.stage.now, deadlines[which % len(deadlines)] + offset))

    @rule(seconds=st.sampled_from([1, 60, 200, DISPUTE_WINDOW]))
    def travel(self, seconds: int) -> None:
        """Wait."""
        closing.watch(self.stage, self.stage.now + seconds)

    @rule(who=st.sampled_from([ALICE, BOB, CAROL]), amount=st.sampled_from([0, 1, MIN_STAKE - 1, MIN_STAKE, MIN_STAKE]))
    def stake(self, who: bytes, amount: int) -> None:
        """Stake."""
        self.stage.stake(who, amount)

    @rule(who=PEOPLE)
    def unstake(self, who: bytes) -> None:
        """Take a stake back."""
        self.stage.unstake(who)

    @precondition(lambda self: self.stage.model.rollup.latest.fraud is not None)
    @rule(who=PEOPLE)
    def commit(self, who: bytes) -> None:
        """Commit to a fraud found in the last batch."""
        batch = self.stage.model.rollup.latest
        assert batch.fraud is not None
        self.stage.commit(who, batch.verdict_hash(batch.fraud))

    @rule(who=PEOPLE, poster=PEOPLE)
    def reveal(self, who: bytes, poster: bytes) -> None:
        """Reveal a commitment, if there is one."""
        self.stage.reveal(who, poster)

    @rule(poster=PEOPLE)
    def claim_reward(self, poster: bytes) -> None:
        """Have a bounty paid."""
        self.stage.claim_reward(poster)

    @rule(signer=st.sampled_from([ALICE, BOB, CAROL]), reporter=PEOPLE)
    def equivocate(self, signer: bytes, reporter: bytes) -> None:
        """Sign two headers for one height, and be reported."""
        self.stage.equivocate(signer, reporter)

    @rule(number=st.integers(0, 9), account=ACCOUNTS, other=st.sampled_from([None] * 4 + [1, 2, 5]), trick=TRICKS)
    def claim(self, number: int, account: int, other: int | None, trick: Trick) -> None:
        """Claim by a batch, final or not, with its own state or that of another, reverted or not."""
        rollup = self.stage.model.rollup
        shown = [*rollup.batches, *rollup.cut]
        batch = shown[number % len(shown)] if other is not None else rollup.batches[number % len(rollup.batches)]
        index = batch.index if other is None else other % (len(rollup.batches) + 1)
        if batch.ledger.holders:
            self.stage.claim(index, batch.ledger, account % len(batch.ledger.holders), DAVE, trick)

    @rule(account=ACCOUNTS, other=st.sampled_from([None] * 6 + [1, 2]), trick=TRICKS)
    def register(self, account: int, other: int | None, trick: Trick) -> None:
        """Register by the last final state, or by another."""
        rollup = self.stage.model.rollup
        ledger = rollup.final.ledger if other is None else [rollup.batches[0], *rollup.batches, *rollup.cut][-other].ledger
        if ledger.holders:
            self.stage.register(ledger, account % len(ledger.holders), DAVE, trick)

    @rule(account=ACCOUNTS, trick=TRICKS)
    def collect(self, account: int, trick: Trick) -> None:
        """Collect a share."""
        self.stage.collect(account, BOB, trick)

    @precondition(lambda self: self.stage.model.inbox.messages)
    @rule(back=st.integers(-1, 5), shift=st.sampled_from([0] * 6 + [1]), trick=TRICKS)
    def refund(self, back: int, shift: int, trick: Trick) -> None:
        """Ask for one of the latest messages back, showing it or another."""
        count = len(self.stage.model.inbox.messages)
        index = max(0, count - 1 - back)
        self.stage.refund(index, min(index + shift, count - 1), CAROL, trick)

    @invariant()
    def everything_is_as_it_should_be(self) -> None:
        """See `invariants`."""
        invariants.check_money(self.stage)
        invariants.check_chain(self.stage)
        invariants.check_stakes(self.stage)
        invariants.check_freeze(self.stage)

    def teardown(self) -> None:
        """Both ends of the story: the chain goes on if it can, and it ends."""
        if not self.stage.model.rollup.frozen:
            restore = self.stage.keep()
            closing.go_on(self.stage)
            self.everything_is_as_it_should_be()
            restore()
        closing.end(self.stage)
        self.everything_is_as_it_should_be()

    def _time(self, time: str, parent: Batch) -> int:
        now, last = self.stage.now, parent.headers[-1].timestamp
        return {
            "now": max(now, last),
            "ahead": now + MAX_TIME_AHEAD,
            "late": now + MAX_TIME_AHEAD + 1,
            "lag": max(last, now - MAX_TIME_LAG),
            "early": now - MAX_TIME_LAG - 1,
            "fell": last - 1,
        }[time]

    def _deadlines(self) -> list[int]:
        rollup, vault = self.stage.model.rollup, self.stage.model.vault
        found = [batch.deadline for batch in rollup.batches[rollup.finalised + 1 :][:2]]
        found += [bounty.due for bounty in rollup.stakes.bounties.values()]
        found += [rollup.exclusive_until, vault.registration_deadline]
        if rollup.freeze_deadline != NEVER:
            found += [rollup.inbox.times[rollup.consumed] + FORCE_DEADLINE, rollup.freeze_deadline]
        return sorted(deadline for deadline in found if deadline + 1 >= self.stage.now)


def _after(ledger: Ledger, deeds: list[Deed]) -> Ledger:
    for deed in deeds:
        ledger = ledger.do(deed)
    return ledger


def _lie(ledger: Ledger, lie: str, poster: bytes) -> Ledger:
    """What a thief makes of it, for an account of its own if it has one."""
    own = next((n for n, holder in enumerate(ledger.holders) if holder.owner == poster), 0)
    return ledger.do(Deed(lie, own, 0, 50 * USD)) if lie in {"steal", "forge"} else ledger
