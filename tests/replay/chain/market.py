"""A made-up option chain as a venue would record it: two expiries on known slices, a book on every option."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from rollup.quant.black76 import YEAR, price
from rollup.quant.greeks import MarketState, market_greeks
from rollup.quant.quotes import COLUMNS
from rollup.quant.svi import Svi
from rollup.types.leaves import MarketKind

NOW: Final = 1_590_103_193.0
INDEX: Final = 9_085.0
EXPIRIES: Final = {
    1_590_739_200: (9_090.0, Svi(-0.1, 5.0, -0.14, 0.03, 0.12)),
    1_593_158_400: (9_095.0, Svi(0.22, 2.0, -0.1, 0.1, 0.21)),
}
"""Forward and slice by expiry (s)."""
STRIKES: Final = (8_000, 8_500, 9_000, 9_500, 10_000, 10_500)


def write_chain(path: Path, strikes: tuple[int, ...] = STRIKES) -> Path:
    """A chain file: each mark is that of its slice, with two bids below it and two asks above."""
    with path.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        for expiry in EXPIRIES:
            for strike in strikes:
                writer.writerows(_row(expiry, strike, is_call) for is_call in (False, True))
    return path


def _row(expiry: int, strike: int, is_call: bool) -> dict[str, Any]:
    forward, svi = EXPIRIES[expiry]
    years, volatility = (expiry - NOW) / YEAR, float(svi.volatility(np.log(strike / forward)))
    mark = float(price(is_call, forward, strike, years, volatility)) / forward
    kind = np.array([MarketKind.CALL if is_call else MarketKind.PUT], np.int64)
    state = MarketState(kind, *(np.array([value]) for value in (forward, float(strike), years, volatility)))
    greeks = {name: float(column[0]) for name, column in market_greeks(state)._asdict().items()}
    day = datetime.fromtimestamp(expiry, UTC)
    low = [[round(max(0.0001, mark - step), 6), amount] for step, amount in ((0.0005, 1.5), (0.001, 4.0))]
    high = [[round(mark + step, 6), amount] for step, amount in ((0.0005, 2.0), (0.001, 3.5))]
    return {
        "instrument_name": f"BTC-{day.day}{day.strftime('%b').upper()}{day:%y}-{strike}-{'C' if is_call else 'P'}",
        "option_type": "call" if is_call else "put",
        "expiration_timestamp": expiry * 1000,
        "strike": float(strike),
        "timestamp": int(NOW * 1000),
        "underlying_price": forward,
        "index_price": INDEX,
        "mark_price": repr(mark),
        "mark_iv": repr(100 * volatility),
        "bid_iv": repr(100 * volatility - 1),
        "ask_iv": repr(100 * volatility + 1),
        "open_interest": 10.0,
        "greeks": str({"rho": 0.0, **greeks}),
        "bids": str(low if low[0][0] > low[1][0] else low[:1]),
        "asks": str(high),
    }
