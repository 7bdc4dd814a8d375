"""A forced transaction that fails leaves nothing but touches, meters and accruals, however far it got."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollup.l1.devkeys import dev_address
from rollup.types.genesis import BTC
from rollup.types.keys import GLOBALS, KeyKind, kind_of, underlying_key
from rollup.types.leaves import Globals
from rollup.types.messages import Forced
from rollup.types.reasons import Reason
from rollup.types.transactions import Deleverage, Flag, Settle, Trade, Transaction, encode_transaction
from tests.stf.venue import CALL, FUTURE, LOT, PERP, PUT, Venue, bid, combo, dated, leg
from tests.stf.world import COIN, START, USD, order, transfer, withdraw

HOLDER, OTHER, KEEPER = 0, 1, 2


def expired() -> Venue:
    """A holder whose future and options have expired beside a perpetual that owes funding."""
    venue = dated()
    venue.give(HOLDER, OTHER, {PERP: COIN, FUTURE: 3 * LOT, CALL: -2 * LOT, PUT: LOT})
    venue.change_series(settlement=41_000 * USD)
    venue.change_underlying(BTC, funding_index=5_000_000_000)
    return venue


def poor() -> Venue:
    """A holder who is insolvent and flagged since before the auction; the fund has something."""
    venue = dated()
    venue.give(HOLDER, OTHER, {PERP: COIN, FUTURE: 3 * LOT})
    venue.set_cash(HOLDER, venue.account(HOLDER).cash - 50 * USD - venue.margin(HOLDER).equity)
    venue.must(Flag(HOLDER))
    venue.change_account(HOLDER, flagged=START - 1_000)
    venue.change_globals(insurance=10_000 * USD, fees=7 * USD, deposits=venue.globals().deposits + 10_007 * USD)
    return venue


def weak_keeper() -> Venue:
    """As `poor`, and the liquidator cannot carry what it would take over."""
    venue = poor()
    venue.set_cash(KEEPER, USD)
    return venue


def crossed(venue: Venue, size: int) -> Trade:
    """A trade of the holder's perpetual at its mark."""
    at = venue.mark(PERP)
    return Trade(order(HOLDER, False, size, at, 1), order(OTHER, True, size, at, 1), size)


def two_legs(venue: Venue, size: int) -> Transaction:
    """A combo whose second leg is as small as its first is large."""
    return combo(HOLDER, OTHER, 9, [leg(PERP, size, venue.mark(PERP)), leg(FUTURE, LOT, venue.mark(FUTURE))])


CASES: dict[str, tuple[Callable[[], Venue], Callable[[Venue], Transaction], Reason]] = {
    "withdrawal": (expired, lambda _: withdraw(HOLDER, 10**12, 1), Reason.MARGIN),
    "transfer": (expired, lambda _: transfer(HOLDER, OTHER, 10**12, 1), Reason.MARGIN),
    "trade": (expired, lambda venue: crossed(venue, 1_000 * COIN), Reason.MARGIN),
    "combo": (dated, lambda venue: two_legs(venue, 1_000 * COIN), Reason.MARGIN),
    "flag": (expired, lambda _: Flag(HOLDER), Reason.NOT_LIQUIDATABLE),
    "bid": (weak_keeper, lambda _: bid(HOLDER, KEEPER, 1), Reason.MARGIN),
    "bid above its limit": (poor, lambda _: bid(HOLDER, KEEPER, 1, limit=1), Reason.PRICE_LIMIT),
    "deleveraging": (poor, lambda _: Deleverage(HOLDER, OTHER, PERP, 2 * COIN), Reason.DELEVERAGE_SIZE),
}


@pytest.mark.parametrize("case", CASES)
def test_failing_forced_transaction_leaves_no_trace(case: str) -> None:
    """Pools, open interest, totals, positions, cash and slots are as before; only the underlyings accrued."""
    prepare, make, reason = CASES[case]
    venue = prepare()
    result = venue.execute(messages=[Forced(dev_address(OTHER), encode_transaction(make(venue)))], keep=False)
    assert result.reason == Reason.NONE
    assert [receipt.reason for receipt in result.receipts] == [reason]
    changed = {key for key, value in result.writes.items() if value != venue.read(key)}
    assert changed <= {GLOBALS, underlying_key(BTC)}
    before, after = venue.globals(), Globals.decode(result.writes[GLOBALS])
    assert (after.fees, after.insurance, after.insolvent, after.withdrawals, after.bad_debt) == (
        before.fees, before.insurance, before.insolvent, before.withdrawals, before.bad_debt
    )  # fmt: skip
    assert any(kind_of(key) is KeyKind.MARKET for key in result.pre)


def test_success_after_a_failure_starts_from_what_was() -> None:
    """The second of two forced messages settles once, though the first had settled the same markets."""
    venue = expired()
    doomed = Forced(dev_address(OTHER), encode_transaction(withdraw(HOLDER, 10**12, 1)))
    good = Forced(dev_address(OTHER), encode_transaction(Settle(HOLDER)))
    alone = venue.execute(messages=[good], keep=False)
    both = venue.execute(messages=[doomed, good, doomed], keep=False)
    assert [receipt.reason for receipt in both.receipts] == [Reason.MARGIN, Reason.NONE, Reason.MARGIN]
    differing = {key for key in both.writes if both.writes[key] != alone.writes.get(key, venue.read(key))}
    assert differing == {GLOBALS}
