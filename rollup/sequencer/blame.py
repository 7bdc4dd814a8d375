"""Who is at fault when the state transition refuses a proposed trade: the resting order leaves, or the taker stops.

The transition reports a reason, not a party. What concerns one order alone is looked at for the maker; everything else,
a price band for instance, ends the taker and spares the resting order.
"""

from __future__ import annotations

from typing import Final

from rollup.errors import InvalidTransaction
from rollup.sequencer.ledger import Ledger
from rollup.sequencer.matching import Party
from rollup.sequencer.matching_orders import Fill
from rollup.stf.fixed import div_ceil
from rollup.stf.holdings import held, is_shrinking, with_size
from rollup.stf.margin import initial
from rollup.types.leaves import Market
from rollup.types.limits import MAX_POSITIONS, MILLION
from rollup.types.reasons import Reason

_OF_ORDER: Final = frozenset(
    {Reason.NONCE_FLOOR, Reason.NONCE_STALE, Reason.ORDER_UNKNOWN, Reason.ORDER_CONFLICT, Reason.SIGNATURE_INVALID,
     Reason.OVERFILL}
)  # fmt: skip
"""Reasons that a resting order meets only if something changed behind it; a taker was checked a moment ago."""


def party_at_fault(ledger: Ledger, error: InvalidTransaction, fill: Fill, market: Market) -> Party:
    """The party whose side of `fill` the state refuses."""
    reason = Reason(error.reason)
    if reason in _OF_ORDER:
        return Party.MAKER
    if reason is Reason.ORDER_EXPIRED:
        return Party.MAKER if fill.maker.expiry < ledger.now() else Party.TAKER
    concerned = {Reason.MARGIN, Reason.REDUCE_ONLY, Reason.POSITION_LIMIT, Reason.POSITIONS_FULL}
    if reason in concerned and _maker_fails(ledger, fill, market):
        return Party.MAKER
    return Party.TAKER


def _maker_fails(ledger: Ledger, fill: Fill, market: Market) -> bool:
    """Whether the maker's side alone would be refused."""
    builder = ledger.begin()
    account = builder.account(fill.maker.account)
    if account is None:
        return True
    old = held(account, fill.maker.market)
    new = old + (fill.size if fill.maker.is_buy else -fill.size)
    shrinks = is_shrinking(old, new)
    if fill.maker.reduce_only and not shrinks:
        return True
    if abs(new) > market.max_position and abs(new) >= abs(old):
        return True
    if old == 0 and len(account.positions) == MAX_POSITIONS:
        return True
    amount = fill.size * fill.price // MILLION
    cash = account.cash - (amount if fill.maker.is_buy else -amount) - div_ceil(amount * market.maker_fee, MILLION)
    index = builder.view.underlying(market.underlying).funding_index
    try:
        equity, maintenance = builder.margin_of(with_size(account, fill.maker.market, new, index, cash))
        if equity >= initial(maintenance):
            return False
        equity_before, maintenance_before = builder.margin_of(account)
    except InvalidTransaction:
        return False
    return not shrinks or equity * maintenance_before < equity_before * maintenance
