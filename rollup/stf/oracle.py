"""A price that k of n feeders have signed: newer than the last, not too old, within the limits of move and basis."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rollup.crypto.eip712 import oracle_digest
from rollup.errors import InvalidTransaction
from rollup.stf.authorise import recover_address
from rollup.stf.context import Context
from rollup.types.keys import underlying_key
from rollup.types.leaves import OracleSet, Underlying
from rollup.types.limits import MILLION, PRICE_BOUND
from rollup.types.reasons import Reason
from rollup.types.transactions import OracleUpdate

_MOVE_PERIOD: Final = 60
"""Seconds after which the largest move is allowed once more."""


def execute_oracle_update(ctx: Context, tx: OracleUpdate) -> None:
    """Set spot, mark and their time. Funding has accrued up to this block at the old ones: the touch came first."""
    oracles = ctx.oracle_set()
    underlying = ctx.underlying(tx.underlying)
    _require_time(ctx, underlying, tx.time)
    _require_prices(underlying, tx)
    _require_signers(ctx, oracles, tx)
    ctx.stage(underlying_key(tx.underlying), replace(underlying, spot=tx.spot, mark=tx.mark, time=tx.time))
    # This cannot fail any more, so the sheets of the old price can go; a few markets are drawn again.
    ctx.sheets.clear()


def _require_time(ctx: Context, underlying: Underlying, time: int) -> None:
    if time <= underlying.time or time > ctx.timestamp:
        raise InvalidTransaction(Reason.ORACLE_TIME)
    if ctx.timestamp - time > underlying.max_age:
        raise InvalidTransaction(Reason.ORACLE_STALE)


def _require_prices(underlying: Underlying, tx: OracleUpdate) -> None:
    if not 0 < tx.spot < PRICE_BOUND or not 0 < tx.mark < PRICE_BOUND:
        raise InvalidTransaction(Reason.ORACLE_PRICE)
    if abs(tx.mark - tx.spot) * MILLION > underlying.max_basis * tx.spot:
        raise InvalidTransaction(Reason.ORACLE_PRICE)
    if underlying.time > 0:
        periods = 1 + (tx.time - underlying.time) // _MOVE_PERIOD
        if abs(tx.spot - underlying.spot) * MILLION > underlying.max_move * periods * underlying.spot:
            raise InvalidTransaction(Reason.ORACLE_MOVE)


def _require_signers(ctx: Context, oracles: OracleSet, tx: OracleUpdate) -> None:
    if tx.signers >> len(oracles.feeders) or tx.signers.bit_count() < oracles.threshold:
        raise InvalidTransaction(Reason.ORACLE_SIGNERS)
    digest = oracle_digest(ctx.separator, tx.underlying, tx.time, tx.spot, tx.mark)
    named = [feeder for bit, feeder in enumerate(oracles.feeders) if tx.signers >> bit & 1]
    for feeder, signature in zip(named, tx.signatures, strict=True):
        if recover_address(ctx, digest, signature) != feeder:
            raise InvalidTransaction(Reason.SIGNATURE_INVALID)
