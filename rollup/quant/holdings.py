"""Positions of many accounts as arrays, grouped once and then valued with a few sparse products per price.

A *book* is what all accounts hold: cash per account, and per position its account, market, signed size and funding
index. It depends on no price, so it is built when holdings change and reused for every oracle update.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from rollup.quant.black76 import Flags, Floats
from rollup.types.leaves import MarketKind

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Markets:
    """Terms of markets that never change, one row a market, ascending by number.

    `series` is any integer that two markets share exactly if they have underlying and expiry in common; it does not
    matter for perpetuals.
    """

    number: Ints
    kind: Ints
    underlying: Ints
    series: Ints

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, int, int]]) -> Self:
        """From (number, kind, underlying, series) in any order."""
        number, kind, underlying, series = np.array(sorted(rows), np.int64).reshape(-1, 4).T
        return cls(number, kind, underlying, series)

    def rows(self, numbers: Sequence[int] | Ints) -> Ints:
        """Rows of markets given by number; KeyError if one is not there."""
        wanted = np.asarray(numbers, np.int64)
        found = np.searchsorted(self.number, wanted)
        known = found < len(self.number)
        known[known] = self.number[found[known]] == wanted[known]
        if not known.all():
            raise KeyError(int(wanted[~known][0]))
        return found


@dataclass(frozen=True, slots=True)
class Holdings:
    """Cash (µUSD) of each account; account row, market row, size (µcoin) and funding index of each position."""

    cash: Ints
    account: Ints
    market: Ints
    size: Ints
    index: Ints

    @classmethod
    def of(cls, markets: Markets, accounts: Iterable[tuple[int, Sequence[tuple[int, int, int]]]]) -> Self:
        """From (cash, positions) of each account in turn, a position being (market number, size, funding index)."""
        cash: list[int] = []
        account: list[int] = []
        flat: list[tuple[int, int, int]] = []
        for row, (money, positions) in enumerate(accounts):
            cash.append(money)
            account.extend([row] * len(positions))
            flat.extend(positions)
        number, size, index = np.array(flat, np.int64).reshape(-1, 3).T
        return cls(np.array(cash, np.int64), np.array(account, np.int64), markets.rows(number), size, index)


class Book:
    """Holdings grouped by account and underlying: `signed`, `longs` and `shorts` hold |sizes| by group and market."""

    def __init__(self, markets: Markets, holdings: Holdings) -> None:
        self.markets = markets
        self.holdings = holdings
        self.accounts = len(holdings.cash)
        underlying = markets.underlying[holdings.market]
        group, first = _group(holdings.account, underlying)
        self.group_account: Ints = holdings.account[first]
        self.group_underlying: Ints = underlying[first]
        shape = (len(first), len(markets.number))
        size = holdings.size.astype(np.float64)
        self.signed = csr_array((size, (group, holdings.market)), shape=shape)
        self.longs = csr_array((np.maximum(size, 0.0), (group, holdings.market)), shape=shape)
        self.shorts = csr_array((np.maximum(-size, 0.0), (group, holdings.market)), shape=shape)
        self.positions: Ints = np.bincount(holdings.account, minlength=self.accounts)
        kind = markets.kind[holdings.market]
        self.perps: Ints = np.flatnonzero(kind == MarketKind.PERP)
        self._net_calls(np.flatnonzero(kind == MarketKind.CALL), size)

    def _net_calls(self, calls: Ints, size: Floats) -> None:
        """Calls by account and series: what is sold beyond what is bought (`naked`), and how many change hands."""
        account, market = self.holdings.account[calls], self.holdings.market[calls]
        group, first = _group(account, self.markets.series[market])
        self.naked: Floats = np.maximum(-_sums(group, size[calls], len(first)), 0.0)
        self.calls: Floats = _sums(group, np.abs(size[calls]), len(first))
        self.naked_account: Ints = account[first]
        self.naked_market: Ints = market[first]

    def by_account(self, values: Floats, account: Ints) -> Floats:
        """Sums of `values` over the rows that belong to each account."""
        return _sums(account, values, self.accounts)

    def flagged(self, flags: Flags) -> Ints:
        """How many positions each account has in the markets flagged."""
        held = self.holdings.account[flags[self.holdings.market]]
        return np.bincount(held, minlength=self.accounts)


def _sums(place: Ints, values: Floats, count: int) -> Floats:
    """Sum of the values that fall on each place."""
    return np.bincount(place, values, count).astype(np.float64, copy=False)


def _group(account: Ints, key: Ints) -> tuple[Ints, Ints]:
    """Group of each position by (account, key), ascending, and each group's first position."""
    _, dense = np.unique(key, return_inverse=True)
    width = int(dense.max(initial=0)) + 1
    _, first, group = np.unique(account * width + dense, return_index=True, return_inverse=True)
    return group, first
