"""Fitting an SVI slice to the implied volatilities of one expiry, and telling what it could not fit and why.

The five parameters are searched in coordinates in which the constraints are a box, so that every point the search
visits is admissible: least variance w = a + b·σ·√(1−ρ²) and wing slope c = b·(1+|ρ|) stand for a and b. Given (m, σ)
the slice is linear in (a, b, b·ρ): linear solutions on a fixed grid of (m, σ) give the starts, so the same quotes
always give the same slice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from scipy.optimize import least_squares

from rollup.errors import NoSurface
from rollup.quant.black76 import Flags, Floats, greeks
from rollup.quant.svi import MAX_SHIFT, MAX_SLOPE, MAX_WIDTH, UNIT, Svi

MIN_STRIKES: Final = 5
"""As many as there are parameters."""

LEE_BOUND: Final = 2.0
"""Total variance may not rise faster in |k| (R. Lee, *The moment formula*, 2004): stricter than what the chain
admits.
"""

LOWEST_VOLATILITY: Final = 0.01
HIGHEST_VOLATILITY: Final = 5.0
"""Volatilities are quoted and priced between these; no slice goes below the lower."""

MISFIT: Final = 0.02
"""Difference from the market, in volatility, from which on a strike is told of: two points."""

_STARTS: Final = 4
_TINY_VEGA: Final = 0.01


class Reason(Enum):
    """Why a slice misses a strike."""

    NO_VEGA = "the option's vega is below 1 % of the largest: its price does not tell a volatility"
    INSIDE_SPREAD = "the slice lies between bid and ask: the market itself does not say more"
    CONCAVE = "the market's variance is concave here (a flattening wing), and SVI is convex everywhere"
    KINK = "the market's variance bends more sharply here than one hyperbola can while it serves the other strikes"


@dataclass(frozen=True, slots=True)
class Smile:
    """Implied volatilities of one expiry: arrays of one length. `bid` and `ask` are NaN where the market has none.

    `strike` only tells which quotes are of one strike; `k` is the log-moneyness at the forward of the quote's moment.
    `weight` is what a squared difference of volatility counts beside vega's square: 1 where nothing else is known.
    """

    years: float
    strike: Floats
    k: Floats
    volatility: Floats
    weight: Floats
    bid: Floats
    ask: Floats

    @property
    def vega(self) -> Floats:
        """Vega of a forward of 1 at the market's volatility, relative to the largest."""
        vega = greeks(True, 1.0, np.exp(self.k), self.years, self.volatility).vega
        return np.asarray(vega / vega.max())


@dataclass(frozen=True, slots=True)
class Misfit:
    """A strike (`index` into the smile) that the slice misses by `error`, slice minus market in volatility."""

    index: int
    error: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Fit:
    """A slice and how well it does. Errors are volatilities (0.01 is a point), slice minus market.

    `rmse` counts all strikes alike, `weighted_rmse` by vega, which is close to an error of price. `lowest_density` is
    the least of Durrleman's g over the quoted strikes: negative means that two butterflies there are arbitrage.
    """

    svi: Svi
    errors: Floats
    rmse: float
    weighted_rmse: float
    worst: float
    lowest_density: float
    misfits: tuple[Misfit, ...]


def fit_slice(smile: Smile) -> Fit:
    """The slice with the least vega-weighted squared error of volatility.

    Raises NoSurface if fewer than five strikes are quoted, or a volatility or time is out of the domain.
    """
    _require_sound(smile)
    weight = smile.vega * np.sqrt(smile.weight)
    weight = np.maximum(weight, 1e-4 * weight.max())  # quotes without vega still decide where nothing else does
    slope = LEE_BOUND / smile.years
    low, high = _box(smile, slope)

    def residuals(point: Floats) -> Floats:
        return np.asarray(weight * (_slice(point).volatility(smile.k) - smile.volatility))

    best, least = None, np.inf
    for start in _starts(smile, weight, low, high):
        found = least_squares(residuals, start, bounds=(low, high), x_scale="jac", xtol=1e-12, ftol=1e-12, gtol=1e-12)
        if found.cost < least:
            best, least = found.x, found.cost
    assert best is not None, "at least one start"
    return judge_slice(_slice(np.asarray(best)), smile)


def judge_slice(svi: Svi, smile: Smile) -> Fit:
    """How well a slice, however it was made, does on a smile."""
    errors = svi.volatility(smile.k) - smile.volatility
    weight = smile.vega**2
    return Fit(
        svi,
        errors,
        float(np.sqrt(np.mean(errors**2))),
        float(np.sqrt(np.sum(weight * errors**2) / np.sum(weight))),
        float(np.max(np.abs(errors))),
        float(np.min(svi.density(np.linspace(smile.k.min(), smile.k.max(), 201), smile.years))),
        tuple(_misfits(svi, smile, errors)),
    )


