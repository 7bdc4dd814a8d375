"""The Rollup contract as the batcher uses it: typed reads, the calls it sends."""

from __future__ import annotations

from dataclasses import dataclass

from rollup.l1.account import L1Account
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract
from rollup.l1.values import Fees, Receipt


@dataclass(frozen=True, slots=True)
class Terms:
    """The deployment's constants that matter to a poster; seconds and wei."""

    sequencer: bytes
    min_stake: int
    dispute_window: int
    proposer_timeout: int
    force_deadline: int
    max_time_ahead: int
    max_time_lag: int
    freeze_grace: int
    verifier: bytes
    inbox: bytes


@dataclass(frozen=True, slots=True)
class Posted:
    """A batch as L1 keeps it."""

    index: int
    state_root: bytes
    batch_hash: bytes
    posted_at: int
    last_number: int
    inbox_index: int
    fork: int


class RollupContract:
    """One deployment on one node."""

    def __init__(self, l1: L1Client, address: bytes) -> None:
        self.l1 = l1
        self.address = address
        self._contract = Contract(l1, address, load_artifact("Rollup"))
        self._terms: Terms | None = None

    async def terms(self) -> Terms:
        """What the deployment fixed; L1 is asked once."""
        if self._terms is None:
            config = await self._contract.call("config")
            self._terms = Terms(*(*config[:7], config[11], config[9], config[8]))
        return self._terms

    async def tip(self) -> Posted:
        """The last batch that stands, in the newest L1 block."""
        return await self.batch(await self._contract.call("batchCount") - 1)

    async def batch(self, index: int) -> Posted:
        """A batch that stands; `L1Reverted` (BatchUnknown) if none does."""
        values = await self._contract.call("batches", index)
        _, state_root, batch_hash, _, posted_at, last_number, _, _, inbox_index, fork = values
        return Posted(index, state_root, batch_hash, posted_at, last_number, inbox_index, fork)

    async def fork(self) -> int:
        """Reversions so far."""
        fork: int = await self._contract.call("fork")
        return fork

    async def finalised(self) -> int:
        """The last final batch."""
        finalised: int = await self._contract.call("finalised")
        return finalised

    async def may_post(self, poster: bytes) -> bool:
        """Whether L1 would take a batch from `poster` now."""
        allowed: bool = await self._contract.call("mayPost", poster)
        return allowed

    async def last_post(self) -> int:
        """When the designated sequencer posted last (s)."""
        time: int = await self._contract.call("lastSequencerPost")
        return time

    async def frozen(self) -> bool:
        """Whether the chain has ended: no batch is ever taken again."""
        ended: bool = await self._contract.call("frozen")
        return ended

    async def freezable_after(self) -> tuple[int, int]:
        """The first message that no batch has consumed, and the time (s) after which it lets anybody freeze the chain.

        The time is 2²⁵⁶ - 1 if every message is consumed.
        """
        index, deadline = await self._contract.call("freezeDeadline")
        return index, deadline

    async def leaves_overdue(self, inbox_index: int) -> bool:
        """Whether a message that a batch up to `inbox_index` leaves behind is past the force deadline by now."""
        terms = await self.terms()
        inbox = Contract(self.l1, terms.inbox, load_artifact("Inbox"))
        if inbox_index >= await inbox.call("count"):
            return False
        newest = await self.l1.get_block("latest")
        assert newest is not None, "a node has its newest block"
        late: bool = newest.timestamp > await inbox.call("timeAt", inbox_index) + terms.force_deadline
        return late

    async def stake_of(self, poster: bytes) -> int:
        """Stake in wei."""
        stake: int = await self._contract.call("stakeOf", poster)
        return stake

    async def add_stake(self, account: L1Account, amount: int) -> Receipt:
        """Stake `amount` wei more."""
        return await self._contract.transact(account, "stake", value=amount)

    async def finalise(self, account: L1Account, up_to: int) -> Receipt:
        """Make batches final."""
        return await self._contract.transact(account, "finalise", up_to)

    def post_calldata(self, parent_hash: bytes, blocks: bytes, inbox_hash: bytes) -> bytes:
        """Calldata of `postBatch`; L1 refuses it if its messages are no longer those that `inbox_hash` commits to."""
        return self._contract.abi.encode_call("postBatch", parent_hash, blocks, inbox_hash)

    async def raised_fees(self, sent: Fees, percent: int) -> Fees:
        """Fees that replace those of a stuck transaction: raised by `percent`, or the market's if that is more."""
        raised, market = sent.raised(percent), await self.l1.suggest_fees()
        return Fees(
            max_fee=max(raised.max_fee, market.max_fee),
            max_priority_fee=max(raised.max_priority_fee, market.max_priority_fee),
        )
