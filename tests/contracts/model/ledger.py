"""States of the second layer, made up but possible: a perpetual, its holders, and what messages and trades do to them.

Where the state transition would refuse, nothing happens; what it pays is worked out here in the plainest way, so that
payments on L1 are compared to sums that no contract has made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Self

from rollup.types.keys import GLOBALS, ORACLE_SET, account_key, market_key, underlying_key
from rollup.types.leaves import Account, Globals, MarketKind, OracleSet, Position
from tests.support.chain import GENESIS_TIME
from tests.support.ending import COIN, USD, EndState, coin, instrument

MARKET: Final = 1
UNDERLYING: Final = 1
FIRST_MARK: Final = 40_000 * USD


@dataclass(frozen=True, slots=True)
class Holder:
    """An account: µUSD and µcoin."""

    owner: bytes
    cash: int
    withdrawn: int = 0
    size: int = 0

    def encode(self) -> bytes:
        """Its leaf."""
        positions = (Position(MARKET, self.size, 0),) if self.size else ()
        return Account(self.owner, bytes(20), self.cash, self.withdrawn, 0, 0, positions).encode()


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the inbox. A forced one withdraws `amount` from `account` if `owner`, who sent it, may."""

    kind: int
    raw: bytes
    account: int = 0
    owner: bytes = b""
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that happens on the second layer between accounts `a` and `b`.

    A withdrawal of `amount` µUSD, a trade of `amount` µcoin, or a move of the price to 50 + `amount` % of what it was.
    """

    name: str
    a: int
    b: int
    amount: int


@dataclass(frozen=True)
class Ledger:
    """A state. Its tree is built when it is first asked for."""

    holders: tuple[Holder, ...] = ()
    consumed: int = 0
    deposits: int = 0
    withdrawals: int = 0
    mark: int = FIRST_MARK
    time: int = GENESIS_TIME
    _states: list[EndState] = field(init=False, default_factory=list, compare=False, repr=False)

    def __deepcopy__(self, memo: object) -> Self:
        """Nothing changes it."""
        return self

    @property
    def state(self) -> EndState:
        """Leaves and tree."""
        if not self._states:
            totals = Globals(
                self.consumed, bytes(32), self.time, 0, 0, self.deposits, self.withdrawals, len(self.holders)
            )
            perpetual = coin(spot=self.mark, mark=self.mark, funding_cap=0)
            leaves = {
                GLOBALS: totals.encode(),
                ORACLE_SET: OracleSet(1, (b"\1" * 20,)).encode(),
                underlying_key(UNDERLYING): perpetual.encode(),
                market_key(MARKET): instrument(MarketKind.PERP, UNDERLYING).encode(),
            }
            leaves |= {account_key(n): holder.encode() for n, holder in enumerate(self.holders)}
            self._states.append(EndState(leaves))
        return self._states[0]

    @property
    def root(self) -> bytes:
        """The state root."""
        return self.state.tree.root

    def equity(self, account: int) -> int:
        """µUSD, rounded down."""
        holder = self.holders[account]
        return holder.cash + holder.size * self.mark // COIN

    def take(self, messages: Iterable[Message]) -> Ledger:
        """After these messages."""
        ledger = self
        for message in messages:
            ledger = replace(ledger._obey(message), consumed=ledger.consumed + 1)
        return ledger

    def rob(self, messages: Iterable[Message]) -> Ledger:
        """A thief's state: as if these messages had brought and taken nothing."""
        return self.take(replace(message, amount=0) for message in messages)

    def at(self, time: int) -> Ledger:
        """The same later."""
        return replace(self, time=time)

    def do(self, deed: Deed) -> Ledger:
        """After a deed; accounts are numbered around, and what nobody may do does nothing."""
        count = len(self.holders)
        if deed.name == "move":
            return replace(self, mark=max(USD, self.mark * (50 + deed.amount) // 100 // 1_000 * 1_000))
        if not count:
            return self
        a, b = deed.a % count, deed.b % count
        match deed.name:
            case "withdraw":
                return self._withdraw(a, deed.amount)
            case "trade" if a != b:
                return self._trade(a, b, deed.amount // 1_000 * 1_000)
            case "steal":
                thief = self.holders[a]
                stolen = replace(thief, withdrawn=thief.withdrawn + deed.amount)
                return replace(self._with(a, stolen), withdrawals=self.withdrawals + deed.amount)
            case "forge":
                return self._with(a, replace(self.holders[a], cash=self.holders[a].cash + deed.amount))
            case _:
                return self

    def _obey(self, message: Message) -> Ledger:
        if message.kind == 1:
            opened = (*self.holders, Holder(message.owner, message.amount))
            return replace(self, holders=opened, deposits=self.deposits + message.amount)
        if message.kind == 2:
            holder = self.holders[message.account]
            richer = self._with(message.account, replace(holder, cash=holder.cash + message.amount))
            return replace(richer, deposits=self.deposits + message.amount)
        known = message.kind == 3 and message.account < len(self.holders)
        if known and self.holders[message.account].owner == message.owner:
            return self._withdraw(message.account, message.amount)
        return self

    def _withdraw(self, account: int, amount: int) -> Ledger:
        """Not beyond equity, and nothing while somebody is insolvent: then it would be others' money."""
        holder = self.holders[account]
        solvent = all(self.equity(n) >= 0 for n in range(len(self.holders)))
        if not solvent or not 0 < amount <= min(holder.cash, self.equity(account)):
            return self
        poorer = replace(holder, cash=holder.cash - amount, withdrawn=holder.withdrawn + amount)
        return replace(self._with(account, poorer), withdrawals=self.withdrawals + amount)

    def _trade(self, buyer: int, seller: int, size: int) -> Ledger:
        """At the mark; both numbers are multiples of 1,000, so the price is exact."""
        for account, change in ((buyer, size), (seller, -size)):
            holder = self.holders[account]
            moved = replace(holder, size=holder.size + change, cash=holder.cash - change * self.mark // COIN)
            self = self._with(account, moved)  # noqa: PLW0642 - the next state
        return self

    def _with(self, account: int, holder: Holder) -> Ledger:
        holders = (*self.holders[:account], holder, *self.holders[account + 1 :])
        return replace(self, holders=holders)
