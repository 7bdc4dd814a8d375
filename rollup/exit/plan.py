"""The plan of leaving after a freeze, made from L1 alone; made again at any time, it holds what is left to do.

    frozen ─ batches pending ─► finalise ─► end state ─► claim, refund, register ─► window over ─► collect

No order puts money at stake: what was withdrawn, and deposits that came too late, are held back by the vault in full.
Only registration has a deadline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rollup.derive.mirror import Mirror
from rollup.errors import L1Error
from rollup.exit.amounts import show_usd
from rollup.exit.contracts import Contracts
from rollup.exit.errors import NotFrozen
from rollup.exit.estate import EndState, open_end
from rollup.exit.holdings import Entry, LateDeposit, Whose, find_entries, find_late_deposits, pot_of
from rollup.exit.situation import ATTEMPTS, End, Situation, read_situation
from rollup.exit.steps import GAS, GAS_PER_POSITION, Kind, Later, Plan, Step

MAX_EQUITY: Final = 2**96 - 1
"""What the vault counts as most."""


async def plan_leaving(contracts: Contracts, mirror: Mirror, whose: Whose) -> Plan:
    """What is left to do for `whose` money, as L1 stands now; the mirror is brought up to date.

    `NotFrozen` while the chain goes on, `EndUnknown` if nobody can say what accounts are worth, `NotInEndState` for an
    account asked for by its number that never was.
    """
    situation = await read_both(contracts, mirror)
    if not situation.frozen:
        raise NotFrozen("the chain is not frozen: whoever has money in it withdraws (`rollup rescue` shows the ways)")
    block, batch = situation.l1_block, _end_of(situation, mirror)
    with open_end(mirror, batch) as state:
        late = await find_late_deposits(contracts, mirror, batch, whose, block)
        entries = await find_entries(contracts, state, whose, late, block)
        draft = _Draft(contracts, situation, state)
        if situation.end is None:
            draft.finalise(mirror)
            draft.foresee(entries, late)
        else:
            pot = situation.end.pot if situation.end.pot_fixed else await pot_of(contracts, state, block)
            draft.settle(situation.end, entries, late, pot)
    return Plan(situation, tuple(draft.now), tuple(draft.later), tuple(draft.notes), len(entries) + len(late))


async def read_both(contracts: Contracts, mirror: Mirror) -> Situation:
    """The situation, with the mirror at least as far; a retryable `L1Error` if batches come and go all the time."""
    for _ in range(ATTEMPTS):
        situation = await read_situation(contracts)
        await mirror.advance()
        if mirror.fraud is not None or mirror.batch >= situation.batch:
            return situation
    raise L1Error("L1 changes faster than it can be read", retryable=True)


def _end_of(situation: Situation, mirror: Mirror) -> int:
    """The batch after which the end state stands, or will if what is wrong is proven and nothing else is."""
    if situation.end is not None:
        return situation.end.batch
    return situation.batch if mirror.fraud is None else min(situation.batch, mirror.fraud.batch.index - 1)


@dataclass(slots=True)
class _Draft:
    """A plan in the making, from one state after one L1 block."""

    contracts: Contracts
    situation: Situation
    state: EndState
    now: list[Step] = field(default_factory=list)
    later: list[Later] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    # -- before the end state stands -----------------------------------------------------------------------------------

    def finalise(self, mirror: Mirror) -> None:
        """Make final what is pending and right, all at once."""
        pending, fraud, last = self.situation.pending, mirror.fraud, self.state.batch
        if fraud is not None:
            self.notes.append(
                f"batch {fraud.batch.index} is wrong, and becomes the end state unless that is proven in time "
                f"(`challenger prove` does it): {fraud}"
            )
        if pending is None or last < pending.first:
            return
        if last <= pending.ready:
            why = f"batches {pending.first} to {last} can be made final; then the end state stands"
            rollup = self.contracts.rollup
            self.now.append(Step(Kind.FINALISE, last, rollup.address, rollup.abi.encode_call("finalise", last), why))
        else:
            why = (
                f"batches {pending.first} to {last} can still be proven wrong; once they are final the end state stands"
            )
            self.later.append(Later(Kind.FINALISE, last, pending.last_due, GAS[Kind.FINALISE], why))

    def foresee(self, entries: Sequence[Entry], late: Sequence[LateDeposit]) -> None:
        """What will be due once the end state stands; amounts as things are now."""
        due = None if self.situation.pending is None else self.situation.pending.last_due
        for entry in entries:
            if entry.unpaid:
                self._later(Kind.CLAIM, entry, due, "what was withdrawn comes first and in full", entry.unpaid)
            if entry.holder.equity > 0:
                why = f"it is worth {show_usd(entry.holder.equity)} USD as things stand"
                self._later(Kind.REGISTER, entry, due, why)
                # The window opens when the last pending batch is made final, which is not before now.
                opens = None if due is None else max(due, self.situation.now)
                closed = None if opens is None else opens + self.contracts.terms.registration_window
                self._later(Kind.COLLECT, entry, closed, "others can register before", entry.holder.equity)
        for deposit in late:
            why = f"the chain has not taken in this deposit for account {deposit.account}"
            later = Later(Kind.REFUND, deposit.index, due, GAS[Kind.REFUND], why, deposit.owner, deposit.amount)
            self.later.append(later)

    # -- once it stands ------------------------------------------------------------------------------------------------

    def settle(self, end: End, entries: Sequence[Entry], late: Sequence[LateDeposit], pot: int) -> None:
        """Claims and refunds, which nobody can lessen; then accounts, by their shares of the pot."""
        for entry in entries:
            if entry.unpaid:
                self._claim(entry)
        for deposit in late:
            if not deposit.refunded:
                why = f"the chain never took in this deposit for account {deposit.account}"
                call = ("refund", deposit.index, deposit.message)
                self._send(Kind.REFUND, deposit.index, call, why, deposit.owner, deposit.amount)
        spare = end.spare if end.pot_fixed else max(0, pot - end.registered)
        for entry in entries:
            if entry.registered:
                self._collect(end, entry, pot)
            elif entry.holder.equity <= 0:
                self._note_worthless(entry)
            elif self.situation.now <= end.deadline:
                self._register(end, entry, pot)
            else:
                spare -= self._register_late(entry, spare)

    def _claim(self, entry: Entry) -> None:
        account = entry.holder.account
        call = ("claim", self.state.batch, self.state.claim(account))
        why = "what was withdrawn comes first and in full"
        self._send(Kind.CLAIM, account, call, why, entry.holder.owner, entry.unpaid)

    def _register(self, end: End, entry: Entry, pot: int) -> None:
        holder = entry.holder
        call = ("register", self.state.registration(holder.account))
        why = f"it is worth {show_usd(holder.equity)} USD in the end state, and who registers in time shares the pot"
        self._send(Kind.REGISTER, holder.account, call, why, holder.owner)
        share = share_of(min(holder.equity, MAX_EQUITY), end.registered + holder.equity, pot)
        self._later(Kind.COLLECT, entry, end.deadline, "others can register before", share)

    def _register_late(self, entry: Entry, spare: int) -> int:
        """What the account takes of what is spare, µUSD."""
        holder = entry.holder
        amount = min(holder.equity, spare)
        if amount <= 0:
            self.notes.append(f"account {holder.account} comes too late: those who registered in time leave nothing")
            return 0
        call = ("register", self.state.registration(holder.account))
        why = f"the window is over, but {show_usd(spare)} USD are left: who comes first is paid at once"
        self._send(Kind.REGISTER, holder.account, call, why, holder.owner, amount)
        return amount

    def _collect(self, end: End, entry: Entry, pot: int) -> None:
        if not entry.due:
            return  # paid
        account, share = entry.holder.account, share_of(entry.due, end.registered, pot)
        if self.situation.now <= end.deadline:
            self._later(Kind.COLLECT, entry, end.deadline, "others can register before", share)
        elif share:
            why = f"{show_usd(end.registered)} USD are registered, and {show_usd(pot)} USD are there to share"
            self._send(Kind.COLLECT, account, ("collect", account), why, entry.holder.owner, share)
        else:
            self.notes.append(f"the share of account {account} is less than a millionth of a dollar")

    def _note_worthless(self, entry: Entry) -> None:
        worth = show_usd(entry.holder.equity)
        self.notes.append(f"account {entry.holder.account} is worth {worth} USD: nothing more is paid for it")

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _send(
        self, kind: Kind, subject: int, call: tuple[Any, ...], why: str, owner: bytes, amount: int | None = None
    ) -> None:
        vault = self.contracts.vault
        self.now.append(Step(kind, subject, vault.address, vault.abi.encode_call(*call), why, owner, amount))

    def _later(self, kind: Kind, entry: Entry, after: int | None, why: str, amount: int | None = None) -> None:
        gas = GAS[kind] + (GAS_PER_POSITION * entry.holder.positions if kind is Kind.REGISTER else 0)
        self.later.append(Later(kind, entry.holder.account, after, gas, why, entry.holder.owner, amount))


def share_of(equity: int, registered: int, pot: int) -> int:
    """What is paid for `equity` of `registered` in all, from `pot`; µUSD, rounded down."""
    return equity if pot >= registered else equity * pot // registered
