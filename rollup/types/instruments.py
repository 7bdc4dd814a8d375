"""Names of instruments as traders write them: `BTC-PERP`, `BTC-20261225`, `BTC-20261225-60000-C`.

Names are not state: a coin's number is, and this table gives the numbers their symbols. A coin outside of the table
is `U<number>`.

A name tells the day of an expiry, and two series may expire on one day, as the near ones of a devnet do. Of markets
that would share a name the first to open has it; every later one has its own number appended, which no other has:
`BTC-20261225-60000-C-57`. So no name means two markets, and none that was given goes to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from rollup.types.keys import KeyKind, index_of, kind_of, underlying_of
from rollup.types.limits import MILLION
from rollup.types.markets import Market, MarketKind, Series

SYMBOLS: Final[Mapping[int, str]] = {1: "BTC", 2: "ETH", 3: "SOL", 4: "XRP", 5: "DOGE", 6: "ADA"}

_DAY: Final = 86_400


def symbol_of(underlying: int) -> str:
    """The coin's symbol."""
    return SYMBOLS.get(underlying, f"U{underlying}")


def instrument_name(market: Market, expiry: int = 0) -> str:
    """The name that follows from a market's terms and its series' expiry (s): its UTC day, the strike in USD."""
    symbol = symbol_of(market.underlying)
    if market.kind == MarketKind.PERP:
        return f"{symbol}-PERP"
    dated = f"{symbol}-{_utc_day(expiry)}"
    if market.kind == MarketKind.FUTURE:
        return dated
    whole, part = divmod(market.strike, MILLION)
    strike = f"{whole}.{part:06d}".rstrip("0") if part else str(whole)
    return f"{dated}-{strike}-{'C' if market.kind == MarketKind.CALL else 'P'}"


def expiries_of(leaves: Mapping[int, bytes]) -> dict[tuple[int, int], int]:
    """When each series (underlying, number) among the leaves of a state expires (s)."""
    return {
        (underlying_of(key), index_of(key)): Series.decode(value).expiry
        for key, value in leaves.items()
        if kind_of(key) is KeyKind.SERIES
    }


@dataclass(frozen=True, slots=True)
class Instruments:
    """Both directions of the naming, for one chain's markets."""

    names: Mapping[int, str]
    markets: Mapping[str, int]

    @classmethod
    def of(cls, markets: Mapping[int, Market], expiries: Mapping[tuple[int, int], int]) -> Self:
        """Name every market of `markets` (by number), in the order of opening; `expiries` are those of all series."""
        names: dict[int, str] = {}
        numbers: dict[str, int] = {}
        for number in sorted(markets, key=lambda number: (markets[number].opens, number)):
            market = markets[number]
            name = instrument_name(market, expiries.get((market.underlying, market.series), 0))
            name = f"{name}-{number}" if name in numbers else name
            names[number] = name
            numbers[name] = number
        return cls(names, numbers)


def _utc_day(time: int) -> str:
    """YYYYMMDD of a Unix time, by Howard Hinnant's civil-from-days: integers only."""
    days = time // _DAY + 719_468
    era, day_of_era = divmod(days, 146_097)
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    return f"{year_of_era + era * 400 + (month <= 2):04d}{month:02d}{day:02d}"
