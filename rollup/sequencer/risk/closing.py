"""How much of a position may be closed, and against whom: foreseen, so that nothing is sent that the rules refuse.

Nobody's hedge is taken for an account that can still pay: what is closed of it must not leave it riskier, and whoever
it is closed against must keep his initial margin (SPEC 6). All of an account that owes may be closed against anybody.
"""

from __future__ import annotations

from rollup.errors import InvalidTransaction
from rollup.stf.builder import BlockBuilder
from rollup.stf.holdings import with_size
from rollup.stf.margin import initial
from rollup.types.leaves import Account


def closable(builder: BlockBuilder, number: int, market: int) -> int:
    """The most (µcoin, whole lots, found by halving) of an account's position that may be closed; 0 if nothing may.

    The maintenance margin is convex in the size of a position, so where a lot is too much, so is everything.
    """
    lot, account = builder.view.market(market).lot, builder.view.account(number)
    size = abs(account.position_in(market)) // lot * lot
    try:
        equity, maintenance = builder.margin_of(account)
        while equity >= 0 and size and builder.margin_of(_less(account, market, size)).maintenance > maintenance:
            size = size // 2 // lot * lot
    except InvalidTransaction:
        return 0
    return size


def can_give(builder: BlockBuilder, number: int, counterparty: int, market: int, size: int) -> bool:
    """Whether the counterparty can give up `size` µcoin against an account; its equity may lose a µUSD in rounding."""
    try:
        if builder.margin_of(number).equity < 0:
            return True
        other = builder.view.account(counterparty)
        maintenance = builder.margin_of(_less(other, market, size)).maintenance
        return builder.margin_of(other).equity > initial(maintenance)
    except InvalidTransaction:
        return False


def _less(account: Account, market: int, size: int) -> Account:
    """The account with `size` µcoin less in a market; its cash, and so its equity, is left as it was."""
    held = next(position for position in account.positions if position.market == market)
    left = held.size - size if held.size > 0 else held.size + size
    return with_size(account, market, left, held.funding_index, account.cash)
