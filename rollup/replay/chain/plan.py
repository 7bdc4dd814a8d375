"""What of a recorded chain is listed: numbers for its expiries and options, their terms, and the slice of each expiry.

One coin and its perpetual stand in the genesis; everything dated is listed later, through L1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from rollup.errors import NoSurface
from rollup.quant.chain import Chain, Expiry
from rollup.quant.fit import Fit, fit_slice
from rollup.quant.quotes import Quote
from rollup.quant.surfaces import Surface, confidence_of
from rollup.quant.svi import WireSvi
from rollup.types.genesis import BTC, BTC_PERP, Genesis, MarketConfig, SeriesConfig, UnderlyingConfig
from rollup.types.limits import MILLION
from rollup.types.listing import Item
from rollup.types.markets import MarketKind

TICK: Final = 100_000
"""A tenth of a dollar a coin: finer than the venue's 0.0005 coin, so that no two of its levels meet."""
LOT: Final = 10_000
"""A hundredth of a coin; the venue trades tenths."""


@dataclass(frozen=True, slots=True)
class Dated:
    """One expiry: its series' number, its options by market number, and the slice fitted to its marks."""

    series: int
    expiry: Expiry
    options: Mapping[int, Quote]
    fit: Fit
    surface: Surface


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole chain, ready to be listed."""

    chain: Chain
    dated: tuple[Dated, ...]

    @property
    def time(self) -> int:
        """The first whole second in which everything was recorded."""
        return int(self.chain.time) + 1

    @property
    def options(self) -> dict[int, Quote]:
        """All options by market number."""
        return {number: quote for dated in self.dated for number, quote in dated.options.items()}

    def items(self) -> list[Item]:
        """All series, then all markets: none refers to what comes after it."""
        series: list[Item] = [SeriesConfig(BTC, dated.series, dated.expiry.expiry) for dated in self.dated]
        markets: list[Item] = [
            MarketConfig(
                number, BTC, TICK, LOT, MarketKind.CALL if quote.is_call else MarketKind.PUT, dated.series, quote.strike
            )
            for dated in self.dated
            for number, quote in dated.options.items()
        ]
        return series + markets


def make_plan(chain: Chain) -> Plan:
    """Number everything and fit every expiry; raises NoSurface, naming it, for an expiry that has too few strikes."""
    dated = []
    number = BTC_PERP
    for series, expiry in enumerate(chain.expiries, start=1):
        options = dict(enumerate(expiry.quotes, start=number + 1))
        number += len(options)
        try:
            fit = fit_slice(expiry.mark_smile())
        except NoSurface as error:
            day = datetime.fromtimestamp(expiry.expiry, UTC).date().isoformat()
            raise NoSurface(f"expiry {day} of the chain: {error}") from error
        surface = Surface(round(expiry.forward() * MILLION), WireSvi.of(fit.svi), confidence_of(fit))
        dated.append(Dated(series, expiry, options, fit, surface))
    return Plan(chain, tuple(dated))


def chain_genesis(time: int, feeders: tuple[bytes, ...], threshold: int) -> Genesis:
    """The coin and its perpetual, as a devnet has them."""
    perpetual = MarketConfig(BTC_PERP, BTC, tick=100_000, lot=1_000)
    return Genesis(time, feeders, threshold, (UnderlyingConfig(BTC),), (perpetual,))
