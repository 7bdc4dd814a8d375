"""A price that k of n feeders have signed: newer than the last, not too old, within the limits of move and basis."""

from __future__ import annotations

from dataclasses import replace

from rollup.crypto.eip712 import oracle_digest
from rollup.errors import InvalidTransaction
from rollup.stf.context import Context
from rollup.stf.feeders import require_move, require_signers, require_time
from rollup.stf.halt import watch
from rollup.types.keys import underlying_key
from rollup.types.leaves import Underlying
from rollup.types.limits import MILLION, PRICE_BOUND
from rollup.types.reasons import Reason
from rollup.types.transactions import OracleUpdate


def execute_oracle_update(ctx: Context, tx: OracleUpdate) -> None:
    """Set spot, mark and their time. Funding has accrued up to this block at the old ones: the touch came first.

    MARKET_EXPIRED once the old price is abandoned: holders of the perpetual are being paid out at it.
    """
    oracles = ctx.oracle_set()
    underlying = ctx.underlying(tx.underlying)
    if ctx.is_abandoned(underlying.time):
        raise InvalidTransaction(Reason.MARKET_EXPIRED)
    require_time(ctx, underlying, underlying.time, tx.time)
    _require_prices(underlying, tx)
    digest = oracle_digest(ctx.separator, tx.underlying, tx.time, tx.spot, tx.mark)
    require_signers(ctx, oracles, tx.signers, tx.signatures, digest)
    priced = replace(underlying, spot=tx.spot, mark=tx.mark, time=tx.time)
    ctx.stage(underlying_key(tx.underlying), watch(priced, ctx.timestamp))
    # This cannot fail any more, so the sheets of the old price can go.
    ctx.forget_sheets(tx.underlying, 0)


def _require_prices(underlying: Underlying, tx: OracleUpdate) -> None:
    if not 0 < tx.spot < PRICE_BOUND or not 0 < tx.mark < PRICE_BOUND:
        raise InvalidTransaction(Reason.ORACLE_PRICE)
    if abs(tx.mark - tx.spot) * MILLION > underlying.max_basis * tx.spot:
        raise InvalidTransaction(Reason.ORACLE_PRICE)
    if underlying.time > 0:
        require_move(underlying.spot, tx.spot, underlying.max_move, tx.time - underlying.time)
