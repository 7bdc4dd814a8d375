"""Logarithm, exponential and square root of 18-digit fixed point numbers, exactly as the contracts compute them.

A *wad* is an integer that counts 10^-18. Inner results are integers that count 2^-96; every shift to the right rounds
to minus infinity, of negative numbers too. Rules and constants: contracts/PRICING.md section 2.
"""

from __future__ import annotations

from math import isqrt
from typing import Final

ONE: Final = 10**18
"""The number 1 as a wad."""
_HALF: Final = 1 << 95
_UNIT: Final = 1 << 96
_LN_2: Final = 0xB17217F7D1CF79ABC9E3B398
_SQRT_2: Final = 0x16A09E667F3BCC908B2FB1366
_ODD: Final = tuple(_UNIT // n for n in range(21, 0, -2))
"""1/21, 1/19, … 1/3, 1: the series of artanh(z)/z in z²."""
_PER_WAD: Final = 0x12725DD1D243ABA0E75FE645CC4873F9E6
"""2^192 / 10^18."""
_PER_WAD_LN_2: Final = 0x1A9CEF48E612F364F25E8D7A6BAB6551CC
"""2^192 / (10^18 ln 2)."""


def _inverse_factorials() -> tuple[int, ...]:
    values = [_UNIT]
    for n in range(1, 15):
        values.append(values[-1] // n)
    return tuple(reversed(values))


_INVERSE_FACTORIALS: Final = _inverse_factorials()
"""1/14!, 1/13!, … 1/1!, 1/0!: the series of exp."""
_EXP_FLOOR: Final = -42 * ONE
"""Below this the exponential is less than one unit."""


def ln(x: int) -> int:
    """Natural logarithm, wad of a wad 0 < x < 2^128, rounded to the nearest unit (± one unit)."""
    return _ln((x << 128) // ONE)


def ln_ratio(numerator: int, denominator: int) -> int:
    """ln(numerator / denominator) as a wad, of integers in 1 … 2^48 - 1: nearest unit (± one), exactly 0 if equal."""
    return _ln((numerator << 128) // denominator)


def _ln(ratio: int) -> int:
    """ln(ratio / 2^128): a power of two, and 2 artanh((m - 1) / (m + 1)) of the rest m in [√½, √2)."""
    exponent = ratio.bit_length() - 1
    mantissa = (ratio << (255 - exponent)) >> 159
    exponent -= 128
    if mantissa > _SQRT_2:
        exponent += 1
        z = ((2 * _UNIT - mantissa) << 96) // (mantissa + 2 * _UNIT)
        sign = -2
    else:
        z = ((mantissa - _UNIT) << 96) // (mantissa + _UNIT)
        sign = 2
    square = z * z >> 96
    series = 0
    for coefficient in _ODD:
        series = (series * square >> 96) + coefficient
    return ((exponent * _LN_2 + sign * (series * z >> 96)) * ONE + _HALF) >> 96


def exp(x: int) -> int:
    """e^x, wad of a wad x ≤ 64 · 10^18: two units below it at most, and 10^-17 of it more; 0 from x = -42 downwards."""
    if x <= _EXP_FLOOR:
        return 0
    power = (x * _PER_WAD_LN_2 + (1 << 191)) >> 192
    rest = (x * _PER_WAD >> 96) - power * _LN_2
    series = 0
    for coefficient in _INVERSE_FACTORIALS:
        series = (series * rest >> 96) + coefficient
    return series * ONE >> (96 - power)


def sqrt(x: int) -> int:
    """Square root, wad of a wad 0 ≤ x < 2^190, rounded down."""
    return isqrt(x * ONE)
