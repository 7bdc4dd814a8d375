"""The order journal: open orders and executed trades as database records, so that books survive a crash.

An open order is written when it rests and deleted when it leaves its book; its filled size stands in the state.
Records are msgpack; keys sort open orders by arrival and trades by market, then block and index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgpack

from rollup.errors import StoreError
from rollup.sequencer.commands import TradeReport
from rollup.sequencer.matching_orders import TimeInForce
from rollup.sequencer.orders import OpenOrder
from rollup.types.transactions import FreshOrder

OPEN: Final = b"o"
TRADES: Final = b"t"


def open_order_key(account: int, nonce: int) -> bytes:
    """Key of an open order."""
    return OPEN + account.to_bytes(3, "big") + nonce.to_bytes(8, "big")


def encode_open_order(order: OpenOrder, arrival: int) -> bytes:
    """Record of an open order; `arrival` orders the restoration, so that time priority survives."""
    f = order.fresh
    return _pack(
        (
            arrival, f.account, f.market, f.flags, f.size, f.price, f.nonce, f.expiry, f.signature, order.digest,
            order.signer, order.time_in_force.value, order.label, order.created,
        )
    )  # fmt: skip


def decode_open_orders(records: Iterable[bytes]) -> list[tuple[int, OpenOrder]]:
    """Open orders with their arrival numbers, oldest first."""
    found: list[tuple[int, OpenOrder]] = []
    for record in records:
        try:
            arrival, *terms, digest, signer, time_in_force, label, created = msgpack.unpackb(record)
            order = OpenOrder(FreshOrder(*terms), digest, signer, TimeInForce(time_in_force), label, created)
        except (ValueError, TypeError, msgpack.UnpackException) as error:
            raise StoreError(f"an open order's record is torn: {error}") from error
        found.append((arrival, order))
    found.sort(key=lambda pair: pair[0])
    return found


def trade_prefix(market: int) -> bytes:
    """Prefix of a market's trades."""
    return TRADES + market.to_bytes(2, "big")


def trade_key(trade: TradeReport) -> bytes:
    """Key of a trade: market, block, index."""
    return trade_prefix(trade.market) + trade.block.to_bytes(5, "big") + trade.index.to_bytes(2, "big")


def encode_trade(trade: TradeReport) -> bytes:
    """Record of a trade."""
    t = trade
    return _pack(
        (
            t.block, t.index, t.market, t.price, t.size, t.taker_sells, t.maker, t.taker, t.maker_nonce, t.taker_nonce,
            t.maker_fee, t.taker_fee, t.time,
        )
    )  # fmt: skip


def decode_trades(records: Iterable[bytes]) -> Iterator[TradeReport]:
    """Trades of their records, in the order given."""
    for record in records:
        yield TradeReport(*msgpack.unpackb(record))


def _pack(values: tuple[Any, ...]) -> bytes:
    packed = msgpack.packb(values)
    assert packed is not None
    return packed
