"""What the sequencer does about flags that are spent, insolvencies that L1 will not wait for, and markets that end."""

from __future__ import annotations

import pytest

from rollup.l1.devkeys import dev_address
from rollup.sequencer.auctions import live_auctions
from rollup.sequencer.rejections import Refused
from rollup.sequencer.risk.register import Register
from rollup.sequencer.trading_status import Trading, trading_status
from rollup.types.leaves import Status
from rollup.types.limits import CLOSING, WIND_UP
from rollup.types.messages import Forced, encode_message
from rollup.types.transactions import Deleverage, Flag, Settle, encode_transaction
from tests.sequencer.test_risk import fall, replays, sent, totals
from tests.stf.venue import bid
from tests.stf.world import USD, withdraw
from tests.support.pit import CALL, EXPIRY, FUTURE, PERP, P, Pit, pit

COIN = 1_000_000


@pytest.fixture
def desk() -> Pit:
    """Fresh prices of 40,000 dollars, accounts of 100,000."""
    return pit()


def test_a_spent_flag_is_raised_again_and_its_auction_begins_anew(desk: Pit) -> None:
    """Prices stay away for longer than two auctions; the first look after that raises the flag, and sells nothing."""
    fall(desk, P * 85 // 100)
    desk.look()
    flagged = desk.account(0).flagged
    (auction,) = live_auctions(desk.desk)
    assert (auction.spent, auction.ends) == (False, flagged + 60)
    desk.time += 200
    desk.now(P * 85 // 100)
    (auction,) = live_auctions(desk.desk)
    assert (auction.spent, auction.flagged, auction.gain) == (True, desk.time, 0)
    with pytest.raises(Refused, match="NOT_FLAGGED"):
        desk.submit(bid(0, 5, 1))
    desk.look()
    assert desk.account(0).flagged == desk.time > flagged
    assert [tx for tx in sent(desk) if isinstance(tx, Flag | Deleverage)] == [Flag(0), Flag(0)]
    (auction,) = live_auctions(desk.desk)
    assert (auction.spent, auction.flagged, auction.least) == (False, desk.time, 100_000)
    desk.look()
    desk.submit(bid(0, 5, 2, fraction=auction.fraction))
    desk.flush()
    assert desk.account(0).status == Status.SOUND
    replays(desk)


def test_a_flag_that_is_spent_when_its_account_gets_worse_is_raised_twice(desk: Pit) -> None:
    """Once because the status differs, once to begin anew."""
    fall(desk, P * 85 // 100)
    desk.look()
    desk.time += 200
    desk.crash(P * 70 // 100)
    desk.look()
    assert [tx for tx in sent(desk) if isinstance(tx, Flag)] == [Flag(0), Flag(0), Flag(0)]
    assert (desk.account(0).status, desk.account(0).flagged) == (Status.INSOLVENT, desk.time)
    desk.look()
    assert desk.account(0).status == Status.SOUND
    replays(desk)


def test_the_insolvent_are_resolved_before_messages_are_taken(desk: Pit) -> None:
    """A forced withdrawal does not wait for them, so it must not come first."""
    fall(desk, P * 70 // 100)
    desk.look()
    assert totals(desk).insolvent == 1
    findings = Register().look(desk.desk.risk.snapshot(start_over=True))
    desk.desk.risk.take(findings)
    desk.desk.risk.resolve()
    assert totals(desk).insolvent == 0
    forced = Forced(dev_address(2), encode_transaction(withdraw(2, USD, 1)))
    desk.desk.take_messages([encode_message(forced)])
    desk.flush()
    kinds = [type(tx) for tx in sent(desk)]
    assert Deleverage in kinds
    assert desk.account(2).withdrawn == USD
    replays(desk)


def test_holders_of_abandoned_perpetuals_are_paid_out_without_being_asked(desk: Pit) -> None:
    """Fourteen days of silence of one coin end its market: no order is taken, and everybody is settled."""
    desk.trade(0, 1, PERP, COIN)
    desk.trade(2, 3, PERP, 2 * COIN)
    desk.flush()
    desk.time += WIND_UP + 1
    findings = desk.look()
    assert sorted(findings.unsettled) == [0, 1, 2, 3]
    assert {tx.account for tx in sent(desk) if isinstance(tx, Settle)} == {0, 1, 2, 3}
    assert [desk.position(number) for number in range(4)] == [0] * 4
    market = desk.desk.catalogue.by_number(PERP)
    assert trading_status(desk.desk.ledger.begin().view, market).trading is Trading.EXPIRED
    replays(desk)


def test_holders_of_a_series_that_nobody_settles_are_paid_out_a_day_later(desk: Pit) -> None:
    """At its last forward; coin prices may go on or not."""
    desk.trade(0, 1, FUTURE, COIN)
    desk.trade(2, 3, CALL, COIN)
    desk.wait(EXPIRY - 30)
    desk.now(P * 101 // 100)
    desk.flush()
    desk.time = EXPIRY + CLOSING - 1
    assert desk.look().unsettled == ()
    desk.time = EXPIRY + CLOSING
    findings = desk.look()
    assert sorted(findings.unsettled) == [0, 1, 2, 3]
    assert [desk.position(number, market) for number, market in enumerate((FUTURE, FUTURE, CALL, CALL))] == [0] * 4
    replays(desk)
