"""State leaves of the system: globals and the oracle set here, the others in `accounts` and `markets`. SPEC section 2.

`decode` accepts exactly the bytes that `encode` makes and raises Undecodable for all others; `encode` raises
Unencodable when a field does not fit. `u24`, `u40` and `u48` travel through `struct` as a high and a low part.
"""

from __future__ import annotations

import struct
from typing import Final, Self

from rollup.errors import Undecodable, Unencodable
from rollup.types.accounts import Account, Position, Slot, Status
from rollup.types.fields import exact, word
from rollup.types.limits import MAX_FEEDERS
from rollup.types.markets import Market, MarketKind, Series, Underlying
from rollup.types.value import value

__all__ = [
    "Account", "Globals", "Market", "MarketKind", "OracleSet", "Position", "Series", "Slot", "Status", "Underlying"
]  # fmt: skip

DEFAULT_AUCTION: Final = 600
"""A liquidation's discount grows over ten minutes."""

_LOW: Final = 0xFFFFFFFF
_GLOBALS: Final = struct.Struct(">BI32sBIQQQQBHQBHI")


@value(frozen=True, slots=True)
class Globals:
    """The chain's totals: inbox position, time (s) of the last block, money counters (µUSD), number of accounts.

    `bad_debt` (µUSD) are losses that nobody has borne yet, `insolvent` counts the accounts of that status, `auction` is
    how long a liquidation's discount grows (s).
    """

    inbox_index: int
    inbox_hash: bytes
    time: int
    fees: int
    insurance: int
    deposits: int
    withdrawals: int
    accounts: int
    bad_debt: int = 0
    insolvent: int = 0
    auction: int = DEFAULT_AUCTION

    def encode(self) -> bytes:
        """92 bytes."""
        if self.auction < 1:
            raise Unencodable("globals: an auction lasts a second at least")
        try:
            return _GLOBALS.pack(
                self.inbox_index >> 32, self.inbox_index & _LOW, word(self.inbox_hash, 32), self.time >> 32,
                self.time & _LOW, self.fees, self.insurance, self.deposits, self.withdrawals,
                self.accounts >> 16, self.accounts & 0xFFFF,
                self.bad_debt, self.insolvent >> 16, self.insolvent & 0xFFFF, self.auction,
            )  # fmt: skip
        except struct.error as error:
            raise Unencodable(f"globals: {error}") from error

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`."""
        exact(data, _GLOBALS.size, "globals")
        (ih, il, inbox_hash, th, tl, fees, insurance, deposits, withdrawals, ah, al, bad_debt, nh, nl,
         auction) = _GLOBALS.unpack(data)  # fmt: skip
        if auction == 0:
            raise Undecodable("globals: no auction")
        return cls(
            ih << 32 | il, inbox_hash, th << 32 | tl, fees, insurance, deposits, withdrawals, ah << 16 | al,
            bad_debt, nh << 16 | nl, auction,
        )  # fmt: skip


@value(frozen=True, slots=True)
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
