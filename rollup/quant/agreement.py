"""How far marks and Greeks made from slices are from those that the recorded venue showed, and why.

Prices are compared in coin, as the venue quotes them: 0.0005 is one tick of its books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from rollup.quant.black76 import YEAR, Floats
from rollup.quant.chain import Expiry
from rollup.quant.fit import Fit, Reason
from rollup.quant.greeks import MarketState, market_greeks
from rollup.quant.svi import Svi
from rollup.types.leaves import MarketKind
from rollup.types.limits import MILLION


class Spread(NamedTuple):
    """Absolute differences: their median, 95th percentile, and the largest."""

    median: float
    high: float
    largest: float

    @classmethod
    def of(cls, differences: Floats) -> Self:
        """Of at least one difference."""
        size = np.abs(differences)
        return cls(float(np.median(size)), float(np.percentile(size, 95)), float(size.max()))


@dataclass(frozen=True, slots=True)
class GreekAgreement:
    """Differences of each Greek, in the venue's units (USD; a point of volatility; a day)."""

    delta: Spread
    gamma: Spread
    vega: Spread
    theta: Spread


def compare_marks(expiry: Expiry, marks: Mapping[str, int], forward: float) -> Spread:
    """Our marks (µUSD by instrument name) at our `forward` (USD) against the file's, in coin.

    The venue's mark of a row belongs to the forward of the row's own moment. The difference of forwards times the
    option's delta is no error of the mark, so it is taken out. Options without a mark of ours are left out; KeyError if
    all are.
    """
    quotes = [quote for quote in expiry.quotes if quote.name in marks]
    if not quotes:
        raise KeyError(f"no marks of {expiry.symbol} {expiry.expiry}")
    own = np.array([quote.underlying for quote in quotes])
    delta = np.array([quote.greeks.delta for quote in quotes])
    ours = np.array([marks[quote.name] / MILLION for quote in quotes]) + delta * (own - forward)
    return Spread.of(ours / own - np.array([quote.mark for quote in quotes]))


def compare_greeks(expiry: Expiry, svi: Svi) -> GreekAgreement:
    """Greeks at the slice's volatilities, each at its row's own forward and moment, against the file's."""
    quotes = expiry.quotes
    forward = np.array([quote.underlying for quote in quotes])
    strike = np.array([quote.strike / MILLION for quote in quotes])
    years = np.array([(quote.expiry - quote.time) / YEAR for quote in quotes])
    kind = np.array([MarketKind.CALL if quote.is_call else MarketKind.PUT for quote in quotes], np.int64)
    found = market_greeks(MarketState(kind, forward, strike, years, svi.volatility(np.log(strike / forward))))
    shown = np.array([[getattr(quote.greeks, name) for name in found._fields] for quote in quotes]).T
    return GreekAgreement(*(Spread.of(ours - theirs) for ours, theirs in zip(found, shown, strict=True)))


def explain(expiry: Expiry, fit: Fit) -> list[str]:
    """Sentences on what the slice of the expiry's mark smile misses: how many options, why, and the worst."""
    sentences = []
    counts = Counter(misfit.reason for misfit in fit.misfits)
    for reason in Reason:
        if counts[reason]:
            worst = max((m for m in fit.misfits if m.reason is reason), key=lambda misfit: abs(misfit.error))
            name = expiry.quotes[worst.index].name
            missed = f"{counts[reason]} of {len(expiry.quotes)} options by up to {abs(worst.error) * 100:.1f} points"
            sentences.append(f"{missed} ({name}): {reason.value}")
    return sentences
