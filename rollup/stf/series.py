"""The forward and volatility of one expiry, signed by feeders; they also make the price at which it settles."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rollup.crypto.eip712 import surface_digest
from rollup.errors import InvalidTransaction
from rollup.stf.context import Context
from rollup.stf.expiry import averaged, closed, last_forward
from rollup.stf.feeders import require_move, require_signers, require_time
from rollup.stf.sheets import slice_of_series
from rollup.stf.surface import is_admissible, volatility
from rollup.types.keys import series_key
from rollup.types.leaves import Series, Underlying
from rollup.types.limits import MILLION, PRICE_BOUND
from rollup.types.reasons import Reason
from rollup.types.transactions import SurfaceUpdate

_BASIS_PERIOD: Final = 30 * 86_400
"""The forward may be away from spot by max_basis for each started 30 days to expiry."""


def execute_surface_update(ctx: Context, tx: SurfaceUpdate) -> None:
    """Set a series' forward and slice, and settle it if this update is the first at or after its expiry."""
    oracles = ctx.oracle_set()
    underlying = ctx.underlying(tx.underlying)
    old = ctx.series(tx.underlying, tx.series)
    if old.settlement:
        raise InvalidTransaction(Reason.MARKET_EXPIRED)
    require_time(ctx, underlying, old.time, tx.time)
    new = replace(
        old, time=tx.time, forward=tx.forward, a=tx.a, b=tx.b, rho=tx.rho, m=tx.m, sigma=tx.sigma,
        confidence=tx.confidence,
    )  # fmt: skip
    _require_slice(underlying, old, new)
    digest = surface_digest(
        ctx.separator, tx.underlying, tx.series, tx.time, tx.forward, tx.a, tx.b, tx.rho, tx.m, tx.sigma, tx.confidence
    )
    require_signers(ctx, oracles, tx.signers, tx.signatures, digest)
    ctx.stage(series_key(tx.underlying, tx.series), _closed(underlying, old, new))
    # This cannot fail any more, so the sheets of the old slice can go.
    ctx.forget_sheets(tx.underlying, tx.series)


def _closed(underlying: Underlying, old: Series, new: Series) -> Series:
    """`new` with its share of the settlement average, and with the settlement price if it has expired."""
    series = averaged(underlying, old, new)
    if series.time < series.expiry:
        return series
    return closed(series, underlying.settlement_window, last_forward(underlying, old, new))


def _require_slice(underlying: Underlying, old: Series, new: Series) -> None:
    svi = slice_of_series(new)
    if not is_admissible(svi) or new.confidence > MILLION:
        raise InvalidTransaction(Reason.SURFACE_INVALID)
    if not 0 < new.forward < PRICE_BOUND or underlying.time == 0:
        raise InvalidTransaction(Reason.ORACLE_PRICE)
    spot = underlying.spot
    periods = 1 + max(0, new.expiry - new.time) // _BASIS_PERIOD
    if abs(new.forward - spot) * MILLION > underlying.max_basis * spot * periods:
        raise InvalidTransaction(Reason.ORACLE_PRICE)
    if old.time > 0:
        elapsed = new.time - old.time
        require_move(old.forward, new.forward, underlying.max_move, elapsed)
        require_move(volatility(slice_of_series(old), 0), volatility(svi, 0), underlying.max_vol_move, elapsed)
