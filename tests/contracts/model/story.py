"""What random stories are made of: the stage they begin on, who and what can be drawn, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from rollup.l1.artifacts import Artifact, load_artifact
from rollup.types.blocks import BatchBlock
from tests.contracts.model import closing, invariants
from tests.contracts.model.inbox import Trick
from tests.contracts.model.ledger import Deed, Ledger
from tests.contracts.model.rollup import NEVER, Draft, Rollup, Verdict
from tests.contracts.model.stage import Stage
from tests.contracts.model.vault import Vault
from tests.support.chain import ALICE, BOB, CAROL, DAVE
from tests.support.ending import USD
from tests.support.world import DISPUTE_WINDOW, FORCE_DEADLINE, MAX_TIME_AHEAD, MAX_TIME_LAG, MIN_STAKE, MINIMUM_OPENING

PEOPLE: Final = st.sampled_from([ALICE, BOB, CAROL, DAVE])
POSTERS: Final = (ALICE, BOB, CAROL)
ACCOUNTS: Final = st.integers(0, 5)
AMOUNTS: Final = st.sampled_from([0, 1, MINIMUM_OPENING - 1, MINIMUM_OPENING, 7 * USD + 3, 40 * USD, 100 * USD])
TRICKS: Final = st.sampled_from([Trick.NONE] * 12 + [*Trick])
_WITHDRAWALS: Final = st.builds(Deed, st.just("withdraw"), ACCOUNTS, ACCOUNTS, AMOUNTS | st.integers(1, 10_000))
_TRADES: Final = st.builds(Deed, st.just("trade"), ACCOUNTS, ACCOUNTS, st.sampled_from([1_000, 5_000, 40_000]))
_MOVES: Final = st.builds(Deed, st.just("move"), ACCOUNTS, ACCOUNTS, st.sampled_from([5, 49, 51, 80, 100]))
DEEDS: Final = st.lists(_WITHDRAWALS | _TRADES | _MOVES, max_size=3)
FUNDS: Final = 100 * USD


class Story(RuleBasedStateMachine):
    """The stage is set once; every story begins there and leaves it as it was."""

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

    @property
    def rollup(self) -> Rollup:
        """Of the model."""
        return self.stage.model.rollup

    @property
    def vault(self) -> Vault:
        """Of the model."""
        return self.stage.model.vault

    @initialize(past=st.sampled_from(["quiet", "crash", "none"]))
    def begin(self, past: str) -> None:
        """Mostly in the midst of things: three accounts, a final withdrawal, three posters, perhaps a crash."""
        if past == "none":
            return
        for owner in (BOB, CAROL, DAVE):
            self.stage.open(owner, owner, FUNDS)
        for who in (BOB, CAROL):
            self.stage.stake(who, MIN_STAKE)
        size = 5_000 if past == "quiet" else 12_000
        self.publish(ALICE, count=3, deeds=[Deed("withdraw", 0, 0, 5 * USD), Deed("trade", 1, 2, size)])
        if past == "crash":
            self.publish(ALICE, count=0, deeds=[Deed("move", 0, 0, 5)])
        self.stage.chain.travel(DISPUTE_WINDOW + 1)
        self.stage.finalise(len(self.rollup.batches) - 1)

    @invariant()
    def everything_is_as_it_should_be(self) -> None:
        """See `invariants`."""
        invariants.check_money(self.stage)
        invariants.check_chain(self.stage)
        invariants.check_stakes(self.stage)
        invariants.check_freeze(self.stage)

    def teardown(self) -> None:
        """Both ends of the story: the chain goes on if it can, and it ends."""
        if not self.rollup.frozen:
            restore = self.stage.keep()
            closing.go_on(self.stage)
            self.everything_is_as_it_should_be()
            restore()
        closing.end(self.stage)
        self.everything_is_as_it_should_be()

    def publish(
        self,
        poster: bytes,
        *,
        count: int,
        deeds: list[Deed],
        at: int = 0,
        lie: str = "",
        extra: int = 0,
        stale: str = "",
    ) -> bool:
        """Post a batch: `count` messages and the deeds in its first block, nothing in `extra` more."""
        rollup, parent = self.rollup, self.rollup.latest
        at = at or self.time_of("now")
        taken = rollup.inbox.messages[rollup.consumed :][:count]
        honest = parent.ledger.take(taken)
        for deed in deeds:
            honest = honest.do(deed)
        honest = honest.at(at)
        ledger = tell_lie(parent.ledger.rob(taken).at(at) if lie == "rob" else honest, lie, poster)
        first: Verdict = (43, 2, bytes(32)) if lie == "invalid" else (0, 0, honest.root)
        blocks = (BatchBlock(at, count, ledger.root, b""), *[BatchBlock(at, 0, ledger.root, b"\x01")] * extra)
        index = rollup.consumed + count - (stale == "inbox")
        parent_hash = rollup.batches[-2 if stale == "parent" and len(rollup.batches) > 1 else -1].batch_hash
        draft = Draft(parent_hash, blocks, rollup.inbox.hash_at(max(0, index)))
        return self.stage.post(poster, draft, ledger, (first, *[(0, 0, ledger.root)] * extra))

    def proposer(self) -> bytes:
        """Somebody whose turn it is, or who at least has a stake, or BOB."""
        able = [who for who in POSTERS if self.rollup.stakes.of(who) >= MIN_STAKE]
        turn = [who for who in able if who == ALICE or self.stage.now > self.rollup.exclusive_until]
        candidates = turn or able or [BOB]
        return candidates[len(self.rollup.batches) % len(candidates)]

    def time_of(self, name: str) -> int:
        """A timestamp for a block."""
        now, last = self.stage.now, self.rollup.latest.headers[-1].timestamp
        return {
            "now": max(now, last),
            "ahead": now + MAX_TIME_AHEAD,
            "late": now + MAX_TIME_AHEAD + 1,
            "lag": max(last, now - MAX_TIME_LAG),
            "early": now - MAX_TIME_LAG - 1,
            "fell": last - 1,
        }[name]

    def deadlines(self) -> list[int]:
        """Last seconds of something, not past yet."""
        rollup = self.rollup
        found = [batch.deadline for batch in rollup.batches[rollup.finalised + 1 :][:2]]
        found += [bounty.due for bounty in rollup.stakes.bounties.values()]
        found += [rollup.exclusive_until, self.vault.registration_deadline]
        if rollup.freeze_deadline != NEVER:
            found += [rollup.inbox.times[rollup.consumed] + FORCE_DEADLINE, rollup.freeze_deadline]
        return sorted(deadline for deadline in found if deadline + 1 >= self.stage.now)


def tell_lie(ledger: Ledger, lie: str, poster: bytes) -> Ledger:
    """What a thief makes of it, for an account of its own if it has one."""
    own = next((n for n, holder in enumerate(ledger.holders) if holder.owner == poster), 0)
    return ledger.do(Deed(lie, own, 0, FUNDS)) if lie in {"steal", "forge"} else ledger
