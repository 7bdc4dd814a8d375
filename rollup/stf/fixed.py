"""Integer arithmetic with named rounding, the same in both twins. Nothing wraps: Python integers have no width."""

from __future__ import annotations

from rollup.errors import InvalidTransaction
from rollup.types.limits import CASH_BOUND
from rollup.types.reasons import Reason


def div_floor(numerator: int, denominator: int) -> int:
    """Quotient rounded to minus infinity; the denominator is positive."""
    return numerator // denominator


def div_ceil(numerator: int, denominator: int) -> int:
    """Quotient rounded to plus infinity; the denominator is positive."""
    return -(-numerator // denominator)


def clamp(value: int, bound: int) -> int:
    """`value` limited to ±`bound` (not negative)."""
    return max(-bound, min(value, bound))


def require_range(*amounts: int) -> None:
    """Raise CASH_RANGE unless every amount (µUSD) is strictly within ±2^62."""
    for amount in amounts:
        if not -CASH_BOUND < amount < CASH_BOUND:
            raise InvalidTransaction(Reason.CASH_RANGE)
