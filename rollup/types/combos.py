"""A combo: up to four legs that trade all or none, quoted by a maker and accepted by a taker (SPEC section 4)."""

from __future__ import annotations

import struct
from typing import Final

from rollup.errors import Undecodable, Unencodable
from rollup.types.fields import LOW, SIGNATURE_SIZE, u24, word
from rollup.types.limits import MAX_LEGS
from rollup.types.orders import FLAG_SELL
from rollup.types.value import value

_HEAD: Final = struct.Struct(">BBHBHB")
_LEG: Final = struct.Struct(">HBHIHI")
_WORD: Final = struct.Struct(">QBI64s")


@value(frozen=True, slots=True)
class Leg:
    """One market of a combo: size (µcoin), price (µUSD per coin), and in `flags` whether the maker sells it."""

    market: int
    flags: int
    size: int
    price: int

    @property
    def is_sell(self) -> bool:
        """The maker's side, from the flags."""
        return bool(self.flags & FLAG_SELL)


@value(frozen=True, slots=True)
class ComboTrade:
    """Legs ascending by market, with the maker's Quote and the taker's Acceptance of them (s, signatures)."""

    maker: int
    taker: int
    legs: tuple[Leg, ...]
    maker_nonce: int
    maker_expiry: int
    maker_signature: bytes
    taker_nonce: int
    taker_expiry: int
    taker_signature: bytes


def encode_combo(tx: ComboTrade) -> bytes:
    """The transaction's bytes; struct.error or Unencodable if a field does not fit."""
    if not 1 <= len(tx.legs) <= MAX_LEGS:
        raise Unencodable(f"combo of {len(tx.legs)} legs")
    parts = [_HEAD.pack(10, *u24(tx.maker), *u24(tx.taker), len(tx.legs))]
    for leg in tx.legs:
        if leg.flags & ~FLAG_SELL:
            raise Unencodable(f"leg flags {leg.flags:#x}")
        parts.append(
            _LEG.pack(leg.market, leg.flags, leg.size >> 32, leg.size & LOW, leg.price >> 32, leg.price & LOW)
        )  # fmt: skip
    for nonce, expiry, signature in (
        (tx.maker_nonce, tx.maker_expiry, tx.maker_signature),
        (tx.taker_nonce, tx.taker_expiry, tx.taker_signature),
    ):
        parts.append(_WORD.pack(nonce, expiry >> 32, expiry & LOW, word(signature, SIGNATURE_SIZE)))
    return b"".join(parts)


def decode_combo(data: bytes, offset: int) -> tuple[ComboTrade, int]:
    """The transaction at `offset`, and the offset after it."""
    _, mh, ml, th, tl, count = _HEAD.unpack_from(data, offset)
    if not 1 <= count <= MAX_LEGS:
        raise Undecodable(f"combo of {count} legs")
    offset += _HEAD.size
    legs = []
    for _ in range(count):
        market, flags, sh, sl, ph, pl = _LEG.unpack_from(data, offset)
        if flags & ~FLAG_SELL:
            raise Undecodable(f"leg flags {flags:#x}")
        legs.append(Leg(market, flags, sh << 32 | sl, ph << 32 | pl))
        offset += _LEG.size
    maker_nonce, eh, el, maker_signature = _WORD.unpack_from(data, offset)
    taker_nonce, fh, fl, taker_signature = _WORD.unpack_from(data, offset + _WORD.size)
    combo = ComboTrade(
        mh << 16 | ml, th << 16 | tl, tuple(legs), maker_nonce, eh << 32 | el, maker_signature,
        taker_nonce, fh << 32 | fl, taker_signature,
    )  # fmt: skip
    return combo, offset + 2 * _WORD.size
