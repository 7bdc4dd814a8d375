"""The sequencer's own part in risk: whoever falls below maintenance margin is flagged, and what follows is done."""

from __future__ import annotations

import pytest

from rollup.sequencer.risk.register import Register
from rollup.sequencer.risk.work import SHARE
from rollup.stf.block import execute_block
from rollup.stf.margin import Margin
from rollup.types.keys import GLOBALS
from rollup.types.leaves import Globals, Status
from rollup.types.reasons import Reason
from rollup.types.transactions import (
    Bid,
    Deleverage,
    Flag,
    Settle,
    Transaction,
    WriteOff,
    decode_transactions,
)
from tests.stf.venue import bid
from tests.stf.world import SEPARATOR, USD, price
from tests.support.desk import new_store
from tests.support.pit import CALL, EXPIRY, FAR_CALL, FUTURE, PERP, PUT, P, Pit, pit, pit_genesis, surface

COIN = 1_000_000


@pytest.fixture
def desk() -> Pit:
    """Fresh prices of 40,000 dollars, accounts of 100,000."""
    return pit()


def sent(desk: Pit) -> list[Transaction]:
    """Every transaction of every block."""
    return [tx for record in desk.records() for tx in decode_transactions(record.txs)]


def replays(desk: Pit) -> None:
    """Every committed block executes to its own root, and money is conserved."""
    other = new_store(pit_genesis().leaves())
    for record in desk.records():
        result = execute_block(other.read, record.header, record.txs, record.messages, SEPARATOR)
        assert result.reason is Reason.NONE
        assert other.stage(result.writes).root == record.header.state_root
    assert desk.check()


def totals(desk: Pit) -> Globals:
    """The chain's."""
    return Globals.decode(desk.desk.ledger.leaf(GLOBALS))


def margin_of(desk: Pit, number: int) -> Margin:
    """An account's equity and maintenance margin."""
    return desk.desk.ledger.begin().margin_of(number)


def fall(desk: Pit, to: int) -> None:
    """Four accounts take sides, then the price falls."""
    desk.trade(0, 1, PERP, 9 * COIN)
    desk.trade(2, 3, PERP, 2 * COIN)
    desk.crash(to)


