"""One expiry's volatility smile as an SVI slice of annualised variance, in floats and in the oracle's integers.

    v(k) = a + b·(ρ·(k − m) + √((k − m)² + σ²)),   k = ln(strike / forward),   v = implied volatility²

(Gatheral, *A parsimonious arbitrage-free implied volatility parameterization*, 2004, divided by the time to expiry.)
The annual form keeps a slice meaningful while its expiry comes nearer: total variance is v·τ with the τ of the moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike

from rollup.errors import Unencodable
from rollup.quant.black76 import Floats

UNIT: Final = 10**9
"""The oracle's integers count billionths."""

MAX_LEVEL: Final = 1 << 47
MAX_SLOPE: Final = 100 * UNIT
MAX_SHIFT: Final = 10 * UNIT
MAX_WIDTH: Final = 10 * UNIT
"""Bounds of |a|, b, |m| and σ in the state transition (contracts/PRICING.md)."""


@dataclass(frozen=True, slots=True)
class Svi:
    """A slice in floats; all five parameters are annual and dimensionless."""

    a: float
    b: float
    rho: float
    m: float
    sigma: float

    def variance(self, k: ArrayLike) -> Floats:
        """Annualised variance at log-moneyness `k`."""
        d = np.asarray(k, np.float64) - self.m
        return np.asarray(self.a + self.b * (self.rho * d + np.hypot(d, self.sigma)))

    def volatility(self, k: ArrayLike) -> Floats:
        """Implied volatility at log-moneyness `k`; zero where rounding left a variance below zero."""
        return np.asarray(np.sqrt(np.maximum(self.variance(k), 0.0)))

    @property
    def lowest(self) -> float:
        """The least variance of the slice: a + b·σ·√(1 − ρ²)."""
        return float(self.a + self.b * self.sigma * np.sqrt(1 - self.rho**2))

    @property
    def steepness(self) -> float:
        """Slope of the steeper wing, b·(1 + |ρ|); total variance rises with τ times that."""
        return self.b * (1 + abs(self.rho))

    def density(self, k: ArrayLike, years: float) -> Floats:
        """Durrleman's g(k): the implied density of the forward's logarithm up to a positive factor.

        Negative exactly where a butterfly spread would cost less than nothing, which the five constraints of the
        parameters do not exclude by themselves.
        """
        d = np.asarray(k, np.float64) - self.m
        root = np.hypot(d, self.sigma)
        w = self.variance(k) * years
        slope = self.b * (self.rho + d / root) * years
        curve = self.b * self.sigma**2 / root**3 * years
        return np.asarray((1 - np.asarray(k) * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + curve / 2)


@dataclass(frozen=True, slots=True)
class WireSvi:
    """A slice as feeders sign it: billionths, `a` i48, `b` u48, `rho` i32, `m` i48, `sigma` u48."""

    a: int
    b: int
    rho: int
    m: int
    sigma: int

    @classmethod
    def of(cls, svi: Svi) -> Self:
        """The nearest billionths that are admissible.

        `a` goes up by what rounding made the least variance fall below zero, ρ stays inside ±1 and σ above 0. Raises
        Unencodable if a parameter is beyond the bounds of the state transition.
        """
        b, m = round(svi.b * UNIT), round(svi.m * UNIT)
        sigma = max(1, round(svi.sigma * UNIT))
        rho = min(max(round(svi.rho * UNIT), 1 - UNIT), UNIT - 1)
        wire = cls(max(round(svi.a * UNIT), -_dip(b, rho, sigma)), b, rho, m, sigma)
        if not wire.is_admissible():
            raise Unencodable(f"volatility slice out of range: {wire}")
        return wire

    def floats(self) -> Svi:
        """The same slice in floats."""
        return Svi(self.a / UNIT, self.b / UNIT, self.rho / UNIT, self.m / UNIT, self.sigma / UNIT)

    def is_admissible(self) -> bool:
        """Whether the state transition accepts it: parameters within their bounds, variance nowhere negative."""
        if not (abs(self.a) < MAX_LEVEL and 0 <= self.b <= MAX_SLOPE and abs(self.rho) < UNIT):
            return False
        return (
            abs(self.m) <= MAX_SHIFT and 0 < self.sigma <= MAX_WIDTH and self.a >= -_dip(self.b, self.rho, self.sigma)
        )


def _dip(b: int, rho: int, sigma: int) -> int:
    """b·σ·√(1 − ρ²) in billionths, rounded down: what the least variance lies above `a`."""
    return isqrt((b * sigma) ** 2 * (UNIT * UNIT - rho * rho)) // (UNIT * UNIT)
