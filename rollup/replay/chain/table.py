"""How the rollup's marks and Greeks agree with those that the venue showed, expiry by expiry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rollup.errors import ConfigError
from rollup.quant.agreement import GreekAgreement, Spread, compare_greeks, compare_marks, explain
from rollup.replay.chain.plan import Dated, Plan
from rollup.sequencer.oracle import OracleView
from rollup.stf.sheets import UNSHOCKED, option_grid
from rollup.types.genesis import BTC
from rollup.types.leaves import Market
from rollup.types.limits import MILLION


@dataclass(frozen=True, slots=True)
class Row:
    """One expiry. Marks in coin (the venue's tick is 0.0005), fit errors in volatility, forwards in USD.

    `parity` is the forward that the books' calls and puts imply, None where they do not; `inside` of the `quoted`
    options have the rollup's mark between bid and ask.
    """

    expiry: int
    options: int
    forward: float
    parity: float | None
    volatility: float
    confidence: float
    weighted_rmse: float
    marks: Spread
    quoted: int
    inside: int
    greeks: GreekAgreement
    misses: list[str]

    def figures(self) -> dict[str, Any]:
        """For machines."""
        plain = {name: value for name, value in asdict(self).items() if name not in ("marks", "greeks")}
        greeks = {name: getattr(self.greeks, name)._asdict() for name in ("delta", "gamma", "vega", "theta")}
        day = datetime.fromtimestamp(self.expiry, UTC).date().isoformat()
        return {**plain, "expiry": day, "marks": self.marks._asdict(), "greeks": greeks}


def read_marks(oracle: OracleView, markets: Mapping[int, Market]) -> dict[int, int]:
    """Marks (µUSD per coin) of options by number, by the state transition's own pricing on the leaves of the state."""
    marks = {}
    for number, market in markets.items():
        underlying, series = oracle.underlyings[market.underlying], oracle.series[market.underlying, market.series]
        marks[number] = option_grid(market, underlying, series, oracle.time)[UNSHOCKED]
    return marks


def make_rows(plan: Plan, marks: Mapping[int, int], oracle: OracleView) -> list[Row]:
    """A row for each expiry; `oracle` holds the slices that the rollup really has."""
    return [_row(dated, marks, oracle) for dated in plan.dated]


def _row(dated: Dated, marks: Mapping[int, int], oracle: OracleView) -> Row:
    expiry, leaf = dated.expiry, oracle.series[BTC, dated.series]
    forward = leaf.forward / MILLION
    by_name = {quote.name: marks[number] for number, quote in dated.options.items()}
    slice_ = dated.surface.svi.floats()
    quoted = [
        (quote.bids[0].price * forward, marks[number] / MILLION, quote.asks[0].price * forward)
        for number, quote in dated.options.items()
        if quote.bids and quote.asks
    ]
    return Row(
        expiry.expiry,
        len(expiry.quotes),
        forward,
        _parity(dated),
        float(slice_.volatility(0.0)),
        leaf.confidence / MILLION,
        dated.fit.weighted_rmse,
        compare_marks(expiry, by_name, forward),
        len(quoted),
        sum(bid <= mark <= ask for bid, mark, ask in quoted),
        compare_greeks(expiry, slice_),
        explain(expiry, dated.fit),
    )


def _parity(dated: Dated) -> float | None:
    try:
        return dated.expiry.parity_forward()
    except ConfigError:
        return None
