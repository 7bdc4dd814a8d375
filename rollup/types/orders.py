"""Orders as trades carry them, and the trade itself: values and canonical bytes (SPEC section 4)."""

from __future__ import annotations

import struct
from typing import Final

from rollup.errors import Undecodable, Unencodable
from rollup.types.fields import LOW, SIGNATURE_SIZE, u24, word
from rollup.types.limits import SLOT_COUNT
from rollup.types.value import value

FLAG_SELL: Final = 1
FLAG_POST_ONLY: Final = 2
FLAG_REDUCE_ONLY: Final = 4
FLAG_IMMEDIATE: Final = 8
ORDER_FLAGS: Final = 0x0F

_TRADE: Final = struct.Struct(">BBHI")
_ORDER: Final = struct.Struct(">BHHBHIHIQBI64s")
_REFERENCE: Final = struct.Struct(">BHH")


@value(frozen=True, slots=True)
class FreshOrder:
    """An order with its terms and signature: what its first fill needs."""

    account: int
    market: int
    flags: int
    size: int
    price: int
    nonce: int
    expiry: int
    signature: bytes

    @property
    def is_sell(self) -> bool:
        """The side, from the flags."""
        return bool(self.flags & FLAG_SELL)


@value(frozen=True, slots=True)
class OrderRef:
    """A reference to an order whose terms already stand in the account's order slot."""

    account: int
    slot: int


@value(frozen=True, slots=True)
class Trade:
    """A fill of `fill` µcoin between two orders, at the maker's price."""

    maker: FreshOrder | OrderRef
    taker: FreshOrder | OrderRef
    fill: int


def encode_trade(tx: Trade) -> bytes:
    """The trade's bytes; struct.error or Unencodable if a field does not fit."""
    mode = isinstance(tx.maker, FreshOrder) | isinstance(tx.taker, FreshOrder) << 1
    return _TRADE.pack(1, mode, tx.fill >> 32, tx.fill & LOW) + _encode_side(tx.maker) + _encode_side(tx.taker)


def decode_trade(data: bytes, offset: int) -> tuple[Trade, int]:
    """The trade at `offset`, and the offset after it."""
    _, mode, high, low = _TRADE.unpack_from(data, offset)
    if mode > 3:
        raise Undecodable(f"trade mode {mode:#x}")
    maker, offset = _decode_side(data, offset + _TRADE.size, mode & 1)
    taker, offset = _decode_side(data, offset, mode & 2)
    return Trade(maker, taker, high << 32 | low), offset


def _decode_side(data: bytes, offset: int, fresh: int) -> tuple[FreshOrder | OrderRef, int]:
    if not fresh:
        high, low, slot = _REFERENCE.unpack_from(data, offset)
        if slot >= SLOT_COUNT:
            raise Undecodable(f"slot {slot}")
        return OrderRef(high << 16 | low, slot), offset + _REFERENCE.size
    ah, al, market, flags, sh, sl, ph, pl, nonce, eh, el, signature = _ORDER.unpack_from(data, offset)
    if flags & ~ORDER_FLAGS:
        raise Undecodable(f"order flags {flags:#x}")
    order = FreshOrder(ah << 16 | al, market, flags, sh << 32 | sl, ph << 32 | pl, nonce, eh << 32 | el, signature)
    return order, offset + _ORDER.size


def _encode_side(side: FreshOrder | OrderRef) -> bytes:
    if isinstance(side, OrderRef):
        if not 0 <= side.slot < SLOT_COUNT:
            raise Unencodable(f"slot {side.slot}")
        return _REFERENCE.pack(*u24(side.account), side.slot)
    if side.flags & ~ORDER_FLAGS:
        raise Unencodable(f"order flags {side.flags:#x}")
    return _ORDER.pack(
        *u24(side.account), side.market, side.flags, side.size >> 32, side.size & LOW, side.price >> 32,
        side.price & LOW, side.nonce, side.expiry >> 32, side.expiry & LOW, word(side.signature, SIGNATURE_SIZE),
    )  # fmt: skip
