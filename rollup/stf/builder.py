"""A block under construction: the sequencer's side of the state transition, one transaction at a time.

The builder drives the same rules as `block.execute_block`, and a sealed block executes to the same writes. It differs
in one thing: what is refused leaves no trace at all, neither touches nor meters nor accruals, because it will not be in
the block.
"""

from __future__ import annotations

from dataclasses import dataclass

from rollup.crypto.keccak import roll
from rollup.crypto.signatures import Recover, recover
from rollup.errors import BlockFull, InvalidTransaction
from rollup.stf import meters
from rollup.stf.block import close
from rollup.stf.context import Context, Leaf, Mark, Read, View
from rollup.stf.margin import Margin, margin
from rollup.stf.messages import execute_message
from rollup.stf.meters import Usage
from rollup.stf.receipts import Receipt, kind_of
from rollup.stf.settlement import settle
from rollup.stf.sheets import Sheet
from rollup.stf.transactions import execute_transaction
from rollup.types.leaves import Account
from rollup.types.reasons import Reason
from rollup.types.transactions import Transaction, encode_transaction

__all__ = ["BlockBuilder", "BlockFull", "Checkpoint", "InvalidTransaction", "SealedBlock"]


@dataclass(frozen=True, slots=True)
class SealedBlock:
    """A finished block: what goes to L1, what it changed (`writes`), and what its witness needs (`pre`).

    `inbox_index` and `inbox_hash` are the inbox position after it; `txs` are the joined `transactions`.
    """

    timestamp: int
    inbox_index: int
    inbox_hash: bytes
    txs: bytes
    transactions: tuple[bytes, ...]
    messages: tuple[bytes, ...]
    writes: dict[int, bytes]
    pre: dict[int, bytes]
    receipts: tuple[Receipt, ...]
    usage: Usage


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A point of a block under construction to which it can go back."""

    mark: Mark
    values: dict[int, Leaf | None]
    dirty: frozenset[int]
    sheets: dict[int, Sheet]
    txs: int
    receipts: int


class BlockBuilder:
    """Builds one block on the state that `read` gives (value of a leaf, empty if absent)."""

    def __init__(self, read: Read, timestamp: int, separator: bytes, recover: Recover = recover) -> None:
        """Start a block at `timestamp` (s); raises InvalidTransaction(TIME) if the last block was later.

        `recover` may answer from a memory of signatures that were checked before.
        """
        self._ctx = Context(read, timestamp, separator, recover)
        totals = self._ctx.globals()
        if timestamp < totals.time:
            raise InvalidTransaction(Reason.TIME)
        self._view = View(self._ctx)
        self._inbox = (totals.inbox_index, totals.inbox_hash)
        self._txs: list[bytes] = []
        self._messages: list[bytes] = []
        self._receipts: list[Receipt] = []

    def inherit(self, before: BlockBuilder) -> None:
        """Take over the sheets of the block at whose end this one begins, if both have one time.

        Then nothing that they come from has changed. Only for looking: this block pays for each that it draws.
        """
        if before.timestamp == self.timestamp:
            self._ctx.glances = {**before._ctx.glances, **before._ctx.sheets}

    # -- building ------------------------------------------------------------------------------------------------------

    def take_message(self, message: bytes) -> Receipt:
        """Execute the next inbox message; only before any transaction. BlockFull, with nothing changed: seal first."""
        assert not self._txs, "a block consumes its messages before its transactions"
        mark = self._ctx.mark()
        try:
            receipt = execute_message(self._ctx, message, len(self._receipts))
        except BlockFull:
            self._ctx.rollback(mark)
            raise
        self._inbox = (self._inbox[0] + 1, roll(self._inbox[1], message))
        self._messages.append(message)
        self._receipts.append(receipt)
        return receipt

    def apply(self, tx: Transaction) -> Receipt:
        """Execute a transaction and add it to the block.

        Raises InvalidTransaction (refused), BlockFull (may fit the next block) or Unencodable, with nothing changed.
        """
        data = encode_transaction(tx)
        ctx = self._ctx
        mark = ctx.mark()
        try:
            ctx.meters.add(meters.TRANSACTIONS)
            ctx.meters.add(meters.BYTES, len(data))
            detail = execute_transaction(ctx, tx)
        except (InvalidTransaction, BlockFull):
            ctx.rollback(mark)
            raise
        ctx.commit()
        receipt = Receipt(len(self._receipts), kind_of(tx), Reason.NONE, False, tx, detail)
        self._txs.append(data)
        self._receipts.append(receipt)
        return receipt

    def checkpoint(self) -> Checkpoint:
        """Remember the block as it is, for transactions that stand or fall together; see `restore`."""
        ctx = self._ctx
        return Checkpoint(
            ctx.mark(), dict(ctx.values), frozenset(ctx.dirty), dict(ctx.sheets), len(self._txs), len(self._receipts)
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take back every transaction since `checkpoint`, with its touches, meters and accruals."""
        ctx = self._ctx
        ctx.rollback(checkpoint.mark)
        ctx.values, ctx.dirty = dict(checkpoint.values), set(checkpoint.dirty)
        ctx.sheets = dict(checkpoint.sheets)
        ctx.glances.clear()
        del self._txs[checkpoint.txs :], self._receipts[checkpoint.receipts :]

    def finish(self) -> SealedBlock:
        """Seal the block; the builder is spent."""
        close(self._ctx, *self._inbox)
        return SealedBlock(
            timestamp=self._ctx.timestamp,
            inbox_index=self._inbox[0],
            inbox_hash=self._inbox[1],
            txs=b"".join(self._txs),
            transactions=tuple(self._txs),
            messages=tuple(self._messages),
            writes=self._ctx.writes(),
            pre=self._ctx.pre,
            receipts=tuple(self._receipts),
            usage=self.usage,
        )

    # -- reading -------------------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """Messages and transactions so far."""
        return len(self._receipts)

    @property
    def message_count(self) -> int:
        """Inbox messages taken so far."""
        return len(self._messages)

    @property
    def usage(self) -> Usage:
        """What the block has used of its meters."""
        return self._ctx.meters.read()

    @property
    def timestamp(self) -> int:
        """The block's time (s)."""
        return self._ctx.timestamp

    @property
    def accepts_messages(self) -> bool:
        """Whether no transaction has been applied yet."""
        return not self._txs

    def leaf(self, key: int) -> bytes:
        """The leaf's value after the transactions so far, empty if absent. Touches nothing."""
        if key in self._ctx.dirty:
            data: bytes = self._ctx.values[key].encode()
            return data
        return self._ctx.read(key)

    def account(self, number: int) -> Account | None:
        """The account after the transactions so far, not settled. Touches nothing."""
        return self._view.find_account(number)

    @property
    def view(self) -> View:
        """The state after the transactions so far, with funding accrued to this block, for reading only."""
        return self._view

    def margin_of(self, account: int | Account, leeway: int = 0) -> Margin:
        """Equity and maintenance margin (µUSD) of an account once it is settled; a value may be hypothetical.

        Touches nothing. Raises InvalidTransaction: ACCOUNT_UNKNOWN, or ORACLE_STALE if a price it needs is too old,
        which prices of up to `leeway` (s) are not.
        """
        found = self._view.account(account) if isinstance(account, int) else account
        self._view.leeway = leeway
        try:
            return margin(self._view, settle(self._view, found))
        finally:
            self._view.drop()
            self._view.leeway, self._view.outdated = 0, False
