"""Money and times for a sentence."""

from __future__ import annotations

from datetime import UTC, datetime

from rollup.types.limits import MILLION


def show_usd(micro: int) -> str:
    """µUSD with thousands separators and at least cents."""
    whole, part = divmod(abs(micro), MILLION)
    sign = "-" if micro < 0 else ""
    digits = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole:,}.{digits}"


def plain_usd(micro: int) -> str:
    """µUSD with at least cents and nothing that a program could stumble over, for a field."""
    return show_usd(micro).replace(",", "")


def show_cost(wei: int) -> str:
    """Wei as ETH, rounded up to six decimals: what a step costs is an estimate anyway."""
    whole, part = divmod(-(-wei // 10**12), 10**6)
    return f"{whole:,}.{part:06d}"


def show_time(time: int | None) -> str:
    """L1 time (s); None: nobody can say."""
    if time is None:
        return "nobody can say when"
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def show_due(after: int | None, now: int) -> str:
    """When something is due that may be done after the L1 time `after` (s), seen at `now`."""
    return f"due since {show_time(after)}" if after is not None and after < now else show_time(after)
