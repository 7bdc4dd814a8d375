"""Posts what L1 lacks, and follows each posting to its end.

Nothing is remembered: every round reads from L1 which batch is the last, finds the blocks after it in the store, and
builds on its hash. So a crash between any two steps, a reorganisation of L1, or a reversion needs no repair here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
import trio

from rollup.batcher.alarms import Alarms
from rollup.batcher.contracts import Posted, RollupContract
from rollup.batcher.pack import Packed, PendingBlock, pack
from rollup.errors import L1Error, L1LimitExceeded, L1Refused, L1Reverted
from rollup.l1.account import L1Account, SentTransaction
from rollup.l1.values import Receipt
from rollup.types.blocks import Header

log = structlog.get_logger(__name__)

REPLACE_PERCENT: Final = 15
"""A node takes a replacement only if it pays at least 10 % more."""
OUTBIDS: Final = 40
"""Raises in a row, over an unknown price in the pool: by a factor of 267, beyond which `MAX_FEE_WEI` is the limit."""
STUCK_SECONDS: Final = 30.0
"""Two or three L1 blocks; a transaction that is in none of them was priced too low."""


class Blocks(Protocol):
    """Durable blocks by number."""

    def header(self, number: int) -> Header | None:
        """Header of a block; None if it is not (or no longer) there."""
        ...

    def pending(self, after: int) -> Iterator[PendingBlock]:
        """Blocks after number `after`, ascending."""
        ...


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a batch is due: `interval` seconds after the first block waits, or once `blocks` wait or `size` bytes."""

    interval: float
    blocks: int
    size: int


async def _consent(_: Packed) -> bool:
    return True


