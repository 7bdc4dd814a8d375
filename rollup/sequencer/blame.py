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
from rollup.stf.context import View
from rollup.stf.fills import Price, fill, require_margin
from rollup.stf.settlement import settle
from rollup.stf.sheets import sheet_of
from rollup.types.reasons import Reason

_OF_ORDER: Final = frozenset(
    {Reason.NONCE_FLOOR, Reason.NONCE_STALE, Reason.ORDER_UNKNOWN, Reason.ORDER_CONFLICT, Reason.SIGNATURE_INVALID,
     Reason.OVERFILL}
)  # fmt: skip
"""Reasons that a resting order meets only if something changed behind it; a taker was checked a moment ago."""
_OF_ACCOUNT: Final = frozenset(
    {Reason.MARGIN, Reason.REDUCE_ONLY, Reason.HALTED, Reason.POSITION_LIMIT, Reason.POSITIONS_FULL}
)
"""Reasons that either side may have given."""


def party_at_fault(ledger: Ledger, error: InvalidTransaction, proposed: Fill) -> Party:
    """The party whose side of a fill the state refuses."""
    reason = Reason(error.reason)
    if reason in _OF_ORDER:
        return Party.MAKER
    if reason is Reason.ORDER_EXPIRED:
        return Party.MAKER if proposed.maker.expiry < ledger.now() else Party.TAKER
    if reason in _OF_ACCOUNT and _maker_fails(ledger, proposed):
        return Party.MAKER
    return Party.TAKER


def _maker_fails(ledger: Ledger, proposed: Fill) -> bool:
    """Whether the maker's side alone would be refused."""
    view = ledger.begin().view
    try:
        _fill_maker(view, proposed)
    except InvalidTransaction as error:
        return Reason(error.reason) in _OF_ACCOUNT | {Reason.ACCOUNT_UNKNOWN}
    finally:
        view.drop()
    return False


def _fill_maker(view: View, proposed: Fill) -> None:
    """The maker's part of a trade; raises as the state transition does."""
    maker, number = proposed.maker, proposed.maker.market
    market, before = view.market(number), settle(view, view.account(maker.account))
    bought = proposed.size if maker.is_buy else -proposed.size
    at = Price(number, proposed.price, market, view.underlying(market.underlying), sheet_of(view, number))
    filled = fill(view, at, before, bought, market.maker_fee, reduce_only=maker.reduce_only)
    require_margin(view, before, filled.account, filled.shrank)
