"""The rescue: whatever state a chain is in, the next steps towards one's money, planned anew as things change.

alive ─ force a withdrawal ─► taken ─► final ─► claim
└─ not taken in time ─► freeze ─► the plan of leaving (`plan`)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from rollup.derive.mirror import Mirror
from rollup.errors import InvalidTransaction
from rollup.exit.amounts import show_usd
from rollup.exit.contracts import Contracts
from rollup.exit.errors import NothingToCollect
from rollup.exit.estate import EndState, Holder, open_end
from rollup.exit.forcing import HEADROOM
from rollup.exit.holdings import LateDeposit, Whose, ask_all, find_late_deposits
from rollup.exit.leaving import freeze_steps, plan_for
from rollup.exit.outcome import Outcome, outcomes_about
from rollup.exit.payloads import (
    account_of,
    accounts_in,
    next_owner_nonce,
    sender_of,
    sign_cancel,
    sign_withdrawal,
    waiting_messages,
)
from rollup.exit.plan import read_both
from rollup.exit.room import room_of
from rollup.exit.sending import Done
from rollup.exit.situation import Situation
from rollup.exit.steps import GAS, Kind, Later, Plan, Step
from rollup.exit.walking import DEFAULT, Happening, Left, Manner, walk
from rollup.l1.account import L1Account
from rollup.types.limits import CASH_BOUND, MILLION

SPARE_PERCENT: Final = 50
"""Of the initial margin, left in an account besides it: prices move until the withdrawal's turn."""
WORTH_FORCING: Final = MILLION
"""µUSD below which nothing is forced: a message costs more."""


async def rescue(
    payer: L1Account,
    contracts: Contracts,
    mirror: Mirror,
    whose: Whose,
    manner: Manner = DEFAULT,
    on_situation: Callable[[Situation], None] = lambda _: None,
) -> Left:
    """Walk out of a chain in any state; `on_situation` hears what L1 says before each plan.

    `NothingToCollect` if nothing of `whose` is on the chain; otherwise as `leave`. Only the owner itself, if it is the
    payer, can force a withdrawal; everything else anyone can do.
    """
    planner = _Rescue(payer.address, contracts, mirror, whose, on_situation)

    def hear(happening: Happening) -> None:
        if isinstance(happening, Done) and happening.step.kind is Kind.FORCE:
            planner.forced.add(happening.step.subject)
        manner.tell(happening)

    return await walk(payer, contracts, planner.plan, replace(manner, tell=hear))


@dataclass(slots=True)
class _Rescue:
    """Makes the plan as long as the chain is not frozen. `forced` are accounts that this walk has acted for."""

    sender: bytes
    contracts: Contracts
    mirror: Mirror
    whose: Whose
    on_situation: Callable[[Situation], None]
    forced: set[int] = field(default_factory=set)

    async def plan(self) -> Plan:
        """The next steps, whatever the state."""
        situation = await read_both(self.contracts, self.mirror)
        self.on_situation(situation)
        if situation.frozen:
            return await plan_for(self.contracts, self.mirror, self.whose)
        mirror = self.mirror
        late = await find_late_deposits(self.contracts, mirror, mirror.batch, self.whose, situation.l1_block)
        with open_end(mirror, mirror.final_batch) as final, open_end(mirror, mirror.batch) as newest:
            holders = [newest.holder(n) for n, owner in newest.owners() if self.whose.wants(n, owner)]
            if not holders and not late:
                raise NothingToCollect(
                    f"the chain holds nothing of {self.whose}: no account, and no deposit on its way there"
                )
            draft = _Draft(self, situation, final, newest)
            await draft.withdrawn(holders)
            await draft.remaining(holders, late)
        found = len(holders) + len(late)
        return Plan(situation, tuple(draft.now), tuple(draft.later), tuple(draft.notes), found, restless=True)


