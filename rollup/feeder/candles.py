"""Recorded candles from a CSV file (`timestamp,open,high,low,close,…`, gzipped or not), prices exact in µUSD."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from rollup.errors import ConfigError
from rollup.types.limits import MILLION, PRICE_BOUND

_COLUMNS: Final = ("timestamp", "open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class Candle:
    """Prices of one interval in µUSD; `time` is its Unix time in seconds as recorded."""

    time: int
    open: int
    high: int
    low: int
    close: int


def read_candles(path: Path) -> Iterator[Candle]:
    """Candles in file order; `ConfigError` names the line of one that is malformed, impossible or out of order."""
    last = -1
    for number, row in _rows(path):
        try:
            candle = _candle(row)
        except ValueError as error:
            raise ConfigError(f"{path}, line {number}: {error}") from None
        if candle.time <= last:
            raise ConfigError(f"{path}, line {number}: not later than the candle before")
        last = candle.time
        yield candle
    if last < 0:
        raise ConfigError(f"{path}: no candles")


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str | None]]]:
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            binary = gzip.GzipFile(fileobj=raw) if packed else raw
            with io.TextIOWrapper(binary, encoding="utf-8", newline="") as text:
                reader = csv.DictReader(text)
                missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
                if missing:
                    raise ConfigError(f"{path}: no column {', '.join(missing)}")
                for row in reader:
                    yield reader.line_num, row
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except (EOFError, UnicodeError, csv.Error) as error:
        raise ConfigError(f"{path}: not a whole CSV file: {error}") from error


def _candle(row: Mapping[str, str | None]) -> Candle:
    opened, high, low, close = (_price(row[name], name) for name in _COLUMNS[1:])
    if not low <= min(opened, close) <= max(opened, close) <= high:
        raise ValueError("open or close outside of low … high")
    return Candle(_time(row["timestamp"]), opened, high, low, close)


def _price(text: str | None, name: str) -> int:
    try:
        micro = Decimal(text or "") * MILLION
    except InvalidOperation:
        raise ValueError(f"{name} is no price: {text!r}") from None
    if not micro.is_finite() or not 1 <= micro < PRICE_BOUND:
        raise ValueError(f"{name} out of range: {text!r}")
    return int(micro)


def _time(text: str | None) -> int:
    try:
        if text and text.isdecimal():
            number = int(text)
            return number // 1000 if number > 10**11 else number
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        raise ValueError(f"timestamp is no time: {text!r}") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
