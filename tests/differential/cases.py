"""For each reason at least one block that both twins must refuse for it: the register, and how to build orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rollup.types.accounts import Slot
from rollup.types.keys import market_key, slot_key
from rollup.types.reasons import Reason
from rollup.types.transactions import FLAG_SELL, FreshOrder, OrderRef, Transaction
from tests.differential import world as w
from tests.differential.world import COIN, World

SELL: Final = FLAG_SELL
LOT: Final = 1_000
PRICE: Final = w.BTC_MARK
RANGE: Final = 1 << 62

FULL: Final = 32

Txs = Sequence[Transaction | bytes]


@dataclass(frozen=True, slots=True)
class Case:
    """`make` prepares the world and returns a block's transactions, the fault at `index`, the last if not given.

    `forced` is the reason if the last one comes through L1 instead, where that makes a difference.
    """

    reason: Reason
    make: Callable[[World], Txs]
    index: int | None = None
    forced: Reason | None = None

    @property
    def name(self) -> str:
        """The reason, and which way to it."""
        return f"{self.reason.name}-{self.make.__name__}"


CASES: list[Case] = []


def case(
    reason: Reason, index: int | None = None, forced: Reason | None = None
) -> Callable[[Callable[[World], Txs]], Callable[[World], Txs]]:
    """Register a way to provoke `reason`."""

    def register(make: Callable[[World], Txs]) -> Callable[[World], Txs]:
        CASES.append(Case(reason, make, index, forced))
        return make

    return register


def buy(account: int = 0, *, flags: int = 0, market: int = w.BTC_PERP, size: int = COIN, price: int = PRICE,
        nonce: int = 1, **options: object) -> FreshOrder:  # fmt: skip
    """A buy order for one coin at the mark unless told otherwise."""
    return w.order(account, market, flags, size, price, nonce, **options)  # type: ignore[arg-type]


def sell(account: int = 1, *, flags: int = 0, **options: object) -> FreshOrder:
    """The same as a sell order."""
    return buy(account, flags=flags | SELL, **options)  # type: ignore[arg-type]


def rest(world: World, maker: FreshOrder, *, filled: int = 0) -> OrderRef:
    """Put an order into its slot, as after a first fill, and refer to it."""
    slot = Slot(maker.nonce, maker.market, maker.flags, maker.size, maker.price, maker.expiry, filled)
    world.write({slot_key(maker.account, maker.nonce): slot.encode()})
    return OrderRef(maker.account, maker.nonce & 8191)


def fill_account(world: World, number: int, size: int = LOT) -> None:
    """Give an account all the positions it can have, in markets 1001 … 1032 on BTC."""
    world.write({market_key(1_001 + i): w.market(taker_fee=0, maker_fee=0).encode() for i in range(FULL)})
    world.hold(number, {1_001 + i: size for i in range(FULL)})
