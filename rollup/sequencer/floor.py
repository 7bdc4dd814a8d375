"""The trading floor: books, open orders, the open block, and what of them waits to be made durable.

`desk` takes commands to it, `execution` turns fills into trades on it. Here is what befalls resting orders without
anybody asking: they expire, the state changes under them, a restart restores them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush
from typing import Final

from rollup.errors import NonceInUse, Rejected
from rollup.sequencer.book import Book
from rollup.sequencer.catalogue import Catalogue, Instrument, listed_leaves
from rollup.sequencer.commands import OrderReport
from rollup.sequencer.exposure import reducible
from rollup.sequencer.journal import OPEN, decode_open_orders, open_order_key
from rollup.sequencer.ledger import Ledger
from rollup.sequencer.matching_orders import Order, Removal
from rollup.sequencer.orders import OpenOrder, OpenOrders
from rollup.sequencer.rejections import SlotInUse, TooManyOrders, refusal
from rollup.sequencer.risk.costs import Costs, prefix_of
from rollup.sequencer.unit import Unit
from rollup.types.keys import KeyKind, account_key, account_of, kind_of, slot_key
from rollup.types.leaves import Account, Slot
from rollup.types.reasons import Reason

STATUS: Final = 72
"""Where an account's leaf has its status (SPEC section 2)."""


