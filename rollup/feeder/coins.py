"""Coins by the symbols that people write."""

from __future__ import annotations

from rollup.errors import ConfigError
from rollup.types.instruments import SYMBOLS


def coin_number(symbol: str) -> int:
    """The number of the coin's underlying: those of the table of symbols, or `U<number>`; `ConfigError`."""
    for number, known in SYMBOLS.items():
        if known == symbol:
            return number
    digits = symbol.removeprefix("U")
    if symbol != digits and digits.isdecimal() and 0 < int(digits) < 1 << 16:
        return int(digits)
    raise ConfigError(f"no coin {symbol[:20]!r}; there are {', '.join(SYMBOLS.values())} and U<number>")
