"""The head of the chain and the block under construction.

The store stages sealed blocks in memory before they are durable, so the next block reads what the last one wrote.
Sealing closes the open block: its writes become the state, its root is computed, its header fixed. Nothing here waits
or touches the disk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from rollup.crypto.keccak import keccak
from rollup.crypto.signatures import Recover
from rollup.sequencer.options import Clock
from rollup.stf.builder import BlockBuilder, SealedBlock
from rollup.stf.receipts import Receipt
from rollup.store.changes import Staged
from rollup.store.state import StateStore
from rollup.types.blocks import Header
from rollup.types.keys import GLOBALS
from rollup.types.leaves import Account, Globals, Slot
from rollup.types.transactions import Transaction

_decode_totals: Final = lru_cache(maxsize=4)(Globals.decode)
"""The totals change once a block, and every request asks for them."""


@dataclass(frozen=True, slots=True)
class NewBlock:
    """A sealed block with all that the database must learn about it."""

    staged: Staged
    header: Header
    txs: bytes
    transactions: tuple[bytes, ...]
    messages: tuple[bytes, ...]
    receipts: tuple[Receipt, ...]
    index: dict[bytes, bytes] = field(default_factory=dict)
    """What is found by key for as long as the block stands, beside trades and transactions."""


class Ledger:
    """State as of the last sealed block, plus at most one open block on top of it."""

    def __init__(self, store: StateStore, fork: int, separator: bytes, recover: Recover, clock: Clock) -> None:
        self.store = store
        self.fork = fork
        self.open: BlockBuilder | None = None
        self.timestamp = 0
        self.enforces_margin = True
        """Whether orders are margined before they rest: always, but in a dishonest sequencer (see `faults`)."""
        self._before: BlockBuilder | None = None
        self._separator = separator
        self._recover = recover
        self._clock = clock

    # -- reading -------------------------------------------------------------------------------------------------------

    @property
    def number(self) -> int:
        """The last sealed block."""
        return self.store.number

    @property
    def root(self) -> bytes:
        """State root of the last sealed block."""
        return self.store.root

    def leaf(self, key: int) -> bytes:
        """Newest value of a leaf, the open block included."""
        return self.open.leaf(key) if self.open is not None else self.store.read(key)

    def account(self, number: int) -> Account | None:
        """Newest value of an account. Opens a block: a decoded leaf is kept as long as that."""
        return self.begin().account(number)

    def slot(self, account: int, nonce: int) -> Slot | None:
        """Newest value of a nonce's order slot, as `account`."""
        return self.begin().view.find_slot(account, nonce)

    @property
    def globals(self) -> Globals:
        """Totals and inbox position after the last sealed block."""
        return _decode_totals(self.store.read(GLOBALS))

    @property
    def inbox_index(self) -> int:
        """Inbox messages consumed so far, the open block included."""
        return self.globals.inbox_index + (self.open.message_count if self.open is not None else 0)

    def now(self) -> int:
        """Timestamp of the open block, or the one that the next block would have."""
        return self.timestamp if self.open is not None else max(self._clock(), self.globals.time)

    @property
    def posts(self) -> bool:
        """Whether its blocks may go to L1: always, but in a dishonest sequencer (see `faults`)."""
        return True

    # -- building ------------------------------------------------------------------------------------------------------

    def begin(self) -> BlockBuilder:
        """The open block; opens one if there is none."""
        if self.open is None:
            self.timestamp = self.now()
            self.open = BlockBuilder(self.store.read, self.timestamp, self._separator, self._recover)
            if self._before is not None:
                self.open.inherit(self._before)
                self._before = None
        return self.open

    def refresh(self) -> None:
        """Forget an open block that nothing is in: time goes on."""
        if self.open is not None and self.is_empty:
            self._before, self.open = self.open, None

    def move(self, fork: int) -> None:
        """Go on from what the store holds now, on this fork; the open block is gone."""
        self.open = self._before = None
        self.fork = fork

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to seal."""
        return self.open is None or not self.open.count

    def apply(self, transaction: Transaction) -> Receipt:
        """Execute one transaction in the open block; InvalidTransaction or BlockFull, with nothing changed."""
        return self.begin().apply(transaction)

    def take_message(self, message: bytes) -> Receipt:
        """Execute the next inbox message; only before any transaction of the open block. BlockFull as `apply`."""
        return self.begin().take_message(message)

    def seal(self) -> NewBlock:
        """Close the open block and make it the head."""
        assert self.open is not None, "there is no open block"
        sealed = self._finish(self.open)
        self._before, self.open = self.open, None
        parent = self.store.root
        staged = self.store.stage(sealed.writes)
        header = Header(
            number=staged.number,
            fork=self.fork,
            parent_root=parent,
            timestamp=sealed.timestamp,
            inbox_index=sealed.inbox_index,
            inbox_hash=sealed.inbox_hash,
            txs_hash=keccak(sealed.txs),
            state_root=staged.root,
        )
        return NewBlock(staged, header, sealed.txs, sealed.transactions, sealed.messages, sealed.receipts)

    def _finish(self, builder: BlockBuilder) -> SealedBlock:
        """What goes into the block: here what was executed; a dishonest sequencer differs (see `faults`)."""
        return builder.finish()
