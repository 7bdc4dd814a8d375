"""How much of what a feeder thinks the rollup allows at once.

The rollup refuses prices that move too fast or lie too far from each other. A feeder that sent such a price would send
none at all, so it goes as far as it may and catches up with the next updates.
"""

from __future__ import annotations

from rollup.feeder.statements import surface_of
from rollup.quant.sources import Prices
from rollup.quant.surfaces import MoveLimits, Surface, surface_within_limits
from rollup.types.limits import MILLION, PRICE_BOUND
from rollup.types.markets import Series, Underlying

_PERIOD = 60
"""Seconds after which the largest move is allowed once more (SPEC, OracleUpdate)."""


def prices_within_limits(wanted: Prices, known: Underlying, time: int) -> Prices:
    """The allowed prices nearest to `wanted` for an update at `time` (s) of a coin that stands as `known`."""
    spot = wanted.spot
    if known.time > 0:
        reach = known.max_move * (1 + max(0, time - known.time) // _PERIOD) * known.spot // MILLION
        spot = min(max(spot, known.spot - reach, 1), known.spot + reach)
    spot = _bounded(spot)
    width = known.max_basis * spot // MILLION
    return Prices(spot, _bounded(min(max(wanted.mark, spot - width), spot + width)))


def allowed_surface(wanted: Surface, underlying: Underlying, series: Series, time: int) -> Surface:
    """The allowed surface nearest to `wanted` for an update at `time` (s); `underlying` holds the newest spot."""
    limits = MoveLimits(underlying.max_move, underlying.max_basis, underlying.max_vol_move)
    known = (surface_of(series), series.time) if series.time else None
    return surface_within_limits(wanted, underlying.spot, series.expiry, time, limits, known)


def _bounded(price: int) -> int:
    return min(max(price, 1), PRICE_BOUND - 1)
