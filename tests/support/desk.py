"""A trading desk on a state in memory: the sequencer without its tasks, its disk and its network."""

from __future__ import annotations

from dataclasses import dataclass, field

from rollup.crypto import eip712
from rollup.crypto.signatures import recover
from rollup.derive.chain import DerivedBatch
from rollup.derive.origin import Origin
from rollup.l1.devkeys import dev_address
from rollup.sequencer.catalogue import Catalogue, listed_leaves
from rollup.sequencer.commands import OrderReport, PlaceOrder, SoftCancel, Submit, TransactionReport, UserTransaction
from rollup.sequencer.committer import Committer
from rollup.sequencer.desk import Desk
from rollup.sequencer.ledger import Ledger
from rollup.sequencer.matching_orders import TimeInForce
from rollup.sequencer.memo import Memo
from rollup.sequencer.unit import Unit
from rollup.stf.invariants import Report, check_invariants
from rollup.store.changes import BlockCommit, Notes
from rollup.store.identity import ChainIdentity
from rollup.store.records import BlockRecord
from rollup.store.state import StateStore
from rollup.store.writer import StoreWriter
from rollup.types.genesis import encode_leaves
from rollup.types.keys import account_key
from rollup.types.leaves import Account
from rollup.types.messages import Open, encode_message
from rollup.types.transactions import FLAG_IMMEDIATE, Cancel, FreshOrder
from tests.stf.world import SEPARATOR, START, USD, genesis, order, price

KEY = b"\x22" * 32
"""Test-only key of the sequencer."""
MARK = 50_000 * USD
IDENTITY = ChainIdentity(31337, b"\x11" * 20)


def origin_of(leaves: dict[int, bytes], root: bytes) -> Origin:
    """A deployment with this genesis."""
    batch = DerivedBatch(0, b"\x33" * 32, 0, bytes(20), 1, root, 0, 0, (), START)
    return Origin(31337, IDENTITY.rollup, bytes(20), bytes(20), SEPARATOR, 1, encode_leaves(leaves), batch)


def new_store(leaves: dict[int, bytes] | None = None) -> StateStore:
    """An empty state in memory, with the genesis in it."""
    store = StateStore.in_memory(IDENTITY)
    store.initialise(leaves or genesis().leaves())
    return store


@dataclass
class Trading:
    """A desk with funded accounts 0 … n-1, held by the development keys of these numbers, and a fresh price."""

    accounts: int = 6
    cash: int = 100_000 * USD
    max_orders: int = 100
    time: int = START + 10
    store: StateStore = field(default_factory=new_store)
    ledger: Ledger | None = None
    opening: int = MARK
    units: list[Unit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.memo = Memo()
        if self.ledger is None:
            self.ledger = Ledger(self.store, 0, SEPARATOR, self.memo.recover, lambda: self.time)
        self.desk = Desk(self.ledger, Catalogue.of_leaves(listed_leaves(self.store)), self.memo, self.max_orders)
        self.committer = Committer(StoreWriter(self.store), KEY, SEPARATOR, lambda _: None)
        if self.store.number == 0:
            self.desk.take_messages([encode_message(Open(n, dev_address(n), self.cash)) for n in range(self.accounts)])
            self.submit(price(self.time, self.opening))
            self.flush()

    def flush(self) -> Unit:
        """Seal and make durable what waits."""
        unit = self.desk.take_unit()
        self.units.append(unit)
        commits: list[BlockCommit] = [self.committer._record(block, unit.trades) for block in unit.blocks]
        self.store.commit(commits, Notes(entries=unit.records))
        return unit

    def place(self, fresh: FreshOrder, time_in_force: TimeInForce | None = None) -> OrderReport:
        """Place an order, its signature recovered as admission does."""
        wish = time_in_force or (TimeInForce.IOC if fresh.flags & FLAG_IMMEDIATE else TimeInForce.GTC)
        digest = eip712.order_digest(
            SEPARATOR, fresh.account, fresh.market, fresh.flags, fresh.size, fresh.price, fresh.nonce, fresh.expiry
        )
        return self.desk.place(PlaceOrder(fresh, digest, wish, "", recover(digest, fresh.signature)))

    def soft_cancel(self, request: Cancel) -> list[OrderReport]:
        """Take orders off the book."""
        digest = eip712.cancel_digest(SEPARATOR, request.account, request.cancel_all, request.nonce)
        return self.desk.cancel(SoftCancel(request, digest, recover(digest, request.signature)))

    def submit(self, transaction: UserTransaction) -> TransactionReport:
        """Execute a transaction."""
        return self.desk.submit(Submit(transaction, ()))

    def account(self, number: int) -> Account:
        """An account as it is now."""
        assert self.ledger is not None
        return Account.decode(self.ledger.leaf(account_key(number)))

    def position(self, number: int, market: int = 1) -> int:
        """Signed size held."""
        return self.account(number).position_in(market)

    def records(self) -> list[BlockRecord]:
        """Every committed block."""
        return list(self.store.records.blocks(1, self.store.committed))

    def check(self) -> Report:
        """Money is conserved in the committed state."""
        return check_invariants(self.store.iterate_leaves())


def quote(account: int, sell: bool, size: int, at: int, nonce: int, extra: int = 0) -> FreshOrder:
    """A signed order `at` whole dollars for `size` thousandths of a coin."""
    return order(account, sell, size * 1_000, at * USD, nonce, extra=extra)
