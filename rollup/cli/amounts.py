"""Amounts as people write them: decimal USD, coins and prices; inside they are whole millionths."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from rollup.errors import ConfigError
from rollup.exit.amounts import plain_usd, show_usd
from rollup.types.limits import MILLION

__all__ = ["plain_usd", "read_micro", "read_usd", "show_usd"]


def read_micro(text: str, name: str) -> int:
    """Positive decimal text as millionths; `ConfigError` if it is none or has a seventh decimal."""
    try:
        micro = Decimal(text) * MILLION
    except InvalidOperation:
        micro = Decimal("NaN")
    if not micro.is_finite() or micro <= 0 or micro >= 1 << 62 or micro != int(micro):
        raise ConfigError(f"{name}: a positive number with at most six decimals is due, not {text[:40]!r}")
    return int(micro)


def read_usd(text: str) -> int:
    """USD as µUSD."""
    return read_micro(text, "amount")
