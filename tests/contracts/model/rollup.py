"""Batches, finality, the freeze and the end state as SPEC sections 10 and 11 have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from rollup.crypto.keccak import keccak
from rollup.crypto.merkle import merkle_root
from rollup.l1.abi import encode_values
from rollup.types.blocks import BatchBlock, Header
from tests.contracts.model.inbox import Inbox
from tests.contracts.model.ledger import Ledger
from tests.contracts.model.refusal import require
from tests.contracts.model.stakes import NO_BATCH, NO_VERDICT, Moment, Stakes
from tests.support.chain import ALICE
from tests.support.world import (
    DISPUTE_WINDOW,
    FORCE_DEADLINE,
    FREEZE_GRACE,
    MAX_TIME_AHEAD,
    MAX_TIME_LAG,
    MIN_STAKE,
    PROPOSER_TIMEOUT,
)

NEVER: Final = 2**256 - 1
Verdict = tuple[int, int, bytes]
"""Reason, index and root after the block, as the verifier says."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it was posted, with the state after it. `verdicts` are the truth about each of its blocks."""

    index: int
    headers: tuple[Header, ...]
    batch_hash: bytes
    poster: bytes
    posted_at: int
    ledger: Ledger
    verdicts: tuple[Verdict, ...]

    @property
    def fraud(self) -> int | None:
        """Position of the first block that can be proven wrong."""
        pairs = enumerate(zip(self.headers, self.verdicts, strict=True))
        return next((n for n, (header, said) in pairs if said != (0, 0, header.state_root)), None)

    @property
    def deadline(self) -> int:
        """Last second of its dispute window."""
        return self.posted_at + DISPUTE_WINDOW

    def verdict_hash(self, position: int) -> bytes:
        """What a proof of a block establishes."""
        types = ["bytes32", "uint256", "uint256", "uint256", "bytes32"]
        return keccak(encode_values(types, [self.batch_hash, position, *self.verdicts[position]]))


@dataclass(frozen=True, slots=True)
class Draft:
    """What a poster sends."""

    parent_hash: bytes
    blocks: tuple[BatchBlock, ...]
    inbox_hash: bytes