class Poster:
    """One poster's key on one deployment."""

    def __init__(
        self,
        contract: RollupContract,
        account: L1Account,
        blocks: Blocks,
        alarms: Alarms,
        rhythm: Rhythm,
        stuck_seconds: float = STUCK_SECONDS,
    ) -> None:
        self._contract = contract
        self._account = account
        self._blocks = blocks
        self._alarms = alarms
        self._rhythm = rhythm
        self._stuck = stuck_seconds
        self.rehearse: Callable[[Packed], Awaitable[bool]] = _consent
        """Asked before a batch is posted; what it denies stays here."""
        self.excluded = False
        """Whether L1 lets only the designated sequencer post now, which this key is not, or nobody ever again."""
        self._waiting_since: float | None = None

    async def post_if_due(self) -> Packed | None:
        """Post one batch if one is due and allowed; returns it once it is mined, None if there was nothing to do."""
        tip = await self._contract.tip()
        if not await self.check_turn():
            return None
        packed = await self._next(tip)
        if packed is None:
            self._waiting_since = None
            return None
        if not self._is_due(packed) or not await self._may_post() or await self._must_wait(packed):
            return None
        if not await self.rehearse(packed) or await self._contract.tip() != tip:
            return None  # a rehearsal takes its time, in which L1 may move
        receipt = await self._post(tip, packed)
        self._waiting_since = None
        if receipt is None:
            return None
        log.info("batch_posted", batch=tip.index + 1, first=packed.first, last=packed.last, gas=receipt.gas_used)
        return packed

    async def check_turn(self) -> bool:
        """Whether L1 lets this key post now; asked with nothing to post, too: what it signs might never stand."""
        return await self._is_designated() or await self._may_post()

    async def _next(self, tip: Posted) -> Packed | None:
        """The next batch on top of L1's tip; None if no block waits, or if the tip is not our chain."""
        if tip.last_number:
            header = self._blocks.header(tip.last_number)
            if header is None or header.state_root != tip.state_root:
                return None  # somebody else's batch, or one whose reversion we have followed already
        fork = await self._contract.fork()
        pending = self._blocks.pending(tip.last_number)
        first = next(pending, None)
        if first is None or first.header.fork != fork:
            return None

        def waiting() -> Iterator[PendingBlock]:
            yield first
            yield from pending

        return pack(waiting())

    def _is_due(self, packed: Packed) -> bool:
        now = trio.current_time()
        if self._waiting_since is None:
            self._waiting_since = now
        full = packed.count >= self._rhythm.blocks or len(packed.data) >= self._rhythm.size
        return full or now >= self._waiting_since + self._rhythm.interval

    async def _is_designated(self) -> bool:
        return (await self._contract.terms()).sequencer == self._account.address

    async def _may_post(self) -> bool:
        if await self._contract.may_post(self._account.address):
            self._alarms.clear("posting")
            self.excluded = False
            return True
        why, self.excluded = await self._exclusion()
        self._alarms.raise_("posting", f"L1 does not let this key post now: {why}")
        return False

    async def _exclusion(self) -> tuple[str, bool]:
        """Why this key may not post, and whether that is for another cause than its own missing stake."""
        contract, terms = self._contract, await self._contract.terms()
        if await contract.frozen():
            return "the chain is frozen, and no batch is taken any more", True
        stake = await contract.stake_of(self._account.address)
        if stake < terms.min_stake:
            return f"it has {stake} wei at stake, less than {terms.min_stake}", False
        last = await contract.last_post()
        turn = f"0x{terms.sequencer.hex()} is in turn: it posted at L1's time {last}"
        return f"{turn}, and others may only if it is silent until {last + terms.proposer_timeout}", True

    async def _must_wait(self, packed: Packed) -> bool:
        """Whether L1 would refuse the batch for overdue messages that it leaves behind; later blocks may take them."""
        if packed.crowded or not await self._contract.leaves_overdue(packed.inbox_index):
            self._alarms.clear("overdue")
            return False
        text = f"the blocks up to {packed.last} leave message {packed.inbox_index} behind, which is overdue; waiting"
        self._alarms.raise_("overdue", f"{text} for blocks that take it, or for 256 that take one message each")
        return True

    async def _post(self, tip: Posted, packed: Packed) -> Receipt | None:
        """Send one batch and see it through; None if L1 moved on meanwhile, so that the next round starts afresh."""
        calldata = self._contract.post_calldata(tip.batch_hash, packed.data, packed.inbox_hash)
        try:
            sent = await self._send(calldata)
            receipt = await self._see_through(sent, tip)
            if not receipt.success:
                raise await self._account.revert_reason(sent, receipt)
        except L1Reverted as error:
            # Usually WrongParent or WrongInbox: L1 moved between reading and sending. The next round reads it again.
            log.warning("batch_refused", reason=str(error))
            self._alarms.raise_("batch", f"L1 refuses the next batch: {error}")
            return None
        except L1LimitExceeded as error:
            self._alarms.raise_("fees", str(error))
            return None
        self._alarms.clear("batch")
        self._alarms.clear("fees")
        return receipt

    async def _send(self, calldata: bytes) -> SentTransaction:
        """Send in place of whatever an earlier life of this process may have left unmined.

        The nonce is always L1's own next one: a reorganisation may have taken back some that were used already.
        """
        l1, to, address = self._account.client, self._contract.address, self._account.address
        nonce = await l1.get_nonce(address)
        gas = await self._account.estimate(to, calldata)
        fees = await l1.suggest_fees()
        if await l1.get_nonce(address, "pending") > nonce:
            fees = fees.raised(REPLACE_PERCENT)
        for _ in range(OUTBIDS):
            try:
                return await self._account.send(to, calldata, gas=gas, fees=fees, nonce=nonce)
            except L1Refused as refusal:
                if "underpriced" not in refusal.reason.lower():
                    raise
                fees = fees.raised(REPLACE_PERCENT)
        raise L1Error("the pool holds a transaction of this nonce that cannot be outbid", retryable=True)

    async def _see_through(self, sent: SentTransaction, tip: Posted) -> Receipt:
        """Wait until it is mined, raising its price each time it is stuck.

        A retryable `L1Error` once it cannot succeed any more, because its nonce is used, or because `tip` is not L1's
        last batch: another's came first, or L1 was reorganised.
        """
        versions = [sent]
        while True:
            deadline = trio.current_time() + self._stuck
            while trio.current_time() < deadline:
                # In this order: what is mined between two questions is found by the third.
                if (receipt := await self._receipt(versions)) is not None:
                    return receipt
                lost = await self._why_lost(sent.nonce, tip)
                if lost and (receipt := await self._receipt(versions)) is not None:
                    return receipt
                if lost:
                    raise L1Error(lost, retryable=True)
                await trio.sleep(min(0.25, self._stuck / 4))
            versions.append(await self._replace(versions[-1]))

    async def _receipt(self, versions: list[SentTransaction]) -> Receipt | None:
        for version in versions:
            receipt = await self._account.client.get_receipt(version.hash)
            if receipt is not None:
                return receipt
        return None

    async def _why_lost(self, nonce: int, tip: Posted) -> str:
        """Why no version of a posting can succeed, unless one has already; empty if it may."""
        if await self._account.client.get_nonce(self._account.address) > nonce:
            return "another transaction took the nonce"
        if await self._contract.tip() != tip:
            return f"batch {tip.index} is not the last one on L1 any more"
        return ""

    async def _replace(self, sent: SentTransaction) -> SentTransaction:
        fees = await self._contract.raised_fees(sent.fees, REPLACE_PERCENT)
        log.warning("batch_stuck", nonce=sent.nonce, max_fee=fees.max_fee)
        try:
            return await self._account.replace(sent, fees)
        except L1Refused as refusal:
            log.warning("replacement_refused", reason=refusal.reason)  # it is mined, or soon will be
            return sent
