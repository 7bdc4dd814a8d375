"""A state made dear to prove: full accounts that owe on every position, fields without zero bytes, keys far apart.

Zero bytes of calldata cost a quarter of others, and keys that are neighbours share their way up the tree; so nothing
here is small, and accounts, markets and coins are spread over all their numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rollup.types.accounts import Account, Position, Slot
from rollup.types.keys import account_key, market_key, slot_key, underlying_key
from rollup.types.transactions import FLAG_SELL, FreshOrder, Trade
from tests.differential import world as w
from tests.differential.world import COIN, DOLLAR, World, make_world

FEEDERS: Final = 8
MARKETS: Final = 32
COINS: Final = 7
"""With the markets and the totals they fill the meter of system leaves."""
MAX_HELD: Final = 31
"""A trade in yet another market makes it 32, and moves all of these by one place."""
PRICE: Final = w.BTC_MARK
LOT: Final = 1_000
EVERY_BYTE: Final = 0x0102030405060708
"""A large number without a zero byte."""
SIZE: Final = 1_001_001 * COIN
"""µcoin held in each market, short: the bytes of a negative number are not zero."""
OLD_NONCE: Final = EVERY_BYTE // 8_192 * 8_192
NEW_NONCE: Final = 2 * OLD_NONCE
QUANTITY: Final = 0x010101010101


def coin_number(index: int) -> int:
    """The `index`-th coin, far from its neighbours."""
    return 0x0101 + index * 9_300


def market_number(index: int) -> int:
    """The `index`-th market, far from its neighbours; market 0 sorts before all others."""
    return 0x0101 + index * 2_040


def account_number(index: int) -> int:
    """The `index`-th account, far from its neighbours."""
    return 0x010101 + index * ((1 << 24) // 41)


def every_second(k: int) -> bool:
    """Odd accounts: the buyers."""
    return k % 2 == 1


def nobody(_: int) -> bool:
    """No account."""
    return False


def everybody(_: int) -> bool:
    """Every account."""
    return True


def make_crowd(full: int, light: int, held: int = MAX_HELD, *, poor: Callable[[int], bool] = every_second) -> World:
    """Accounts 0 … `full`-1 hold the last `held` markets, the next `light` none. Who is `poor` lacks margin for more.

    Every position owes funding, so that each settlement writes every pool.
    """
    world = make_world(0, feeders=FEEDERS)
    leaves = {
        underlying_key(coin_number(i)): w.underlying(
            time=w.NOW - 30, funding_time=w.NOW - 30, mark=PRICE + 1, funding_index=-EVERY_BYTE
        ).encode()
        for i in range(COINS)
    }
    for i in range(MARKETS):
        leaves[market_key(market_number(i))] = w.market(
            underlying=coin_number(i % COINS), open_interest=EVERY_BYTE, pool=-EVERY_BYTE,
            max_open_interest=1 << 61, max_position=1 << 55,
        ).encode()  # fmt: skip
    for k in range(full + light):
        leaves[account_key(account_number(k))] = _account(k, held if k < full else 0, poor(k)).encode()
    world.write(leaves)
    return world


def _account(k: int, held: int, poor: bool) -> Account:
    first = MARKETS - held
    positions = tuple(Position(market_number(first + i), -SIZE, -EVERY_BYTE - 1_000_000 * (i + 1)) for i in range(held))
    owed = held * SIZE * PRICE // COIN
    cash = (owed * 101 // 100 if poor else 2 * owed) or 10**9 * DOLLAR
    return Account(w.owner(k), w.owner(k + 1), cash, EVERY_BYTE, EVERY_BYTE, EVERY_BYTE, positions)


def remember_old_orders(world: World, slots: set[tuple[int, int]]) -> None:
    """Put a full old order into each (account, slot), so that the slot's value before the block is not empty."""
    world.write(
        {
            slot_key(account_number(k), slot): Slot(
                OLD_NONCE + slot, market_number(3), FLAG_SELL, QUANTITY, PRICE, w.NOW, QUANTITY - 1
            ).encode()
            for k, slot in slots
        }
    )


def order(account: int, flags: int, market: int, slot: int, generation: int = 0) -> FreshOrder:
    """A fresh order into a slot; a later `generation` replaces an earlier one."""
    return w.order(
        account_number(account), market_number(market), flags, QUANTITY, PRICE, NEW_NONCE + 8_192 * generation + slot,
        key=w.key_of("owner", account),
    )  # fmt: skip


def trade(seller: tuple[int, int], buyer: tuple[int, int], market: int, generation: int = 0) -> Trade:
    """`seller` and `buyer`, each (account, slot), trade a lot by fresh orders; the buyer takes."""
    return Trade(
        order(seller[0], FLAG_SELL, market, seller[1], generation),
        order(buyer[0], 0, market, buyer[1], generation),
        LOT,
    )


class Slots:
    """Hands out order slots: new ones while the block's meter has room, then those it has."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.used: set[tuple[int, int]] = set()

    def of(self, account: int, turn: int) -> tuple[int, int]:
        """A slot for the `turn`-th order of `account`."""
        wanted = (account, (77 * account + 1_366 * turn) % 8_192)
        if wanted in self.used or len(self.used) < self._limit:
            self.used.add(wanted)
            return wanted
        return min(slot for slot in self.used if slot[0] == account)
