"""State leaves of what is traded: underlyings, series (one expiry each), markets. Layouts: SPEC section 2."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final, Self

from rollup.errors import Undecodable, Unencodable
from rollup.types.fields import LOW, exact
from rollup.types.limits import MILLION
from rollup.types.value import value

_LOW_64: Final = (1 << 64) - 1
_UNDERLYING: Final = struct.Struct(">HIHIBIqBIHIBIBI14I")
_SERIES: Final = struct.Struct(">BIBIHIhIHIihIHIIHIIQI")
_MARKET: Final = struct.Struct(">BHHHIBIHIHIIIIIQQQq")


class MarketKind(IntEnum):
    """What a market trades."""

    PERP = 0
    FUTURE = 1
    CALL = 2
    PUT = 3


@value(frozen=True, slots=True)
class Underlying:
    """A coin: its oracle prices (µUSD per coin), its perpetual's funding, its risk parameters, its circuit breaker.

    `time` (s) is the price's own time, 0 while there is none. `funding_index` is in nUSD per coin, accrued up to
    `funding_time` (s). `funding_cap` bounds the premium in ppm of spot per 8 h; `spot_step` (ppm) is one margin shock;
    `max_age` (s), `max_move` (ppm per minute) and `max_basis` (ppm of spot) bound oracle updates; the rest as in
    `listing.UnderlyingConfig`. A spot that leaves `anchor_spot` (of `anchor_time`) behind too fast halts all trades but
    those that shrink positions, until `halted_until` (s).
    """

    spot: int
    mark: int
    time: int
    funding_index: int
    funding_time: int
    funding_cap: int
    spot_step: int
    max_age: int
    max_move: int
    max_basis: int
    vol_up: int = 0
    vol_down: int = 0
    call_contingency: int = 0
    confidence_factor: int = 0
    max_vol_move: int = MILLION
    halt_move: int = MILLION
    halt_window: int = 1
    halt_period: int = 0
    settlement_window: int = 1
    anchor_spot: int = 0
    anchor_time: int = 0
    halted_until: int = 0

    def encode(self) -> bytes:
        """102 bytes."""
        try:
            return _UNDERLYING.pack(
                self.spot >> 32, self.spot & LOW, self.mark >> 32, self.mark & LOW, self.time >> 32, self.time & LOW,
                self.funding_index, self.funding_time >> 32, self.funding_time & LOW,
                self.anchor_spot >> 32, self.anchor_spot & LOW, self.anchor_time >> 32, self.anchor_time & LOW,
                self.halted_until >> 32, self.halted_until & LOW,
                self.funding_cap, self.spot_step, self.max_age, self.max_move, self.max_basis, self.vol_up,
                self.vol_down, self.call_contingency, self.confidence_factor, self.max_vol_move, self.halt_move,
                self.halt_window, self.halt_period, self.settlement_window,
            )  # fmt: skip
        except struct.error as error:
            raise Unencodable(f"underlying: {error}") from error

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`."""
        exact(data, _UNDERLYING.size, "underlying")
        sh, sl, mh, ml, th, tl, index, fh, fl, ah, al, wh, wl, hh, hl, *parameters = _UNDERLYING.unpack(data)
        running = (sh << 32 | sl, mh << 32 | ml, th << 32 | tl, index, fh << 32 | fl)
        fields: list[int] = [*running, *parameters, ah << 32 | al, wh << 32 | wl, hh << 32 | hl]
        return cls(*fields)


@value(frozen=True, slots=True)
class Series:
    """One expiry (s) of an underlying: its forward (µUSD per coin), its SVI slice of volatility, and its settlement.

    `a` … `sigma` are the slice's parameters in 10^-9, `confidence` how sure the feeders are of it (ppm). `time` (s) is
    the slice's own time, 0 while there is none. `sum` adds up the forward over the `covered` seconds of the settlement
    window (µUSD · s per coin); `settlement` is the price that came of it, 0 before.
    """

    expiry: int
    time: int = 0
    forward: int = 0
    a: int = 0
    b: int = 0
    rho: int = 0
    m: int = 0
    sigma: int = 0
    confidence: int = 0
    settlement: int = 0
    sum: int = 0
    covered: int = 0

    def encode(self) -> bytes:
        """70 bytes."""
        try:
            return _SERIES.pack(
                self.expiry >> 32, self.expiry & LOW, self.time >> 32, self.time & LOW, self.forward >> 32,
                self.forward & LOW, self.a >> 32, self.a & LOW, self.b >> 32, self.b & LOW, self.rho, self.m >> 32,
                self.m & LOW, self.sigma >> 32, self.sigma & LOW, self.confidence, self.settlement >> 32,
                self.settlement & LOW, self.sum >> 64, self.sum & _LOW_64, self.covered,
            )  # fmt: skip
        except struct.error as error:
            raise Unencodable(f"series: {error}") from error

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`."""
        exact(data, _SERIES.size, "series")
        (eh, el, th, tl, fh, fl, ah, al, bh, bl, rho, mh, ml, sh, sl, confidence, ph, pl, wh, wl,
         covered) = _SERIES.unpack(data)  # fmt: skip
        return cls(
            eh << 32 | el, th << 32 | tl, fh << 32 | fl, ah << 32 | al, bh << 32 | bl, rho, mh << 32 | ml,
            sh << 32 | sl, confidence, ph << 32 | pl, wh << 64 | wl, covered,
        )  # fmt: skip


@value(frozen=True, slots=True)
class Market:
    """One instrument: terms, fees (ppm of notional), limits (µcoin), and its running totals.

    `series` is the number of its expiry (0 for a perpetual), `opens` its first second. `tick` and `strike` are µUSD per
    coin, `lot` is µcoin. `band` (ppm) bounds how far from the mark a trade may happen; `contingency` (ppm of notional)
    is added to maintenance margin. `open_interest` is Σ of long positions (µcoin), `pool` what is on its way between
    holders: funding paid in and not yet paid out, less what was paid out at expiry and not yet paid in (µUSD).
    """

    kind: int
    underlying: int
    series: int
    strike: int
    opens: int
    tick: int
    lot: int
    taker_fee: int
    maker_fee: int
    band: int
    contingency: int
    max_position: int
    max_open_interest: int
    open_interest: int
    pool: int

    def encode(self) -> bytes:
        """76 bytes."""
        try:
            return _MARKET.pack(
                MarketKind(self.kind), self.underlying, self.series, self.strike >> 32, self.strike & LOW,
                self.opens >> 32, self.opens & LOW, self.tick >> 32, self.tick & LOW, self.lot >> 32, self.lot & LOW,
                self.taker_fee, self.maker_fee, self.band, self.contingency, self.max_position, self.max_open_interest,
                self.open_interest, self.pool,
            )  # fmt: skip
        except (struct.error, ValueError) as error:
            raise Unencodable(f"market: {error}") from error

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`."""
        exact(data, _MARKET.size, "market")
        (kind, underlying, series, sh, sl, oh, ol, th, tl, lh, ll, taker_fee, maker_fee, band, contingency,
         max_position, max_open_interest, open_interest, pool) = _MARKET.unpack(data)  # fmt: skip
        if kind > MarketKind.PUT:
            raise Undecodable(f"market kind {kind}")
        return cls(
            kind, underlying, series, sh << 32 | sl, oh << 32 | ol, th << 32 | tl, lh << 32 | ll, taker_fee, maker_fee,
            band, contingency, max_position, max_open_interest, open_interest, pool,
        )  # fmt: skip
