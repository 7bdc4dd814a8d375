"""Promises about a whole state, checked from nothing but its leaves: money is conserved, every market nets to zero."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from rollup.errors import BrokenInvariant
from rollup.types.keys import KeyKind, index_of, kind_of
from rollup.types.leaves import Account, Globals, Market


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a sound state. Money in µUSD; `open_interest` in µcoin by market."""

    accounts: int
    cash: int
    fees: int
    insurance: int
    funding_pools: int
    deposits: int
    withdrawals: int
    open_interest: dict[int, int]


def check_invariants(leaves: Iterable[tuple[int, bytes]]) -> Report:
    """Check a whole state, given as (key, value); raises BrokenInvariant with the figures that disagree.

    Σ cash + fees + insurance + Σ funding pools = deposits - withdrawals; the positions of every market sum to zero, its
    long ones to its open interest; as many accounts as the totals say; withdrawals are the accounts' own.
    """
    totals: Globals | None = None
    markets: dict[int, Market] = {}
    accounts = cash = withdrawn = 0
    net: Counter[int] = Counter()
    long: Counter[int] = Counter()
    for key, value in leaves:
        kind = kind_of(key)
        if kind is KeyKind.GLOBALS:
            totals = Globals.decode(value)
        elif kind is KeyKind.MARKET:
            markets[index_of(key)] = Market.decode(value)
        elif kind is KeyKind.ACCOUNT:
            account = Account.decode(value)
            accounts += 1
            cash += account.cash
            withdrawn += account.withdrawn
            for position in account.positions:
                net[position.market] += position.size
                long[position.market] += max(position.size, 0)
    if totals is None:
        raise BrokenInvariant("number of globals leaves", 1, 0)
    pools = sum(market.funding_pool for market in markets.values())
    held = cash + totals.fees + totals.insurance + pools
    _require("cash + fees + insurance + funding pools", totals.deposits - totals.withdrawals, held)
    _require("withdrawn by accounts", totals.withdrawals, withdrawn)
    _require("accounts", totals.accounts, accounts)
    for number in sorted(markets.keys() | net.keys()):
        _require(f"net position in market {number}", 0, net[number])
        listed = markets[number].open_interest if number in markets else 0
        _require(f"open interest of market {number}", listed, long[number])
    return Report(
        accounts, cash, totals.fees, totals.insurance, pools, totals.deposits, totals.withdrawals,
        {number: market.open_interest for number, market in sorted(markets.items())},
    )  # fmt: skip


def _require(what: str, expected: int, actual: int) -> None:
    if expected != actual:
        raise BrokenInvariant(what, expected, actual)
