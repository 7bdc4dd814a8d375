"""Commit, then prove, then reveal: whoever copies a proof out of L1's pool gains nothing by it.

A commitment binds this key to a verdict before anybody can see it. If another's proof of the same fraud is mined first,
revealing takes the bounty over, because the commitment stands in an earlier L1 block than that proof. It may cost the
proof a few L1 blocks and never the proof itself: where no commitment can be had in time the fraud is proven without.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgpack
import structlog

from challenger.prove import Proof
from challenger.sending import see_through, try_within
from rollup.crypto.keccak import keccak
from rollup.derive.fraud import Fraud
from rollup.errors import L1Error, L1Reverted
from rollup.l1.account import L1Account
from rollup.l1.contract import Contract
from rollup.store.changes import Notes
from rollup.store.state import StateStore

BLOCKS: Final = 5
"""L1 blocks that a commitment may take: a minute, of a dispute window of days."""
HASTE_SECONDS: Final = 120
"""With less than this left of the dispute window nothing is risked for the reward."""
_META: Final = "commitments"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Commitment:
    """What was committed to, and the salt that reveals it."""

    poster: bytes
    batch_hash: bytes
    verdict: bytes
    salt: bytes

    def hash_of(self, committer: bytes) -> bytes:
        """What stands on L1: keccak(abi.encode(committer, salt, verdict))."""
        return keccak(bytes(12) + committer + self.salt + self.verdict)


def verdict_of(proof: Proof) -> bytes:
    """What the proof establishes: keccak(abi.encode(batch hash, position, reason, index, post root))."""
    verdict, fraud = proof.verdict, proof.fraud
    numbers = b"".join(number.to_bytes(32, "big") for number in (fraud.position, verdict.reason, verdict.index))
    return keccak(fraud.batch.hash + numbers + verdict.post_root)


class Commitments:
    """Commitments of this key that are not settled; kept in the store, so that no restart loses a salt."""

    def __init__(self, store: StateStore, rollup: Contract, account: L1Account, *, blocks: int = BLOCKS) -> None:
        self._store = store
        self._rollup = rollup
        self._account = account
        self._blocks = blocks

    def all(self) -> list[Commitment]:
        """What was committed to and not yet revealed or given up."""
        record = self._store.records.meta(_META)
        return [] if record is None else [Commitment(*fields) for fields in msgpack.unpackb(record)]

    async def make(self, proof: Proof) -> int | None:
        """Commit to a proof's verdict and wait until that is mined: its L1 block. None if it cannot be had in time.

        Never raises for what L1 does: the proof comes first, and tells by itself if L1 cannot be reached.
        """
        try:
            return await self._make(proof)
        except L1Error as error:
            log.warning("no commitment; proving without", error=str(error))
            return None

    async def reveal_due(self, standing: Fraud | None) -> AsyncIterator[Commitment]:
        """Reveal what gives a right to a bounty; forget what never will. `standing` is the fraud still to be proven."""
        for commitment in self.all():
            if standing is not None and standing.batch.hash == commitment.batch_hash:
                continue
            if await self._is_right(commitment):
                if not await self._reveal(commitment):
                    continue
                yield commitment
            self._save([other for other in self.all() if other != commitment])

    async def _make(self, proof: Proof) -> int | None:
        commitment = self._remember(proof)
        committed = commitment.hash_of(self._account.address)
        made = await self._made(committed)
        if made:  # by an earlier life
            return made
        if await self._is_late(proof.fraud):
            return None
        data = self._rollup.abi.encode_call("commit", committed)
        receipt = await try_within(self._account, self._rollup.address, data, blocks=self._blocks)
        if receipt is None or not receipt.success:
            log.warning("the commitment was not mined in time; proving without", blocks=self._blocks)
            return None
        return receipt.block_number

    def _remember(self, proof: Proof) -> Commitment:
        """The commitment to this verdict, saved before it is sent."""
        verdict, others = verdict_of(proof), self.all()
        for other in others:
            if other.verdict == verdict:
                return other
        batch = proof.fraud.batch
        fresh = Commitment(batch.poster, batch.hash, verdict, secrets.token_bytes(32))
        self._save([*others, fresh])
        return fresh

    async def _is_late(self, fraud: Fraud) -> bool:
        """Whether the dispute window is nearly over."""
        batch, config = await self._rollup.call("batches", fraud.batch.index), await self._rollup.call("config")
        latest = await self._account.client.get_block("latest")
        return latest is None or latest.timestamp + HASTE_SECONDS > batch[4] + config[2]

    async def _is_right(self, commitment: Commitment) -> bool:
        """Whether revealing would improve this key's claim."""
        _, due, _, amount, held_since, verdict = await self._rollup.call("bountyOf", commitment.poster)
        made = await self._made(commitment.hash_of(self._account.address))
        latest = await self._account.client.get_block("latest")
        in_time = latest is not None and latest.timestamp <= due
        return bool(amount and verdict == commitment.verdict and 0 < made < held_since and in_time)

    async def _reveal(self, commitment: Commitment) -> bool:
        """Send it; False if L1 has changed its mind meanwhile, which the next round will see."""
        data = self._rollup.abi.encode_call("reveal", commitment.poster, commitment.salt)
        try:
            return (await see_through(self._account, self._rollup.address, data)).success
        except L1Reverted:
            return False

    async def _made(self, committed: bytes) -> int:
        block: int = await self._rollup.call("committedAt", committed)
        return block

    def _save(self, commitments: list[Commitment]) -> None:
        rows = [(each.poster, each.batch_hash, each.verdict, each.salt) for each in commitments]
        notes: Mapping[str, Any] = {_META: msgpack.packb(rows)}
        self._store.commit((), Notes(meta=notes))
