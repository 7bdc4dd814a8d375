"""Meters: how much work a block has done, each raised before the work it counts (SPEC section 5).

The limits are what bounds the gas and the size of a block's fraud proof. A count that would exceed its limit raises
BlockFull and stays as it was.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Self

from rollup.errors import BlockFull
from rollup.types import limits
from rollup.types.reasons import Reason

# Plain ints: they index a list in the hottest code there is.
TRANSACTIONS: Final = 0
BYTES: Final = 1
ACCOUNTS: Final = 2
SLOTS: Final = 3
SYSTEM: Final = 4
LEAF_BYTES: Final = 5
RECOVERIES: Final = 6
REVALUATIONS: Final = 7
PRICINGS: Final = 8

LIMITS: Final = (
    limits.MAX_TRANSACTIONS,
    limits.MAX_BYTES,
    limits.MAX_ACCOUNTS,
    limits.MAX_SLOTS,
    limits.MAX_SYSTEM,
    limits.MAX_LEAF_BYTES,
    limits.MAX_RECOVERIES,
    limits.MAX_REVALUATIONS,
    limits.MAX_PRICINGS,
)


class Usage(NamedTuple):
    """A reading of all meters."""

    transactions: int = 0
    bytes: int = 0
    accounts: int = 0
    slots: int = 0
    system: int = 0
    leaf_bytes: int = 0
    recoveries: int = 0
    revaluations: int = 0
    pricings: int = 0

    @classmethod
    def limits(cls) -> Self:
        """What no block may exceed."""
        return cls(*LIMITS)


# By kind, from the highest bits of a key: accounts and slots share theirs.
_WAYS: Final = (limits.WAY_OF_OTHERS, limits.WAY_OF_OTHERS, limits.WAY_OF_SERIES, limits.WAY_OF_OTHERS)
_ACCOUNTS: Final = 1 << 38
_SUBSLOTS: Final = (1 << 14) - 1


def leaf_bytes(key: int, length: int) -> int:
    """What a leaf of `length` bytes adds to a proof, roughly: its value and its way up the tree (SPEC section 5)."""
    if key >= _ACCOUNTS:
        return length + (limits.WAY_OF_SLOT if key & _SUBSLOTS else limits.WAY_OF_ACCOUNT)
    return length + _WAYS[key >> 32]


class Meters:
    """The counters of one block."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts = [0] * len(LIMITS)

    def add(self, meter: int, amount: int = 1) -> None:
        """Raise `meter` by `amount`, or raise BlockFull with its reason."""
        count = self._counts[meter] + amount
        if count > LIMITS[meter]:
            raise BlockFull(Reason(Reason.METER_TRANSACTIONS + meter))
        self._counts[meter] = count

    def read(self) -> Usage:
        """The counts so far."""
        return Usage(*self._counts)

    def reset(self, usage: Usage) -> None:
        """Go back to an earlier reading."""
        self._counts[:] = usage


class Unmetered(Meters):
    """Meters of work that no block does: looking at the state."""

    __slots__ = ()

    def add(self, meter: int, amount: int = 1) -> None:
        """Count nothing."""
