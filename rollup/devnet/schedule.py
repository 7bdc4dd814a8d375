"""Which expiries a devnet has: one far away, and near ones that follow each other, so that one sees them settle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from rollup.cli.listings import EXPIRY_HOUR, Wanted, chain_of, extended, strikes_around
from rollup.feeder.sources import FIRST_PRICES
from rollup.types.genesis import BTC, Genesis, MarketConfig, SeriesConfig, devnet_genesis
from rollup.types.listing import Item

COIN: Final = "BTC"
WINDOW: Final = 60
"""Seconds of the settlement average: short, as the near series are."""
FAR_DAYS: Final = 28
STRIKES: Final = 3
"""Of each series; a call and a put each."""
FAR_STEP: Final = 50_000
NEAR_STEP: Final = 5_000
"""Distance of strikes, ppm of the price: some deviations of the spot within the life of the series."""
_MINUTE: Final = 60
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Schedule:
    """The rhythm of near series: each lives `near_seconds` or up to a minute more, from when it opens."""

    near_seconds: int

    def near_expiry(self, opens: int) -> int:
        """Expiry of a near series that opens at `opens` (s): a whole minute."""
        return -(-(opens + self.near_seconds) // _MINUTE) * _MINUTE

    def far_expiry(self, now: int) -> int:
        """The expiry that stays: four weeks on, at the usual hour."""
        return (now // _DAY + FAR_DAYS) * _DAY + EXPIRY_HOUR * 3_600

    def near_chain(self, opens: int, price: int) -> list[Wanted]:
        """The options of the next near series, around a price (µUSD per coin)."""
        return chain_of(COIN, self.near_expiry(opens), strikes_around(price, STRIKES, NEAR_STEP), future=False)

    def genesis(self, time: int, feeders: tuple[bytes, ...], threshold: int) -> Genesis:
        """Perpetuals of BTC and ETH; a future and options on the far series of BTC, options on the first near one."""
        plain = devnet_genesis(time, feeders, threshold)
        coins = tuple(
            replace(coin, settlement_window=WINDOW) if coin.number == BTC else coin for coin in plain.underlyings
        )
        price = FIRST_PRICES[COIN]
        far = chain_of(COIN, self.far_expiry(time), strikes_around(price, STRIKES, FAR_STEP))
        return extended(replace(plain, underlyings=coins), [*far, *self.near_chain(time, price)])


def series_of(items: list[Item]) -> tuple[SeriesConfig, ...]:
    """The series among items."""
    return tuple(item for item in items if isinstance(item, SeriesConfig))


def markets_of(items: list[Item]) -> tuple[MarketConfig, ...]:
    """The markets among items."""
    return tuple(item for item in items if isinstance(item, MarketConfig))


def count_of(items: list[Item]) -> str:
    """For people: `1 series, 6 markets`."""
    return f"{len(series_of(items))} series, {len(markets_of(items))} markets"