@dataclass(slots=True)
class Rollup:
    """`batches[0]` is the genesis."""

    batches: list[Batch]
    stakes: Stakes
    inbox: Inbox
    sequencer_seen: int
    finalised: int = 0
    forks: int = 0
    last_reversion: int = 0
    frozen: bool = False
    settled_at: int = 0
    cut: list[Batch] = field(default_factory=list)
    """Reverted batches."""

    @property
    def latest(self) -> Batch:
        """The last one that stands."""
        return self.batches[-1]

    @property
    def consumed(self) -> int:
        """Messages that standing batches have taken."""
        return self.latest.headers[-1].inbox_index

    @property
    def final(self) -> Batch:
        """The last final batch."""
        return self.batches[self.finalised]

    @property
    def exclusive_until(self) -> int:
        """Last second of the sequencer's turn."""
        return self.sequencer_seen + PROPOSER_TIMEOUT if self.stakes.of(ALICE) >= MIN_STAKE else 0

    @property
    def freeze_deadline(self) -> int:
        """Last second before anyone may freeze."""
        if self.consumed == len(self.inbox.messages):
            return NEVER
        base = self.inbox.times[self.consumed] + FORCE_DEADLINE
        return max(base, min(self.last_reversion, base + DISPUTE_WINDOW)) + FREEZE_GRACE

    def headers(self, blocks: Sequence[BatchBlock]) -> tuple[Header, ...]:
        """What L1 makes of blocks posted on the last batch; an inbox that does not reach so far has zero hashes."""
        header, made = self.latest.headers[-1], []
        for block in blocks:
            index = header.inbox_index + block.inbox_count
            header = Header(
                header.number + 1, self.forks, header.state_root, block.timestamp, index, self.inbox.hash_at(index),
                keccak(block.txs), block.state_root,
            )  # fmt: skip
            made.append(header)
        return tuple(made)

    def post(self, poster: bytes, draft: Draft, ledger: Ledger, verdicts: tuple[Verdict, ...], now: int) -> None:
        """Take a batch that leads to `ledger`, or refuse it."""
        require(not self.frozen, "ChainFrozen")
        stake = self.stakes.of(poster)
        require(stake >= MIN_STAKE, "StakeTooLow", poster, stake, MIN_STAKE)
        if poster != ALICE:
            require(now > self.exclusive_until, "SequencerExclusive", poster, ALICE, self.exclusive_until)
        parent = self.latest
        require(draft.parent_hash == parent.batch_hash, "WrongParent", parent.batch_hash, draft.parent_hash)
        headers = self.headers(draft.blocks)
        previous = parent.headers[-1]
        for position, header in enumerate(headers):
            require(header.timestamp >= previous.timestamp, "TimeFell", position, header.timestamp, previous.timestamp)
            index, count = header.inbox_index, len(self.inbox.messages)
            require(index <= count or not draft.blocks[position].inbox_count, "InboxOverrun", index, count)
            previous = header
        require(draft.inbox_hash == previous.inbox_hash, "WrongInbox", previous.inbox_hash, draft.inbox_hash)
        self._require_timely(headers, now)
        self._append(poster, headers, ledger, verdicts, now)

    def prove(self, index: int, batch: Batch, position: int, prover: bytes, now: Moment) -> None:
        """Revert from batch number `index` on if that block of `batch`, which stands there, is wrong."""
        require(index > self.finalised, "BatchFinal", index, self.finalised)
        require(index < len(self.batches), "BatchUnknown", index, len(self.batches))
        assert self.batches[index] is batch, "the model proves what stands"
        root = batch.headers[position].state_root
        require(batch.verdicts[position] != (0, 0, root), "BlockValid", index, position)
        self.cut += self.batches[index:]
        del self.batches[index:]
        self.forks += 1
        self.last_reversion = now.time
        self._conclude(now.time)
        self.stakes.slash(batch.poster, prover, index, batch.verdict_hash(position), now)

    def finalise(self, up_to: int, now: int) -> None:
        """Make batches final after their window."""
        require(up_to > self.finalised, "BatchFinal", up_to, self.finalised)
        require(up_to < len(self.batches), "BatchUnknown", up_to, len(self.batches))
        deadline = self.batches[up_to].deadline
        require(now > deadline, "WindowOpen", up_to, now, deadline)
        self.finalised = up_to
        self._conclude(now)

    def freeze(self, now: int) -> None:
        """End the chain."""
        require(not self.frozen, "ChainFrozen")
        require(now > self.freeze_deadline, "NotOverdue", self.consumed, now, self.freeze_deadline)
        self.frozen = True
        self._conclude(now)

    def unstake(self, who: bytes) -> None:
        """See `Stakes.unstake`."""
        ending = self.frozen and not self.settled_at
        self.stakes.unstake(who, self.finalised, len(self.batches) - 1, ending=ending)

    def equivocate(self, signer: bytes, reporter: bytes, now: Moment) -> None:
        """Two signed headers for one height."""
        require(self.stakes.of(signer) > 0, "NoStake", signer)
        self.stakes.slash(signer, reporter, NO_BATCH, NO_VERDICT, now)

    def _conclude(self, now: int) -> None:
        if self.frozen and self.finalised == len(self.batches) - 1:
            self.settled_at = now

    def _append(
        self, poster: bytes, headers: tuple[Header, ...], ledger: Ledger, verdicts: tuple[Verdict, ...], now: int
    ) -> None:
        index = len(self.batches)
        batch = Batch(index, headers, b"", poster, now, ledger, verdicts)
        commitment = self.latest.batch_hash + index.to_bytes(5, "big") + self.forks.to_bytes(4, "big")
        commitment += blocks_root(headers) + headers[-1].state_root + headers[-1].inbox_index.to_bytes(5, "big")
        self.batches.append(replace(batch, batch_hash=keccak(commitment)))
        self.stakes.last[poster] = index
        if poster == ALICE:
            self.sequencer_seen = now

    def _require_timely(self, headers: tuple[Header, ...], now: int) -> None:
        first, last = headers[0].timestamp, headers[-1]
        require(first >= now - MAX_TIME_LAG, "TimeTooEarly", first, now - MAX_TIME_LAG)
        require(last.timestamp <= now + MAX_TIME_AHEAD, "TimeTooLate", last.timestamp, now + MAX_TIME_AHEAD)
        if last.inbox_index < len(self.inbox.messages):
            added = self.inbox.times[last.inbox_index]
            deadline = added + FORCE_DEADLINE
            require(now <= deadline, "MessageOverdue", last.inbox_index, added, deadline)


def blocks_root(headers: Sequence[Header]) -> bytes:
    """What a batch commits its headers by."""
    return merkle_root([keccak(header.encode()) for header in headers])
