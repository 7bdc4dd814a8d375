"""What the oracle's feeders have signed: enough of them, each for itself, on a time that is newer and not too old."""

from __future__ import annotations

from typing import Final

from rollup.errors import InvalidTransaction
from rollup.stf.authorise import recover_address
from rollup.stf.context import Context
from rollup.types.leaves import OracleSet, Underlying
from rollup.types.limits import MILLION
from rollup.types.reasons import Reason

_MOVE_PERIOD: Final = 60
"""Seconds after which the largest move is allowed once more."""


def require_time(ctx: Context, underlying: Underlying, known: int, time: int) -> None:
    """Raise ORACLE_TIME unless `time` is after the time `known` so far and not ahead of the block, ORACLE_STALE.

    Forced through L1 an update may have waited, so it may be older than others.
    """
    if time <= known or time > ctx.timestamp:
        raise InvalidTransaction(Reason.ORACLE_TIME)
    if ctx.timestamp - time > underlying.max_age:
        ctx.excuse(time)


def require_move(old: int, new: int, limit: int, elapsed: int) -> None:
    """Raise ORACLE_MOVE if a figure moved by more than `limit` ppm for each started minute of `elapsed` (s)."""
    if abs(new - old) * MILLION > limit * (1 + elapsed // _MOVE_PERIOD) * old:
        raise InvalidTransaction(Reason.ORACLE_MOVE)


def require_signers(
    ctx: Context, oracles: OracleSet, signers: int, signatures: tuple[bytes, ...], digest: bytes
) -> None:
    """Raise unless enough feeders signed `digest`: ORACLE_SIGNERS, SIGNATURE_MALFORMED, SIGNATURE_INVALID."""
    if signers >> len(oracles.feeders) or signers.bit_count() < oracles.threshold:
        raise InvalidTransaction(Reason.ORACLE_SIGNERS)
    named = [feeder for bit, feeder in enumerate(oracles.feeders) if signers >> bit & 1]
    for feeder, signature in zip(named, signatures, strict=True):
        if recover_address(ctx, digest, signature) != feeder:
            raise InvalidTransaction(Reason.SIGNATURE_INVALID)
