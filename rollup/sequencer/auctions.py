"""Running liquidation auctions, as liquidators see them: what is for sale now, and at what price."""

from __future__ import annotations

from dataclasses import dataclass

from rollup.errors import InvalidTransaction
from rollup.sequencer.desk import Desk
from rollup.stf.fixed import div_ceil, div_floor
from rollup.stf.fund import available
from rollup.stf.holdings import slice_of
from rollup.stf.liquidation import auction_of, is_spent
from rollup.stf.margin import Margin, initial
from rollup.stf.settlement import settle
from rollup.stf.sheets import sheet_of
from rollup.types.keys import GLOBALS
from rollup.types.leaves import Account, Globals
from rollup.types.limits import MILLION, MIN_FRACTION

_DUES = 5


@dataclass(frozen=True, slots=True)
class AuctionView:
    """A flagged account below its maintenance margin. Money in µUSD, times in seconds, fractions in ppm.

    `fraction` is the most that is sold at once now and `least` the least that may be bid for; `value` is what these
    slices are worth at their marks, `price` what a liquidator pays for them, `gain` the difference. `ends` is when the
    discount is at its largest. A `spent` flag takes no bids before it is raised anew: the terms are as if it were now.
    """

    account: int
    status: int
    flagged: int
    ends: int
    equity: int
    maintenance: int
    initial: int
    gross: int
    fraction: int
    least: int
    value: int
    price: int
    fund: int
    slices: tuple[tuple[int, int], ...]
    spent: bool

    @property
    def gain(self) -> int:
        """What the liquidator has from it at once (µUSD)."""
        return self.value - self.price


def live_auctions(desk: Desk) -> list[AuctionView]:
    """All that can be bid for now, by account."""
    found = (_auction(desk, number) for number in sorted(desk.flagged))
    return [auction for auction in found if auction is not None]


def _auction(desk: Desk, number: int) -> AuctionView | None:
    """None if there is nothing to bid for, or no price."""
    builder = desk.ledger.begin()
    account = builder.account(number)
    if account is None or account.status == 0 or not account.positions:
        return None
    totals = Globals.decode(desk.ledger.leaf(GLOBALS))
    try:
        found = builder.margin_of(account)
        settled = settle(builder.view, account)
    except InvalidTransaction:
        return None
    finally:
        builder.view.drop()
    if found.equity >= found.maintenance or not settled.positions:
        return None
    return _terms(desk, number, settled, found, totals)


def _terms(desk: Desk, number: int, account: Account, found: Margin, totals: Globals) -> AuctionView:
    view, now = desk.ledger.begin().view, desk.ledger.now()
    spent = is_spent(account, now, totals.auction)
    flagged = now if spent else account.flagged
    discount, need = auction_of(found, now - flagged, totals.auction)
    slices = tuple(
        (position.market, slice_of(position.size, need, view.market(position.market).lot))
        for position in account.positions
    )
    marks = {position.market: sheet_of(view, position.market).mark for position in account.positions}
    value = div_ceil(sum(size * marks[market] for market, size in slices), MILLION)
    off = div_floor(discount * need, MILLION)
    price = value - off + off // _DUES if found.equity >= 0 else value - off
    gross = sum(abs(position.size) * marks[position.market] for position in account.positions) // MILLION
    return AuctionView(
        number, account.status, flagged, flagged + totals.auction, found.equity, found.maintenance,
        initial(found.maintenance), gross, need, min(need, MIN_FRACTION), value, price, available(totals), slices,
        spent,
    )  # fmt: skip
