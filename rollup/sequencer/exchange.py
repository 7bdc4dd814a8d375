"""The exchange as its callers see it: commands that wait until they are durable, and reads of the newest state.

The RPC layer turns JSON into these calls; tests and simulations may call them directly.
"""

from __future__ import annotations

from collections.abc import Callable

from rollup.crypto import eip712
from rollup.sequencer.admission import Admission
from rollup.sequencer.archive import Archive
from rollup.sequencer.auctions import AuctionView, live_auctions
from rollup.sequencer.catalogue import Catalogue, Instrument
from rollup.sequencer.checks import check_account, check_order
from rollup.sequencer.commands import (
    OrderReport,
    PlaceOrder,
    Reply,
    SoftCancel,
    Submit,
    TradeReport,
    TransactionReport,
    UserTransaction,
)
from rollup.sequencer.desk import Desk
from rollup.sequencer.digests import digests_of
from rollup.sequencer.margins import account_view, ticker_view
from rollup.sequencer.marks import mark_of
from rollup.sequencer.matching_orders import TimeInForce
from rollup.sequencer.oracle import OracleView, oracle_view
from rollup.sequencer.rejections import StoppedServing, UnknownOrder, refusal
from rollup.sequencer.rfq_door import RfqDoor
from rollup.sequencer.sensitivities import SensitivityTable
from rollup.sequencer.unit import Unit
from rollup.sequencer.views import AccountView, BatchView, BlockView, DepthView, StatusView, TickerView
from rollup.types.reasons import Reason
from rollup.types.transactions import Cancel, FreshOrder, OracleUpdate, SurfaceUpdate

News = Callable[[Unit], None]
"""Told of every unit right after it became durable; must be quick and must not raise."""


