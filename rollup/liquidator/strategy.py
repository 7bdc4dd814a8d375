"""When a liquidation pays, and what to bid for it. Pure: an auction goes in, a bid's terms come out.

In an auction the discount on the slices grows with time. What taking them over costs is what getting rid of them
costs: a share of their gross value. The bot bids as soon as the discount is larger, so it is a race of thrift: who
expects lower costs bids earlier, and the account loses less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

from rollup.sequencer.amounts import read_micro

MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What the bot is willing to do. `cost` is ppm of gross value, money is µUSD, fractions are ppm."""

    cost: int = 5_000
    """Half a percent of what is taken over: spread and fees of closing it."""
    min_gain: int = 1_000_000
    """A dollar beyond its costs, or it is not worth a nonce."""
    max_gross: int = 1_000_000 * MILLION
    """Gross value of slices in one bid."""
    max_fraction: int = MILLION


@dataclass(frozen=True, slots=True)
class Auction:
    """What of a running auction a bid depends on: money in µUSD; a bid is for `least` to `fraction` (ppm)."""

    account: int
    fraction: int
    gross: int
    value: int
    price: int
    least: int = 1
    spent: bool = False
    """Whether its flag has to be raised anew before anybody can bid."""

    @classmethod
    def of(cls, shown: dict[str, Any]) -> Self:
        """From the answer of public/get_live_auctions."""
        return cls(
            int(shown["subaccount_id"]),
            int(shown["fraction"]),
            read_micro(shown["gross_value"], "gross_value"),
            read_micro(shown["mark_value"], "mark_value"),
            read_micro(shown["bid_price"], "bid_price"),
            int(shown["min_fraction"]),
            bool(shown["must_be_flagged"]),
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """Terms of a bid: `fraction` (ppm) for at most `limit` µUSD, from which `gain` µUSD is expected beyond costs."""

    account: int
    fraction: int
    limit: int
    gain: int


def decide(auction: Auction, limits: Limits, share: int = MILLION) -> Offer | None:
    """The bid to make now; None if the discount does not pay yet, or the least that is for sale is too much.

    `share` (ppm) makes it smaller than it could be.
    """
    if auction.gross <= 0 or auction.fraction <= 0:
        return None
    affordable = limits.max_gross * MILLION // auction.gross
    fraction = min(auction.fraction, limits.max_fraction, affordable) * share // MILLION
    if fraction < max(1, auction.least):
        return None
    value = auction.value * fraction // auction.fraction
    discount = (auction.value - auction.price) * fraction // auction.fraction
    costs = auction.gross * fraction // MILLION * limits.cost // MILLION + limits.min_gain
    if discount < costs:
        return None
    return Offer(auction.account, fraction, value - costs, discount - costs + limits.min_gain)
