"""The circuit breaker: a coin whose spot runs away from its anchor trades reduce-only for a while (SPEC section 6)."""

from __future__ import annotations

from dataclasses import replace

from rollup.types.leaves import Underlying
from rollup.types.limits import MILLION


def watch(underlying: Underlying, timestamp: int) -> Underlying:
    """The coin, newly priced, after the breaker has looked at its spot; `timestamp` (s) is the block's."""
    spot, time = underlying.spot, underlying.time
    if underlying.anchor_time == 0:
        return replace(underlying, anchor_spot=spot, anchor_time=time)
    if abs(spot - underlying.anchor_spot) * MILLION > underlying.halt_move * underlying.anchor_spot:
        until = timestamp + underlying.halt_period
        return replace(underlying, anchor_spot=spot, anchor_time=time, halted_until=until)
    if time - underlying.anchor_time >= underlying.halt_window:
        return replace(underlying, anchor_spot=spot, anchor_time=time)
    return underlying
