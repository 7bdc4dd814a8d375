"""State leaves of the system: globals, oracle set, underlyings, markets. Layouts: SPEC section 2.

`decode` accepts exactly the bytes that `encode` makes and raises Undecodable for all others; `encode` raises
Unencodable when a field does not fit. `u24`, `u40` and `u48` travel through `struct` as a high and a low part.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from rollup.errors import Undecodable, Unencodable
from rollup.types.accounts import Account, Position, Slot
from rollup.types.limits import MAX_FEEDERS
from rollup.types.value import value

__all__ = ["Account", "Globals", "Market", "MarketKind", "OracleSet", "Position", "Slot", "Underlying"]

_LOW: Final = 0xFFFFFFFF
_GLOBALS: Final = struct.Struct(">BI32sBIQQQQBH")
_UNDERLYING: Final = struct.Struct(">HIHIBIqBIIIIII")
_MARKET: Final = struct.Struct(">BHBIHIHIHIIIIIQQQq")


class MarketKind(IntEnum):
    """What a market trades; only PERP can be traded so far."""

    PERP = 0
    FUTURE = 1
    CALL = 2
    PUT = 3


@value(frozen=True, slots=True)
class Globals:
    """The chain's totals: inbox position, time (s) of the last block, money counters (µUSD), number of accounts."""

    inbox_index: int
    inbox_hash: bytes
    time: int
    fees: int
    insurance: int
    deposits: int
    withdrawals: int
    accounts: int

    def encode(self) -> bytes:
        """77 bytes."""
        try:
            return _GLOBALS.pack(
                self.inbox_index >> 32, self.inbox_index & _LOW, word(self.inbox_hash, 32), self.time >> 32,
                self.time & _LOW, self.fees, self.insurance, self.deposits, self.withdrawals,
                self.accounts >> 16, self.accounts & 0xFFFF,
            )  # fmt: skip
        except struct.error as error:
            raise Unencodable(f"globals: {error}") from error

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`."""
        exact(data, _GLOBALS.size, "globals")
        ih, il, inbox_hash, th, tl, fees, insurance, deposits, withdrawals, ah, al = _GLOBALS.unpack(data)
        return cls(
            ih << 32 | il, inbox_hash, th << 32 | tl, fees, insurance, deposits, withdrawals, ah << 16 | al
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class OracleSet:
    """The price feeders (addresses) and how many of them must sign an update."""

    threshold: int
    feeders: tuple[bytes, ...]

    def encode(self) -> bytes:
        """2 + 20 · count bytes."""
        if not 1 <= self.threshold <= len(self.feeders) <= MAX_FEEDERS:
            raise Unencodable(f"oracle set: {self.threshold} of {len(self.feeders)}, at most {MAX_FEEDERS}")
        return bytes((self.threshold, len(self.feeders))) + b"".join(word(feeder, 20) for feeder in self.feeders)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`."""
        if len(data) < 2 or not 1 <= data[0] <= data[1] <= MAX_FEEDERS or len(data) != 2 + 20 * data[1]:
            raise Undecodable(f"oracle set of {len(data)} bytes")
        return cls(data[0], tuple(data[start : start + 20] for start in range(2, len(data), 20)))


@value(frozen=True, slots=True)
class Underlying:
    """A coin: its oracle prices (µUSD per coin), its perpetual's funding, and the oracle's limits.

    `time` (s) is the price's own time, 0 while there is none. `funding_index` is in nUSD per coin, accrued up to
    `funding_time` (s). `funding_cap` bounds the premium in ppm of spot per 8 h; `spot_step` (ppm) is one margin shock;
    `max_age` (s), `max_move` (ppm per minute) and `max_basis` (ppm of spot) bound oracle updates.
    """

    spot: int
    mark: int
    time: int
    funding_index: int
    funding_time: int
    funding_cap: int
    spot_step: int
    max_age: int
    max_move: int
    max_basis: int

    def encode(self) -> bytes:
        """50 bytes."""
        try:
            return _UNDERLYING.pack(
                self.spot >> 32, self.spot & _LOW, self.mark >> 32, self.mark & _LOW, self.time >> 32, self.time & _LOW,
                self.funding_index, self.funding_time >> 32, self.funding_time & _LOW,
                self.funding_cap, self.spot_step, self.max_age, self.max_move, self.max_basis,
            )  # fmt: skip
        except struct.error as error:
            raise Unencodable(f"underlying: {error}") from error

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`."""
        exact(data, _UNDERLYING.size, "underlying")
        sh, sl, mh, ml, th, tl, index, fh, fl, cap, step, age, move, basis = _UNDERLYING.unpack(data)
        return cls(
            sh << 32 | sl, mh << 32 | ml, th << 32 | tl, index, fh << 32 | fl, cap, step, age, move, basis
        )  # fmt: skip


@value(frozen=True, slots=True)
class Market:
    """One instrument: terms, fees (ppm of notional), limits (µcoin), and its running totals.

    `tick` and `strike` are µUSD per coin, `lot` is µcoin, `expiry` seconds (0 for a perpetual). `band` (ppm) bounds how
    far from the mark a trade may happen; `contingency` (ppm of notional) is added to maintenance margin.
    `open_interest` is Σ of long positions (µcoin), `funding_pool` the funding paid in and not yet paid out (µUSD).
    """

    kind: int
    underlying: int
    expiry: int
    strike: int
    tick: int
    lot: int
    taker_fee: int
    maker_fee: int
    band: int
    contingency: int
    max_position: int
    max_open_interest: int
    open_interest: int
    funding_pool: int

    def encode(self) -> bytes:
        """74 bytes."""
        try:
            return _MARKET.pack(
                MarketKind(self.kind), self.underlying, self.expiry >> 32, self.expiry & _LOW, self.strike >> 32,
                self.strike & _LOW, self.tick >> 32, self.tick & _LOW, self.lot >> 32, self.lot & _LOW, self.taker_fee,
                self.maker_fee, self.band, self.contingency, self.max_position, self.max_open_interest,
                self.open_interest, self.funding_pool,
            )  # fmt: skip
        except (struct.error, ValueError) as error:
            raise Unencodable(f"market: {error}") from error

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`."""
        exact(data, _MARKET.size, "market")
        (kind, underlying, eh, el, sh, sl, th, tl, lh, ll, taker_fee, maker_fee, band, contingency,
         max_position, max_open_interest, open_interest, funding_pool) = _MARKET.unpack(data)  # fmt: skip
        if kind > MarketKind.PUT:
            raise Undecodable(f"market kind {kind}")
        return cls(
            kind, underlying, eh << 32 | el, sh << 32 | sl, th << 32 | tl, lh << 32 | ll, taker_fee, maker_fee, band,
            contingency, max_position, max_open_interest, open_interest, funding_pool,
        )  # fmt: skip


def exact(data: bytes, size: int, name: str) -> None:
    """Raise Undecodable unless `data` has exactly `size` bytes."""
    if len(data) != size:
        raise Undecodable(f"{name} of {len(data)} bytes, not {size}")


def word(data: bytes, size: int) -> bytes:
    """`data` itself; raises Unencodable unless it has exactly `size` bytes (struct would pad or cut silently)."""
    if len(data) != size:
        raise Unencodable(f"{size} bytes expected, {len(data)} given")
    return data
