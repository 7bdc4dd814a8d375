"""What an oracle says of one expiry, how a made-up market shapes it, and how far the rollup lets it move at once."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from rollup.quant.fit import HIGHEST_VOLATILITY, LEE_BOUND, LOWEST_VOLATILITY, Fit
from rollup.quant.svi import MAX_SLOPE, UNIT, Svi, WireSvi
from rollup.types.limits import MILLION, PRICE_BOUND

_PERIOD: Final = 60
"""Seconds after which the largest move is allowed once more (SPEC, SurfaceUpdate)."""
_BASIS_PERIOD: Final = 30 * 86_400
"""Seconds to expiry for which a forward may be one more `max_basis` away from spot."""
_HOUR: Final = 1 / 8_760
_GRAIN: Final = 1e-5
"""Relative step of volatility that stays unused at a limit: a billionth of variance is up to half as much at 1 %."""


@dataclass(frozen=True, slots=True)
class Surface:
    """Forward (µUSD per coin), slice, and how sure of them the oracle is (ppm)."""

    forward: int
    svi: WireSvi
    confidence: int = MILLION


@dataclass(frozen=True, slots=True)
class MoveLimits:
    """An underlying's bounds on its oracle, ppm: of a forward's move a minute, of its basis, of volatility's move."""

    max_move: int
    max_basis: int
    max_vol_move: int


@dataclass(frozen=True, slots=True)
class SmileShape:
    """A smile that one number, the volatility at the money, scales: `skew` is ρ, `wings` how much it rises.

    Slope and width go with 1/√τ and √τ, as the recorded chains' fits do within a factor of about 1.5 from a week to
    half a year.
    """

    skew: float = -0.12
    wings: float = 0.8

    def slice(self, volatility: float, years: float) -> Svi:
        """The smile with this volatility at the money; without negative variance and within Lee's bound."""
        level = min(max(volatility, LOWEST_VOLATILITY), HIGHEST_VOLATILITY)
        variance = level**2
        root = math.sqrt(max(years, _HOUR))
        steepest = min(0.9 * LEE_BOUND / root**2, 0.9 * MAX_SLOPE / UNIT) / (1 + abs(self.skew))
        b = min(self.wings * variance / root, steepest)
        # The dip below the wings' meeting point must leave something: at most nine tenths of the variance.
        sigma = min(self.wings * root, 0.9 * variance / b)
        return Svi(variance - b * sigma, b, self.skew, 0.0, sigma)


def confidence_of(fit: Fit) -> int:
    """How sure a fit leaves one of its volatilities, ppm: one less the vega-weighted error relative to the level."""
    level = float(fit.svi.volatility(0.0))
    return round(MILLION * (1 - min(1.0, fit.weighted_rmse / level))) if level > 0 else 0


def surface_within_limits(
    wanted: Surface, spot: int, expiry: int, time: int, limits: MoveLimits, known: tuple[Surface, int] | None
) -> Surface:
    """The allowed surface nearest to `wanted` for an update at `time` (s), spot being the rollup's own.

    `known` is the last surface the rollup accepted and its time. A feeder that sent what moves too fast would send
    nothing at all, so forward and volatility go as far as they may: the slice is scaled as a whole.
    """
    months = 1 + max(0, expiry - time) // _BASIS_PERIOD
    width = limits.max_basis * spot * months // MILLION
    low, high = max(1, spot - width), min(PRICE_BOUND - 1, spot + width)
    forward, svi = wanted.forward, wanted.svi
    if known is not None:
        last, since = known
        steps = 1 + max(0, time - since) // _PERIOD
        reach = limits.max_move * steps * last.forward // MILLION
        # Where basis and move contradict each other nothing is allowed; then the move decides, and the update is
        # refused.
        forward = min(max(forward, low), high)
        low, high = last.forward - reach, last.forward + reach
        svi = _scaled(svi, last.svi, limits.max_vol_move * steps / MILLION)
    return replace(wanted, forward=min(max(forward, low), high), svi=svi)


def _scaled(svi: WireSvi, last: WireSvi, reach: float) -> WireSvi:
    """`svi` with its variance multiplied so that the volatility at the money is within `reach` of `last`'s."""
    now, before = (_at_the_money(slice_) for slice_ in (svi, last))
    if abs(now - before) <= (reach - _GRAIN) * before:
        return svi
    if reach < 2 * _GRAIN:
        return last
    wanted = before * (1 + (reach - _GRAIN if now > before else _GRAIN - reach))
    shape = svi.floats()
    factor = wanted**2 / float(shape.variance(0.0))
    wire = WireSvi.of(replace(shape, a=shape.a * factor, b=min(shape.b * factor, MAX_SLOPE / UNIT)))
    # What rounding and a slope cut at its bound changed at the money, the level makes up for.
    missing = wanted**2 - float(wire.floats().variance(0.0))
    return WireSvi.of(replace(wire.floats(), a=wire.a / UNIT + missing))


def _at_the_money(svi: WireSvi) -> float:
    return min(max(float(svi.floats().volatility(0.0)), LOWEST_VOLATILITY), HIGHEST_VOLATILITY)
