"""An independent look at every block: a state of its own, each account's exact margin, and when its flag was raised.

The inspector executes what the sequencer made durable on leaves that started with the genesis, so it believes neither
the sequencer's screening nor its view of anybody. An account whose equity is below its maintenance margin at the end
of a block must be flagged in that very block; where that has no more room for it (the sequencer keeps three quarters
for users), in the next, still of the same second. So must a spent flag be raised anew, by which nobody could act. An
account that is sound must not stay flagged, and no bad debt may stand while the fund has something.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rollup.errors import BrokenInvariant, InvalidTransaction, PlumblineError
from rollup.replay.crash.laws import check_after, is_idle, look_before, require, standing, worth_of
from rollup.replay.crash.record import Record
from rollup.sequencer.risk.work import SHARE
from rollup.sequencer.unit import Unit
from rollup.stf.builder import BlockBuilder
from rollup.stf.invariants import check_invariants
from rollup.stf.liquidation import is_spent
from rollup.stf.receipts import Liquidated
from rollup.types.blocks import Header
from rollup.types.keys import GLOBALS, KeyKind, account_key, account_of, kind_of
from rollup.types.leaves import Account, Globals
from rollup.types.limits import MAX_TRANSACTIONS
from rollup.types.reasons import Reason
from rollup.types.transactions import (
    Deleverage,
    Flag,
    OracleUpdate,
    Settle,
    SurfaceUpdate,
    Transaction,
    WriteOff,
    decode_transactions,
)


class Block(Protocol):
    """What is looked at of a block, from wherever it comes."""

    @property
    def header(self) -> Header: ...  # noqa: D102 - see the class
    @property
    def txs(self) -> bytes: ...  # noqa: D102
    @property
    def messages(self) -> tuple[bytes, ...]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where an account's equity first fell below its maintenance margin: block and time (s)."""

    block: int
    time: int


def is_full(transactions: Sequence[Transaction], messages: int) -> bool:
    """Whether the sequencer had no more room in a block for a flag: its own share, or all of it, is used up."""
    own = sum(isinstance(each, Settle | Flag | Deleverage | WriteOff) for each in transactions)
    return own >= SHARE or len(transactions) + messages >= MAX_TRANSACTIONS


def unflagged(late: Mapping[int, Crossing]) -> BrokenInvariant:
    """What to raise about accounts that are below maintenance margin and not flagged."""
    where = ", ".join(f"{number} since block {crossing.block}" for number, crossing in sorted(late.items()))
    return BrokenInvariant(f"accounts not flagged in time ({where})", 0, len(late))


def _mark(numbers: set[int], number: int, *, is_in: bool) -> None:
    if is_in:
        numbers.add(number)
    else:
        numbers.discard(number)


