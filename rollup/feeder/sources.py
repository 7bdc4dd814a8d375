"""The sources of a feeder by its settings: which coins walk at random, and which one follows a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, Literal

from rollup.errors import ConfigError
from rollup.feeder.candles import read_candles
from rollup.feeder.coins import coin_number
from rollup.quant.chain import read_chain
from rollup.quant.sources import CandleSource, ChainSource, Source, WalkSource
from rollup.types.limits import MILLION, PRICE_BOUND

Kind = Literal["walk", "candles", "chain"]
KINDS: Final = ("walk", "candles", "chain")
FIRST_PRICES: Final[Mapping[str, int]] = {"BTC": 60_000 * MILLION, "ETH": 3_000 * MILLION}
"""µUSD per coin at which walks begin."""


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """`walks` are the coins (symbols) that walk and their first prices (µUSD); `coin` follows `file` instead.

    Feeders that co-sign must have the same settings, the seed included.
    """

    kind: Kind = "walk"
    file: Path | None = None
    coin: str = "BTC"
    walks: Mapping[str, int] = field(default_factory=lambda: FIRST_PRICES)
    seed: int = 1
    speed: float = 1.0


def open_sources(settings: SourceSettings) -> dict[int, Source]:
    """Sources by number of the underlying; `ConfigError` for a file that cannot be used or a coin that is unknown."""
    sources: dict[int, Source] = {}
    for symbol, price in settings.walks.items():
        sources[coin_number(symbol)] = WalkSource(f"{settings.seed}/{symbol}", price)
    if settings.kind == "walk":
        return sources
    if settings.file is None:
        raise ConfigError(f"a source of {settings.kind} needs a file (--file)")
    if settings.kind == "candles":
        sources[coin_number(settings.coin)] = CandleSource(list(read_candles(settings.file)), speed=settings.speed)
    else:
        chain = read_chain(settings.file)
        sources[coin_number(chain.symbol)] = ChainSource(chain)
    return sources


def read_walks(texts: tuple[str, ...]) -> dict[str, int]:
    """`BTC=60000` and the like as µUSD by symbol; `ConfigError`."""
    walks: dict[str, int] = {}
    for text in texts:
        symbol, _, price = text.partition("=")
        try:
            micro = Decimal(price) * MILLION
        except InvalidOperation:
            micro = Decimal(0)
        if not micro.is_finite() or not 1 <= micro < PRICE_BOUND:
            raise ConfigError(f"feeder.walks: {text[:40]!r} is no COIN=PRICE")
        coin_number(symbol)
        walks[symbol] = int(micro)
    return walks
