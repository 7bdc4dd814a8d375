"""What positions were bought for: average prices, kept beside the state, which needs none.

They say what a position has gained so far: for showing, and for the order of deleveraging. A holding that changed while
nobody looked keeps the average price of what was seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgpack

from rollup.errors import StoreError

PREFIX: Final = b"e"
"""Of the records: this and the account (u24)."""


class Costs:
    """Size (µcoin, signed) and cost (10⁻¹² USD, signed) of every position seen, by account and market."""

    def __init__(self) -> None:
        self._held: dict[int, dict[int, tuple[int, int]]] = {}
        self._changed: set[int] = set()

    def trade(self, account: int, market: int, bought: int, price: int) -> None:
        """Note that an account bought (negative: sold) `bought` µcoin at `price` µUSD per coin."""
        markets = self._held.setdefault(account, {})
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
        held = self._held.get(account)
        if held is not None:
            wanted = set(markets)
            self._held[account] = {market: entry for market, entry in held.items() if market in wanted}
            self._changed.add(account)

    def average(self, account: int, market: int, size: int) -> int | None:
        """Average price (µUSD per coin) of a position of `size` µcoin; None if it is not known."""
        entry = self._held.get(account, {}).get(market)
        if entry is None or entry[0] * size <= 0:
            return None
        return entry[1] // entry[0]

    def take_records(self) -> dict[bytes, bytes | None]:
        """Records of what changed since the last call."""
        records: dict[bytes, bytes | None] = {}
        for account in self._changed:
            held = self._held.get(account)
            rows = [[market, size, str(cost)] for market, (size, cost) in held.items()] if held else []
            records[PREFIX + account.to_bytes(3, "big")] = msgpack.packb(rows) if rows else None
        self._changed.clear()
        return records

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Start over from the records."""
        self._held.clear()
        self._changed.clear()
        for key, record in records:
            try:
                rows = {market: (size, int(cost)) for market, size, cost in msgpack.unpackb(record)}
            except (ValueError, TypeError, msgpack.UnpackException) as error:
                raise StoreError(f"the record of an account's costs is torn: {error}") from error
            self._held[int.from_bytes(key[len(PREFIX) :], "big")] = rows
