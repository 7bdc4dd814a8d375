"""One row of a recorded option chain, typed: what a venue that quotes in coin showed of one option at one moment."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Final

from rollup.types.limits import MILLION, PRICE_BOUND

COLUMNS: Final = (
    "instrument_name", "option_type", "expiration_timestamp", "strike", "timestamp", "underlying_price", "index_price",
    "mark_price", "mark_iv", "bid_iv", "ask_iv", "open_interest", "greeks", "bids", "asks",
)  # fmt: skip

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True, slots=True)
class Level:
    """One price of a book, in coin per option, and the options offered or wanted at it."""

    price: float
    amount: float


@dataclass(frozen=True, slots=True)
class QuotedGreeks:
    """Greeks as the venue shows them: USD per USD, per USD², per volatility point, per day."""

    delta: float
    gamma: float
    vega: float
    theta: float


@dataclass(frozen=True, slots=True)
class Quote:
    """An option at `time` (s). `expiry` is seconds, `strike` µUSD; `underlying` and `index` are USD per coin.

    `mark`, `bids` and `asks` are in coin; volatilities are fractions, NaN where the venue shows none (as zero). Bids
    fall, asks rise.
    """

    symbol: str
    expiry: int
    strike: int
    is_call: bool
    time: float
    underlying: float
    index: float
    mark: float
    volatility: float
    bid_volatility: float
    ask_volatility: float
    open_interest: float
    greeks: QuotedGreeks
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]

    @property
    def name(self) -> str:
        """The name this option has here: `BTC-20201225-7000-C`."""
        day = datetime.fromtimestamp(self.expiry, UTC).strftime("%Y%m%d")
        return f"{self.symbol}-{day}-{_plain(self.strike)}-{'C' if self.is_call else 'P'}"


def read_quote(row: Mapping[str, str | None]) -> Quote:
    """A quote from a row's texts; ValueError says what is wrong with it."""
    symbol, expiry, strike, is_call = _terms(row)
    volatility = _number(row, "mark_iv", 0.0) / 100
    if volatility <= 0:
        raise ValueError("mark_iv is not positive")
    return Quote(
        symbol,
        expiry,
        strike,
        is_call,
        _number(row, "timestamp", 1.0) / 1000,
        _number(row, "underlying_price", 1e-6),
        _number(row, "index_price", 1e-6),
        _number(row, "mark_price", 0.0),
        volatility,
        _number(row, "bid_iv", 0.0) / 100 or math.nan,
        _number(row, "ask_iv", 0.0) / 100 or math.nan,
        _number(row, "open_interest", 0.0),
        _greeks(row),
        _levels(row, "bids", -1),
        _levels(row, "asks", 1),
    )


def _terms(row: Mapping[str, str | None]) -> tuple[str, int, int, bool]:
    """Symbol, expiry, strike and side, which the name and the columns must agree on."""
    name = _text(row, "instrument_name")
    match name.split("-"):
        case [symbol, day, strike, ("C" | "P") as side] if symbol:
            pass
        case _:
            raise ValueError(f"instrument_name is no option's: {name!r}")
    expiry, rest = divmod(int(_number(row, "expiration_timestamp", 1.0)), 1000)
    micro = _micro(row, "strike")
    kind = _text(row, "option_type")
    if kind != {"C": "call", "P": "put"}[side]:
        raise ValueError(f"option_type {kind!r} is not that of {name}")
    if rest or _venue_day(expiry) != day:
        raise ValueError(f"expiration_timestamp is not the day of {name}")
    if strike.replace("d", ".") != _plain(micro):
        raise ValueError(f"strike is not that of {name}")
    return symbol, expiry, micro, side == "C"


def _venue_day(expiry: int) -> str:
    try:
        moment = datetime.fromtimestamp(expiry, UTC)
    except (OverflowError, ValueError, OSError):
        raise ValueError(f"expiration_timestamp is no time: {expiry}") from None
    return f"{moment.day}{_MONTHS[moment.month - 1]}{moment.year % 100:02d}"


def _plain(micro: int) -> str:
    whole, part = divmod(micro, MILLION)
    return f"{whole}.{part:06d}".rstrip("0") if part else str(whole)


def _text(row: Mapping[str, str | None], column: str) -> str:
    text = row.get(column)
    if not text:
        raise ValueError(f"{column} is missing")
    return text


def _number(row: Mapping[str, str | None], column: str, least: float) -> float:
    text = _text(row, column)
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{column} is no number: {text!r}") from None
    if not math.isfinite(number) or number < least:
        raise ValueError(f"{column} out of range: {text!r}")
    return number


def _micro(row: Mapping[str, str | None], column: str) -> int:
    text = _text(row, column)
    try:
        micro = Decimal(text) * MILLION
    except InvalidOperation:
        raise ValueError(f"{column} is no number: {text!r}") from None
    if not micro.is_finite() or not 1 <= micro < PRICE_BOUND or micro != int(micro):
        raise ValueError(f"{column} out of range: {text!r}")
    return int(micro)


def _greeks(row: Mapping[str, str | None]) -> QuotedGreeks:
    shown = _literal(row, "greeks")
    if not isinstance(shown, dict):
        raise ValueError("greeks are no mapping")  # noqa: TRY004 - one kind of error for all that is wrong with a row
    values = [shown.get(name) for name in ("delta", "gamma", "vega", "theta")]
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in values):
        raise ValueError(f"greeks are not four numbers: {shown}")
    return QuotedGreeks(*(float(value) for value in values if value is not None))


def _levels(row: Mapping[str, str | None], column: str, direction: int) -> tuple[Level, ...]:
    shown = _literal(row, column)
    if not isinstance(shown, list):
        raise ValueError(f"{column} are no list")  # noqa: TRY004 - as above
    levels = []
    for entry in shown:
        match entry:
            case [int() | float() as price, int() | float() as amount] if (
                0 < price < math.inf and 0 < amount < math.inf
            ):
                levels.append(Level(float(price), float(amount)))
            case _:
                raise ValueError(f"{column} hold no price and amount: {entry!r}")
    prices = [direction * level.price for level in levels]
    if any(later <= earlier for earlier, later in pairwise(prices)):
        raise ValueError(f"{column} are out of order")
    return tuple(levels)


def _literal(row: Mapping[str, str | None], column: str) -> object:
    text = _text(row, column)
    try:
        value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise ValueError(f"{column} cannot be read: {text[:40]!r}") from None
    return value
