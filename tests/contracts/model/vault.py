"""What the vault pays and to whom, worked out account by account and message by message."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.contracts.model.inbox import Trick
from tests.contracts.model.ledger import Ledger
from tests.contracts.model.refusal import Refused, require
from tests.contracts.model.rollup import Rollup
from tests.support.world import REGISTRATION_WINDOW


@dataclass(slots=True)
class Vault:
    """µUSD. `timely` and `late` hold what accounts registered for, `paid` what they got for it."""

    address: bytes
    coins: dict[bytes, int]
    rollup: Rollup
    claimed: dict[int, int] = field(default_factory=dict)
    refunded: set[int] = field(default_factory=set)
    timely: dict[int, int] = field(default_factory=dict)
    late: set[int] = field(default_factory=set)
    paid: dict[int, int] = field(default_factory=dict)
    pot: int | None = None
    too_late: int = 0
    """Gifts that came after the pot was fixed, and are nobody's."""

    def give(self, giver: bytes, amount: int) -> None:
        """Coins that nobody asked for."""
        self.coins[giver] -= amount
        self.coins[self.address] += amount
        if self.pot is not None:
            self.too_late += amount

    @property
    def end(self) -> Ledger:
        """The end state."""
        assert self.rollup.settled_at, "the end is settled"
        return self.rollup.final.ledger

    @property
    def registration_deadline(self) -> int:
        """Last second in time, 0 before the end state."""
        return self.rollup.settled_at + REGISTRATION_WINDOW if self.rollup.settled_at else 0

    @property
    def stranded(self) -> dict[int, int]:
        """Deposits that the last final state has not taken: index and amount."""
        messages = self.rollup.inbox.messages
        first = self.rollup.final.ledger.consumed
        return {n: messages[n].amount for n in range(first, len(messages)) if messages[n].kind in {1, 2}}

    @property
    def owed_first(self) -> int:
        """Withdrawals not claimed and stranded deposits not refunded, by the last final state."""
        holders = self.rollup.final.ledger.holders
        withdrawn = sum(holder.withdrawn - self.claimed.get(n, 0) for n, holder in enumerate(holders))
        return withdrawn + sum(amount for n, amount in self.stranded.items() if n not in self.refunded)

    def claim(self, batch: int, ledger: Ledger, account: int, trick: Trick) -> None:
        """Pay a withdrawal by the state after `batch`; `ledger` is the state that the proof leads to."""
        require(batch <= self.rollup.finalised, "BatchNotFinal", batch)
        self._require_root(self.rollup.batches[batch].ledger, ledger)
        holder, paid = ledger.holders[account], self.claimed.get(account, 0)
        require(holder.withdrawn > paid, "NothingToClaim", account, holder.withdrawn, paid)
        self._pay(holder.owner, holder.withdrawn - paid, trick)
        self.claimed[account] = holder.withdrawn

    def register(self, ledger: Ledger, account: int, trick: Trick, now: int) -> None:
        """Register an account by the state that the proof leads to; pay it if it is late."""
        self._require_end()
        self._require_root(self.end, ledger)
        require(account not in self.timely and account not in self.late, "AlreadyRegistered", account)
        equity = self.end.equity(account)
        require(equity > 0, "WorthNothing", account, equity)
        if now <= self.registration_deadline:
            self.timely[account] = equity
            return
        pot = self._measure()
        amount = min(equity, self.gap(pot))
        require(amount > 0, "NothingLeft", account)
        self._pay(self.end.holders[account].owner, amount, trick)
        self.late.add(account)
        self.pot, self.paid[account] = pot, amount

    def gap(self, pot: int) -> int:
        """What is left of a pot for those who are late."""
        return max(0, pot - sum(self.timely.values())) - sum(self.paid[n] for n in self.late)

    def collect(self, account: int, trick: Trick, now: int) -> None:
        """Pay a timely account its share."""
        self._require_end()
        deadline = self.registration_deadline
        require(now > deadline, "RegistrationOpen", now, deadline)
        if account not in self.timely or account in self.paid:
            raise Refused("NothingToCollect", account)
        pot, total = self._measure(), sum(self.timely.values())
        amount = self.timely[account] if pot >= total else self.timely[account] * pot // total
        require(amount > 0, "NothingToCollect", account)
        self._pay(self.end.holders[account].owner, amount, trick)
        self.pot, self.paid[account] = pot, amount

    def refund(self, index: int, shown: int, trick: Trick) -> None:
        """Pay message `index` back, if message number `shown` is what the caller shows for it."""
        self._require_end()
        consumed = self.end.consumed
        require(index >= consumed, "MessageConsumed", index, consumed)
        inbox = self.rollup.inbox
        count = len(inbox.messages)
        require(index < count, "IndexUnknown", index if index > count else index + 1, count)
        require(inbox.messages[shown].raw == inbox.messages[index].raw, "WrongMessage", index)
        require(index not in self.refunded, "AlreadyRefunded", index)
        require(index in self.stranded, "NotADeposit", index)
        self._pay(inbox.messages[index].owner, inbox.messages[index].amount, trick)
        self.refunded.add(index)

    def _measure(self) -> int:
        """The pot: what is there beyond what is owed first."""
        if self.pot is not None:
            return self.pot
        return self.coins[self.address] - self.owed_first

    def _pay(self, owner: bytes, amount: int, trick: Trick) -> None:
        require(trick not in {Trick.FAIL, Trick.RETURN_FALSE}, "TransferFailed")
        self.coins[self.address] -= amount
        self.coins[owner] += amount - (trick == Trick.TAKE_FEE)

    def _require_end(self) -> None:
        require(self.rollup.settled_at > 0, "NotEnded")

    @staticmethod
    def _require_root(expected: Ledger, shown: Ledger) -> None:
        require(shown.root == expected.root, "WrongRoot", shown.root, expected.root)
