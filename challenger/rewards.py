"""Bounties on proven posters: waited for, and claimed once nobody can take them over any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import msgpack

from challenger.sending import see_through
from rollup.errors import L1Reverted
from rollup.l1.account import L1Account
from rollup.l1.contract import Contract
from rollup.l1.values import Receipt
from rollup.store.changes import Notes
from rollup.store.state import StateStore

_META: Final = "bounties"


@dataclass(frozen=True, slots=True)
class Reward:
    """A bounty paid out: `amount` in wei."""

    poster: bytes
    amount: int
    transaction: bytes


class Bounties:
    """The posters that this challenger proved wrong and was not paid for yet; kept in the store."""

    def __init__(self, store: StateStore, rollup: Contract, account: L1Account) -> None:
        self._store = store
        self._rollup = rollup
        self._account = account

    def posters(self) -> list[bytes]:
        """Whose bounties are awaited."""
        record = self._store.records.meta(_META)
        return [] if record is None else list(msgpack.unpackb(record))

    async def find(self, from_block: int) -> None:
        """Remember every bounty that L1 has ever held for this key since block `from_block`; `claim_due` sorts them.

        So a reward is not lost with the store, nor if the proof was sent by hand.
        """
        own = bytes(12) + self._account.address
        newest = await self._account.client.block_number()
        held = await self._rollup.events("BountyHeld", from_block=from_block, to_block=newest, topics=[None, own])
        if held:
            self._save(sorted({*self.posters(), *(event.values["poster"] for event in held)}))

    def expect(self, poster: bytes) -> None:
        """Remember a poster that is about to be proven wrong: a crash after the proof must not lose the reward."""
        self._save(sorted({*self.posters(), poster}))

    async def claim_due(self) -> AsyncIterator[Reward]:
        """Claim every bounty whose delay is over; forget those that are gone or went to a better claim."""
        for poster in self.posters():
            claimant, due, _, amount, _, _ = await self._rollup.call("bountyOf", poster)
            if amount and claimant == self._account.address:
                latest = await self._account.client.get_block("latest")
                if latest is None or latest.timestamp <= due:
                    continue
                receipt = await self._claim(poster)
                if receipt is None:
                    continue
                yield Reward(poster, amount, receipt.tx_hash)
            self._save([other for other in self.posters() if other != poster])

    async def _claim(self, poster: bytes) -> Receipt | None:
        """Send the claim; None if L1 has changed its mind meanwhile, which the next round will see."""
        try:
            receipt = await see_through(
                self._account, self._rollup.address, self._rollup.abi.encode_call("claimReward", poster)
            )
        except L1Reverted:
            return None
        return receipt if receipt.success else None

    def _save(self, posters: list[bytes]) -> None:
        self._store.commit((), Notes(meta={_META: msgpack.packb(posters)}))
