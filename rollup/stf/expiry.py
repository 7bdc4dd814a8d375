"""What an expired series is worth: the average of its forward over the settlement window before expiry (SPEC 6).

Updates add to the average as they come, and the first at or after expiry closes it. If none comes, whoever settles a
position closes it a day later, at the last forward: no feeder's silence keeps the holders waiting for longer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rollup.types.leaves import Market, MarketKind, Series, Underlying

_FUTURE: Final = int(MarketKind.FUTURE)
_CALL: Final = int(MarketKind.CALL)


def averaged(underlying: Underlying, old: Series, new: Series) -> Series:
    """`new` after the old forward is counted for the part of the settlement window in which it held.

    It holds from its own time until the next one's, but no longer than a price stays fresh.
    """
    if old.time == 0:
        return new
    start = max(old.time, old.expiry - underlying.settlement_window)
    end = min(new.time, old.expiry, old.time + underlying.max_age)
    if end <= start:
        return new
    return replace(new, sum=old.sum + old.forward * (end - start), covered=old.covered + end - start)


def closed(series: Series, window: int, last: int) -> Series:
    """The series with its settlement price, in µUSD and at least 1; seconds not covered count at the forward `last`."""
    total = series.sum + last * (window - series.covered)
    return replace(series, settlement=max(1, total // window))


def last_forward(underlying: Underlying, old: Series, new: Series) -> int:
    """The forward that fills the gaps when `new` is the update that closes a series.

    It is the new one's own only if that comes while a price from expiry would still be fresh and no later than the
    window is long, or there is no other: whoever held updates back until later does not choose the price.
    """
    in_time = new.time <= old.expiry + min(underlying.max_age, underlying.settlement_window)
    return new.forward if in_time or old.time == 0 else old.forward


def value_at_expiry(market: Market, series: Series) -> int:
    """What a coin of a market pays (µUSD) now that its series is settled."""
    price = series.settlement
    if market.kind == _FUTURE:
        return price
    return max(0, price - market.strike if market.kind == _CALL else market.strike - price)
