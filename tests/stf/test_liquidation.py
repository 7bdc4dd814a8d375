"""Liquidation: flags, the auction's price, and who pays what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rollup.types.reasons import Reason
from rollup.types.transactions import EMPTY_SIGNATURE, Flag, Withdraw
from tests.stf.venue import LOT, PERP, P, Venue, bid, dated
from tests.stf.world import COIN, START, USD, cancel, trade, withdraw

WEAK, OTHER, KEEPER = 0, 1, 2
AUCTION = 600


def weak(equity: int = 500 * USD, size: int = COIN, **held: int) -> Venue:
    """Account 0 is long a coin of the perpetual (or as given) and worth `equity`, far below its maintenance margin."""
    venue = dated()
    positions = {int(market[1:]): amount for market, amount in held.items()} or {PERP: size}
    venue.give(WEAK, OTHER, positions)
    venue.set_cash(WEAK, venue.account(WEAK).cash + equity - venue.margin(WEAK).equity)
    return venue


def flagged(equity: int = 500 * USD, since: int = 0, **held: int) -> Venue:
    """A weak account with its flag up for `since` seconds."""
    venue = weak(equity, **held)
    venue.must(Flag(WEAK))
    venue.change_account(WEAK, flagged=START - since)
    return venue


def refused(venue: Venue, nonce: int = 1, account: int = WEAK, keeper: int = KEEPER, **terms: Any) -> Reason:
    """The reason why this bid alone invalidates a block."""
    return venue.refusal(bid(account, keeper, nonce, **terms), at=terms.get("at"))


def recovered() -> Venue:
    """A flagged account that is sound again, though nobody has looked."""
    venue = flagged()
    venue.set_cash(WEAK, 100_000 * USD)
    return venue


def settled_only() -> Venue:
    """A flagged account whose only position has expired."""
    venue = flagged(m4=-COIN)
    venue.change_series(settlement=40_000 * USD)
    return venue


def emptied() -> Venue:
    """A flagged account without positions."""
    venue = flagged()
    venue.change_account(WEAK, positions=())
    return venue


def crowded() -> Venue:
    """A keeper with 32 positions, none of them what is for sale."""
    venue = flagged()
    numbers = [venue.list_option(strike=(30_000 + n) * USD) for n in range(32)]
    venue.give(KEEPER, 3, dict.fromkeys(numbers, LOT))
    return venue


def limited(**terms: int) -> Venue:
    """The perpetual has other terms."""
    venue = flagged()
    venue.change_market(PERP, **terms)
    return venue


def poor_fund() -> Venue:
    """An insolvent account, and nothing in the fund."""
    venue = flagged(-100 * USD)
    venue.change_globals(fees=0)
    return venue


def rich(account: int) -> Venue:
    """An account with cash at a bound."""
    venue = flagged()
    venue.change_account(account, cash=2**62 - 1 if account == WEAK else -(2**62) + 1)
    return venue


def spent(nonce: int) -> Venue:
    """The keeper has used a nonce up."""
    venue = flagged()
    venue.must(cancel(KEEPER, nonce))
    return venue


def floored() -> Venue:
    """The keeper has given up all nonces below 50."""
    venue = flagged()
    venue.must(cancel(KEEPER, 50, cancel_all=True))
    return venue


BIDS: dict[str, tuple[Reason, Callable[[], Reason]]] = {
    "on itself": (Reason.SELF_TRADE, lambda: refused(flagged(), keeper=WEAK)),
    "unknown account": (Reason.ACCOUNT_UNKNOWN, lambda: refused(flagged(), account=9)),
    "unknown liquidator": (Reason.ACCOUNT_UNKNOWN, lambda: refused(flagged(), keeper=9)),
    "expired": (Reason.ORDER_EXPIRED, lambda: refused(flagged(), expiry=START - 1)),
    "nothing": (Reason.AMOUNT, lambda: refused(flagged(), fraction=0)),
    "more than all": (Reason.AMOUNT, lambda: refused(flagged(), fraction=10**6 + 1)),
    "given up": (Reason.NONCE_FLOOR, lambda: refused(floored(), nonce=49)),
    "used": (Reason.NONCE_STALE, lambda: refused(spent(1))),
    "older than the slot": (Reason.NONCE_STALE, lambda: refused(spent(8193))),
    "other key": (Reason.SIGNATURE_INVALID, lambda: refused(flagged(), key=3)),
    "not flagged": (Reason.NOT_FLAGGED, lambda: refused(weak())),
    "flag about to be spent": (Reason.NONE, lambda: refused(flagged(since=2 * AUCTION))),
    "flag spent": (Reason.NOT_FLAGGED, lambda: refused(flagged(since=2 * AUCTION + 1))),
    "crumbs": (Reason.AMOUNT, lambda: refused(flagged(), fraction=99_999)),
    "the least that may be bid for": (Reason.NONE, lambda: refused(flagged(), fraction=100_000)),
    "no position": (Reason.NOT_LIQUIDATABLE, lambda: refused(emptied())),
    "no position left": (Reason.NOT_LIQUIDATABLE, lambda: refused(settled_only())),
    "sound again": (Reason.NOT_LIQUIDATABLE, lambda: refused(recovered())),
    "old price": (Reason.ORACLE_STALE, lambda: refused(flagged(), at=START + 61)),
    "fund too small": (Reason.INSURANCE, lambda: refused(poor_fund())),
    "dearer than its limit": (Reason.PRICE_LIMIT, lambda: refused(flagged(), limit=1_000 * USD)),
    "position limit": (Reason.POSITION_LIMIT, lambda: refused(limited(max_position=LOT))),
    "33rd position": (Reason.POSITIONS_FULL, lambda: refused(crowded())),
    "cash of the liquidator": (Reason.CASH_RANGE, lambda: refused(rich(KEEPER))),
    "insurance": (
        Reason.CASH_RANGE,
        lambda: refused(flagged(since=AUCTION).but(lambda v: v.change_globals(insurance=2**62 - 1))),
    ),
    "margin of the liquidator": (
        Reason.MARGIN,
        lambda: refused(flagged().but(lambda v: v.set_cash(KEEPER, 1_000 * USD))),
    ),
    "good": (Reason.NONE, lambda: refused(flagged())),
}


@pytest.mark.parametrize("name", BIDS)
def test_a_bid_is_refused_for(name: str) -> None:
    """A single bid makes its block invalid with exactly this reason."""
    reason, case = BIDS[name]
    assert case() is reason


FLAGS: dict[str, tuple[Reason, Callable[[], Reason]]] = {
    "unknown account": (Reason.ACCOUNT_UNKNOWN, lambda: dated().refusal(Flag(9))),
    "sound": (Reason.NOT_LIQUIDATABLE, lambda: dated().refusal(Flag(WEAK))),
    "flagged": (Reason.FLAGGED, lambda: flagged().refusal(Flag(WEAK))),
    "flagged long ago": (Reason.FLAGGED, lambda: flagged(since=2 * AUCTION).refusal(Flag(WEAK))),
    "flag spent": (Reason.NONE, lambda: flagged(since=2 * AUCTION + 1).refusal(Flag(WEAK))),
    "old price": (Reason.ORACLE_STALE, lambda: weak().refusal(Flag(WEAK), at=START + 61)),
    "weak": (Reason.NONE, lambda: weak().refusal(Flag(WEAK))),
    "sound again": (Reason.NONE, lambda: recovered().refusal(Flag(WEAK))),
}


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_is_refused_for(name: str) -> None:
    """A flag must change something."""
    reason, case = FLAGS[name]
    assert case() is reason


def test_a_flag_marks_the_account_and_the_time() -> None:
    """Below maintenance from the first µUSD on; insolvent below zero; both are seen by anybody who looks."""
    venue = weak()
    edge = venue.margin(WEAK).maintenance
    venue.set_cash(WEAK, venue.account(WEAK).cash + edge - venue.margin(WEAK).equity)
    assert venue.refusal(Flag(WEAK)) is Reason.NOT_LIQUIDATABLE
    venue.set_cash(WEAK, venue.account(WEAK).cash - 1)
    venue.must(Flag(WEAK))
    assert (venue.account(WEAK).status, venue.account(WEAK).flagged) == (1, START)
    venue.set_cash(WEAK, venue.account(WEAK).cash - edge)
    venue.must(Flag(WEAK), at=START + 5)
    assert (venue.account(WEAK).status, venue.account(WEAK).flagged) == (2, START)
    assert venue.globals().insolvent == 1
    venue.set_cash(WEAK, venue.account(WEAK).cash + 2 * edge)
    venue.must(Flag(WEAK), at=START + 6)
    assert (venue.account(WEAK).status, venue.account(WEAK).flagged) == (0, 0)
    assert venue.globals().insolvent == 0
    venue.check()


def test_a_trade_clears_the_flag_of_who_gets_sound_by_it() -> None:
    """Whatever computes a margin records the health."""
    venue = flagged(7_500 * USD)
    assert venue.account(WEAK).status == 1
    venue.must(trade(COIN // 2, P, 1, buyer=OTHER, seller=WEAK))
    assert (venue.account(WEAK).status, venue.account(WEAK).flagged) == (0, 0)


def test_a_shrinking_trade_may_leave_its_account_flagged() -> None:
    """And it records the flag if nobody had raised it."""
    venue = weak(1_000 * USD)
    venue.must(trade(LOT, P, 1, buyer=OTHER, seller=WEAK))
    assert (venue.account(WEAK).status, venue.account(WEAK).flagged) == (1, START)


def test_withdrawals_wait_while_anybody_is_insolvent() -> None:
    """Leaving first does not win; deposits and transfers go on."""
    venue = flagged(-100 * USD)
    assert venue.globals().insolvent == 1
    assert venue.refusal(withdraw(3, 1, 1)) is Reason.INSOLVENCY
    assert venue.refusal(Withdraw(3, 1, 1, EMPTY_SIGNATURE)) is Reason.SIGNATURE_INVALID
    venue.set_cash(WEAK, 100_000 * USD)
    venue.must(Flag(WEAK))
    assert venue.refusal(withdraw(3, 1, 1)) is Reason.NONE
