"""What positions were bought for: average prices, kept beside the state, which needs none.

They say what a position has gained so far: for showing, and for the order of deleveraging. A holding that changed while
nobody looked keeps the average price of what was seen.

Each block's changes are index records of that block, so they go when it is taken back and return when it is put back:
an account's newest record is what stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgpack

from rollup.errors import StoreError

PREFIX: Final = b"e"
"""Of the records: this, the account (u24) and the block (u40)."""
Find = Callable[[int], bytes | None]
"""An account's newest record."""


class Costs:
    """Size (µcoin, signed) and cost (10⁻¹² USD, signed) of every position seen, by account and market."""

    def __init__(self, find: Find = lambda _: None) -> None:
        """`find` is asked once for each account, and again after `clear`."""
        self._find = find
        self._held: dict[int, dict[int, tuple[int, int]]] = {}
        self._changed: set[int] = set()

    def trade(self, account: int, market: int, bought: int, price: int) -> None:
        """Note that an account bought (negative: sold) `bought` µcoin at `price` µUSD per coin."""
        markets = self._of(account)
        size, cost = markets.get(market, (0, 0))
        new = size + bought
        if size * bought >= 0:
            cost += bought * price
        elif size * new >= 0:
            cost = cost * new // size
        else:
            cost = new * price
        if new:
            markets[market] = (new, cost)
        else:
            markets.pop(market, None)
        self._changed.add(account)

    def keep(self, account: int, markets: Iterable[int]) -> None:
        """Forget all positions of an account but those in `markets`."""
        held, wanted = self._of(account), set(markets)
        if held.keys() - wanted:
            self._held[account] = {market: entry for market, entry in held.items() if market in wanted}
            self._changed.add(account)

    def average(self, account: int, market: int, size: int) -> int | None:
        """Average price (µUSD per coin) of a position of `size` µcoin; None if it is not known."""
        entry = self._of(account).get(market)
        if entry is None or entry[0] * size <= 0:
            return None
        return entry[1] // entry[0]

    def take_records(self, block: int) -> dict[bytes, bytes]:
        """Index records of what this block changed: all that is left since the last call."""
        records = {}
        for account in self._changed:
            records[prefix_of(account) + block.to_bytes(5, "big")] = _pack(self._held[account])
        self._changed.clear()
        return records

    def clear(self) -> None:
        """Forget what was read and what is not recorded: the chain was moved."""
        self._held.clear()
        self._changed.clear()

    def _of(self, account: int) -> dict[int, tuple[int, int]]:
        held = self._held.get(account)
        if held is None:
            record = self._find(account)
            held = self._held[account] = {} if record is None else _unpack(record)
        return held


def prefix_of(account: int) -> bytes:
    """What the keys of all records of an account begin with."""
    return PREFIX + account.to_bytes(3, "big")


def _pack(held: dict[int, tuple[int, int]]) -> bytes:
    packed: bytes = msgpack.packb([[market, size, str(cost)] for market, (size, cost) in held.items()])
    return packed


def _unpack(record: bytes) -> dict[int, tuple[int, int]]:
    try:
        return {market: (size, int(cost)) for market, size, cost in msgpack.unpackb(record)}
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise StoreError(f"the record of an account's costs is torn: {error}") from error
