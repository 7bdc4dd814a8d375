"""Funding of perpetuals: the index of an underlying (nUSD per coin), by which longs pay shorts.

The index grows with the premium of the perpetual's mark over spot. What accounts owe by it is paid in `settlement`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rollup.stf.fixed import clamp, div_ceil, div_floor
from rollup.types.leaves import Underlying
from rollup.types.limits import FUNDING_PERIOD, INDEX_BOUND, MILLION

_NANO_PER_MICRO: Final = 1_000
_INDEX_UNIT: Final = 10**9
"""µcoin times nUSD per coin, in µUSD."""


def accrue(underlying: Underlying, timestamp: int) -> Underlying:
    """The underlying with its funding index moved on to `timestamp`, at the premium it has had since it last moved.

    The premium is clamped to ±funding_cap of spot and is paid in full over eight hours; the index saturates. A premium
    counts no longer than its price stays fresh: nobody pays for a silence of the feeders.
    """
    index = underlying.funding_index
    if underlying.time > 0:
        cap = div_floor(underlying.spot * underlying.funding_cap, MILLION)
        premium = clamp(underlying.mark - underlying.spot, cap)
        until = min(timestamp, underlying.time + underlying.max_age)
        elapsed = max(0, until - underlying.funding_time)
        index = clamp(index + div_floor(premium * _NANO_PER_MICRO * elapsed, FUNDING_PERIOD), INDEX_BOUND)
    return replace(underlying, funding_index=index, funding_time=timestamp)


def funding_due(size: int, index_before: int, index: int) -> int:
    """What a position of `size` µcoin owes (µUSD, signed) since it was settled; rounded against its account.

    So a pool can always pay what is still owed from it.
    """
    return div_ceil(size * (index - index_before), _INDEX_UNIT)