@dataclass(slots=True)
class _Draft:
    """The plan of a chain that goes on, or should: `final` is its last final state, `newest` its last."""

    rescue: _Rescue
    situation: Situation
    final: EndState
    newest: EndState
    now: list[Step] = field(default_factory=list)
    later: list[Later] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    async def withdrawn(self, holders: list[Holder]) -> None:
        """Claim what was withdrawn and is final; wait for what is not."""
        vault, block = self.rescue.contracts.vault, self.situation.l1_block
        claimed = await ask_all([partial(vault.call, "claimed", holder.account, block=block) for holder in holders])
        waits = False
        for holder, paid in zip(holders, claimed, strict=True):
            settled = self.final.withdrawn(holder.account)
            if settled > paid:
                why = "it was withdrawn, in a batch that is final"
                call = vault.abi.encode_call("claim", self.final.batch, self.final.claim(holder.account))
                step = Step(Kind.CLAIM, holder.account, vault.address, call, why, holder.owner, settled - paid)
                self.now.append(step)
            unpaid = holder.withdrawn - max(settled, paid)
            if unpaid > 0:
                waits = True
                after = None if self.situation.pending is None else self.situation.pending.last_due
                why = "it was withdrawn, in a batch that can still be proven wrong"
                later = Later(Kind.CLAIM, holder.account, after, GAS[Kind.CLAIM], why, holder.owner, unpaid)
                self.later.append(later)
        if waits:
            self._finalise()

    def _finalise(self) -> None:
        """Whoever waits for finality need not wait for the sequencer to ask for it."""
        pending, fraud = self.situation.pending, self.rescue.mirror.fraud
        if pending is None:
            return
        last = pending.ready if fraud is None else min(pending.ready, fraud.batch.index - 1)
        if last >= pending.first:
            rollup = self.rescue.contracts.rollup
            call = rollup.abi.encode_call("finalise", last)
            why = f"batches {pending.first} to {last} can be made final"
            self.now.append(Step(Kind.FINALISE, last, rollup.address, call, why))

    async def remaining(self, holders: list[Holder], late: list[LateDeposit]) -> None:
        """Force out what can be withdrawn; end the chain for it if it is left waiting."""
        stake = bool(late)
        for holder in holders:
            await self._force(holder, self._free(holder.account))
            stake = stake or holder.equity > 0 or any(later.subject == holder.account for later in self.later)
        if stake:
            now, later = freeze_steps(self.rescue.contracts, self.situation)
            self.now += now
            self.later += later

    async def _force(self, holder: Holder, free: int) -> None:
        number, rescue = holder.account, self.rescue
        waiting = [index for index, message in waiting_messages(rescue.mirror) if self._ours(number, message)]
        if waiting:
            self.notes.append(f"message {waiting[-1]} for account {number} waits for its block")
            return
        if number in rescue.forced:
            await self._tell_outcome(holder)
            if free >= WORTH_FORCING:
                self.notes.append(
                    f"account {number}: {show_usd(free)} USD can still be withdrawn; run this again for it"
                )
            return
        if self.situation.overdue or holder.equity <= 0:
            return  # a message more changes nothing, or there is nothing to get
        if holder.owner != rescue.sender:
            self.notes.append(f"account {number}: only its owner, 0x{holder.owner.hex()}, can force a withdrawal")
        elif free >= WORTH_FORCING:
            await self._withdraw(holder, free)
        elif self.situation.silent and self.situation.waiting is None:
            await self._start_the_clock(holder)
        else:
            worth = show_usd(holder.equity)
            self.notes.append(
                f"account {number} is worth {worth} USD, and its positions need all of it as margin: close them, or "
                "have somebody take the other side (`rollup force`)"
            )

    def _free(self, account: int) -> int:
        """What may be withdrawn, µUSD; 0 where the rules of trading would refuse any amount."""
        try:
            found = room_of(self.newest.read, account, self.situation.now)
        except InvalidTransaction:
            return 0
        return min(found.with_spare(SPARE_PERCENT), CASH_BOUND - 1)

    async def _withdraw(self, holder: Holder, free: int) -> None:
        why = f"withdraw {show_usd(free)} USD through L1"
        if free < holder.equity:
            why += f"; the rest of {show_usd(holder.equity)} USD stays as margin of its positions"
        mirror = self.rescue.mirror
        separator = mirror.pipeline.replica.origin.separator
        payload = sign_withdrawal(separator, holder.account, free, next_owner_nonce(mirror, holder.account))
        await self._send(holder, payload, why, free)

    async def _start_the_clock(self, holder: Holder) -> None:
        """Any message that waits makes a silent chain freezable; a cancel does no harm if it is taken after all."""
        why = "nobody posts, and no message waits: one must, so that the chain can be ended; this one cancels orders"
        mirror = self.rescue.mirror
        nonce = account_of(mirror, holder.account).nonce_floor + 1
        separator = mirror.pipeline.replica.origin.separator
        await self._send(holder, sign_cancel(separator, holder.account, nonce, every=True), why, None)

    async def _send(self, holder: Holder, payload: bytes, why: str, amount: int | None) -> None:
        inbox, fee = self.rescue.contracts.inbox, self.situation.force_fee
        value = fee + HEADROOM * await inbox.call("feeSlope")
        call = inbox.abi.encode_call("force", payload)
        self.now.append(Step(Kind.FORCE, holder.account, inbox.address, call, why, holder.owner, amount, value, fee))

    async def _tell_outcome(self, holder: Holder) -> None:
        """What became of what this walk has forced."""
        about: list[Outcome] = await outcomes_about(self.rescue.mirror, holder.account)
        ours = [outcome for outcome in about if self._ours(holder.account, outcome.message)]
        if ours:
            self.notes.append(f"message {ours[-1].index} for account {holder.account}: {ours[-1].tell()}")

    def _ours(self, account: int, message: bytes) -> bool:
        return sender_of(message) == self.rescue.sender and account in accounts_in(message)
