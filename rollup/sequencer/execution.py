"""Fills become trades: the book proposes, the open block executes, or says whose fault it is that it does not.

Between `desk`, which starts a match, and `ledger`, which holds the open block. A full block is sealed on the way.
"""

from __future__ import annotations

from collections.abc import Sequence

from rollup.sequencer.affected import accounts_of
from rollup.sequencer.aftermath import Aftermath
from rollup.sequencer.blame import party_at_fault
from rollup.sequencer.commands import TradeReport
from rollup.sequencer.floor import Floor
from rollup.sequencer.matching import Party, Refusal
from rollup.sequencer.matching_orders import Fill, Order
from rollup.sequencer.memo import Memo
from rollup.sequencer.orders import OpenOrder
from rollup.stf.builder import BlockFull, Checkpoint, InvalidTransaction
from rollup.stf.receipts import Fill as Filled
from rollup.stf.receipts import Receipt
from rollup.types.limits import SLOT_COUNT
from rollup.types.transactions import FreshOrder, OracleUpdate, OrderRef, SurfaceUpdate, Trade, Transaction


class Execution:
    """Executes the fills of one taker after the other, and transactions, in the open block."""

    def __init__(self, floor: Floor, memo: Memo) -> None:
        self._floor = floor
        self.aftermath = Aftermath(floor)
        self._ledger = floor.ledger
        self._memo = memo
        self._taking: OpenOrder | None = None
        self._trades: list[TradeReport] = []

    def begin(self, taking: OpenOrder) -> None:
        """From now on fills are those of this order."""
        self._taking, self._trades = taking, []

    @property
    def trades(self) -> tuple[TradeReport, ...]:
        """What the taker has traded so far."""
        return tuple(self._trades)

    def execute(self, _taker: Order, fills: Sequence[Fill]) -> Refusal | None:
        """Execute fills all or none; begins a new block if they do not fit into the open one."""
        for fresh_block in (self._ledger.is_empty, True):
            # A single fill, the common case, takes itself back if it is refused.
            mark = self._ledger.begin().checkpoint() if len(fills) > 1 else None
            trades: list[TradeReport] = []
            receipts: list[Receipt] = []
            for index, fill in enumerate(fills):
                trade = self._trade(fill)
                try:
                    receipt = self._ledger.apply(trade)
                except InvalidTransaction as error:
                    party = party_at_fault(self._ledger, error, fill)
                    self._restore(mark)
                    return Refusal(index, party, error.reason)
                except BlockFull as error:
                    self._restore(mark)
                    if fresh_block:
                        return Refusal(index, Party.TAKER, error.reason)
                    self._floor.seal()
                    break
                assert isinstance(receipt.detail, Filled), "a trade's receipt has its fill"
                trades.append(self.aftermath.report(receipt.index, receipt.detail))
                receipts.append(receipt)
            else:
                for receipt in receipts:
                    self.aftermath.note(receipt)
                self._trades += trades
                return None
        raise AssertionError("the second attempt returns")

    def submit(self, transaction: Transaction) -> tuple[Receipt, tuple[TradeReport, ...]]:
        """Execute a transaction with all that follows from it; InvalidTransaction or BlockFull if it cannot be."""
        receipt = self.apply(transaction)
        trades = self.aftermath.note(receipt)
        for account in accounts_of(transaction):
            self._floor.reconcile(account)
        return receipt, trades

    def apply(self, transaction: Transaction) -> Receipt:
        """Apply in the open block, or in a new one if that is full or, for a price, began before the price was made."""
        if isinstance(transaction, OracleUpdate | SurfaceUpdate) and transaction.time > self._ledger.now():
            self._floor.seal()
            self._ledger.refresh()
        empty = self._ledger.is_empty
        try:
            return self._ledger.apply(transaction)
        except BlockFull:
            if empty:
                raise
        self._floor.seal()
        return self._ledger.apply(transaction)

    def _restore(self, mark: Checkpoint | None) -> None:
        if mark is not None:
            self._ledger.begin().restore(mark)

    def _trade(self, fill: Fill) -> Trade:
        maker = self._floor.orders.get(fill.maker.order_id)
        assert maker is not None, "a resting order is an open order"
        assert self._taking is not None, "somebody takes"
        return Trade(self._side(maker), self._side(self._taking), fill.size)

    def _side(self, order: OpenOrder) -> FreshOrder | OrderRef:
        """The order in full the first time, and a reference once its slot holds it."""
        fresh = order.fresh
        slot = self._ledger.slot(fresh.account, fresh.nonce)
        if slot is not None and slot.nonce == fresh.nonce:
            return OrderRef(fresh.account, fresh.nonce % SLOT_COUNT)
        self._memo.put(order.digest, fresh.signature, order.signer)
        return fresh
