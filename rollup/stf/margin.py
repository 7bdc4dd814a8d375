"""Equity and margin of an account: a full revaluation under a grid of shocks per underlying (SPEC section 6).

The sequencer uses the same functions to decide whether a resting order could still fill.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from rollup.errors import InvalidTransaction
from rollup.stf import meters
from rollup.stf.context import Context
from rollup.stf.fixed import div_ceil, div_floor
from rollup.stf.sheets import COLUMN_BITS, SCENARIOS, Sheet, sheet_of
from rollup.types.leaves import Account, MarketKind, Position
from rollup.types.limits import MILLION
from rollup.types.reasons import Reason

_COLUMN_BYTES: Final = COLUMN_BITS // 8
_ROW_BYTES: Final = _COLUMN_BYTES * len(SCENARIOS)
_HALF: Final = 1 << COLUMN_BITS - 1
_BIAS: Final = sum(_HALF << COLUMN_BITS * scenario for scenario in range(len(SCENARIOS)))
"""Added to a row, it makes every column an unsigned number, in the same order."""


class Margin(NamedTuple):
    """Figures of an account in µUSD: equity rounded down, maintenance margin rounded up."""

    equity: int
    maintenance: int


def margin(ctx: Context, account: Account) -> Margin:
    """Equity and maintenance margin of a settled account. Meter: one revaluation per position.

    ORACLE_STALE if the transaction at work relies on old prices, and those of an underlying are of different times.
    """
    positions = account.positions
    ctx.meters.add(meters.REVALUATIONS, len(positions))
    if len(positions) == 1:
        return _margin_of_one(account.cash, positions[0].size, sheet_of(ctx, positions[0].market))
    value = contingency = 0
    books: dict[int, list[tuple[int, Sheet]]] = {}
    for position in positions:
        size, market = position.size, position.market
        sheet = sheet_of(ctx, market)
        value += size * sheet.mark
        contingency += size * sheet.long_rate if size > 0 else -size * sheet.short_rate
        books.setdefault(sheet.underlying, []).append((size, sheet))
    if ctx.outdated:
        _require_one_time(ctx, positions)
    maintenance = 0
    for legs in books.values():
        maintenance += div_ceil(worst_loss(legs), MILLION)
        contingency += uncovered_calls(legs)
    return Margin(account.cash + div_floor(value, MILLION), maintenance + div_ceil(contingency, MILLION))


def initial(maintenance: int) -> int:
    """What an account must have to open or enlarge positions (µUSD): a quarter more than maintenance, rounded up."""
    return maintenance + div_ceil(maintenance, 4)


def required(ctx: Context, maintenance: int) -> int:
    """The initial margin (µUSD) that the transaction at work demands: twice as much if it relies on an old price.

    Whoever knows the price since then holds an option for nothing; the margin bounds what it is worth.
    """
    return initial(maintenance) << ctx.outdated


def require_initial(ctx: Context, account: Account) -> Margin:
    """The margin of the settled account; MARGIN unless its equity reaches the initial margin that is `required`."""
    found = margin(ctx, account)
    if found.equity < required(ctx, found.maintenance):
        raise InvalidTransaction(Reason.MARGIN)
    return found


def _require_one_time(ctx: Context, positions: tuple[Position, ...]) -> None:
    """Raise ORACLE_STALE if old prices of an underlying are of other times than that of its first position.

    Legs are netted against each other. Priced at different times they are no hedge, and no multiple of their margin
    bounds what moved in between.
    """
    anchors: dict[int, int] = {}
    for position in positions:
        market = ctx.market(position.market)
        underlying = ctx.underlying(market.underlying)
        perpetual = market.kind == MarketKind.PERP
        time = underlying.time if perpetual else ctx.series(market.underlying, market.series).time
        if abs(time - anchors.setdefault(market.underlying, time)) > underlying.max_age:
            raise InvalidTransaction(Reason.ORACLE_STALE)


def _margin_of_one(cash: int, size: int, sheet: Sheet) -> Margin:
    """The same for a single position, as most accounts have, in a third of the time."""
    if size > 0:
        loss, rate = -size * sheet.lowest, size * sheet.long_rate
    else:
        loss, rate = -size * sheet.highest, -size * (sheet.short_rate + sheet.call_rate)
    return Margin(cash + size * sheet.mark // MILLION, -(-loss // MILLION) - (-rate // MILLION))


def worst_loss(legs: list[tuple[int, Sheet]]) -> int:
    """The largest loss of the holdings (size, sheet) of one underlying in any scenario: 10^-12 USD, never negative.

    One scenario shocks nothing, so the least profit is at most zero.
    """
    if len(legs) == 1:  # Most accounts, most of the time.
        size, sheet = legs[0]
        return -size * (sheet.lowest if size > 0 else sheet.highest)
    total = _BIAS
    for size, sheet in legs:
        total += size * sheet.row
    # Unsigned columns of one width compare as their bytes do.
    columns = total.to_bytes(_ROW_BYTES, "big")
    least = min([columns[at : at + _COLUMN_BYTES] for at in range(0, _ROW_BYTES, _COLUMN_BYTES)])
    return _HALF - int.from_bytes(least, "big")


def uncovered_calls(legs: list[tuple[int, Sheet]]) -> int:
    """Contingency of the calls of one underlying that are short with no long ones of their series: 10^-12 USD."""
    net: dict[int, int] = {}
    rates: dict[int, int] = {}
    for size, sheet in legs:
        if sheet.call_rate:
            series = sheet.series
            net[series] = net.get(series, 0) + size
            rates[series] = sheet.call_rate
    return sum(max(0, -size) * rates[series] for series, size in net.items())