class Exchange:
    """One sequencer's door."""

    def __init__(
        self,
        desk: Desk,
        admission: Admission,
        archive: Archive,
        status: Callable[[], StatusView],
        separator: bytes,
        max_life: int,
    ) -> None:
        self.catalogue: Catalogue = desk.catalogue
        self.status = status
        self._desk = desk
        self._admission = admission
        self._archive = archive
        self._separator = separator
        self._max_life = max_life
        self._listeners: list[News] = []
        self._sequence = 0
        self._last_prices: dict[int, int] = {}
        self.rfq = RfqDoor(self, desk, separator)
        """Requests for quotes."""
        self.serving: Callable[[], bool] = lambda: True
        """Whether commands are taken in; not while the chain is being moved."""
        self.pricing: Callable[[], bool] = lambda: True
        """The same for what feeders say, which is sometimes all that is waited for."""

    # -- commands --------------------------------------------------------------------------------------------------

    async def place(self, order: FreshOrder, time_in_force: TimeInForce, label: str = "") -> OrderReport:
        """Place a signed order; returns what became of it once that is durable. Raises Rejected."""
        return await self.begin_placing(order, time_in_force, label).wait()

    def begin_placing(self, order: FreshOrder, time_in_force: TimeInForce, label: str = "") -> Reply[OrderReport]:
        """`place` without waiting: the reply is released once it is durable. Raises Rejected."""
        self._require(self.serving)
        instrument = self.catalogue.by_number(order.market)
        check_order(order, instrument, time_in_force, self._desk.ledger.now(), self._max_life)
        self._require_account(order.account)
        digest = eip712.order_digest(
            self._separator,
            order.account,
            order.market,
            order.flags,
            order.size,
            order.price,
            order.nonce,
            order.expiry,
        )
        command = PlaceOrder(order, digest, time_in_force, label)
        self._admission.offer(command)
        return command.reply

    async def cancel(self, cancel: Cancel) -> list[OrderReport]:
        """Take orders off the book at once (a soft cancel); `submit` the same request to make it final."""
        self._require(self.serving)
        self._require_account(cancel.account)
        command = SoftCancel(cancel, self.digests(cancel)[0][0])
        self._admission.offer(command)
        return await command.reply.wait()

    async def submit(self, transaction: UserTransaction) -> TransactionReport:
        """Execute a transaction in a block; returns its place once that is durable. Raises Rejected."""
        priced = isinstance(transaction, OracleUpdate | SurfaceUpdate)
        self._require(self.pricing if priced else self.serving)
        command = Submit(transaction, self.digests(transaction))
        self._admission.offer(command)
        return await command.reply.wait()

    def digests(self, transaction: UserTransaction) -> tuple[tuple[bytes, bytes], ...]:
        """(digest, signature) of each signature of a transaction; BadAmount for numbers that no field holds."""
        return digests_of(self._separator, transaction)

    # -- reads -----------------------------------------------------------------------------------------------------

    def now(self) -> int:
        """The time of the newest state (s)."""
        return self._desk.ledger.now()

    def ticker(self, instrument: Instrument) -> TickerView:
        """Best prices, oracle prices and totals of a market."""
        return ticker_view(self._desk, instrument, self._last_prices.get(instrument.number, 0))

    def oracle(self) -> OracleView:
        """What the oracle has said, and what its feeders must know to say more."""
        return oracle_view(self._desk)

    def auctions(self) -> list[AuctionView]:
        """The liquidations that can be bid for."""
        return live_auctions(self._desk)

    def mark(self, instrument: Instrument) -> int:
        """The mark of a market (µUSD per coin), 0 if it has none."""
        return mark_of(self._desk.ledger.begin().view, instrument.number)

    def sensitivities(self) -> SensitivityTable:
        """Volatilities and Greeks of all markets now."""
        return self._desk.sensitivities()

    def depth(self, instrument: Instrument, levels: int) -> DepthView:
        """The best levels of a book."""
        bids, asks = self._desk.books[instrument.number].depth(levels)
        return DepthView(self._desk.ledger.now(), self._sequence, bids, asks)

    def account(self, number: int) -> AccountView:
        """An account; Refused with ACCOUNT_UNKNOWN if there is none."""
        self._require_account(number)
        return account_view(self._desk, number)

    def open_orders(self, account: int) -> list[OrderReport]:
        """An account's open orders, oldest first."""
        self._require_account(account)
        return [order.report("open") for order in self._desk.orders.of_account(account)]

    def nonce_of(self, account: int, order_id: bytes) -> int:
        """The nonce of an open order; UnknownOrder if the account has none of that id."""
        self._require_account(account)
        order = self._desk.orders.by_digest(order_id)
        if order is None or order.fresh.account != account:
            raise UnknownOrder("no such open order", account=account, order_id=f"0x{order_id.hex()}")
        return order.fresh.nonce

    async def trades(
        self, instrument: Instrument | None, account: int | None, page: int, size: int
    ) -> tuple[int, list[TradeReport]]:
        """How many trades there are to page through, and one page of them, newest first."""
        if account is not None:
            self._require_account(account)
        markets = [instrument.number] if instrument is not None else [each.number for each in self.catalogue]
        return await self._archive.trades(markets, account, page, size)

    def block(self, number: int) -> BlockView:
        """A durable block; UnknownBlock."""
        return self._archive.block(number)

    def batch(self, number: int) -> BatchView:
        """A batch on L1; UnknownBlock."""
        return self._archive.batch(number)

    def transaction(self, tx_id: bytes) -> TransactionReport:
        """Where a transaction stands in a durable block; UnknownBlock."""
        return self._archive.transaction(tx_id)

    # -- news ------------------------------------------------------------------------------------------------------

    def listen(self, listener: News) -> None:
        """Have `listener` told of everything that becomes durable."""
        self._listeners.append(listener)

    def announce(self, unit: Unit) -> None:
        """A unit is durable; called by the committer."""
        self._sequence += 1
        for trade in unit.trades:
            self._last_prices[trade.market] = trade.price
        for listener in self._listeners:
            listener(unit)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _require(self, open_: Callable[[], bool]) -> None:
        if not open_():
            raise StoppedServing("the sequencer takes nothing in at the moment")

    def _require_account(self, number: int) -> None:
        if self._desk.ledger.account(check_account(number)) is None:
            raise refusal(Reason.ACCOUNT_UNKNOWN, account=number)
