"""What can be listed: underlyings, series and markets, with their parameters, their checks and their bytes (SPEC 4, 7).

The genesis state lists items like these, and the market admin adds more through the inbox. Nothing listed ever changes,
so all that can go wrong with a parameter is found here, once: `fault_of` names the first.
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from typing import Final

from rollup.errors import Undecodable, Unencodable
from rollup.types.fields import LOW
from rollup.types.limits import MAX_PERIOD, MAX_POSITION_LIMIT, MAX_SPOT_STEP, MILLION, PRICE_BOUND
from rollup.types.markets import Market, MarketKind, Series, Underlying

MAX_FEE: Final = 100_000
"""No fee is above a tenth of the notional (ppm)."""


@dataclass(frozen=True, slots=True)
class UnderlyingConfig:
    """A coin's limits of oracle, margin and circuit breaker."""

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
    """The perpetual's mark stays within 5 % of spot, a forward within 5 % for each started 30 days."""
    vol_up: int = 450_000
    """The volatility shock upwards: 45 % of it at 30 days to expiry, more for near expiries."""
    vol_down: int = 300_000
    """The volatility shock downwards at 30 days."""
    call_contingency: int = 10_000
    """1 % of the forward on top for each call that is short without a long one against it."""
    confidence_factor: int = 200_000
    """How much of the forward is added to margin when the feeders have no confidence at all in their slice."""
    max_vol_move: int = 500_000
    """The volatility at the forward moves by at most half per started minute."""
    halt_move: int = 150_000
    """A spot 15 % away from its anchor halts the coin's markets; positions can still be made smaller."""
    halt_window: int = 600
    """Seconds after which the anchor follows the spot."""
    halt_period: int = 300
    """Seconds that a halt lasts."""
    settlement_window: int = 1_800
    """Expired markets settle at the average forward of the last half hour."""


@dataclass(frozen=True, slots=True)
class SeriesConfig:
    """One expiry (s) of an underlying."""

    underlying: int
    number: int
    expiry: int


@dataclass(frozen=True, slots=True)
class MarketConfig:
    """Terms of a market; units as in `markets.Market`."""

    number: int
    underlying: int
    tick: int
    lot: int
    kind: int = MarketKind.PERP
    series: int = 0
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


Item = UnderlyingConfig | SeriesConfig | MarketConfig

_UNDERLYING: Final = struct.Struct(">BH14I")
_SERIES: Final = struct.Struct(">BHHBI")
_MARKET: Final = struct.Struct(">BHBHHHIHIHIIIIIQQ")


def encode_item(item: Item) -> bytes:
    """The item's bytes in a List message."""
    try:
        match item:
            case UnderlyingConfig():
                return _UNDERLYING.pack(1, *astuple(item))
            case SeriesConfig():
                return _SERIES.pack(2, item.underlying, item.number, item.expiry >> 32, item.expiry & LOW)
            case MarketConfig():
                return _MARKET.pack(
                    3, item.number, item.kind, item.underlying, item.series, item.strike >> 32, item.strike & LOW,
                    item.tick >> 32, item.tick & LOW, item.lot >> 32, item.lot & LOW, item.taker_fee, item.maker_fee,
                    item.band, item.contingency, item.max_position, item.max_open_interest,
                )  # fmt: skip
    except struct.error as error:
        raise Unencodable(f"{type(item).__name__}: {error}") from error


def decode_item(data: bytes) -> Item:
    """Inverse of `encode_item`; the values need not be good, only of their width."""
    kind, size = (data[0] if data else 0), len(data)
    if kind == 1 and size == _UNDERLYING.size:
        return UnderlyingConfig(*_UNDERLYING.unpack(data)[1:])
    if kind == 2 and size == _SERIES.size:
        _, underlying, number, high, low = _SERIES.unpack(data)
        return SeriesConfig(underlying, number, high << 32 | low)
    if kind == 3 and size == _MARKET.size:
        _, number, kind, underlying, series, sh, sl, th, tl, lh, ll, *rates = _MARKET.unpack(data)
        return MarketConfig(number, underlying, th << 32 | tl, lh << 32 | ll, kind, series, sh << 32 | sl, *rates)
    raise Undecodable(f"listing of kind {kind} with {size} bytes")


def fault_of(item: Item) -> str | None:
    """What is wrong with the item's own parameters, if anything; its references are the caller's to check."""
    match item:
        case UnderlyingConfig():
            return _fault_of_underlying(item)
        case SeriesConfig():
            return None if item.number else "a series has a number from 1 on"
        case MarketConfig():
            return _fault_of_market(item)


def underlying_leaf(item: UnderlyingConfig, time: int) -> Underlying:
    """The coin as it begins at `time` (s): without a price."""
    return Underlying(0, 0, 0, 0, time, *astuple(item)[1:])


def market_leaf(item: MarketConfig, opens: int) -> Market:
    """The market as it begins."""
    return Market(
        item.kind, item.underlying, item.series, item.strike, opens, item.tick, item.lot, item.taker_fee,
        item.maker_fee, item.band, item.contingency, item.max_position, item.max_open_interest, 0, 0,
    )  # fmt: skip


def series_leaf(item: SeriesConfig) -> Series:
    """The series as it begins: without a slice."""
    return Series(item.expiry)


_POSITIVE: Final = ("spot_step", "max_age", "max_move", "halt_move", "halt_window", "settlement_window")
_PERIODS: Final = ("max_age", "halt_window", "halt_period", "settlement_window")
_SHARES: Final = (
    "funding_cap", "max_move", "max_basis", "vol_up", "vol_down", "call_contingency", "confidence_factor",
    "max_vol_move", "halt_move",
)  # fmt: skip


def _fault_of_underlying(item: UnderlyingConfig) -> str | None:
    for name in _POSITIVE:
        if getattr(item, name) < 1:
            return f"{name} must be positive"
    for name in _SHARES:
        if not 0 <= getattr(item, name) <= MILLION:
            return f"{name} {getattr(item, name)} above 100 %"
    for name in _PERIODS:
        if not 0 <= getattr(item, name) <= MAX_PERIOD:
            return f"{name} {getattr(item, name)} not within 0 … {MAX_PERIOD} s"
    return f"spot_step {item.spot_step} above {MAX_SPOT_STEP}" if item.spot_step > MAX_SPOT_STEP else None


def _fault_of_market(item: MarketConfig) -> str | None:
    if not 0 <= item.kind <= MarketKind.PUT:
        return f"kind {item.kind}"
    if item.kind == MarketKind.PERP and item.series:
        return "a perpetual has no series"
    is_option = item.kind in (MarketKind.CALL, MarketKind.PUT)
    if not (0 < item.strike < PRICE_BOUND if is_option else item.strike == 0):
        return f"strike {item.strike}"
    if item.tick < 1 or item.lot < 1:
        return f"tick {item.tick} and lot {item.lot} must be positive"
    if item.lot * item.tick % MILLION:
        return f"lot * tick = {item.lot * item.tick} is no multiple of {MILLION}, so notional would be rounded"
    for name, limit in (("taker_fee", MAX_FEE), ("maker_fee", MAX_FEE), ("band", MILLION), ("contingency", MILLION)):
        if not 0 <= getattr(item, name) <= limit:
            return f"{name} {getattr(item, name)} not within 0 … {limit}"
    for name in ("max_position", "max_open_interest"):
        if not 0 < getattr(item, name) <= MAX_POSITION_LIMIT:
            return f"{name} {getattr(item, name)} outside 1 … 2^62"
    return None
