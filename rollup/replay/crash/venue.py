"""The venue of a leveraged replay: one coin whose margin allows a hundred times equity, and options on it.

The margin of a devnet (shocks of 5 %) allows four times equity, and a crash of recorded minutes never outruns it. With
shocks of 0.15 % maintenance margin is 0.8 % of a position, as venues with high leverage have it: a minute of the crash
takes more than that, auctions are won or lost while the price falls on, and losses reach the fund and beyond.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Final

from rollup.quant.black76 import YEAR
from rollup.quant.surfaces import SmileShape, Surface
from rollup.quant.svi import WireSvi
from rollup.replay.stage import MakeGenesis
from rollup.replay.tape import Tape
from rollup.types.genesis import BTC, BTC_PERP, Genesis, MarketConfig, SeriesConfig, UnderlyingConfig
from rollup.types.limits import MILLION
from rollup.types.markets import MarketKind

SPOT_STEP: Final = 1_500
"""One margin shock is 0.15 %."""
CONTINGENCY: Final = 2_000
"""0.2 % of a perpetual's notional on top."""
AUCTION: Final = 600
"""Seconds in which an auction's discount grows from nothing to everything."""
SERIES: Final = 1
TENOR: Final = 14 * 86_400
"""Seconds from the end of the replay to the options' expiry."""
MONEYNESS: Final = (0.85, 0.95, 1.0, 1.05)
"""Strikes relative to the first price; each has a call and a put."""
STRIKE_STEP: Final = 500 * MILLION
LEVEL: Final = 0.6
"""The volatility at the money is never below this."""
_MEMORY: Final = 0.02
"""How much of a new squared return the volatility takes: half of it is forgotten in 34 candles."""


@dataclass(frozen=True, slots=True)
class Venue:
    """What is listed from the beginning. `strikes` are µUSD, `options` market numbers."""

    expiry: int
    strikes: tuple[int, ...]

    @classmethod
    def of(cls, price: int, end: int) -> Venue:
        """Options around `price` (µUSD) that outlive a replay until `end` (s)."""
        strikes = sorted({round(price * ratio / STRIKE_STEP) * STRIKE_STEP for ratio in MONEYNESS})
        return cls(end + TENOR, tuple(strike for strike in strikes if strike > 0))

    @property
    def options(self) -> Sequence[int]:
        """Numbers of the options' markets."""
        return range(BTC_PERP + 1, BTC_PERP + 1 + 2 * len(self.strikes))

    def make_genesis(self) -> MakeGenesis:
        """What the deployment asks for."""

        def genesis(time: int, feeders: tuple[bytes, ...], threshold: int) -> Genesis:
            coin = UnderlyingConfig(BTC, spot_step=SPOT_STEP)
            perpetual = MarketConfig(BTC_PERP, BTC, tick=100_000, lot=1_000, contingency=CONTINGENCY)
            kinds = [(strike, kind) for strike in self.strikes for kind in (MarketKind.CALL, MarketKind.PUT)]
            options = [
                MarketConfig(number, BTC, 100_000, 10_000, kind, SERIES, strike)
                for number, (strike, kind) in zip(self.options, kinds, strict=True)
            ]
            dated = SeriesConfig(BTC, SERIES, self.expiry)
            return Genesis(time, feeders, threshold, (coin,), (perpetual, *options), (dated,), AUCTION)

        return genesis


class Smiles:
    """The surface of each tick: the usual smile at the volatility of the tape's own returns so far."""

    def __init__(self, tape: Tape, venue: Venue) -> None:
        self._tape = tape
        self._venue = venue
        self._levels = _realised(tape)

    def surfaces(self, tick: int) -> Mapping[int, Surface]:
        """By series."""
        years = (self._venue.expiry - self._tape.times[tick]) / YEAR
        svi = WireSvi.of(SmileShape().slice(self._levels[tick], years))
        return {SERIES: Surface(self._tape.marks[tick], svi)}


def _realised(tape: Tape) -> list[float]:
    """Annualised volatility at each tick, averaged over the returns so far."""
    mean, found = LEVEL**2, [LEVEL]
    for tick in range(1, len(tape)):
        seconds = tape.times[tick] - tape.times[tick - 1]
        rate = log(tape.marks[tick] / tape.marks[tick - 1]) ** 2 * YEAR / seconds
        mean += _MEMORY * (rate - mean)
        found.append(max(LEVEL, sqrt(mean)))
    return found