class Floor:
    """What desk and execution share."""

    def __init__(self, ledger: Ledger, catalogue: Catalogue, max_orders: int) -> None:
        self.ledger = ledger
        self.catalogue = catalogue
        self.orders = OpenOrders()
        self.arrivals = 0
        """Orders that came to rest so far; gives each its place in time."""
        self.prices = 0
        """How often the oracle has spoken."""
        self.costs = Costs(self._find_costs)
        self.generation = 0
        """How often the chain was moved."""
        self.changed: dict[int, bytes] = {}
        """Leaves of accounts that blocks have written since whoever screens margins took them away."""
        self.on_price: Callable[[], None] = lambda: None
        """Told at once when the oracle has spoken, long before that is durable."""
        self.flagged: set[int] = set()
        """Accounts that are not sound, as far as they were seen."""
        self._max_orders = max_orders
        self.unit = Unit()
        self._swept = 0
        self._clear()

    def seal(self) -> None:
        """Close the open block, if anything is in it, into the unit."""
        if not self.ledger.is_empty:
            block = self.ledger.seal()
            block = replace(block, index=self.costs.take_records(block.header.number))
            self.unit.blocks.append(block)
            self._note_accounts(block.staged.leaves)

    def take_unit(self) -> Unit:
        """Seal, and hand over everything since the last call."""
        self.seal()
        unit, self.unit = self.unit, Unit()
        return unit

    def _note_accounts(self, leaves: Mapping[int, bytes]) -> None:
        """Remember for the screening of margins which accounts a block has changed, and which are flagged."""
        for key, leaf in leaves.items():
            if kind_of(key) is KeyKind.ACCOUNT:
                number = account_of(key)
                self.changed[number] = leaf
                if leaf[STATUS]:
                    self.flagged.add(number)
                else:
                    self.flagged.discard(number)

    def note_price(self) -> None:
        """The oracle has spoken in the open block."""
        self.prices += 1
        self.unit.priced = True
        self.on_price()

    def _find_costs(self, account: int) -> bytes | None:
        """An account's newest record of average prices, of all blocks that stand."""
        newest = self.ledger.store.records.indexes(prefix_of(account), reverse=True)
        return next((record for _, record in newest), None)

    # -- admission -----------------------------------------------------------------------------------------------------

    def authorised(self, number: int, address: bytes) -> Account:
        """The account, if `address` may trade for it; ACCOUNT_UNKNOWN, SIGNATURE_INVALID."""
        account = self.ledger.account(number)
        if account is None:
            raise refusal(Reason.ACCOUNT_UNKNOWN, account=number)
        if address != account.owner and (not any(account.signer) or address != account.signer):
            raise refusal(Reason.SIGNATURE_INVALID, account=number)
        return account

    def check_slot(self, order: OpenOrder, account: Account) -> None:
        """Refuse an order whose nonce or slot is used up or taken, or that is one too many for its account."""
        fresh = order.fresh
        if fresh.nonce < account.nonce_floor:
            raise refusal(Reason.NONCE_FLOOR, floor=account.nonce_floor)
        slot = self.ledger.slot(fresh.account, fresh.nonce)
        if slot is not None and slot.nonce >= fresh.nonce:
            raise refusal(Reason.NONCE_STALE, nonce=fresh.nonce)
        other = self.orders.in_slot(order.slot)
        if other is not None:
            if other.fresh.nonce == fresh.nonce:
                raise NonceInUse("an order with this nonce is open", account=fresh.account, nonce=fresh.nonce)
            raise SlotInUse("an open order has this slot", nonce=other.fresh.nonce, slot=order.slot[1])
        if self.orders.count(fresh.account) >= self._max_orders:
            raise TooManyOrders("too many open orders", limit=self._max_orders)

    # -- resting orders ------------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Drop every order whose time has passed. Costs nothing within the same second of the ledger's time."""
        now = self.ledger.now()
        if now == self._swept:
            return
        self._swept = now
        for book in self.books.values():
            for entry in book.expire(now):
                self.gone(entry, Removal.EXPIRED)
        self._close_markets(now)

    def open_markets(self, instruments: Sequence[Instrument]) -> None:
        """Give each of these new instruments a book."""
        for instrument in instruments:
            self.books[instrument.number] = Book(instrument.number)
            self.unit.listed.append(instrument)
            if instrument.expiry:
                heappush(self._closing, (instrument.expiry, instrument.number))

    def _close_markets(self, now: int) -> None:
        """Empty the books of markets that have expired."""
        while self._closing and self._closing[0][0] <= now:
            _, number = heappop(self._closing)
            for entry in list(self.books[number]):
                self.books[number].remove(entry.order_id)
                self.gone(entry, Removal.EXPIRED)
            self.unit.markets.add(number)

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
        return self.gone(order.entry, why)

    def gone(self, entry: Order, why: Removal | None) -> OrderReport:
        """An order has left its book; `why` None: filled."""
        order = self.orders.remove(entry.order_id)
        self.unit.records[open_order_key(*order.order_id)] = None
        self.unit.markets.add(entry.market)
        status = "filled" if why is None else "expired" if why is Removal.EXPIRED else "cancelled"
        report = order.report(status, why.value if why is not None else "")
        self.unit.orders.append(report)
        return report

    # -- restart -------------------------------------------------------------------------------------------------------

    def move(self, fork: int) -> None:
        """Start over from what the store holds, on another fork; books and open orders come from the journal."""
        self.ledger.move(fork)
        self.catalogue.load(listed_leaves(self.ledger.store))
        self._clear()
        self.generation += 1
        self.changed, self.flagged = {}, set()
        self.costs.clear()
        records = self.ledger.store.records.entries(OPEN)
        for arrival, order in decode_open_orders(record for _, record in records):
            self._restore(order, arrival)

    def _clear(self) -> None:
        """Empty books for every market, and nothing under way."""
        self.books = {instrument.number: Book(instrument.number) for instrument in self.catalogue}
        self.orders = OpenOrders()
        self.unit = Unit()
        self._swept = 0
        self._closing = [(each.expiry, each.number) for each in self.catalogue if each.expiry]
        heapify(self._closing)

    def _restore(self, order: OpenOrder, arrival: int) -> None:
        """Put back an order of the journal (oldest first), with what the state leaves of it."""
        self.arrivals = max(self.arrivals, arrival)
        left = self._restorable(order)
        book, now = self.books.get(order.fresh.market), self.ledger.now()
        if book is None:  # its listing was taken back
            self.unit.records[open_order_key(*order.order_id)] = None
            return
        if left == 0 or order.fresh.expiry < now or book.would_cross(order.entry, now):
            self.unit.records[open_order_key(*order.order_id)] = None
            return
        order.entry.remaining = left
        self.orders.add(order)
        book.rest(order.entry)

    def _restorable(self, order: OpenOrder) -> int:
        """What the state leaves of an order of the journal; a reduce-only one no more than closes the position."""
        leaf = self.ledger.leaf(account_key(order.fresh.account))
        if not leaf:
            return 0
        account = Account.decode(leaf)
        left = self._left(order, account)
        try:
            closable = reducible(account, order.fresh)
        except Rejected:
            return 0
        if closable < left:
            order.capped = left - closable
        return min(left, closable)

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
