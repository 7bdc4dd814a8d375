"""Screening of maintenance margins: all accounts at once in floats, with a proven bound of the error.

The state transition decides in integers (SPEC section 6). After an oracle update most accounts are far from their
maintenance margin, and floats suffice to know it. For every account this gives an estimate of equity less maintenance
margin and a bound such that the exact figure lies within estimate ± bound; only accounts whose interval reaches below
zero need the exact check.

The exact figure, all in µUSD, with sizes s (µcoin), marks m, shifts d (µUSD per coin), rates c of contingency:

    X = cash − Σ_perps ⌈s·Δindex / 10⁹⌉ + ⌊Σ s·m / 10⁶⌋
           − Σ_underlyings ⌈loss / 10⁶⌉ − ⌈(Σ |s|·c + Σ_series naked·c') / 10⁶⌉
    loss = max(0, −min_j Σ s·d_j),    naked = max(0, −Σ s of the series' calls)

Let R be the same without rounding brackets, n the account's positions, U its underlyings.

1. *Brackets.* ⌊x⌋ and ⌈x⌉ are within 1 of x, so |X − R| ≤ 2 + U + p, p being the positions that are rounded by
   themselves: perpetuals (their funding) and positions of settled markets (their payout), twice if they are both.
2. *Floats.* u = 2⁻⁵³, γ_k = k·u / (1 − k·u). A computed sum of computed products differs from the true one by at most
   γ_k·Σ|terms|, where k counts the roundings any term goes through, in whatever order the sum is taken (N. Higham,
   *Accuracy and Stability of Numerical Algorithms*, section 3.1). Marks, shifts and rates are below 2⁵³ and exact;
   sizes, cash and differences of indices are rounded once when they become floats. min, max and negation do not round,
   and max(0, −min_j x_j) moves by no more than the x_j do. A term then goes through at most two conversions and a
   product (3), the sum within its group (n), the sum over groups (n), a division (1), and four additions of the parts
   of X: fewer than K = 3n + 16 roundings. Therefore

       |R_float − R| ≤ γ_K · A
       A = |cash| + Σ|s·Δindex| / 10⁹ + (Σ|s·m| + Σ|s|·max_j|d_j| + Σ|s|·c + Σ|s of calls|·c') / 10⁶

   A is computed in floats itself, from non-negative terms alone, hence with a relative error below γ_K < 10⁻¹²; a
   factor 1 + 10⁻⁶ covers that and the roundings of the bound.

For an account of 32 positions and ten million dollars the float part is below a µUSD: the brackets are the bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from rollup.quant.black76 import Flags, Floats
from rollup.quant.holdings import Book, Ints

_MILLION: Final = 1e6
_BILLION: Final = 1e9
_EXACT: Final = 1 << 53
_UNIT_ROUNDOFF: Final = 2.0**-53


@dataclass(frozen=True, slots=True)
class Sheets:
    """Exact prices of markets, rows as in `Markets`, integers of the state transition's own sheets.

    `mark` and `shifts` (23 columns; what a scenario adds to the mark) in µUSD per coin; contingency of a long, of a
    short, and of a naked call (0 where it is none) in µUSD per coin; `index` the funding index in nUSD per coin (0
    unless a perpetual). A `settled` market, one that has ended, has its payout as mark and zeros else (but for the
    index).
    """

    mark: Ints
    shifts: Ints
    long_rate: Ints
    short_rate: Ints
    naked_rate: Ints
    index: Ints
    settled: Flags

    def __post_init__(self) -> None:
        exact = (self.mark, self.shifts, self.long_rate, self.short_rate, self.naked_rate)
        assert all((np.abs(values) < _EXACT).all() for values in exact), "sheets are exact as floats"


@dataclass(frozen=True, slots=True)
class Screening:
    """Estimates of all accounts in µUSD; the exact equity − maintenance is within `surplus` ± `bound`."""

    equity: Floats
    maintenance: Floats
    bound: Floats

    @property
    def surplus(self) -> Floats:
        """Estimate of equity less maintenance margin."""
        return self.equity - self.maintenance

    @property
    def doubtful(self) -> Ints:
        """Accounts that may be below maintenance margin: those the exact check must decide. No other account is."""
        return np.flatnonzero(self.surplus < self.bound)

    @property
    def breached(self) -> Ints:
        """Accounts that certainly are below maintenance margin."""
        return np.flatnonzero(self.surplus < -self.bound)


def screen(book: Book, sheets: Sheets) -> Screening:
    """Equity and maintenance margin of every account of the book, with the bound of the module's docstring."""
    held, account = book.holdings, book.group_account
    valued = book.signed @ np.column_stack([sheets.mark, sheets.shifts]).astype(np.float64)
    loss = np.maximum(0.0, -valued[:, 1:].min(axis=1, initial=0.0))
    widest = np.abs(sheets.shifts).max(axis=1, initial=0)
    gross = book.longs @ np.column_stack([sheets.mark, widest, sheets.long_rate]).astype(np.float64)
    gross += book.shorts @ np.column_stack([sheets.mark, widest, sheets.short_rate]).astype(np.float64)
    naked_rate = sheets.naked_rate[book.naked_market].astype(np.float64)
    uncovered = book.by_account(book.naked * naked_rate, book.naked_account)
    contingency = book.by_account(gross[:, 2], account) + uncovered

    perps = book.perps
    moved = _difference(sheets.index[held.market[perps]], held.index[perps])
    owed = held.size[perps].astype(np.float64) * moved / _BILLION
    funding = book.by_account(owed, held.account[perps])

    cash = held.cash.astype(np.float64)
    equity = cash - funding + book.by_account(valued[:, 0] / _MILLION, account)
    maintenance = book.by_account(loss / _MILLION, account) + contingency / _MILLION

    calls = book.by_account(book.calls * naked_rate, book.naked_account)
    total = np.abs(cash) + book.by_account(np.abs(owed), held.account[perps])
    total += (book.by_account(gross.sum(axis=1), account) + calls) / _MILLION
    brackets = 2 + np.bincount(account, minlength=book.accounts) + book.flagged(sheets.settled)
    brackets += np.bincount(held.account[perps], minlength=book.accounts)
    steps = (3 * book.positions + 16) * _UNIT_ROUNDOFF
    return Screening(equity, maintenance, (brackets + steps / (1 - steps) * total) * (1 + 1e-6))


def _difference(left: Ints, right: Ints) -> Floats:
    """Left less right with one rounding; 63 bits do not hold it, so the halves of 32 bits are subtracted apart."""
    high = (left >> 32) - (right >> 32)
    low = (left & 0xFFFFFFFF) - (right & 0xFFFFFFFF)
    return high.astype(np.float64) * 2.0**32 + low.astype(np.float64)
