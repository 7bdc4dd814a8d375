"""A recorded option chain: its expiries, their forwards, smiles and books.

The file is CSV with one option a row, prices in coin (`rollup.quant.quotes`). Its rows were recorded one after another,
each with the forward of its own moment, so everything that compares strikes uses the row's own forward.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import numpy as np

from rollup.errors import ConfigError
from rollup.quant.black76 import YEAR, Floats, implied_volatility
from rollup.quant.black76 import price as black_price
from rollup.quant.fit import HIGHEST_VOLATILITY, LOWEST_VOLATILITY, Smile
from rollup.quant.quotes import COLUMNS, Level, Quote, read_quote
from rollup.quant.svi import Svi
from rollup.types.limits import MILLION

_LEAST_SPREAD: Final = 0.005
"""Half a volatility point: a tighter quote does not count more."""


class UsdLevel(NamedTuple):
    """A price (µUSD per coin, on a tick) and a size (µcoin, of whole lots)."""

    price: int
    size: int


@dataclass(frozen=True, slots=True)
class Expiry:
    """The options of one expiry (s), ascending by strike, put before call."""

    symbol: str
    expiry: int
    quotes: tuple[Quote, ...]

    @property
    def time(self) -> float:
        """When the last of them was recorded (s)."""
        return max(quote.time for quote in self.quotes)

    def forward(self) -> float:
        """The middle of the rows' forwards (USD): robust against the few rows recorded early or late."""
        return median(quote.underlying for quote in self.quotes)

    def parity_forward(self) -> float:
        """The forward that calls and puts imply (USD): of the five tightest strikes, the median of K / (1 − (C − P)).

        C and P are mid prices in coin, so it knows nothing of the `underlying_price` column. A strike is as tight as
        its two spreads together: most options in the money are quoted so widely that their middle means nothing.
        Raises ConfigError if no strike has all four quotes.
        """
        quoted = {(quote.strike, quote.is_call): quote for quote in self.quotes if quote.bids and quote.asks}
        found = []
        for (strike, is_call), call in quoted.items():
            put = quoted.get((strike, False))
            if is_call and put is not None and (gap := _mid(call) - _mid(put)) < 1:
                found.append((_spread(call) + _spread(put), strike / MILLION / (1 - gap)))
        if not found:
            raise ConfigError(f"{self.symbol} {self.expiry}: no strike with both sides of both options quoted")
        return median(forward for _, forward in sorted(found)[:5])

    def mark_smile(self) -> Smile:
        """The venue's own mark volatilities of all options, weighted alike."""
        return self._smile(list(self.quotes), np.array([quote.volatility for quote in self.quotes]), None)

    def book_smile(self) -> Smile:
        """What the books say: middle of bid and ask volatility of the options out of the money that have both.

        The volatilities are computed from the best prices, not read from the file; a quote counts by the inverse square
        of its spread. The smile is empty where nothing is quoted on both sides.
        """
        quotes, middles, spreads = [], [], []
        for quote in self.quotes:
            low, high = book_volatilities(quote)
            otm = quote.is_call == (quote.strike >= quote.underlying * MILLION)
            if otm and LOWEST_VOLATILITY <= low < high <= HIGHEST_VOLATILITY:
                quotes.append(quote)
                middles.append((low + high) / 2)
                spreads.append(max(high - low, _LEAST_SPREAD))
        return self._smile(quotes, np.array(middles), np.array(spreads))

    def mark_errors(self, svi: Svi, forward: float | None = None) -> Floats:
        """Slice's price less the file's mark of every option, both in coin.

        At each row's own forward by default, which tells the slice's own error; at one `forward` (USD) for all, the
        error also has what the market moved while the rows were recorded.
        """
        k, years, call = self._coordinates(list(self.quotes))
        own = np.array([quote.underlying for quote in self.quotes])
        strike = own * np.exp(k)
        used = own if forward is None else np.full_like(own, forward)
        model = black_price(call, used, strike, years, svi.volatility(np.log(strike / used))) / used
        return np.asarray(model - np.array([quote.mark for quote in self.quotes]))

    def _coordinates(self, quotes: list[Quote]) -> tuple[Floats, Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
        """Log-moneyness at the row's own forward, years from the row's own moment, and which are calls."""
        k = np.log(np.array([quote.strike / MILLION / quote.underlying for quote in quotes]))
        years = np.array([(quote.expiry - quote.time) / YEAR for quote in quotes])
        return k, years, np.array([quote.is_call for quote in quotes])

    def _smile(self, quotes: list[Quote], volatility: Floats, spread: Floats | None) -> Smile:
        k, years, _ = self._coordinates(quotes)
        weight = np.ones_like(volatility) if spread is None else (spread.min(initial=np.inf) / spread) ** 2
        bid = np.array([quote.bid_volatility for quote in quotes])
        ask = np.array([quote.ask_volatility for quote in quotes])
        strike = np.array([quote.strike / MILLION for quote in quotes])
        return Smile(float(np.median(years)) if quotes else 0.0, strike, k, volatility, weight, bid, ask)


@dataclass(frozen=True, slots=True)
class Chain:
    """All expiries of one coin, ascending."""

    symbol: str
    expiries: tuple[Expiry, ...]

    @property
    def time(self) -> float:
        """When the last option was recorded (s)."""
        return max(expiry.time for expiry in self.expiries)

    @property
    def index(self) -> float:
        """The coin's price (USD): median of the rows' index prices."""
        return median(quote.index for expiry in self.expiries for quote in expiry.quotes)


def book_volatilities(quote: Quote) -> tuple[float, float]:
    """Implied volatilities of the best bid and the best ask; NaN for a side that is empty or implies none."""
    best = [side[0].price if side else np.nan for side in (quote.bids, quote.asks)]
    years = (quote.expiry - quote.time) / YEAR
    found = implied_volatility(quote.is_call, 1.0, quote.strike / MILLION / quote.underlying, years, best)
    return float(found[0]), float(found[1])


def usd_levels(levels: tuple[Level, ...], forward: float, tick: int, lot: int, *, bids: bool) -> list[UsdLevel]:
    """A side of a book in our units: coin prices times the forward (USD), bids rounded down to a tick and asks up.

    Sizes are rounded down to a lot. Levels that meet on one tick are one level; what rounds to nothing is left out.
    """
    sizes: dict[int, int] = {}
    for level in levels:
        ticks = level.price * forward * MILLION / tick
        price = int(np.floor(ticks) if bids else np.ceil(ticks)) * tick
        size = round(level.amount * MILLION) // lot * lot
        if price > 0 and size > 0:
            sizes[price] = sizes.get(price, 0) + size
    return [UsdLevel(price, size) for price, size in sizes.items()]


def read_chain(path: Path) -> Chain:
    """The chain of a file.

    ConfigError names the line of a row that is malformed, repeats an option or is of another coin, and of a file
    without any.
    """
    found: dict[int, dict[tuple[int, bool], Quote]] = {}
    symbol = ""
    for number, row in _rows(path):
        try:
            quote = read_quote(row)
        except ValueError as error:
            raise ConfigError(f"{path}, line {number}: {error}") from None
        symbol = symbol or quote.symbol
        if quote.symbol != symbol:
            raise ConfigError(f"{path}, line {number}: {quote.symbol} among options of {symbol}")
        if quote.time >= quote.expiry:
            raise ConfigError(f"{path}, line {number}: recorded after its expiry")
        if found.setdefault(quote.expiry, {}).setdefault((quote.strike, quote.is_call), quote) is not quote:
            raise ConfigError(f"{path}, line {number}: {quote.name} twice")
    if not found:
        raise ConfigError(f"{path}: no options")
    return Chain(
        symbol,
        tuple(
            Expiry(symbol, expiry, tuple(found[expiry][key] for key in sorted(found[expiry])))
            for expiry in sorted(found)
        ),
    )


def _rows(path: Path) -> list[tuple[int, Mapping[str, str | None]]]:
    try:
        with path.open(encoding="utf-8", newline="") as text:
            reader = csv.DictReader(text)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ConfigError(f"{path}: no column {', '.join(missing)}")
            return [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except (UnicodeError, csv.Error) as error:
        raise ConfigError(f"{path}: not a whole CSV file: {error}") from error


def _mid(quote: Quote) -> float:
    return (quote.bids[0].price + quote.asks[0].price) / 2


def _spread(quote: Quote) -> float:
    return quote.asks[0].price - quote.bids[0].price
