"""What L1 says of the chain, in one consistent reading: everything that decides which ways out are open, and when.

All figures are those of one L1 block. `now` alone looks ahead: the time that a transaction sent now would see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from rollup.errors import L1Error
from rollup.exit.clock import time_ahead
from rollup.exit.contracts import Contracts, Terms, find_contracts
from rollup.l1.client import L1Client
from rollup.l1.values import Block

ATTEMPTS: Final = 3
"""Readings that a reorganisation of L1 may spoil."""
NEVER: Final = 2**256 - 1
_POSTED_AT: Final = 4


@dataclass(frozen=True, slots=True)
class Pending:
    """The batches `first` … `last` stand and are not final. They may be made final after these L1 times (s).

    `ready` is the last of them that may be made final now, 0 if none.
    """

    first: int
    last: int
    first_due: int
    last_due: int
    ready: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """The first message that no standing batch has taken: its index, its L1 time (s), and when it is overdue (s)."""

    index: int
    time: int
    due: int


@dataclass(frozen=True, slots=True)
class Proposer:
    """The designated sequencer. `last_post`: L1 time (s) of its last batch, or of the deployment.

    Anyone staked may post in its place after the L1 time `exclusive_until` (s), 0 if its stake is gone.
    """

    address: bytes
    staked: bool
    last_post: int
    exclusive_until: int


@dataclass(frozen=True, slots=True)
class End:
    """The end state, after `batch`; amounts in µUSD, times in seconds.

    Accounts register in time up to and including `deadline`. The pot is shared by `registered`, the sum of all equities
    registered in time; once it is fixed, `spare` is what accounts registering late can still get.
    """

    batch: int
    settled_at: int
    deadline: int
    registered: int
    pot: int
    pot_fixed: bool
    spare: int


@dataclass(frozen=True, slots=True)
class Situation:
    """L1 after block `l1_block`, whose time is `time`; times in Unix seconds of L1, `vault` in µUSD, fees in wei.

    `batch` is the last that stands, `final` the last that is final; of `messages` in the inbox `consumed` are taken.
    `posted_at`: when the last batch was posted. `freeze_after`: anyone may freeze the chain after this time; None while
    nothing waits.
    """

    l1_block: int
    l1_hash: bytes
    time: int
    now: int
    terms: Terms
    batch: int
    posted_at: int
    final: int
    pending: Pending | None
    proposer: Proposer
    messages: int
    consumed: int
    waiting: Waiting | None
    freeze_after: int | None
    force_fee: int
    last_reversion: int
    frozen: bool
    end: End | None
    vault: int

    @property
    def overdue(self) -> bool:
        """Whether a message has waited for longer than any batch may leave it waiting."""
        return self.waiting is not None and self.now > self.waiting.due

    @property
    def freezable(self) -> bool:
        """Whether anyone may freeze the chain now."""
        return not self.frozen and self.freeze_after is not None and self.now > self.freeze_after

    @property
    def silent(self) -> bool:
        """Whether nobody has posted a batch for longer than the sequencer may be silent."""
        return not self.frozen and self.now > self.posted_at + self.terms.proposer_timeout

    @property
    def open_to_all(self) -> bool:
        """Whether anyone with a stake may post batches now."""
        return not self.frozen and self.now > self.proposer.exclusive_until


async def look(client: L1Client, rollup_address: bytes) -> Situation:
    """Read the situation of the deployment at `rollup_address`; `L1Error` if there is none or the node fails."""
    return await read_situation(await find_contracts(client, rollup_address))


async def read_situation(contracts: Contracts) -> Situation:
    """Read the situation anew. A reorganisation of L1 meanwhile makes it look again; then a retryable `L1Error`."""
    client = contracts.client
    for _ in range(ATTEMPTS):
        head = await client.get_block()
        if head is None:
            raise L1Error("the node has no newest block", retryable=True)
        now = await time_ahead(client, head.timestamp)
        found = await _Reader(contracts, head, now).read()
        again = await client.get_block(head.number)
        if again is not None and again.hash == head.hash:
            return found
    raise L1Error("L1 is reorganised faster than it can be read", retryable=True)


class _Reader:
    """Questions to the contracts, all after one block."""

    def __init__(self, contracts: Contracts, head: Block, now: int) -> None:
        self._contracts = contracts
        self._head = head
        self._now = now

    async def read(self) -> Situation:
        head, inbox = self._head, self._contracts.inbox
        batch, final = await self._ask("batchCount") - 1, await self._ask("finalised")
        messages = await inbox.call("count", block=head.number)
        consumed = await self._ask("latestInboxIndex")
        frozen = await self._ask("frozen")
        _, deadline = await self._ask("freezeDeadline")
        return Situation(
            l1_block=head.number,
            l1_hash=head.hash,
            time=head.timestamp,
            now=self._now,
            terms=self._contracts.terms,
            batch=batch,
            posted_at=await self._due(batch) - self._contracts.terms.dispute_window,
            final=final,
            pending=await self._pending(final, batch),
            proposer=await self._proposer(),
            messages=messages,
            consumed=consumed,
            waiting=await self._waiting(consumed) if consumed < messages else None,
            freeze_after=None if frozen or deadline == NEVER else deadline,
            force_fee=await inbox.call("forceFee", block=head.number),
            last_reversion=await self._ask("lastReversion"),
            frozen=frozen,
            end=await self._end(),
            vault=await self._contracts.token.call("balanceOf", self._contracts.vault.address, block=head.number),
        )

    async def _ask(self, name: str, *arguments: Any) -> Any:
        return await self._contracts.rollup.call(name, *arguments, block=self._head.number)

    async def _pending(self, final: int, last: int) -> Pending | None:
        """Batches are posted in the order of time, so the last one that is ready is found by bisection."""
        if final == last:
            return None
        low, high = final, last
        while low < high:
            middle = (low + high + 1) // 2
            if await self._due(middle) < self._now:
                low = middle
            else:
                high = middle - 1
        ready = low if low > final else 0
        return Pending(final + 1, last, await self._due(final + 1), await self._due(last), ready)

    async def _due(self, batch: int) -> int:
        found = await self._ask("batches", batch)
        due: int = found[_POSTED_AT] + self._contracts.terms.dispute_window
        return due

    async def _proposer(self) -> Proposer:
        terms = self._contracts.terms
        staked = await self._ask("stakeOf", terms.sequencer) >= terms.min_stake
        posted = await self._ask("lastSequencerPost")
        return Proposer(terms.sequencer, staked, posted, posted + terms.proposer_timeout if staked else 0)

    async def _waiting(self, index: int) -> Waiting:
        time = await self._contracts.inbox.call("timeAt", index, block=self._head.number)
        return Waiting(index, time, time + self._contracts.terms.force_deadline)

    async def _end(self) -> End | None:
        settled, batch = await self._ask("endState")
        if not settled:
            return None
        vault, block = self._contracts.vault, self._head.number
        pot, pot_fixed = await vault.call("pot", block=block)
        return End(
            batch=batch,
            settled_at=await self._ask("settledAt"),
            deadline=await vault.call("registrationDeadline", block=block),
            registered=await vault.call("registeredEquity", block=block),
            pot=pot,
            pot_fixed=pot_fixed,
            spare=await vault.call("spare", block=block),
        )