class Inspector:
    """Hears every unit; the first fault that it finds is kept, for a listener must not raise."""

    def __init__(self, genesis: Mapping[int, bytes], separator: bytes) -> None:
        self.record = Record()
        self.late: dict[int, Crossing] = {}
        """Accounts below maintenance margin that are not flagged yet."""
        self.spent: set[int] = set()
        """Accounts below maintenance margin whose flag has to be raised anew."""
        self.stale: set[int] = set()
        """Accounts that are flagged and no longer below it."""
        self.lags: Counter[int] = Counter()
        """Flags by how many blocks after the crossing they were raised."""
        self.blocks = 0
        self.looks = 0
        """Exact margins computed."""
        self.worst_equity = 0
        self._leaves = dict(genesis)
        self._separator = separator
        self._accounts = {account_of(key) for key in genesis if kind_of(key) is KeyKind.ACCOUNT}
        self._flagged = {each for each in self._accounts if Account.decode(genesis[account_key(each)]).status}
        self._time = 0
        self._full: set[int] = set()
        self._fault: PlumblineError | None = None

    # -- listening -----------------------------------------------------------------------------------------------------

    def hear(self, unit: Unit) -> None:
        """Look at what became durable."""
        self.hear_blocks(unit.blocks)

    def hear_blocks(self, blocks: Sequence[Block]) -> None:
        """Look at these blocks, in order; nothing more after the first fault."""
        for block in blocks:
            if self._fault is None:
                try:
                    self.examine(block)
                except InvalidTransaction as error:
                    self._fault = BrokenInvariant(f"reason in block {block.header.number}", Reason.NONE, error.reason)
                except PlumblineError as error:
                    self._fault = error

    def require_sound(self) -> None:
        """Raise the first fault that was found, if any."""
        if self._fault is not None:
            raise self._fault

    @property
    def is_quiet(self) -> bool:
        """Whether every flag stands as it should; also if a fault was found, which ends all waiting."""
        return self._fault is not None or not (self.late or self.spent or self.stale)

    # -- reading -------------------------------------------------------------------------------------------------------

    def begin(self, timestamp: int) -> BlockBuilder:
        """A look at the state after the last block heard, as of `timestamp` (s)."""
        return BlockBuilder(lambda key: self._leaves.get(key, b""), timestamp, self._separator)

    @property
    def totals(self) -> Globals:
        """The chain's totals."""
        return Globals.decode(self._leaves[GLOBALS])

    @property
    def flagged(self) -> list[int]:
        """Flagged accounts, ascending."""
        return sorted(self._flagged)

    # -- examining -----------------------------------------------------------------------------------------------------

    def examine(self, block: Block) -> None:
        """Execute a block and check everything at its end; raises BrokenInvariant."""
        header = block.header
        if header.timestamp > self._time and self.late:
            raise unflagged(self.late)
        if header.timestamp > self._time and self.spent:
            raise BrokenInvariant(
                f"accounts whose spent flag was not raised ({sorted(self.spent)})", 0, len(self.spent)
            )
        builder, priced = self.begin(header.timestamp), header.timestamp > self._time
        for message in block.messages:
            subject = builder.take_message(message).subject
            priced |= isinstance(subject, OracleUpdate | SurfaceUpdate)
        transactions = decode_transactions(block.txs)
        for transaction in transactions:
            self._execute(builder, transaction)
            priced |= isinstance(transaction, OracleUpdate | SurfaceUpdate)
        if is_full(transactions, len(block.messages)):
            self._full.add(header.number)
        writes = builder.finish().writes
        written = {account_of(key) for key in writes if kind_of(key) is KeyKind.ACCOUNT}
        self._leaves.update(writes)
        self._accounts |= written
        self._time = header.timestamp
        self.blocks += 1
        after = self.begin(header.timestamp)
        after.inherit(builder)
        self._compare_all(after, self._accounts if priced else written, header.number)
        totals = self.totals
        require("bad debt that the fund could repay", 0, min(totals.bad_debt, totals.insurance + totals.fees))
        self.record.see(totals)
        if written:
            check_invariants(self._leaves.items())

    def _execute(self, builder: BlockBuilder, transaction: Transaction) -> None:
        before = look_before(builder, transaction)
        receipt = builder.apply(transaction)
        if before is not None:
            check_after(builder, transaction, before, receipt.detail)
        if isinstance(receipt.detail, Liquidated):
            value = worth_of(builder, receipt.detail)
            self.record.sell(value, value - receipt.detail.paid)
        self.record.note(receipt)

    def _compare_all(self, builder: BlockBuilder, accounts: Iterable[int], block: int) -> None:
        for number in sorted(accounts):
            account = builder.account(number)
            assert account is not None, "accounts are never deleted"
            self._compare(builder, number, account, block)

    def _compare(self, builder: BlockBuilder, number: int, account: Account, block: int) -> None:
        """What an account's status is against what its margin says."""
        is_new = bool(account.status) and number not in self._flagged
        if account.status:
            self._flagged.add(number)
        else:
            self._flagged.discard(number)
        wanted = self._standing(builder, account)
        if wanted is None:
            return  # a price is stale: nobody knows what the account is worth, and nobody may flag it
        if wanted and not account.status:
            self.late.setdefault(number, Crossing(block, builder.timestamp))
            return
        crossing = self.late.pop(number, None)
        if is_new:
            self._note_flag(number, account, crossing or Crossing(block, builder.timestamp), block)
        is_old = is_spent(account, builder.timestamp, self.totals.auction)
        _mark(self.stale, number, is_in=bool(account.status) and not wanted)
        _mark(self.spent, number, is_in=bool(wanted) and is_old)

    def _note_flag(self, number: int, account: Account, crossing: Crossing, block: int) -> None:
        require(f"time of the flag of account {number}", crossing.time, account.flagged)
        for between in range(crossing.block, block):
            if between not in self._full:
                what = f"block of the flag of account {number}, for which block {between} had room"
                raise BrokenInvariant(what, between, block)
        self.record.accounts.add(number)
        self.lags[block - crossing.block] += 1

    def _standing(self, builder: BlockBuilder, account: Account) -> int | None:
        if is_idle(account):
            return 0
        try:
            equity, maintenance = builder.margin_of(account)
        except InvalidTransaction as error:
            if error.reason == Reason.ORACLE_STALE:
                return None
            raise
        self.looks += 1
        self.worst_equity = min(self.worst_equity, equity)
        return standing(equity, maintenance)
