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


def repaid(totals: Globals) -> Globals:
    """The totals after the fund repaid as much of the bad debt as it can."""
    if not totals.bad_debt:
        return totals
    amount = min(totals.bad_debt, available(totals))
    return replace(without(totals, amount), bad_debt=totals.bad_debt - amount)
