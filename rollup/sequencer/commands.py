"""What may be asked of the engine, and the place where the asker waits for the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import trio

from rollup.sequencer.matching_orders import TimeInForce
from rollup.types.transactions import (
    Bid,
    Cancel,
    ComboTrade,
    Deleverage,
    Flag,
    FreshOrder,
    OracleUpdate,
    SetSigner,
    Settle,
    SurfaceUpdate,
    Transfer,
    Withdraw,
    WriteOff,
)
from rollup.types.value import value

T = TypeVar("T")

UserTransaction = (
    Cancel | Withdraw | Transfer | SetSigner | OracleUpdate | SurfaceUpdate | Settle | Flag | Bid | Deleverage
    | WriteOff | ComboTrade
)  # fmt: skip
"""What a user, a feeder or anybody submits whole; trades of orders are made by the engine."""


class Reply(Generic[T]):
    """An answer on its way. The engine settles it; only `release` tells the asker, once everything is durable."""

    __slots__ = ("_answer", "_error", "_hearers", "_released")

    def __init__(self) -> None:
        self._answer: T | None = None
        self._error: Exception | None = None
        self._hearers: list[Callable[[], None]] = []
        self._released = False

    def settle(self, answer: T) -> None:
        """Write the answer down."""
        self._answer = answer

    def fail(self, error: Exception) -> None:
        """Write the refusal down."""
        self._error = error

    def release(self) -> None:
        """Tell the asker."""
        self._released = True
        for hearer in self._hearers:
            hearer()

    def hear(self, callback: Callable[[], None]) -> None:
        """Have `callback` called once the answer may be known; at once if it is."""
        if self._released:
            callback()
        else:
            self._hearers.append(callback)

    async def wait(self) -> T:
        """The answer, when it may be known; raises the refusal."""
        released = trio.Event()
        self.hear(released.set)
        await released.wait()
        return self.result()

    def result(self) -> T:
        """The answer, after it was released; raises the refusal."""
        assert self._released, "nothing is told before it is durable"
        if self._error is not None:
            raise self._error
        assert self._answer is not None, "released before it was settled"
        return self._answer


@dataclass(slots=True, eq=False)
class PlaceOrder:
    """A signed order that passed the static checks. `recovered` is the address behind the signature, once known."""

    order: FreshOrder
    digest: bytes
    time_in_force: TimeInForce
    label: str = ""
    recovered: bytes = b""
    reply: Reply[OrderReport] = field(default_factory=Reply)


@dataclass(slots=True, eq=False)
class SoftCancel:
    """A signed cancel that only takes orders off the book at once, and costs no block space.

    The signature is asked for because order ids and terms are public: without it anybody could cancel for anybody.
    """

    cancel: Cancel
    digest: bytes
    recovered: bytes = b""
    reply: Reply[list[OrderReport]] = field(default_factory=Reply)


@dataclass(slots=True, eq=False)
class Submit:
    """A transaction to execute in the next block, with the digests that its signatures sign."""

    transaction: UserTransaction
    digests: tuple[tuple[bytes, bytes], ...]
    reply: Reply[TransactionReport] = field(default_factory=Reply)


Command = PlaceOrder | SoftCancel | Submit


@value(frozen=True, slots=True)
class TradeReport:
    """One executed fill. `block` and `index` place it in the chain; fees are µUSD, `taker_sells` is its direction."""

    block: int
    index: int
    market: int
    price: int
    size: int
    taker_sells: bool
    maker: int
    taker: int
    maker_nonce: int
    taker_nonce: int
    maker_fee: int
    taker_fee: int
    time: int

    @property
    def trade_id(self) -> str:
        """Stable and unique as long as its block stands; the legs of a combo differ by their markets."""
        return f"{self.block}-{self.index}-{self.market}"


@value(frozen=True, slots=True)
class OrderReport:
    """An order and what became of it; `status` is open, filled, cancelled or expired, `why` says why not open."""

    order_id: str
    account: int
    market: int
    is_sell: bool
    size: int
    price: int
    nonce: int
    expiry: int
    filled: int
    status: str
    time_in_force: str
    post_only: bool
    reduce_only: bool
    label: str
    created: int
    why: str = ""
    trades: tuple[TradeReport, ...] = ()


@dataclass(frozen=True, slots=True)
class TransactionReport:
    """Where a submitted transaction stands; `tx_id` is the keccak of its bytes, `trades` are the legs of a combo."""

    tx_id: bytes
    block: int
    index: int
    trades: tuple[TradeReport, ...] = ()
