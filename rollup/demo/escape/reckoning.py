"""What each account is worth in the end, from what was traded and from prices: a computation apart from all that pays.

Payments follow from the Appraiser on L1, which reads leaves of the state against their root. Here nothing is read of
the accounts but what the demo itself booked when it deposited and traded. The price of an option is the integer of the
rules (PRICING.md), which must lie beside the Black-76 formula in floating point; the rest is integer arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Final

from rollup.demo.report import require
from rollup.demo.setting import CALL, FAR_CALL, FAR_STRIKE, FUTURE, PUT, STRIKE
from rollup.quant import black76 as floating
from rollup.quant.svi import WireSvi
from rollup.stf import black76, surface, wad
from rollup.types.limits import MILLION

NEARNESS: Final = 10**9
"""An option's price is within this share of its forward of the formula's, rounded down besides."""
STRIKES: Final[Mapping[int, tuple[bool, int]]] = {
    CALL: (True, STRIKE),
    PUT: (False, STRIKE),
    FAR_CALL: (True, FAR_STRIKE),
}
"""Whether it is a call, and its strike (µUSD), by market."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The oracle's last word: marks of perps and the forward in µUSD per coin, the slice, seconds to expiry."""

    perps: Mapping[int, int]
    forward: int
    svi: WireSvi
    seconds: int

    def of(self, market: int) -> int:
        """µUSD per coin."""
        if market in self.perps:
            return self.perps[market]
        if market == FUTURE:
            return self.forward
        return self._option(*STRIKES[market])

    def formula(self, market: int) -> float:
        """An option's price by the formula in floating point, µUSD per coin."""
        is_call, strike = STRIKES[market]
        volatility = self.svi.floats().volatility(log(strike / self.forward))
        years = self.seconds / floating.YEAR
        return float(floating.price(is_call, self.forward, strike, years, volatility))

    def _option(self, is_call: bool, strike: int) -> int:
        x = wad.ln_ratio(self.forward, strike)
        slice_ = surface.Slice(self.svi.a, self.svi.b, self.svi.rho, self.svi.m, self.svi.sigma)
        deviation = surface.volatility(slice_, -x) * surface.root_time(self.seconds) // wad.ONE
        return black76.price(is_call, self.forward, strike, x, deviation)


def check_options(prices: Prices) -> float:
    """The largest difference of an option's price from the formula, µUSD; raises NotVerified if it is no rounding."""
    largest = 0.0
    for market in STRIKES:
        exact, formula = prices.of(market), prices.formula(market)
        difference = abs(exact - formula)
        bound = 1 + prices.forward / NEARNESS
        require(difference <= bound, f"price of market {market}, µUSD", f"{formula:.3f} ± {bound:.0f}", exact)
        largest = max(largest, difference)
    return largest


def worth(cash: int, positions: Mapping[int, int], prices: Prices) -> int:
    """Equity in µUSD, rounded down once: cash and what the positions (µcoin) are worth; negative for who owes."""
    return cash + sum(size * prices.of(market) for market, size in positions.items() if size) // MILLION


def shares(equities: Mapping[int, int], pot: int) -> dict[int, int]:
    """What each account is paid: its equity if the pot suffices for all, else its part of the pot, rounded down.

    Who owes is paid nothing and does not count.
    """
    due = {account: equity for account, equity in equities.items() if equity > 0}
    total = sum(due.values())
    paid = {account: equity if total <= pot else equity * pot // total for account, equity in due.items()}
    return {account: paid.get(account, 0) for account in equities}