def _slice(point: Floats) -> Svi:
    w, c, rho, m, sigma = (float(coordinate) for coordinate in point)
    b = c / (1 + abs(rho))
    return Svi(w - b * sigma * (1 - rho * rho) ** 0.5, b, rho, m, sigma)


def _box(smile: Smile, slope: float) -> tuple[Floats, Floats]:
    """Bounds of (w, c, ρ, m, σ): the centre within the quotes and half their width, σ up to twice it."""
    left, right = float(smile.k.min()), float(smile.k.max())
    width = right - left
    shift, broadest = MAX_SHIFT / UNIT, min(2 * width, MAX_WIDTH / UNIT)
    low = np.array([LOWEST_VOLATILITY**2, 0.0, -0.999, max(left - width / 2, -shift), 1e-3 * broadest])
    steepest = min(slope, MAX_SLOPE / UNIT)
    high = np.array([HIGHEST_VOLATILITY**2, steepest, 0.999, min(right + width / 2, shift), broadest])
    return low, high


def _starts(smile: Smile, weight: Floats, low: Floats, high: Floats) -> list[Floats]:
    """The best few of the grid's linear solutions, moved into the box."""
    width = float(np.ptp(smile.k))
    variance = smile.volatility**2
    # A difference of variance is 2·volatility times one of volatility.
    factor = weight / (2 * smile.volatility)
    graded: list[tuple[float, Floats]] = []
    for m in np.linspace(smile.k.min(), smile.k.max(), 9)[1:-1]:
        for sigma in width * np.array([0.01, 0.05, 0.15, 0.4, 1.0]):
            d = smile.k - m
            columns = np.column_stack([np.ones_like(d), np.hypot(d, sigma), d])
            (a, b, skew), *_ = np.linalg.lstsq(columns * factor[:, None], variance * factor)
            b = max(b, 1e-6)
            rho = float(np.clip(skew / b, -0.99, 0.99))
            w = a + b * sigma * np.sqrt(1 - rho**2)
            margin = 1e-9 * (high - low)
            point = np.clip(np.array([w, b * (1 + abs(rho)), rho, m, sigma]), low + margin, high - margin)
            error = weight * (_slice(point).volatility(smile.k) - smile.volatility)
            graded.append((float(error @ error), point))
    graded.sort(key=lambda pair: pair[0])
    return [point for _, point in graded[:_STARTS]]


def _misfits(svi: Svi, smile: Smile, errors: Floats) -> Iterator[Misfit]:
    bend, vega, model = _bend(smile), smile.vega, svi.volatility(smile.k)
    with np.errstate(invalid="ignore"):
        inside: Flags = (model >= smile.bid) & (model <= smile.ask)
    for index in np.flatnonzero(np.abs(errors) >= MISFIT):
        if vega[index] < _TINY_VEGA:
            reason = Reason.NO_VEGA
        elif inside[index]:
            reason = Reason.INSIDE_SPREAD
        else:
            reason = Reason.CONCAVE if bend[index] < 0 else Reason.KINK
        yield Misfit(int(index), float(errors[index]), reason)


def _bend(smile: Smile) -> Floats:
    """Second divided difference of the market's variance at each strike (at the ends: of the nearest one inside)."""
    _, place = np.unique(smile.strike, return_inverse=True)
    count = np.bincount(place)
    k, variance = (np.bincount(place, values) / count for values in (smile.k, smile.volatility**2))
    slopes = np.diff(variance) / np.diff(k)
    bends = np.diff(slopes)
    return np.asarray(np.concatenate([bends[:1], bends, bends[-1:]])[place])


def _require_sound(smile: Smile) -> None:
    if not smile.years > 0:
        raise NoSurface("the expiry has passed")
    if len(np.unique(smile.strike)) < MIN_STRIKES:
        raise NoSurface(f"fewer than {MIN_STRIKES} strikes")
    sound = (smile.volatility >= LOWEST_VOLATILITY) & (smile.volatility <= HIGHEST_VOLATILITY)
    if not (
        sound.all()
        and (np.abs(smile.k) < MAX_SHIFT / UNIT).all()
        and (smile.weight >= 0).all()
        and smile.weight.max() > 0
    ):
        raise NoSurface("a volatility or weight is out of its domain")
