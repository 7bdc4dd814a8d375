"""Amounts as people write them: decimal USD, coins and prices; inside they are whole millionths."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from rollup.errors import ConfigError
from rollup.types.limits import MILLION


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


def show_usd(micro: int) -> str:
    """µUSD with thousands separators and at least cents, for a sentence."""
    whole, part = divmod(abs(micro), MILLION)
    sign = "-" if micro < 0 else ""
    digits = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole:,}.{digits}"


def plain_usd(micro: int) -> str:
    """µUSD with at least cents and nothing that a program could stumble over, for a field."""
    return show_usd(micro).replace(",", "")
