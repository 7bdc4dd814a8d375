"""Stakes and bounties as they should be, and everybody's ether."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from rollup.crypto.keccak import keccak
from rollup.l1.abi import encode_values
from tests.contracts.model.refusal import Refused, require
from tests.support.world import REWARD_DELAY

NO_BATCH: Final = (1 << 40) - 1
NO_VERDICT: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Moment:
    """L1's clock and height."""

    time: int
    block: int


@dataclass(frozen=True, slots=True)
class Bounty:
    """What is held on a poster; fields as in the contract."""

    claimant: bytes
    due: int
    batch: int
    amount: int
    committed_at: int
    verdict: bytes


def commitment_of(committer: bytes, salt: bytes, verdict: bytes) -> bytes:
    """What a finder of fraud commits to."""
    return keccak(encode_values(["address", "bytes32", "bytes32"], [committer, salt, verdict]))


@dataclass(slots=True)
class Purse:
    """Everybody's ether, in wei; what is burnt is the zero address's."""

    ether: dict[bytes, int]
    burnt: int = 0

    def pay(self, who: bytes, amount: int) -> None:
        """Give."""
        self.ether[who] = self.ether.get(who, 0) + amount

    @classmethod
    def of(cls, people: Iterable[bytes], amount: int) -> Purse:
        """Each has as much."""
        return cls(dict.fromkeys(people, amount))


@dataclass(slots=True)
class Stakes:
    """Wei."""

    purse: Purse
    stakes: dict[bytes, int] = field(default_factory=dict)
    last: dict[bytes, int] = field(default_factory=dict)
    bounties: dict[bytes, Bounty] = field(default_factory=dict)
    commitments: dict[bytes, int] = field(default_factory=dict)

    @property
    def held(self) -> int:
        """What the contract holds."""
        return sum(self.stakes.values()) + sum(bounty.amount for bounty in self.bounties.values())

    def of(self, who: bytes) -> int:
        """Somebody's stake."""
        return self.stakes.get(who, 0)

    def stake(self, who: bytes, amount: int) -> None:
        """Add to a stake."""
        if who in self.bounties:
            raise Refused("BountyOpen", who, self.bounties[who].due)
        require(amount > 0, "NoStake", who)
        self.stakes[who] = self.of(who) + amount
        self.purse.pay(who, -amount)

    def unstake(self, who: bytes, finalised: int, latest: int, *, ending: bool) -> None:
        """Take a stake back, if nothing can be held against it any more."""
        require(self.of(who) > 0, "NoStake", who)
        bound = min(self.last.get(who, 0), latest)
        require(bound <= finalised, "StakeBound", who, bound, finalised)
        require(not ending, "EndPending")
        self.purse.pay(who, self.stakes.pop(who))

    def commit(self, commitment: bytes, now: Moment) -> None:
        """The first time counts."""
        self.commitments.setdefault(commitment, now.block)

    def reveal(self, poster: bytes, who: bytes, salt: bytes, now: Moment) -> None:
        """An older commitment takes the bounty."""
        bounty = self.bounties.get(poster)
        if bounty is None or bounty.verdict == NO_VERDICT:
            raise Refused("NoBounty", poster)
        require(now.time <= bounty.due, "RevealTooLate", now.time, bounty.due)
        commitment = commitment_of(who, salt, bounty.verdict)
        made = self.commitments.get(commitment, 0)
        require(0 < made < bounty.committed_at, "CommitmentTooLate", commitment, made, bounty.committed_at)
        self.bounties[poster] = Bounty(who, bounty.due, bounty.batch, bounty.amount, made, bounty.verdict)

    def claim(self, poster: bytes, now: Moment) -> None:
        """A bounty is paid after its delay."""
        bounty = self.bounties.get(poster)
        if bounty is None:
            raise Refused("NoBounty", poster)
        require(now.time > bounty.due, "RewardHeld", now.time, bounty.due)
        del self.bounties[poster]
        self.purse.pay(bounty.claimant, bounty.amount)

    def slash(self, poster: bytes, claimant: bytes, batch: int, verdict: bytes, now: Moment) -> None:
        """Half burns, half is held; an open bounty goes to the earlier batch."""
        lost = self.stakes.pop(poster, 0)
        self.purse.burnt += lost - lost // 2
        held = self.bounties.get(poster)
        due = now.time + REWARD_DELAY
        if held is None and lost // 2:
            self.bounties[poster] = Bounty(claimant, due, batch, lost // 2, now.block, verdict)
        elif held is not None and now.time <= held.due and batch < held.batch:
            self.bounties[poster] = Bounty(claimant, due, batch, held.amount, now.block, verdict)
