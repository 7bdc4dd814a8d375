"""The values that the matching engine moves: orders, fills, and why an order left the book.

Prices are µUSD per coin and sizes µcoin, both plain integers; that they are multiples of the market's tick and lot is
checked at admission. Times are whole Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, unique
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rollup.sequencer.matching_levels import Level

OrderId = tuple[int, int]
"""(account, nonce), unique among the live orders of all markets."""


@unique
class TimeInForce(Enum):
    """How long an order may wait. A market order is an IOC whose price is its protective limit."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


@unique
class Removal(Enum):
    """Why a resting order left the book other than by being filled."""

    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SELF_TRADE = "self_trade"
    REFUSED = "refused"
    LIQUIDATION = "liquidation"


@dataclass(slots=True, eq=False)
class Order:
    """One signed order and what is left of it; mutable, because its book counts `remaining` down.

    `expiry` is the last second in which the order may be filled, as in the state transition. A `remaining` below
    `size` at creation is an order restored after a restart. `level`, `older` and `newer` belong to the book: `level`
    is set exactly while the order rests.
    """

    account: int
    nonce: int
    market: int
    is_buy: bool
    size: int
    price: int
    expiry: int
    remaining: int = -1
    post_only: bool = False
    reduce_only: bool = False
    time_in_force: TimeInForce = TimeInForce.GTC
    level: Level | None = field(default=None, init=False, repr=False)
    older: Order | None = field(default=None, init=False, repr=False)
    newer: Order | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.remaining < 0:
            self.remaining = self.size

    @property
    def order_id(self) -> OrderId:
        """What the order is known by."""
        return (self.account, self.nonce)

    @property
    def is_resting(self) -> bool:
        """Whether the order stands in a book now."""
        return self.level is not None


class Fill(NamedTuple):
    """`size` µcoin of `maker` at the maker's `price`; proposed until the state transition has executed it."""

    maker: Order
    size: int
    price: int


class Removed(NamedTuple):
    """An order that the book dropped while it was matching or expiring, and why."""

    order: Order
    reason: Removal
