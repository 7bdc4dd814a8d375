"""The trading desk: one command at a time against books and ledger. Synchronous; `engine` feeds it.

The book proposes fills, `execution` makes them `Trade` transactions in the open block, sealing it when it is full.
What changes goes into the current `Unit`, to be made durable before anybody hears of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import time_ns

from rollup.crypto.keccak import keccak
from rollup.errors import Rejected
from rollup.sequencer.affected import accounts_of_message
from rollup.sequencer.book import Book
from rollup.sequencer.catalogue import Catalogue
from rollup.sequencer.commands import OrderReport, PlaceOrder, SoftCancel, Submit, TransactionReport
from rollup.sequencer.execution import Execution
from rollup.sequencer.exposure import check_exposure, reducible
from rollup.sequencer.floor import Floor
from rollup.sequencer.journal import encode_open_order, open_order_key
from rollup.sequencer.ledger import Ledger
from rollup.sequencer.matching import Outcome, State, submit
from rollup.sequencer.matching_orders import Removal
from rollup.sequencer.memo import Memo
from rollup.sequencer.orders import OpenOrder, OpenOrders
from rollup.sequencer.rejections import UnknownOrder, refusal
from rollup.sequencer.risk.costs import Costs
from rollup.sequencer.risk.work import RiskDesk
from rollup.sequencer.sensitivities import SensitivityTable
from rollup.sequencer.unit import Unit
from rollup.stf.builder import BlockFull, InvalidTransaction
from rollup.types.leaves import Account
from rollup.types.messages import List
from rollup.types.reasons import Reason
from rollup.types.transactions import encode_transaction


class Desk:
    """Takes commands to the books, open orders and the unit under way of one ledger."""

    def __init__(self, ledger: Ledger, catalogue: Catalogue, memo: Memo, max_orders: int) -> None:
        self.ledger = ledger
        self.catalogue = catalogue
        self._floor = Floor(ledger, catalogue, max_orders)
        self._execution = Execution(self._floor, memo)
        self._sensitivities = SensitivityTable(catalogue)
        self.risk = RiskDesk(self._floor, self._execution)

    @property
    def books(self) -> dict[int, Book]:
        """The order books by market."""
        return self._floor.books

    @property
    def orders(self) -> OpenOrders:
        """Everything that rests in them."""
        return self._floor.orders

    @property
    def unit(self) -> Unit:
        """What was done since `take_unit`."""
        return self._floor.unit

    def listen_to_prices(self, listener: Callable[[], None]) -> None:
        """Have `listener` told whenever the oracle has spoken in the open block."""
        self._floor.on_price = listener

    def sensitivities(self) -> SensitivityTable:
        """Volatilities and Greeks as of now."""
        self._sensitivities.refresh(self.ledger.begin().view, self._floor.prices)
        return self._sensitivities

    # -- commands ------------------------------------------------------------------------------------------------------

    def place(self, command: PlaceOrder) -> OrderReport:
        """Match an order and rest what remains; raises Rejected with nothing executed."""
        floor = self._floor
        order = OpenOrder(
            command.order, command.digest, command.recovered, command.time_in_force, command.label, time_ns() // 10**6
        )
        account = floor.authorised(order.fresh.account, command.recovered)
        floor.sweep()  # a dead order must neither hold a slot nor count as exposure
        floor.check_slot(order, account)
        order.cap(reducible(account, order.fresh))
        others = floor.orders.markets_of(order.fresh.account)
        check_exposure(
            self.ledger, floor.books, others, order.fresh.account, order.fresh, order.entry.remaining
        )  # fmt: skip
        book = floor.books[order.fresh.market]
        self._execution.begin(order)
        try:
            outcome = submit(book, order.entry, self.ledger.now(), self._execution.execute)
        except Rejected:
            for removed in book.drain_evicted():  # looking may have met expired orders
                floor.gone(removed.order, removed.reason)
            raise
        return self._conclude(order, outcome)

    def cancel(self, command: SoftCancel) -> list[OrderReport]:
        """Take orders off the book; UnknownOrder if there is none."""
        cancel, orders = command.cancel, self._floor.orders
        self._floor.authorised(cancel.account, command.recovered)
        if cancel.cancel_all:
            doomed = [o for o in orders.of_account(cancel.account) if o.fresh.nonce < cancel.nonce]
        else:
            found = orders.get((cancel.account, cancel.nonce))
            if found is None:
                raise UnknownOrder("no such open order", account=cancel.account, nonce=cancel.nonce)
            doomed = [found]
        return [self._floor.drop(order, Removal.CANCELLED) for order in doomed]

    def submit(self, command: Submit) -> TransactionReport:
        """Execute a transaction in the open block; raises Refused with the state transition's reason."""
        transaction = command.transaction
        try:
            receipt, trades = self._execution.submit(transaction)
        except (InvalidTransaction, BlockFull) as error:
            raise refusal(error.reason) from None
        number = self.ledger.number + 1
        return TransactionReport(keccak(encode_transaction(transaction)), number, receipt.index, trades)

    # -- blocks --------------------------------------------------------------------------------------------------------

    def take_messages(self, messages: Sequence[bytes]) -> None:
        """Execute inbox messages, in blocks that begin with them."""
        taken = 0
        while taken < len(messages):
            taken += self.take_block(messages[taken:])

    def take_block(self, messages: Sequence[bytes]) -> int:
        """Begin a block with as many of these messages as it has room for; returns how many, one at least."""
        self._floor.seal()
        listings: list[List] = []
        taken = 0
        for message in messages:
            try:
                receipt = self.ledger.take_message(message)
            except BlockFull:
                break  # alone in a block it executes, if only as a no-op
            taken += 1
            for account in accounts_of_message(message):
                self._floor.reconcile(account)
            if receipt.reason is Reason.NONE:
                self._execution.aftermath.note(receipt)
            if isinstance(receipt.subject, List) and receipt.reason is Reason.NONE:
                listings.append(receipt.subject)
        self._floor.open_markets(self.catalogue.extend(listings))
        return taken

    def authorised(self, account: int, address: bytes) -> Account:
        """The account, if `address` may trade for it; ACCOUNT_UNKNOWN, SIGNATURE_INVALID."""
        return self._floor.authorised(account, address)

    @property
    def costs(self) -> Costs:
        """What positions were traded at."""
        return self._floor.costs

    @property
    def flagged(self) -> set[int]:
        """Accounts that are not sound, as far as they were seen."""
        return self._floor.flagged

    def take_unit(self) -> Unit:
        """Seal, and hand over everything since the last call."""
        return self._floor.take_unit()

    def expire(self) -> None:
        """Drop every order whose time has passed."""
        self._floor.sweep()

    @property
    def generation(self) -> int:
        """How often the chain was moved."""
        return self._floor.generation

    @property
    def fork(self) -> int:
        """The fork on which it builds."""
        return self.ledger.fork

    @property
    def inbox_index(self) -> int:
        """Inbox messages consumed, the open block included."""
        return self.ledger.inbox_index

    @property
    def inbox_hash(self) -> bytes:
        """The rolling inbox hash after the last sealed block."""
        return self.ledger.globals.inbox_hash

    def move(self, fork: int) -> None:
        """Start over from what the store holds, on another fork; books and open orders come from the journal."""
        self._floor.move(fork)
        self.risk.clear()

    # -- inside --------------------------------------------------------------------------------------------------------

    def _conclude(self, order: OpenOrder, outcome: Outcome) -> OrderReport:
        """Write down what an order did."""
        floor, unit, trades = self._floor, self._floor.unit, self._execution.trades
        unit.markets.add(order.fresh.market)
        unit.trades += trades
        for removed in outcome.removed:
            floor.gone(removed.order, removed.reason)
        for maker in {fill.maker.order_id: fill.maker for fill in outcome.fills}.values():
            if maker.remaining == 0:
                floor.gone(maker, None)
            else:
                resting = floor.orders.get(maker.order_id)
                assert resting is not None, "a resting order is an open order"
                unit.orders.append(resting.report("open"))
        why = ""
        if outcome.state is State.OPEN:
            floor.arrivals += 1
            floor.orders.add(order)
            unit.records[open_order_key(*order.order_id)] = encode_open_order(order, floor.arrivals)
        elif outcome.refusal is not None:
            if not trades:
                raise refusal(outcome.refusal.reason)
            why = Reason(outcome.refusal.reason).name
        report = order.report(outcome.state.value, why, trades)
        unit.orders.append(report)
        return report
