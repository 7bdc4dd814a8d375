"""Equity and margin of an account: a full revaluation under a grid of shocks per underlying (SPEC section 6).

A market's prices under all scenarios are computed once per block and price (its *sheet*), and shared by every account.
The sequencer uses the same functions to decide whether a resting order could still fill.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from rollup.errors import InvalidTransaction
from rollup.stf import meters
from rollup.stf.context import Context
from rollup.stf.fixed import div_ceil, div_floor
from rollup.types.leaves import Account, Market, MarketKind, Underlying
from rollup.types.limits import MILLION
from rollup.types.reasons import Reason

_UP, _SAME, _DOWN = 1, 0, -1
SCENARIOS: Final = (
    *((steps, volatility) for steps in (0, 1, -1, 2, -2, 3, -3) for volatility in (_UP, _SAME, _DOWN)),
    (4, _UP),
    (-4, _UP),
)
"""The 23 scenarios: shock of the price in steps of the underlying's spot_step, direction of the volatility's shock."""

_CONTINGENCY_UNIT: Final = 10**12
"""µcoin times µUSD per coin times ppm, in µUSD."""


class Margin(NamedTuple):
    """Figures of an account in µUSD: equity rounded down, maintenance margin rounded up."""

    equity: int
    maintenance: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A market's prices in one block. `shifts` are what each scenario adds to the mark (µUSD per coin)."""

    underlying: int
    mark: int
    contingency: int
    shifts: tuple[int, ...]
    lowest: int
    highest: int


def margin(ctx: Context, account: Account) -> Margin:
    """Equity and maintenance margin of an account whose funding is settled. Meter: one revaluation per position."""
    positions = account.positions
    ctx.meters.add(meters.REVALUATIONS, len(positions))
    value = contingency = 0
    books: dict[int, list[tuple[int, Sheet]]] = {}
    for position in positions:
        size = position.size
        sheet = ctx.sheets.get(position.market) or _draw_sheet(ctx, position.market)
        raw = size * sheet.mark
        value += raw
        contingency += abs(raw) * sheet.contingency
        books.setdefault(sheet.underlying, []).append((size, sheet))
    maintenance = div_ceil(contingency, _CONTINGENCY_UNIT)
    for legs in books.values():
        maintenance += div_ceil(worst_loss(legs), MILLION)
    return Margin(account.cash + div_floor(value, MILLION), maintenance)


def initial(maintenance: int) -> int:
    """What an account must have to open or enlarge positions (µUSD): a quarter more than maintenance, rounded up."""
    return maintenance + div_ceil(maintenance, 4)


def require_initial(ctx: Context, account: Account) -> None:
    """Raise MARGIN unless the equity of the settled account reaches its initial margin."""
    equity, maintenance = margin(ctx, account)
    if equity < initial(maintenance):
        raise InvalidTransaction(Reason.MARGIN)


def worst_loss(legs: list[tuple[int, Sheet]]) -> int:
    """The largest loss of the holdings (size, sheet) of one underlying in any scenario: 10^-12 USD, never negative.

    The first scenario shocks nothing, so the least profit is at most zero.
    """
    if len(legs) == 1:  # Most accounts, most of the time; four times as fast as the general way.
        size, sheet = legs[0]
        return -size * (sheet.lowest if size > 0 else sheet.highest)
    profits = [0] * len(SCENARIOS)
    for size, sheet in legs:
        for scenario, shift in enumerate(sheet.shifts):
            profits[scenario] += size * shift
    return -min(profits)


def shocked_prices(market: Market, underlying: Underlying) -> tuple[int, ...]:
    """A market's price under each scenario, µUSD per coin, rounded down.

    Linear markets follow the shock and ignore volatility. Options will be repriced here, once they can be held.
    """
    assert market.kind == MarketKind.PERP, "only perpetuals can be held"
    mark, step = underlying.mark, underlying.spot_step
    return tuple(div_floor(mark * (MILLION + steps * step), MILLION) for steps, _ in SCENARIOS)


def _draw_sheet(ctx: Context, number: int) -> Sheet:
    market = ctx.market(number)
    underlying = ctx.underlying(market.underlying)
    shifts = tuple(price - underlying.mark for price in shocked_prices(market, underlying))
    sheet = Sheet(market.underlying, underlying.mark, market.contingency, shifts, min(shifts), max(shifts))
    ctx.sheets[number] = sheet
    return sheet
