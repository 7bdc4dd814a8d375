"""The genesis state: its configuration, its checks, and the leaf list that the Rollup contract emits (SPEC section 2).

What it lists is checked as any later listing is (`listing`): nothing listed can be changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rollup.errors import ConfigError, Undecodable, Unencodable
from rollup.types.keys import GLOBALS, ORACLE_SET, kind_of, market_key, series_key, underlying_key
from rollup.types.leaves import DEFAULT_AUCTION, Globals, OracleSet
from rollup.types.limits import MAX_FEEDERS, MILLION
from rollup.types.listing import (
    Item,
    MarketConfig,
    SeriesConfig,
    UnderlyingConfig,
    fault_of,
    market_leaf,
    series_leaf,
    underlying_leaf,
)
from rollup.types.markets import MarketKind

__all__ = [
    "BTC", "BTC_PERP", "ETH", "ETH_PERP", "Genesis", "MarketConfig", "SeriesConfig", "UnderlyingConfig",
    "decode_leaves", "devnet_genesis", "encode_leaves",
]  # fmt: skip

BTC: Final = 1
ETH: Final = 2
BTC_PERP: Final = 1
ETH_PERP: Final = 2


def encode_leaves(leaves: Mapping[int, bytes]) -> bytes:
    """Leaves ascending by key, each `key u40 ‖ length u16 ‖ value`; Unencodable for empty or oversized values."""
    parts: list[bytes] = []
    for key in sorted(leaves):
        value = leaves[key]
        if not 0 <= key < 1 << 40 or not 1 <= len(value) <= 0xFFFF:
            raise Unencodable(f"leaf {key:#x} of {len(value)} bytes")
        parts += [key.to_bytes(5, "big"), len(value).to_bytes(2, "big"), value]
    return b"".join(parts)


def decode_leaves(data: bytes) -> dict[int, bytes]:
    """Inverse of `encode_leaves`; raises Undecodable for cut, unsorted, duplicate or empty leaves and unknown keys."""
    leaves: dict[int, bytes] = {}
    offset, last = 0, -1
    while offset < len(data):
        start = offset + 7
        key = int.from_bytes(data[offset : offset + 5], "big")
        size = int.from_bytes(data[offset + 5 : start], "big")
        offset = start + size
        if offset > len(data) or start > len(data) or size == 0 or key <= last:
            raise Undecodable(f"leaf list broken at leaf {len(leaves)}")
        kind_of(key)
        leaves[key] = data[start:offset]
        last = key
    return leaves


@dataclass(frozen=True, slots=True)
class Genesis:
    """Everything that the genesis state says."""

    time: int
    feeders: tuple[bytes, ...]
    threshold: int
    underlyings: tuple[UnderlyingConfig, ...]
    markets: tuple[MarketConfig, ...] = field(default=())
    series: tuple[SeriesConfig, ...] = field(default=())
    auction: int = DEFAULT_AUCTION
    """Seconds over which a liquidation's discount grows to all that is left of the account."""

    def leaves(self) -> dict[int, bytes]:
        """The genesis leaves by key; raises ConfigError naming the first parameter that cannot be."""
        self._check_numbers()
        self._check_references()
        _require(0 <= self.time < 1 << 40, f"time {self.time} is not a u40")
        try:
            leaves = {
                GLOBALS: Globals(0, bytes(32), self.time, 0, 0, 0, 0, 0, auction=self.auction).encode(),
                ORACLE_SET: OracleSet(self.threshold, self.feeders).encode(),
            }
            for coin in self.underlyings:
                leaves[underlying_key(coin.number)] = underlying_leaf(coin, self.time).encode()
            for dated in self.series:
                leaves[series_key(dated.underlying, dated.number)] = series_leaf(dated).encode()
            for market in self.markets:
                leaves[market_key(market.number)] = market_leaf(market, self.time).encode()
        except Unencodable as error:
            raise ConfigError(f"genesis: {error}") from error
        return leaves

    def _check_numbers(self) -> None:
        _require_distinct([coin.number for coin in self.underlyings], "underlyings")
        _require_distinct([(dated.underlying, dated.number) for dated in self.series], "series")
        _require_distinct([market.number for market in self.markets], "markets")
        _require_distinct(self.feeders, "feeders")
        _require(bytes(20) not in self.feeders, "the zero address cannot sign prices")
        count = len(self.feeders)
        _require(1 <= self.threshold <= count <= MAX_FEEDERS, f"threshold {self.threshold} of {count} feeders")

    def _check_references(self) -> None:
        coins = {coin.number for coin in self.underlyings}
        expiries = {(dated.underlying, dated.number): dated.expiry for dated in self.series}
        for coin in self.underlyings:
            _require_sound(coin, f"underlying {coin.number}")
        for dated in self.series:
            name = f"series {dated.number} of underlying {dated.underlying}"
            _require_sound(dated, name)
            _require(dated.underlying in coins, f"{name}: no such underlying")
            _require(dated.expiry > self.time, f"{name}: expired at {dated.expiry}")
        for market in self.markets:
            name = f"market {market.number}"
            _require_sound(market, name)
            _require(market.underlying in coins, f"{name}: no underlying {market.underlying}")
            known = market.kind == MarketKind.PERP or (market.underlying, market.series) in expiries
            _require(known, f"{name}: no series {market.series}")


def devnet_genesis(time: int, feeders: tuple[bytes, ...], threshold: int) -> Genesis:
    """BTC-PERP (tick 0.1 USD, lot 0.001 BTC) and ETH-PERP (tick 0.01 USD, lot 0.01 ETH), defaults otherwise."""
    return Genesis(
        time=time,
        feeders=feeders,
        threshold=threshold,
        underlyings=(UnderlyingConfig(BTC), UnderlyingConfig(ETH)),
        markets=(
            MarketConfig(BTC_PERP, BTC, tick=100_000, lot=1_000),
            MarketConfig(ETH_PERP, ETH, tick=10_000, lot=10_000, max_position=100_000 * MILLION),
        ),
    )


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ConfigError(f"genesis: {message}")


def _require_sound(item: Item, name: str) -> None:
    fault = fault_of(item)
    _require(fault is None, f"{name}: {fault}")


def _require_distinct(numbers: Sequence[object], what: str) -> None:
    _require(len(set(numbers)) == len(numbers), f"two {what} are the same")
