"""The fund that bears losses before anybody else does: the insurance fund first, then collected fees."""

from __future__ import annotations

from dataclasses import replace

from rollup.types.leaves import Globals


def available(totals: Globals) -> int:
    """What the fund has (µUSD)."""
    return totals.insurance + totals.fees


def without(totals: Globals, amount: int) -> Globals:
    """The totals after the fund paid `amount` (µUSD), which it has."""
    insurance = min(amount, totals.insurance)
    return replace(totals, insurance=totals.insurance - insurance, fees=totals.fees - (amount - insurance))
