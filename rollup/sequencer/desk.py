"""The trading desk: one command at a time against books and ledger. Synchronous; `engine` feeds it.

The book proposes fills, the desk executes them as `Trade` transactions in the open block, sealing it when it is full.
What changes goes into the current `Unit`, to be made durable before anybody hears of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import time_ns

from rollup.crypto.keccak import keccak
from rollup.errors import NonceInUse, Rejected
from rollup.sequencer.affected import accounts_of, accounts_of_message
from rollup.sequencer.blame import party_at_fault
from rollup.sequencer.book import Book
from rollup.sequencer.catalogue import Catalogue
from rollup.sequencer.commands import OrderReport, PlaceOrder, SoftCancel, Submit, TradeReport, TransactionReport
from rollup.sequencer.exposure import check_exposure, reducible
from rollup.sequencer.journal import OPEN, decode_open_orders, encode_open_order, open_order_key
from rollup.sequencer.ledger import Ledger
from rollup.sequencer.matching import Outcome, Party, Refusal, State, submit
from rollup.sequencer.matching_orders import Fill, Order, Removal
from rollup.sequencer.memo import Memo
from rollup.sequencer.orders import OpenOrder, OpenOrders
from rollup.sequencer.rejections import SlotInUse, TooManyOrders, UnknownOrder, refusal
from rollup.sequencer.unit import Unit
from rollup.stf.builder import BlockFull, InvalidTransaction
from rollup.stf.receipts import Receipt
from rollup.types.keys import account_key, slot_key
from rollup.types.leaves import Account, Slot
from rollup.types.limits import SLOT_COUNT
from rollup.types.reasons import Reason
from rollup.types.transactions import FreshOrder, OracleUpdate, OrderRef, Trade, Transaction, encode_transaction


class Desk:
    """Books, open orders and the unit under way of one ledger."""

    def __init__(self, ledger: Ledger, catalogue: Catalogue, memo: Memo, max_orders: int) -> None:
        self.ledger = ledger
        self.catalogue = catalogue
        self.books = {instrument.number: Book(instrument.number) for instrument in catalogue}
        self.orders = OpenOrders()
        self.unit = Unit()
        self._memo = memo
        self._max_orders = max_orders
        self._arrivals = 0
        self._taking: OpenOrder | None = None
        self._trades: list[TradeReport] = []

    # -- commands --------------------------------------------------------------------------------------------------

    def place(self, command: PlaceOrder) -> OrderReport:
        """Match an order and rest what remains; raises Rejected with nothing executed."""
        order = OpenOrder(
            command.order, command.digest, command.recovered, command.time_in_force, command.label, time_ns() // 10**6
        )
        account = self._authorised(order.fresh.account, command.recovered)
        self._check_slot(order, account)
        order.cap(reducible(account, order.fresh))
        check_exposure(self.ledger, self.books, order.fresh.account, order.fresh, order.entry.remaining)
        self._memo.put(order.digest, order.fresh.signature, order.signer)
        book = self.books[order.fresh.market]
        self._taking, self._trades = order, []
        try:
            outcome = submit(book, order.entry, self.ledger.now(), self._execute)
        except Rejected:
            for removed in book.drain_evicted():  # looking may have met expired orders
                self._gone(removed.order, removed.reason)
            raise
        return self._conclude(order, outcome)

    def cancel(self, command: SoftCancel) -> list[OrderReport]:
        """Take orders off the book; UnknownOrder if there is none."""
        cancel = command.cancel
        self._authorised(cancel.account, command.recovered)
        if cancel.cancel_all:
            doomed = [o for o in self.orders.of_account(cancel.account) if o.fresh.nonce < cancel.nonce]
        else:
            found = self.orders.get((cancel.account, cancel.nonce))
            if found is None:
                raise UnknownOrder("no such open order", account=cancel.account, nonce=cancel.nonce)
            doomed = [found]
        return [self.drop(order, Removal.CANCELLED) for order in doomed]

    def submit(self, command: Submit) -> TransactionReport:
        """Execute a transaction in the open block; raises Refused with the state transition's reason."""
        transaction = command.transaction
        try:
            receipt = self._apply(transaction)
        except InvalidTransaction as error:
            raise refusal(error.reason) from None
        except BlockFull as error:
            raise refusal(error.reason) from None
        number = self.ledger.number + 1
        for account in accounts_of(transaction):
            self.reconcile(account)
        return TransactionReport(keccak(encode_transaction(transaction)), number, receipt.index)

    # -- blocks ----------------------------------------------------------------------------------------------------

    def take_messages(self, messages: Sequence[bytes]) -> None:
        """Execute inbox messages, in blocks that begin with them."""
        self.seal()
        for message in messages:
            try:
                self.ledger.take_message(message)
            except BlockFull:
                self.seal()
                self.ledger.take_message(message)  # alone in a block every message executes, if only as a no-op
            for account in accounts_of_message(message):
                self.reconcile(account)

    def seal(self) -> None:
        """Close the open block, if anything is in it, into the unit."""
        if not self.ledger.is_empty:
            self.unit.blocks.append(self.ledger.seal())

    def take_unit(self) -> Unit:
        """Seal, and hand over everything since the last call."""
        self.seal()
        unit, self.unit = self.unit, Unit()
        return unit

    # -- resting orders --------------------------------------------------------------------------------------------

    def expire(self) -> None:
        """Drop every order whose time has passed."""
        now = self.ledger.now()
        for book in self.books.values():
            for entry in book.expire(now):
                self._gone(entry, Removal.EXPIRED)

    def reconcile(self, account: int) -> None:
        """Drop or shrink an account's resting orders by what the state now says of them."""
        held = self.orders.of_account(account)
        if not held:
            return
        leaf = Account.decode(self.ledger.leaf(account_key(account)))
        for order in held:
            left = self._left(order, leaf)
            if left == 0:
                self.drop(order, Removal.CANCELLED)
            elif left < order.entry.remaining:
                self.books[order.fresh.market].reduce(order.order_id, left)
                self.unit.markets.add(order.fresh.market)

    def drop(self, order: OpenOrder, why: Removal) -> OrderReport:
        """Take one open order off its book."""
        self.books[order.fresh.market].remove(order.order_id)
        return self._gone(order.entry, why)

    @property
    def inbox_index(self) -> int:
        """Inbox messages consumed, the open block included."""
        return self.ledger.inbox_index

    def move(self, fork: int) -> None:
        """Start over from what the store holds, on another fork; books and open orders come from the journal."""
        self.ledger.move(fork)
        self.books = {instrument.number: Book(instrument.number) for instrument in self.catalogue}
        self.orders = OpenOrders()
        self.unit = Unit()
        records = self.ledger.store.records.entries(OPEN)
        for arrival, order in decode_open_orders(record for _, record in records):
            self.restore(order, arrival)

    def restore(self, order: OpenOrder, arrival: int) -> None:
        """Put back an order of the journal (oldest first), with what the state leaves of it."""
        self._arrivals = max(self._arrivals, arrival)
        leaf = self.ledger.leaf(account_key(order.fresh.account))
        left = self._left(order, Account.decode(leaf)) if leaf else 0
        order.entry.remaining = left
        book = self.books[order.fresh.market]
        if left == 0 or order.fresh.expiry < self.ledger.now() or book.would_cross(order.entry, self.ledger.now()):
            self.unit.records[open_order_key(*order.order_id)] = None
            return
        self.orders.add(order)
        book.rest(order.entry)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _authorised(self, number: int, address: bytes) -> Account:
        leaf = self.ledger.leaf(account_key(number))
        if not leaf:
            raise refusal(Reason.ACCOUNT_UNKNOWN, account=number)
        account = Account.decode(leaf)
        if address != account.owner and (not any(account.signer) or address != account.signer):
            raise refusal(Reason.SIGNATURE_INVALID, account=number)
        return account

    def _check_slot(self, order: OpenOrder, account: Account) -> None:
        fresh = order.fresh
        if fresh.nonce < account.nonce_floor:
            raise refusal(Reason.NONCE_FLOOR, floor=account.nonce_floor)
        slot = self.ledger.leaf(slot_key(fresh.account, fresh.nonce))
        if slot and Slot.decode(slot).nonce >= fresh.nonce:
            raise refusal(Reason.NONCE_STALE, nonce=fresh.nonce)
        other = self.orders.in_slot(order.slot)
        if other is not None:
            if other.fresh.nonce == fresh.nonce:
                raise NonceInUse("an order with this nonce is open", account=fresh.account, nonce=fresh.nonce)
            raise SlotInUse("an open order has this slot", nonce=other.fresh.nonce, slot=order.slot[1])
        if self.orders.count(fresh.account) >= self._max_orders:
            raise TooManyOrders("too many open orders", limit=self._max_orders)

    def _left(self, order: OpenOrder, account: Account) -> int:
        """How much of a resting order the state would still let trade (µcoin)."""
        fresh = order.fresh
        if fresh.nonce < account.nonce_floor:
            return 0
        leaf = self.ledger.leaf(slot_key(fresh.account, fresh.nonce))
        slot = Slot.decode(leaf) if leaf else None
        if slot is None or slot.nonce < fresh.nonce:
            return fresh.size if order.signer in (account.owner, account.signer) else 0
        return slot.size - slot.filled if slot.nonce == fresh.nonce and slot.size else 0

    def _execute(self, taker: Order, fills: Sequence[Fill]) -> Refusal | None:
        """Execute fills all or none; begins a new block if they do not fit into the open one."""
        for fresh_block in (self.ledger.is_empty, True):
            mark = self.ledger.begin().checkpoint()
            trades: list[TradeReport] = []
            for index, fill in enumerate(fills):
                trade = self._trade(fill)
                try:
                    receipt = self.ledger.apply(trade)
                except InvalidTransaction as error:
                    party = party_at_fault(self.ledger, error, fill, self.catalogue.by_number(taker.market).market)
                    self.ledger.begin().restore(mark)
                    return Refusal(index, party, error.reason)
                except BlockFull as error:
                    self.ledger.begin().restore(mark)
                    if fresh_block:
                        return Refusal(index, Party.TAKER, error.reason)
                    self.seal()
                    break
                trades.append(self._report_trade(fill, taker, receipt))
            else:
                self._trades += trades
                return None
        raise AssertionError("the second attempt returns")

    def _trade(self, fill: Fill) -> Trade:
        maker = self.orders.get(fill.maker.order_id)
        assert maker is not None, "a resting order is an open order"
        assert self._taking is not None, "somebody takes"
        return Trade(self._side(maker), self._side(self._taking), fill.size)

    def _side(self, order: OpenOrder) -> FreshOrder | OrderRef:
        """The order in full the first time, and a reference once its slot holds it."""
        fresh = order.fresh
        leaf = self.ledger.leaf(slot_key(fresh.account, fresh.nonce))
        if leaf and Slot.decode(leaf).nonce == fresh.nonce:
            return OrderRef(fresh.account, fresh.nonce % SLOT_COUNT)
        self._memo.put(order.digest, fresh.signature, order.signer)
        return fresh

    def _apply(self, transaction: Transaction) -> Receipt:
        """Apply in the open block, or in a new one if that is full or, for a price, began before the price was made."""
        if isinstance(transaction, OracleUpdate) and transaction.time > self.ledger.now():
            self.seal()
            self.ledger.refresh()
        empty = self.ledger.is_empty
        try:
            return self.ledger.apply(transaction)
        except BlockFull:
            if empty:
                raise
        self.seal()
        return self.ledger.apply(transaction)

    def _report_trade(self, fill: Fill, taker: Order, receipt: Receipt) -> TradeReport:
        market = self.catalogue.by_number(taker.market).market
        amount = fill.size * fill.price // 10**6
        return TradeReport(
            block=self.ledger.number + 1,
            index=receipt.index,
            market=taker.market,
            price=fill.price,
            size=fill.size,
            taker_sells=not taker.is_buy,
            maker=fill.maker.account,
            taker=taker.account,
            maker_nonce=fill.maker.nonce,
            taker_nonce=taker.nonce,
            maker_fee=-(-amount * market.maker_fee // 10**6),
            taker_fee=-(-amount * market.taker_fee // 10**6),
            time=self.ledger.timestamp,
        )

    def _conclude(self, order: OpenOrder, outcome: Outcome) -> OrderReport:
        """Write down what an order did."""
        unit, trades = self.unit, tuple(self._trades)
        unit.markets.add(order.fresh.market)
        unit.trades += trades
        for removed in outcome.removed:
            self._gone(removed.order, removed.reason)
        for maker in {fill.maker.order_id: fill.maker for fill in outcome.fills}.values():
            if maker.remaining == 0:
                self._gone(maker, None)
            else:
                resting = self.orders.get(maker.order_id)
                assert resting is not None, "a resting order is an open order"
                unit.orders.append(resting.report("open"))
        why = ""
        if outcome.state is State.OPEN:
            self._arrivals += 1
            self.orders.add(order)
            unit.records[open_order_key(*order.order_id)] = encode_open_order(order, self._arrivals)
        elif outcome.refusal is not None:
            if not trades:
                raise refusal(outcome.refusal.reason)
            why = Reason(outcome.refusal.reason).name
        report = order.report(outcome.state.value, why, trades)
        unit.orders.append(report)
        return report

    def _gone(self, entry: Order, why: Removal | None) -> OrderReport:
        """An order has left its book; `why` None: filled."""
        order = self.orders.remove(entry.order_id)
        self.unit.records[open_order_key(*order.order_id)] = None
        self.unit.markets.add(entry.market)
        status = "filled" if why is None else "expired" if why is Removal.EXPIRED else "cancelled"
        report = order.report(status, why.value if why is not None else "")
        self.unit.orders.append(report)
        return report
