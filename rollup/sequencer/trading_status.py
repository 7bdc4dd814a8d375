"""Whether an instrument can be traded now, and if not, why and until when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rollup.sequencer.catalogue import Instrument
from rollup.stf.context import View
from rollup.types.leaves import MarketKind


class Trading(StrEnum):
    """What an instrument's market does."""

    OPEN = "open"
    CLOSED = "closed"  # listed, and not yet open
    HALTED = "halted"  # after a fast move: positions can only be made smaller
    STALE = "stale"  # without a price that is new enough nothing trades
    EXPIRED = "expired"  # or, of a perpetual, its last price is abandoned: holders are paid out


@dataclass(frozen=True, slots=True)
class TradingStatus:
    """`until` (s) is when it ends by itself, 0 where it does not."""

    trading: Trading
    until: int = 0


def trading_status(view: View, instrument: Instrument) -> TradingStatus:
    """Of the newest state; what lasts longest comes first."""
    now, market = view.timestamp, instrument.market
    if instrument.has_expired(now):
        return TradingStatus(Trading.EXPIRED)
    if now < market.opens:
        return TradingStatus(Trading.CLOSED, market.opens)
    coin = view.underlying(market.underlying)
    is_perp = market.kind == MarketKind.PERP
    if is_perp and view.is_abandoned(coin.time):
        return TradingStatus(Trading.EXPIRED)
    time = coin.time if is_perp else view.series(market.underlying, market.series).time
    if time == 0 or now - time > coin.max_age:
        return TradingStatus(Trading.STALE)
    if now < coin.halted_until:
        return TradingStatus(Trading.HALTED, coin.halted_until)
    return TradingStatus(Trading.OPEN)
