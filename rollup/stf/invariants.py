"""Promises about a whole state, checked from nothing but its leaves: money is conserved, every market nets to zero."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from rollup.errors import BrokenInvariant
from rollup.stf.expiry import value_at_expiry
from rollup.stf.funding import accrue, funding_due
from rollup.types.keys import KeyKind, index_of, kind_of, underlying_of
from rollup.types.leaves import Account, Globals, Market, MarketKind, Position, Series, Status, Underlying
from rollup.types.limits import MILLION, WIND_UP


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a sound state. Money in µUSD; `open_interest` in µcoin by market."""

    accounts: int
    cash: int
    fees: int
    insurance: int
    pools: int
    bad_debt: int
    deposits: int
    withdrawals: int
    insolvent: int
    open_interest: dict[int, int]


@dataclass(slots=True)
class _Sums:
    """What the leaves add up to."""

    totals: Globals | None = None
    markets: dict[int, Market] = field(default_factory=dict)
    underlyings: dict[int, Underlying] = field(default_factory=dict)
    series: dict[tuple[int, int], Series] = field(default_factory=dict)
    accounts: int = 0
    insolvent: int = 0
    cash: int = 0
    withdrawn: int = 0
    net: Counter[int] = field(default_factory=Counter)
    long: Counter[int] = field(default_factory=Counter)
    positions: dict[int, list[Position]] = field(default_factory=dict)

    def add(self, account: Account) -> None:
        self.accounts += 1
        self.insolvent += account.status == Status.INSOLVENT
        self.cash += account.cash
        self.withdrawn += account.withdrawn
        for position in account.positions:
            self.net[position.market] += position.size
            self.long[position.market] += max(position.size, 0)
            self.positions.setdefault(position.market, []).append(position)


def check_invariants(leaves: Iterable[tuple[int, bytes]]) -> Report:
    """Check a whole state, given as (key, value); raises BrokenInvariant with the figures that disagree.

    Σ cash + fees + insurance + Σ pools - bad debt = deposits - withdrawals. Every market's long positions sum to its
    open interest; all its positions sum to zero, or, once it has ended and holders are paid out one by one, its pool
    holds what the rest is owed. As many accounts, and as many insolvent ones, as the totals say; withdrawals are the
    accounts' own.
    """
    sums = _sum(leaves)
    totals = sums.totals
    if totals is None:
        raise BrokenInvariant("number of globals leaves", 1, 0)
    pools = sum(market.pool for market in sums.markets.values())
    held = sums.cash + totals.fees + totals.insurance + pools - totals.bad_debt
    _require("cash + fees + insurance + pools - bad debt", totals.deposits - totals.withdrawals, held)
    _require("withdrawn by accounts", totals.withdrawals, sums.withdrawn)
    _require("accounts", totals.accounts, sums.accounts)
    _require("insolvent accounts", totals.insolvent, sums.insolvent)
    for number in sorted(sums.markets.keys() | sums.net.keys()):
        _check_market(sums, number)
    return Report(
        sums.accounts, sums.cash, totals.fees, totals.insurance, pools, totals.bad_debt, totals.deposits,
        totals.withdrawals, totals.insolvent,
        {number: market.open_interest for number, market in sorted(sums.markets.items())},
    )  # fmt: skip


def _sum(leaves: Iterable[tuple[int, bytes]]) -> _Sums:
    sums = _Sums()
    for key, value in leaves:
        kind = kind_of(key)
        if kind is KeyKind.GLOBALS:
            sums.totals = Globals.decode(value)
        elif kind is KeyKind.MARKET:
            sums.markets[index_of(key)] = Market.decode(value)
        elif kind is KeyKind.UNDERLYING:
            sums.underlyings[index_of(key)] = Underlying.decode(value)
        elif kind is KeyKind.SERIES:
            sums.series[underlying_of(key), index_of(key)] = Series.decode(value)
        elif kind is KeyKind.ACCOUNT:
            sums.add(Account.decode(value))
    return sums


def _check_market(sums: _Sums, number: int) -> None:
    market = sums.markets.get(number)
    _require(f"open interest of market {number}", market.open_interest if market else 0, sums.long[number])
    if market is None:
        _require(f"net position in market {number}", 0, sums.net[number])
        return
    if market.kind == MarketKind.PERP:
        _check_perpetual(sums, number, market)
        return
    series = sums.series.get((market.underlying, market.series))
    if series is None or not series.settlement:
        _require(f"net position in market {number}", 0, sums.net[number])
        _require(f"pool of market {number}", 0, market.pool)
        return
    # Each holder is paid once, rounded down by less than a unit, which stays in the pool.
    value = value_at_expiry(market, series)
    owed = sum(position.size * value // MILLION for position in sums.positions.get(number, ()))
    if not owed <= market.pool <= owed + sums.accounts:
        raise BrokenInvariant(f"pool of settled market {number}", owed, market.pool)


def _check_perpetual(sums: _Sums, number: int, market: Market) -> None:
    """It nets to zero; or its last price is abandoned, and the pool holds what the rest is owed, more by rounding."""
    assert sums.totals is not None, "checked before"
    now = sums.totals.time
    underlying = sums.underlyings.get(market.underlying)
    if underlying is None or not 0 < underlying.time < now - WIND_UP:
        _require(f"net position in market {number}", 0, sums.net[number])
        return
    coin = accrue(underlying, now)
    owed = sum(
        position.size * coin.mark // MILLION - funding_due(position.size, position.funding_index, coin.funding_index)
        for position in sums.positions.get(number, ())
    )
    if market.pool < owed:
        raise BrokenInvariant(f"pool of abandoned market {number}", owed, market.pool)


def _require(what: str, expected: int, actual: int) -> None:
    if expected != actual:
        raise BrokenInvariant(what, expected, actual)
