"""Liquidators: each looks at the flagged accounts after every price, and bids where the discount has become worth it.

What an auction offers is read from the inspector's own state, not asked of the sequencer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from rollup.errors import Rejected
from rollup.replay.crash.inspector import Inspector
from rollup.replay.signing import Signer
from rollup.replay.tally import Tally
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.rejections import REFUSALS
from rollup.stf.builder import BlockBuilder
from rollup.stf.fixed import div_ceil
from rollup.stf.holdings import slice_of
from rollup.stf.liquidation import is_spent
from rollup.stf.sheets import sheet_of
from rollup.types.leaves import Account
from rollup.types.limits import MILLION, MIN_FRACTION
from rollup.types.reasons import Reason
from rollup.types.transactions import Bid

FRACTIONS: Final = (1, 2, 4, 8)
"""A liquidator that could not bear all of it tries so many parts of it."""
_KEPT: Final = Fraction(4, 5)
"""Of a solvent account's discount the liquidator keeps this; the rest is the insurance fund's."""


@dataclass(frozen=True, slots=True)
class Liquidator:
    """`greed` is the gain it wants, ppm of the value at the marks."""

    signer: Signer
    greed: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be had of an account: the most that is for sale (ppm), and the gain on all of it (ppm of its value)."""

    number: int
    fraction: int
    gain: int


class Auctioneers:
    """All liquidators of a replay; those that want least come first."""

    def __init__(
        self, exchange: Exchange, inspector: Inspector, liquidators: Sequence[Liquidator], tally: Tally
    ) -> None:
        self._exchange = exchange
        self._inspector = inspector
        self._liquidators = sorted(liquidators, key=lambda each: each.greed)
        self._tally = tally

    async def act(self, now: int) -> None:
        """Bid for everything that is worth it at `now` (s)."""
        for number in self._inspector.flagged:
            for liquidator in self._liquidators:
                offer = read_offer(self._inspector.begin(now), number)
                if offer is None or offer.gain < liquidator.greed or number == liquidator.signer.account:
                    continue
                await self._bid(liquidator, offer, now)

    async def _bid(self, liquidator: Liquidator, offer: Offer, now: int) -> None:
        """Bid for all that is for sale, or for as much of it as the liquidator's margin bears."""
        for part in FRACTIONS:
            bid = self._sign(liquidator, offer, max(min(MIN_FRACTION, offer.fraction), offer.fraction // part), now)
            try:
                await self._exchange.submit(bid)
            except REFUSALS[Reason.MARGIN] as error:
                self._tally.refuse(error)
            except Rejected as error:
                self._tally.refuse(error)
                return
            else:
                return

    def _sign(self, liquidator: Liquidator, offer: Offer, fraction: int, now: int) -> Bid:
        builder = self._inspector.begin(now)
        account = builder.view.account(offer.number)
        # What the slices are worth at their marks: a liquidator never pays more than that.
        return liquidator.signer.bid(offer.number, fraction, slices_value(builder, account, fraction), now)


def read_offer(builder: BlockBuilder, number: int) -> Offer | None:
    """What an account's auction offers by SPEC 6; None if it is not for sale."""
    account = builder.view.account(number)
    if not account.status or not account.positions:
        return None
    equity, maintenance = builder.margin_of(account)
    if equity >= maintenance:
        return None
    auction = builder.view.globals().auction
    if is_spent(account, builder.timestamp, auction):
        return None
    passed = min(builder.timestamp - account.flagged, auction)
    gross = div_ceil(
        sum(abs(position.size) * sheet_of(builder.view, position.market).mark for position in account.positions),
        MILLION,
    )
    if equity < 0:
        return Offer(number, MILLION, maintenance * passed * MILLION // (10 * auction * max(1, gross)))
    discount = equity * passed // auction
    initial = maintenance + div_ceil(maintenance, 4)
    need = min(MILLION, div_ceil(MILLION * (initial - equity), initial - discount))
    return Offer(number, need, int(_KEPT * discount * MILLION / max(1, gross)))


def slices_value(builder: BlockBuilder, account: Account, fraction: int) -> int:
    """Value (µUSD, rounded up) at the marks of a fraction (ppm) of every position."""
    value = 0
    for position in account.positions:
        lot = builder.view.market(position.market).lot
        value += slice_of(position.size, fraction, lot) * sheet_of(builder.view, position.market).mark
    return div_ceil(value, MILLION)
