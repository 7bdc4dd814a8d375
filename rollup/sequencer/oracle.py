"""The oracle as the exchange shows it to feeders, and the digests of what they submit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rollup.crypto.eip712 import oracle_digest, surface_digest
from rollup.sequencer.desk import Desk
from rollup.sequencer.rejections import refusal
from rollup.types.keys import ORACLE_SET, series_key, underlying_key
from rollup.types.leaves import OracleSet
from rollup.types.limits import CLOSING
from rollup.types.markets import Series, Underlying
from rollup.types.prices import OracleUpdate, SurfaceUpdate
from rollup.types.reasons import Reason

RECENT: Final = 3_600
"""Seconds after its expiry for which a settled series is still shown; later its instruments say what it paid."""
_PRICE_BITS: Final = (16, 40, 48, 48, 8)
_SURFACE_BITS: Final = (16, 16, 40, 48, -48, 48, -32, -48, 48, 32, 8)
"""Widths of the fields on the wire; negative ones are signed."""


@dataclass(frozen=True, slots=True)
class OracleView:
    """The oracle set, and the leaves of coins and expiries that markets are listed on, by number.

    Of the expiries those that may still be priced, and those that settled within the last hour.
    """

    time: int
    oracles: OracleSet
    underlyings: Mapping[int, Underlying]
    series: Mapping[tuple[int, int], Series]


def oracle_view(desk: Desk) -> OracleView:
    """From the newest state, durable or not."""
    ledger = desk.ledger
    now = ledger.now()
    coins = sorted({instrument.market.underlying for instrument in desk.catalogue})
    # A day after expiry a series closes without feeders.
    open_ = [each for each in desk.catalogue if each.expiry and now < each.expiry + CLOSING]
    dated = {(each.market.underlying, each.market.series): each.expiry for each in open_}
    series = {pair: Series.decode(ledger.leaf(series_key(*pair))) for pair in sorted(dated)}
    return OracleView(
        now,
        OracleSet.decode(ledger.leaf(ORACLE_SET)),
        {number: Underlying.decode(ledger.leaf(underlying_key(number))) for number in coins},
        {pair: leaf for pair, leaf in series.items() if not leaf.settlement or now < leaf.expiry + RECENT},
    )


def oracle_digests(separator: bytes, update: OracleUpdate | SurfaceUpdate) -> tuple[tuple[bytes, bytes], ...]:
    """(digest, signature) of each signature; Refused for numbers that no field holds, or another count of them."""
    if isinstance(update, OracleUpdate):
        prices = (update.underlying, update.time, update.spot, update.mark, update.signers)
        if not _fit(prices, _PRICE_BITS):
            raise refusal(Reason.ORACLE_PRICE)
        digest = oracle_digest(separator, *prices[:4])
    else:
        values = (
            update.underlying, update.series, update.time, update.forward, update.a, update.b, update.rho, update.m,
            update.sigma, update.confidence, update.signers,
        )  # fmt: skip
        if not _fit(values, _SURFACE_BITS):
            raise refusal(Reason.SURFACE_INVALID)
        digest = surface_digest(separator, *values[:10])
    if update.signers.bit_count() != len(update.signatures):
        raise refusal(Reason.ORACLE_SIGNERS)
    return tuple((digest, signature) for signature in update.signatures)


def _fit(numbers: tuple[int, ...], widths: tuple[int, ...]) -> bool:
    for number, bits in zip(numbers, widths, strict=True):
        low, high = (0, 1 << bits) if bits > 0 else (-(1 << -bits - 1), 1 << -bits - 1)
        if not low <= number < high:
            return False
    return True
