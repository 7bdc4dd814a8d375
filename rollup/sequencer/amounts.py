"""Decimal strings on the wire, integers inside: µUSD, µcoin and ppm all have six decimals.

Conversion is exact both ways: a text with a seventh decimal is refused, not rounded.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from rollup.sequencer.rejections import BadAmount

MICRO: Final = 1_000_000
SHOWN: Final = 1 << 14
"""Texts remembered: prices, sizes and fees come again and again, five or more of them in every answer."""
_DECIMAL: Final = re.compile(r"(-?)([0-9]{1,20})(?:\.([0-9]{1,6})0*)?", re.ASCII)


@lru_cache(maxsize=SHOWN)
def show_micro(value: int) -> str:
    """Six-decimal integer as the shortest exact decimal text: 1500000 is "1.5"."""
    whole, rest = divmod(abs(value), MICRO)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{rest:06d}".rstrip("0") if rest else f"{sign}{whole}"


def show_nano(value: int) -> str:
    """Nine-decimal integer (a funding index) as exact decimal text."""
    whole, rest = divmod(abs(value), 1000 * MICRO)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{rest:09d}".rstrip("0") if rest else f"{sign}{whole}"


def read_micro(text: str, name: str) -> int:
    """Decimal text as an integer of six decimals; `BadAmount` if it is none or has more decimals."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise BadAmount(f"{name} is not a decimal number with at most six decimals", field=name, value=text[:40])
    sign, whole, rest = match.groups()
    value = int(whole) * MICRO + int((rest or "").ljust(6, "0"))
    return -value if sign else value