def test_an_account_below_maintenance_is_flagged_at_the_first_look_and_no_other(desk: Pit) -> None:
    """Nine coins on 100,000 dollars do not bear 15 per cent; two do."""
    fall(desk, P * 85 // 100)
    assert desk.account(0).status == Status.SOUND
    findings = desk.look()
    assert 0 in findings.doubtful
    assert [desk.account(number).status for number in range(4)] == [Status.UNSAFE, 0, 0, 0]
    assert [tx for tx in sent(desk) if isinstance(tx, Flag)] == [Flag(0)]
    desk.look()
    assert [tx for tx in sent(desk) if isinstance(tx, Flag)] == [Flag(0)], "once is enough"
    replays(desk)


def test_a_flag_is_cleared_once_the_account_has_recovered(desk: Pit) -> None:
    """Prices come back before anybody bids."""
    fall(desk, P * 85 // 100)
    desk.look()
    desk.now(P * 92 // 100, 60)
    desk.now(P, 60)
    desk.look()
    assert desk.account(0).status == Status.SOUND
    assert not desk.desk.risk._floor.flagged
    replays(desk)


def test_flagging_drops_the_accounts_orders(desk: Pit) -> None:
    """They could only enlarge what has to be made smaller."""
    desk.rest(2, PERP, COIN, 30_000 * USD)
    desk.rest(0, PERP, COIN // 100, 30_000 * USD)
    assert desk.desk.orders.count(0) == 1
    fall(desk, P * 85 // 100)
    desk.look()
    assert (desk.desk.orders.count(0), desk.desk.orders.count(2)) == (0, 1)


def test_a_failed_auction_ends_in_deleveraging_of_whoever_gained_most(desk: Pit) -> None:
    """Nobody bids for the auction's length; the short with the largest profit x leverage gives first, and suffices."""
    desk.trade(0, 1, PERP, 4 * COIN)
    desk.trade(0, 5, PERP, 5 * COIN)
    desk.trade(2, 3, PERP, 2 * COIN)
    desk.crash(P * 85 // 100)
    desk.look()
    assert desk.account(0).status == Status.UNSAFE
    desk.now(P * 85 // 100, 70)
    desk.look()  # learns that the auction has failed, and whom to ask for
    worth = margin_of(desk, 0).equity, margin_of(desk, 5).equity
    desk.look()
    assert [tx for tx in sent(desk) if isinstance(tx, Deleverage)] == [Deleverage(0, 5, PERP, 5 * COIN)]
    assert desk.account(0).status == Status.SOUND
    assert (margin_of(desk, 0).equity, margin_of(desk, 5).equity) == worth, "at the mark nobody gains or loses"
    assert [desk.position(number) for number in range(6)] == [4 * COIN, -4 * COIN, 2 * COIN, -2 * COIN, 0, 0]
    replays(desk)


def test_an_insolvent_account_that_the_fund_cannot_cover_is_deleveraged_at_once(desk: Pit) -> None:
    """Its counterparties close at the bankruptcy price; no debt is left and withdrawals go on."""
    fall(desk, P * 70 // 100)
    assert totals(desk).insurance == 0
    desk.look()
    assert desk.account(0).status == Status.INSOLVENT
    assert totals(desk).insolvent == 1
    desk.look()
    assert desk.account(0).status == Status.SOUND
    assert (desk.position(0), totals(desk).insolvent) == (0, 0)
    assert desk.account(0).cash >= 0
    replays(desk)


def test_a_debt_without_positions_is_written_off(desk: Pit) -> None:
    """What an expired position leaves below zero nobody can bid for."""
    desk.trade(1, 0, CALL, 6 * COIN)
    desk.flush()
    desk.wait(EXPIRY - 3_600)
    desk.submit(price(desk.time, P * 2))
    desk.submit(surface(desk.time, P * 2))
    desk.time = EXPIRY + 1
    desk.submit(surface(desk.time, P * 2))
    desk.look()
    desk.look()
    assert any(isinstance(tx, Settle) for tx in sent(desk))
    assert [tx for tx in sent(desk) if isinstance(tx, WriteOff)] == [WriteOff(0)]
    assert (desk.account(0).cash, desk.account(0).status) == (0, Status.SOUND)
    assert totals(desk).bad_debt > 0
    replays(desk)


def test_every_holder_is_settled_after_expiry_within_a_share_of_each_block(desk: Pit) -> None:
    """No account has to ask; blocks keep room for others."""
    desk = pit(accounts=20)
    for number in range(10):
        for market in (FUTURE, CALL, PUT, FAR_CALL):
            desk.trade(number, number + 10, market, COIN // 100)
        desk.flush()
    desk.trade(0, 10, PERP, COIN)
    desk.wait(EXPIRY - 60)
    desk.now(P * 110 // 100)
    desk.time = EXPIRY
    desk.now(P * 110 // 100)
    before = len(desk.records())
    findings = desk.look()
    assert sorted(findings.unsettled) == list(range(20))
    settled = [[tx for tx in decode_transactions(r.txs) if isinstance(tx, Settle)] for r in desk.records()[before:]]
    assert sum(map(len, settled)) == 20
    assert max(map(len, settled)) <= SHARE
    assert [p.market for p in desk.account(0).positions] == [PERP]
    assert all(not desk.account(number).positions for number in range(1, 10))
    replays(desk)


def test_a_bid_takes_over_a_slice_and_ends_the_auction(desk: Pit) -> None:
    """A liquidator's transaction goes through the same door as any other."""
    fall(desk, P * 85 // 100)
    desk.look()
    desk.now(P * 85 // 100, 30)
    before = desk.account(5).cash
    desk.submit(bid(0, 5, 1))
    desk.flush()
    assert desk.account(0).status == Status.SOUND
    assert desk.position(5) > 0
    assert desk.account(5).cash < before
    assert totals(desk).insurance > 0
    assert sum(isinstance(tx, Bid) for tx in sent(desk)) == 1
    replays(desk)


def test_a_register_that_followed_finds_what_a_new_one_finds(desk: Pit) -> None:
    """Arrays that were changed bit by bit are those of the whole state."""
    fall(desk, P * 85 // 100)
    desk.look()
    desk.trade(4, 5, CALL, COIN)
    desk.trade(2, 3, PUT, COIN)
    desk.flush()
    followed = desk.look()
    assert desk.register is not None
    fresh = Register().look(desk.desk.risk.snapshot(start_over=True))
    assert followed.screened == fresh.screened == 6
    assert (sorted(followed.doubtful), followed.flagged) == (sorted(fresh.doubtful), fresh.flagged)


def test_findings_of_before_a_move_are_forgotten(desk: Pit) -> None:
    """What was seen on another chain says nothing of this one."""
    fall(desk, P * 85 // 100)
    desk.flush()
    findings = Register().look(desk.desk.risk.snapshot(start_over=True))
    desk.desk.move(1)
    desk.desk.risk.take(findings)
    assert desk.desk.risk.waiting == 0
    assert desk.look(start_over=True).doubtful == (0,)
    assert desk.account(0).status == Status.UNSAFE


def test_a_stale_price_leaves_everything_as_it_is(desk: Pit) -> None:
    """What cannot be valued cannot be flagged; the next price decides."""
    fall(desk, P * 85 // 100)
    desk.time += 1_000
    desk.desk.ledger.refresh()
    desk.flush()
    desk.time += 1_000
    desk.look()
    assert desk.account(0).status == Status.SOUND
    desk.now(P * 85 // 100)
    desk.look()
    assert desk.account(0).status == Status.UNSAFE
