"""Whom the sequencer does not deleverage, and against whom: where a hedge would go for somebody who can still pay."""

from __future__ import annotations

import pytest

from rollup.sequencer.risk.closing import can_give, closable
from rollup.stf.margin import initial
from rollup.types.leaves import Status
from rollup.types.transactions import Deleverage
from tests.sequencer.test_risk import margin_of, replays, sent
from tests.stf.world import USD, withdraw
from tests.support.pit import FUTURE, PERP, P, Pit, pit

COIN = 1_000_000
LOW = P * 85 // 100


@pytest.fixture
def desk() -> Pit:
    """Fresh prices of 40,000 dollars, accounts of 100,000."""
    return pit()


def closed(desk: Pit) -> list[Deleverage]:
    """Every deleveraging of every block."""
    return [tx for tx in sent(desk) if isinstance(tx, Deleverage)]


def fail_auction(desk: Pit, low: int = LOW) -> None:
    """The price falls, a flag is raised, nobody bids, and the second look knows whom to ask."""
    desk.crash(low)
    desk.look()
    desk.now(low, 70)
    desk.look()
    desk.look()


def test_who_needs_the_position_as_a_hedge_is_passed_over_for_the_next(desk: Pit) -> None:
    """Account 5 gained most, but its short covers a long future that it could not carry alone; account 1 gives."""
    desk.trade(0, 1, PERP, 4 * COIN)
    desk.trade(0, 5, PERP, 5 * COIN)
    desk.trade(5, 4, FUTURE, 5 * COIN)
    desk.submit(withdraw(5, 70_000 * USD, 1))
    fail_auction(desk)
    assert closed(desk) == [Deleverage(0, 1, PERP, 4 * COIN)]
    assert [desk.account(number).status for number in (0, 1, 5)] == [Status.SOUND] * 3
    assert (desk.position(5), desk.account(5).position_in(FUTURE)) == (-5 * COIN, 5 * COIN)
    replays(desk)


def test_an_account_that_owes_may_be_closed_against_a_hedger(desk: Pit) -> None:
    """No fund, no equity: then whoever gained most gives, hedge or not."""
    desk.trade(0, 1, PERP, 4 * COIN)
    desk.trade(0, 5, PERP, 5 * COIN)
    desk.trade(5, 4, FUTURE, 5 * COIN)
    desk.submit(withdraw(5, 70_000 * USD, 1))
    desk.crash(P * 70 // 100)
    desk.look()
    desk.look()
    assert closed(desk)[0] == Deleverage(0, 5, PERP, 5 * COIN)
    assert (desk.position(0), desk.position(5)) == (0, 0)
    replays(desk)


def hedged(desk: Pit) -> None:
    """Account 0 is long three coins of the perpetual and short three of the future, with hardly anything left."""
    desk.trade(0, 1, PERP, 3 * COIN)
    desk.trade(4, 0, FUTURE, 3 * COIN)
    found = margin_of(desk, 0)
    desk.submit(withdraw(0, found.equity - initial(found.maintenance), 1))


def test_nothing_is_sent_that_would_leave_the_account_riskier(desk: Pit) -> None:
    """Either side alone would need far more than both: the account stays flagged, for whoever bids for all of it."""
    hedged(desk)
    fail_auction(desk, P * 135 // 100)
    assert margin_of(desk, 0).equity >= 0
    assert desk.account(0).status == Status.UNSAFE
    assert (closed(desk), desk.position(0)) == ([], 3 * COIN)
    replays(desk)


def test_what_is_closable_is_as_much_as_leaves_no_more_risk(desk: Pit) -> None:
    """Of a hedge nothing, of a surplus a part of it, of what stands alone all."""
    hedged(desk)
    builder = desk.desk.ledger.begin()
    assert closable(builder, 0, PERP) == closable(builder, 0, FUTURE) == 0
    assert closable(builder, 1, PERP) == 3 * COIN
    desk.trade(2, 3, PERP, 6 * COIN)
    desk.trade(3, 2, FUTURE, 2 * COIN)
    builder = desk.desk.ledger.begin()
    part = closable(builder, 2, PERP)
    assert part == 6 * COIN, "two coins short are less than six long"
    desk.trade(3, 2, FUTURE, 2 * COIN)
    builder = desk.desk.ledger.begin()
    part = closable(builder, 2, PERP)
    assert part == 3 * COIN
    assert can_give(builder, 3, 2, PERP, part)


def test_what_has_no_fresh_price_is_not_foreseen(desk: Pit) -> None:
    """Nothing can be closed then."""
    desk.trade(0, 1, PERP, 9 * COIN)
    desk.flush()
    desk.time += 1_000
    desk.desk.ledger.refresh()
    builder = desk.desk.ledger.begin()
    assert closable(builder, 0, PERP) == 0
    assert not can_give(builder, 0, 1, PERP, COIN)
