"""The genesis state: its configuration, its checks, and the leaf list that the Rollup contract emits (SPEC section 2).

All that can go wrong with a market's parameters is refused here, once: there is no way to list or change one later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rollup.errors import ConfigError, Undecodable, Unencodable
from rollup.types.keys import GLOBALS, ORACLE_SET, kind_of, market_key, underlying_key
from rollup.types.leaves import Globals, Market, MarketKind, OracleSet, Underlying
from rollup.types.limits import (
    CASH_BOUND,
    MAX_FEEDERS,
    MAX_SPOT_STEP,
    MILLION,
    POSITION_BOUND,
    PRICE_BOUND,
)

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
class UnderlyingConfig:
    """Limits of a coin's oracle and margin; units as in `leaves.Underlying`."""

    number: int
    funding_cap: int = 3_750
    """The premium counts up to 0.375 % of spot per 8 h."""
    spot_step: int = 50_000
    """One margin shock is 5 %; the grid goes to ±15 %, and to ±20 % with volatility up."""
    max_age: int = 60
    """Seconds after which a price is stale: trades and withdrawals of position holders wait for a newer one."""
    max_move: int = 100_000
    """10 % per started minute since the last price."""
    max_basis: int = 50_000
    """The perpetual's mark stays within 5 % of spot."""


@dataclass(frozen=True, slots=True)
class MarketConfig:
    """Terms of a market; units as in `leaves.Market`."""

    number: int
    underlying: int
    tick: int
    lot: int
    kind: MarketKind = MarketKind.PERP
    expiry: int = 0
    strike: int = 0
    taker_fee: int = 300
    """0.03 % of notional."""
    maker_fee: int = 0
    band: int = 50_000
    """Trades happen within 5 % of the mark."""
    contingency: int = 5_000
    """0.5 % of notional on top of the worst scenario."""
    max_position: int = 10_000 * MILLION
    """10,000 coins an account."""
    max_open_interest: int = 1_000_000 * MILLION


@dataclass(frozen=True, slots=True)
class Genesis:
    """Everything that the genesis state says."""

    time: int
    feeders: tuple[bytes, ...]
    threshold: int
    underlyings: tuple[UnderlyingConfig, ...]
    markets: tuple[MarketConfig, ...] = field(default=())

    def leaves(self) -> dict[int, bytes]:
        """The genesis leaves by key; raises ConfigError naming the first parameter that cannot be."""
        self._check_numbers()
        _require(0 <= self.time < 1 << 40, f"time {self.time} is not a u40")
        try:
            leaves = {
                GLOBALS: Globals(0, bytes(32), self.time, 0, 0, 0, 0, 0).encode(),
                ORACLE_SET: OracleSet(self.threshold, self.feeders).encode(),
            }
            for coin in self.underlyings:
                leaves[underlying_key(coin.number)] = _underlying_leaf(coin, self.time).encode()
            for market in self.markets:
                leaves[market_key(market.number)] = _market_leaf(market).encode()
        except Unencodable as error:
            raise ConfigError(f"genesis: {error}") from error
        return leaves

    def _check_numbers(self) -> None:
        coins = {coin.number for coin in self.underlyings}
        _require(len(coins) == len(self.underlyings), "two underlyings share a number")
        _require(len({market.number for market in self.markets}) == len(self.markets), "two markets share a number")
        for market in self.markets:
            _require(market.underlying in coins, f"market {market.number}: no underlying {market.underlying}")
        _require(len(set(self.feeders)) == len(self.feeders), "a feeder is listed twice")
        _require(bytes(20) not in self.feeders, "the zero address cannot sign prices")
        count = len(self.feeders)
        _require(1 <= self.threshold <= count <= MAX_FEEDERS, f"threshold {self.threshold} of {count} feeders")


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


def _underlying_leaf(coin: UnderlyingConfig, time: int) -> Underlying:
    name = f"underlying {coin.number}"
    _require(0 < coin.spot_step <= MAX_SPOT_STEP, f"{name}: spot_step {coin.spot_step} outside 1 … {MAX_SPOT_STEP}")
    _require(0 <= coin.funding_cap <= MILLION, f"{name}: funding_cap {coin.funding_cap} above 100 %")
    _require(coin.max_age > 0, f"{name}: max_age must be positive")
    _require(0 < coin.max_move <= MILLION, f"{name}: max_move {coin.max_move} outside 1 … {MILLION}")
    _require(0 <= coin.max_basis < MILLION, f"{name}: max_basis {coin.max_basis} not below 100 %")
    return Underlying(
        spot=0, mark=0, time=0, funding_index=0, funding_time=time, funding_cap=coin.funding_cap,
        spot_step=coin.spot_step, max_age=coin.max_age, max_move=coin.max_move, max_basis=coin.max_basis,
    )  # fmt: skip


def _market_leaf(market: MarketConfig) -> Market:
    name = f"market {market.number}"
    _require(0 < market.tick < PRICE_BOUND, f"{name}: tick {market.tick} outside 1 … 2^47-1")
    _require(0 < market.lot < POSITION_BOUND, f"{name}: lot {market.lot} must be positive")
    _require(
        market.lot * market.tick % MILLION == 0,
        f"{name}: lot * tick = {market.lot * market.tick} is no multiple of {MILLION}, so notional would be rounded",
    )
    for rate in ("taker_fee", "maker_fee", "band", "contingency"):
        _require(0 <= getattr(market, rate) < MILLION, f"{name}: {rate} {getattr(market, rate)} not within 0 … 100 %")
    limit, interest = market.max_position, market.max_open_interest
    _require(0 < limit < POSITION_BOUND, f"{name}: max_position {limit} outside 1 … 2^56-1")
    _require(0 < interest < CASH_BOUND, f"{name}: max_open_interest {interest} outside 1 … 2^62-1")
    _require((market.expiry == 0) == (market.kind == MarketKind.PERP), f"{name}: only a perpetual has expiry 0")
    is_option = market.kind in (MarketKind.CALL, MarketKind.PUT)
    _require((0 < market.strike < PRICE_BOUND) if is_option else market.strike == 0, f"{name}: strike {market.strike}")
    return Market(
        kind=market.kind, underlying=market.underlying, expiry=market.expiry, strike=market.strike, tick=market.tick,
        lot=market.lot, taker_fee=market.taker_fee, maker_fee=market.maker_fee, band=market.band,
        contingency=market.contingency, max_position=market.max_position, max_open_interest=market.max_open_interest,
        open_interest=0, funding_pool=0,
    )  # fmt: skip


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ConfigError(f"genesis: {message}")
