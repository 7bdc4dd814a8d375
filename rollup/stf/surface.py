"""Implied volatility: SVI slices, one per expiry, and the shocks that margin applies to them.

A slice gives the *annualised* implied variance v(k) = a + b (rho (k - m) + √((k - m)² + sigma²)) at the
moneyness k = ln(strike / forward); the total variance until expiry is v · seconds / year. Rules: contracts/PRICING.md
section 3.
"""

from __future__ import annotations

from math import isqrt
from typing import Final, NamedTuple

from rollup.stf import wad
from rollup.types.limits import MILLION

NANO: Final = 10**9
YEAR: Final = 31_536_000
"""Seconds of a year, which has 365 days."""
MAX_LEVEL: Final = 1 << 47
MAX_SLOPE: Final = 100 * NANO
MAX_SHIFT: Final = 10 * NANO
MAX_WIDTH: Final = 10 * NANO
MIN_VARIANCE: Final = wad.ONE // 10_000
"""A volatility of 1 % a year."""
MAX_VARIANCE: Final = 25 * wad.ONE
"""A volatility of 500 % a year."""

_DAY: Final = 86_400
_MONTH: Final = 30 * _DAY
_MIN_DOWN: Final = wad.ONE // 10


class Slice(NamedTuple):
    """SVI parameters of one expiry in 10^-9: level a, slope b, skew rho, shift m, width sigma."""

    a: int
    b: int
    rho: int
    m: int
    sigma: int


def is_admissible(svi: Slice) -> bool:
    """Whether a slice has its parameters in range and a variance that is nowhere negative.

    |a| < 2^47 (in 10^-9), 0 ≤ b ≤ 100, |rho| < 1, |m| ≤ 10, 0 < sigma ≤ 10, and the least variance
    a + b sigma √(1 - rho²) is at least 0.
    """
    a, b, rho, m, sigma = svi
    if not (-MAX_LEVEL < a < MAX_LEVEL and 0 <= b <= MAX_SLOPE and -NANO < rho < NANO):
        return False
    if not (-MAX_SHIFT <= m <= MAX_SHIFT and 0 < sigma <= MAX_WIDTH):
        return False
    return a >= 0 or (a * wad.ONE) ** 2 <= (b * sigma) ** 2 * (wad.ONE - rho * rho)


def volatility(svi: Slice, moneyness: int) -> int:
    """Volatility per √year at k = `moneyness` (wads), kept within 1 % and 500 %, rounded down.

    The slice is admissible and |k| ≤ 40.
    """
    a, b, rho, m, sigma = svi
    offset = moneyness - m * NANO
    root = isqrt(offset * offset + (sigma * NANO) ** 2)
    variance = a * NANO + b * (rho * offset + NANO * root) // wad.ONE
    return isqrt(max(MIN_VARIANCE, min(MAX_VARIANCE, variance)) * wad.ONE)


def root_time(seconds: int) -> int:
    """√(years) until expiry as a wad, rounded down; `seconds` in 0 … 2^40 - 1."""
    return isqrt(seconds * wad.ONE * wad.ONE // YEAR)


def shock(seconds: int, vol_up: int, vol_down: int) -> tuple[int, int]:
    """Factors (wads) on the volatility in the up and the down scenarios of margin, each rounded down.

    up = 1 + vol_up · scale and down = max(1 - vol_down · scale, 1/10) with vol_up, vol_down in ppm (u32). The scale is
    (30 d / t)^0.3 below 30 days, the time to expiry t counting as one day at least, and (30 d / t)^0.13 from there: the
    volatility of near expiries moves more.
    """
    log = wad.ln_ratio(_MONTH, max(seconds, _DAY))
    scale = wad.exp(log * 3 // 10 if log >= 0 else log * 13 // 100)
    return wad.ONE + vol_up * scale // MILLION, max(wad.ONE - vol_down * scale // MILLION, _MIN_DOWN)
