"""Sheets: the prices of one market under the 23 scenarios of margin, drawn once per block and shared by all accounts.

A sheet is drawn at first need and again after its prices changed; drawing an option's is the costliest thing that a
block does, and metered (SPEC section 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rollup.stf import black76, meters, surface, wad
from rollup.stf.context import Context
from rollup.stf.fixed import div_ceil, div_floor
from rollup.types.leaves import Market, MarketKind, Series, Underlying
from rollup.types.limits import MILLION

_UP, _SAME, _DOWN = 1, 0, -1
SCENARIOS: Final = (
    *((steps, volatility) for steps in (0, 1, -1, 2, -2, 3, -3) for volatility in (_UP, _SAME, _DOWN)),
    (4, _UP),
    (-4, _UP),
)
"""The 23 scenarios: shock of the price in steps of the underlying's spot_step, direction of the volatility's shock."""
UNSHOCKED: Final = 1
"""The scenario that shocks nothing: its price is the mark."""

COLUMN_BITS: Final = 128
"""Width of a scenario in `Sheet.row`: a portfolio's profit there stays within ±2^117."""

_DOUBT_UNIT: Final = 10**12
_steps = lru_cache(maxsize=64)(black76.make_steps)
_shock = lru_cache(maxsize=1024)(surface.shock)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A market's prices in one block (µUSD per coin). `shifts` are what each scenario adds to the mark.

    `band_base` is what the price band is a share of: the mark, of options the forward. `forward` is 0 for perpetuals.
    `long_rate` and `short_rate` are contingencies per coin; `call_rate` one more for each call that is short without a
    long one (0 for other markets). `row` holds all shifts in one integer, so that one multiplication values a holding
    under every scenario.
    """

    kind: int
    underlying: int
    series: int
    mark: int
    forward: int
    band_base: int
    long_rate: int
    short_rate: int
    call_rate: int
    shifts: tuple[int, ...]
    lowest: int
    highest: int
    row: int


def sheet_of(ctx: Context, number: int) -> Sheet:
    """The market's sheet, drawn if need be. Its leaves have been loaded before."""
    return ctx.find_sheet(number) or _draw(ctx, number)


def shocked_marks(mark: int, spot_step: int) -> tuple[int, ...]:
    """The price of a linear market under each scenario, rounded down: it follows the shock and ignores volatility."""
    return tuple(div_floor(mark * (MILLION + steps * spot_step), MILLION) for steps, _ in SCENARIOS)


def option_grid(market: Market, underlying: Underlying, series: Series, timestamp: int) -> tuple[int, ...]:
    """The price of an option under each scenario, by Black-76 on the series' forward and slice."""
    left = max(0, series.expiry - timestamp)
    moneyness = wad.ln_ratio(series.forward, market.strike)
    volatility = surface.volatility(slice_of_series(series), -moneyness)
    up, down = _shock(left, underlying.vol_up, underlying.vol_down)
    spreads = black76.deviations(volatility, surface.root_time(left), up, down)
    is_call = market.kind == MarketKind.CALL
    steps = _steps(underlying.spot_step)
    return black76.grid(is_call, series.forward, market.strike, moneyness, spreads, steps)


def slice_of_series(series: Series) -> surface.Slice:
    """The series' volatility slice."""
    return surface.Slice(series.a, series.b, series.rho, series.m, series.sigma)


def _draw(ctx: Context, number: int) -> Sheet:
    market = ctx.market(number)
    underlying = ctx.underlying(market.underlying)
    if market.kind == MarketKind.PERP:
        prices = shocked_marks(underlying.mark, underlying.spot_step)
        sheet = _linear(market, 0, underlying.mark, prices, 0)
    else:
        series = ctx.series(market.underlying, market.series)
        doubt = div_ceil(series.forward * (MILLION - series.confidence) * underlying.confidence_factor, _DOUBT_UNIT)
        if market.kind == MarketKind.FUTURE:
            prices = shocked_marks(series.forward, underlying.spot_step)
            sheet = _linear(market, series.forward, series.forward, prices, doubt)
        else:
            ctx.meters.add(meters.PRICINGS)
            # What a view has drawn for looking is the same; only now does the block pay for it.
            sheet = ctx.glances.get(number) or _option(ctx, market, underlying, series, doubt)
    ctx.keep_sheet(number, sheet)
    return sheet


def _linear(market: Market, forward: int, mark: int, prices: tuple[int, ...], doubt: int) -> Sheet:
    rate = div_ceil(mark * market.contingency, MILLION) + doubt
    return _sheet(market, forward, mark, mark, (rate, rate, 0), prices)


def _option(ctx: Context, market: Market, underlying: Underlying, series: Series, doubt: int) -> Sheet:
    prices = option_grid(market, underlying, series, ctx.timestamp)
    forward = series.forward
    short = doubt + div_ceil(forward * market.contingency, MILLION)
    naked = div_ceil(forward * underlying.call_contingency, MILLION) if market.kind == MarketKind.CALL else 0
    return _sheet(market, forward, prices[UNSHOCKED], forward, (doubt, short, naked), prices)


def _sheet(
    market: Market, forward: int, mark: int, base: int, rates: tuple[int, int, int], prices: tuple[int, ...]
) -> Sheet:
    shifts = tuple(price - mark for price in prices)
    row = sum(shift << COLUMN_BITS * scenario for scenario, shift in enumerate(shifts))
    return Sheet(
        market.kind, market.underlying, market.series, mark, forward, base, *rates, shifts, min(shifts), max(shifts),
        row,
    )  # fmt: skip
