"""The inspector finds what a sequencer must not do: flags that are missing, late, or on accounts that are sound."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollup.derive.chain import DerivedBlock
from rollup.errors import BrokenInvariant
from rollup.replay.crash.inspector import Inspector
from rollup.replay.crash.laws import Before, check_after, look_before
from rollup.sequencer.risk.work import SHARE
from rollup.stf.receipts import Deleveraged, Liquidated, WrittenOff
from rollup.types.leaves import Status
from rollup.types.transactions import Deleverage, Flag, Transaction, WriteOff, encode_transaction
from tests.stf.venue import PERP, P, Venue, bid, dated
from tests.stf.world import COIN, SEPARATOR, START, USD, price

LOW = P * 93 // 100
"""Takes whoever has 9,600 dollars against a coin below maintenance margin (about 7,600 then), not below nothing."""
CRASH = P * 91 // 100
"""Takes him below nothing if he had only 3,000 dollars."""


class Stage:
    """A venue whose blocks an inspector hears; from account 2 on some are long a coin each, account 1 is short."""

    def __init__(self, equity: int = 9_600 * USD, longs: int = 1) -> None:
        self.venue: Venue = dated(12, 1_000_000 * USD)
        for number in range(2, 2 + longs):
            self.venue.give(number, 1, {PERP: COIN})
            self.venue.set_cash(number, equity - P)
        self.venue.set_cash(1, (1_000_000 + 40_000 * longs) * USD)
        self.venue.change_globals(auction=40)
        self.inspector = Inspector(self.venue.leaves, SEPARATOR)
        self._number = 0

    def seal(self, *txs: Transaction, at: int) -> DerivedBlock:
        """A block of these transactions; the venue goes on from it."""
        data = b"".join(map(encode_transaction, txs))
        self._number += 1
        header = replace(self.venue.header((), data, at), number=self._number)
        self.venue.must(*txs, at=at)
        return DerivedBlock(header, data, ())

    def hear(self, *txs: Transaction, at: int) -> None:
        """The same, with the inspector looking."""
        self.inspector.examine(self.seal(*txs, at=at))


def test_a_flag_in_the_block_of_the_price_is_in_time() -> None:
    """It is counted without a lag, and the account stands flagged."""
    stage = Stage()
    stage.hear(price(START + 1, LOW), Flag(2), at=START + 1)
    assert stage.inspector.is_quiet
    assert dict(stage.inspector.lags) == {0: 1}
    assert stage.inspector.flagged == [2]
    assert stage.inspector.record.accounts == {2}


def test_a_flag_in_a_later_block_is_found_if_there_was_room() -> None:
    """The sequencer let a block go by."""
    stage = Stage()
    stage.hear(price(START + 1, LOW), at=START + 1)
    assert not stage.inspector.is_quiet
    assert list(stage.inspector.late) == [2]
    with pytest.raises(BrokenInvariant, match="for which block 1 had room"):
        stage.hear(Flag(2), at=START + 1)


def test_a_flag_that_found_no_room_may_come_in_the_next_block_of_the_same_second() -> None:
    """The sequencer's share of the first block went to others who fell by the same price."""
    stage = Stage(longs=SHARE + 1)
    last = 2 + SHARE
    stage.hear(price(START + 1, LOW), *(Flag(number) for number in range(2, last)), at=START + 1)
    stage.hear(Flag(last), at=START + 1)
    assert stage.inspector.is_quiet
    assert dict(stage.inspector.lags) == {0: SHARE, 1: 1}


def test_time_that_passes_without_the_flag_is_found() -> None:
    """By the next block of a later second, whatever is in it."""
    stage = Stage()
    stage.hear(price(START + 1, LOW), at=START + 1)
    with pytest.raises(BrokenInvariant, match="2 since block 1"):
        stage.hear(price(START + 2, LOW), Flag(2), at=START + 2)


def test_a_flag_that_is_no_longer_deserved_is_seen_until_it_is_cleared() -> None:
    """The price came back."""
    stage = Stage()
    stage.hear(price(START + 1, LOW), Flag(2), at=START + 1)
    stage.hear(price(START + 2, P), at=START + 2)
    assert stage.inspector.stale == {2}
    stage.hear(Flag(2), at=START + 2)
    assert stage.inspector.is_quiet
    assert stage.inspector.flagged == []
    assert stage.inspector.record.cleared == 1


def test_a_spent_flag_must_be_raised_anew_within_the_second() -> None:
    """Nobody could act on it any more; the account stays flagged all the while."""
    stage = Stage()
    stage.hear(price(START + 1, LOW), Flag(2), at=START + 1)
    stage.hear(price(START + 81, LOW), at=START + 81)
    assert stage.inspector.is_quiet
    stage.hear(price(START + 82, LOW), at=START + 82)
    assert (stage.inspector.is_quiet, stage.inspector.spent) == (False, {2})
    stage.hear(Flag(2), at=START + 82)
    assert stage.inspector.is_quiet
    assert dict(stage.inspector.lags) == {0: 1}
    stage.hear(price(START + 163, LOW), at=START + 163)
    with pytest.raises(BrokenInvariant, match=r"spent flag was not raised \(\[2\]\)"):
        stage.hear(price(START + 164, LOW), at=START + 164)


def test_the_first_fault_is_kept_for_whoever_asks() -> None:
    """A listener cannot raise; a block that is no block is a fault too."""
    stage = Stage()
    stage.inspector.require_sound()
    block = stage.seal(price(START + 1, LOW), at=START + 1)
    stage.inspector.hear_blocks([block, replace(block, header=replace(block.header, timestamp=START))])
    with pytest.raises(BrokenInvariant):
        stage.inspector.require_sound()
    assert stage.inspector.is_quiet  # nobody should wait any longer


def test_a_bid_and_a_deleveraging_pass_and_are_added_up() -> None:
    """One account is sold half-way through its auction; another, insolvent with an empty fund, is closed at once."""
    stage = Stage(longs=2)
    stage.venue.set_cash(3, 3_000 * USD - P)
    stage.inspector = Inspector(stage.venue.leaves, SEPARATOR)
    stage.hear(price(START + 1, CRASH), Flag(2), Flag(3), at=START + 1)
    assert stage.inspector.record.insolvent_peak == 1
    stage.hear(Deleverage(3, 1, PERP, COIN), at=START + 1)
    stage.hear(price(START + 21, CRASH), bid(2, 0, 1), at=START + 21)
    record = stage.inspector.record
    assert (record.bids, record.sold, record.deleveraged, record.counterparties) == (1, {2}, {3}, {1})
    assert record.discount > 0
    assert record.dues > 0
    assert record.covered == 0
    assert stage.venue.account(3).cash == 0
    assert stage.inspector.totals.bad_debt == record.bad_debt == 0


SOUND = Before(Status.UNSAFE, 5_000, 8_000, 40_000 * 10**6, 40_000, 80, 40, 0)


@pytest.mark.parametrize(
    ("before", "detail", "what"),
    [
        (replace(SOUND, equity=9_000), Liquidated(2, 0, 10, 10, 9, 1, (), 0, 0), "below maintenance"),
        (replace(SOUND, status=0), Liquidated(2, 0, 10, 10, 9, 1, (), 0, 0), "while flagged"),
        (SOUND, Liquidated(2, 0, 10, 10, 9, 2, (), 0, 0), "what the liquidator paid"),
        (SOUND, Liquidated(2, 0, 10, 10, 12, -2, (), 0, 0), "no solvent account"),
        (replace(SOUND, waited=1), Deleveraged(3, 4, PERP, COIN, 40_000, 0, 0, 0), "waits for the auction"),
        (replace(SOUND, waited=81), Liquidated(2, 0, 10, 10, 9, 1, (), 0, 0), "is not spent"),
        (replace(SOUND, waited=81), Deleveraged(3, 4, PERP, COIN, 40_000, 0, 0, 0), "is not spent"),
        (SOUND, Liquidated(2, 0, 99_999, 10, 9, 1, (), 0, 0), "no less than a tenth"),
        (replace(SOUND, equity=-5), Liquidated(2, 0, 10**6, 10, 816, -806, (), 0, 0), "gift is a tenth"),
        (SOUND, Liquidated(2, 0, 10**6, 10, 9, 1, (), 0, 0), "no riskier"),
        (SOUND, Deleveraged(3, 4, PERP, COIN, 40_001, 0, 0, 0), "price of a long"),
        (SOUND, Deleveraged(3, 4, PERP, -COIN, -40_001, 0, 0, 0), "price of a short"),
        (replace(SOUND, equity=-7), Deleveraged(3, 4, PERP, COIN, 40_008, 0, 0, 0), "price of a long"),
        (replace(SOUND, equity=-7), Deleveraged(3, 4, PERP, -COIN, -39_994, 0, 0, 0), "price of a short"),
        (replace(SOUND, equity=-5, fund=9), Deleveraged(3, 4, PERP, COIN, 40_000, 4, 0, 0), "gave with a deleveraging"),
        (replace(SOUND, equity=-5, fund=2), Deleveraged(3, 4, PERP, COIN // 2, 20_002, 2, 0, 0), "gave with a delever"),
        (SOUND, Deleveraged(2, 4, PERP, COIN, 40_000, 0, 0, 0), "rest of account 2 is no riskier"),
        (replace(SOUND, equity=-5), WrittenOff(2, 0, 4, 0), "what was written off"),
    ],
)
def test_what_liquidation_must_not_do_is_found(
    before: Before, detail: Liquidated | Deleveraged | WrittenOff, what: str
) -> None:
    """Each law on a made-up receipt that breaks it; the right ones pass on the way."""
    builder = Stage().venue.builder(START + 1)
    owing = replace(SOUND, equity=-7)
    check_after(builder, Deleverage(2, 1, PERP, COIN), SOUND, Deleveraged(3, 4, PERP, COIN, 40_000, 0, 0, 0))
    check_after(builder, Deleverage(2, 1, PERP, COIN), SOUND, Deleveraged(3, 4, PERP, -COIN, -40_000, 0, 0, 0))
    check_after(builder, Deleverage(2, 1, PERP, COIN), owing, Deleveraged(3, 4, PERP, COIN, 40_007, 0, 0, 0))
    check_after(builder, Deleverage(2, 1, PERP, COIN), owing, Deleveraged(3, 4, PERP, -COIN, -39_993, 0, 0, 0))
    shared = replace(SOUND, equity=-5, fund=2)
    check_after(builder, Deleverage(2, 1, PERP, COIN), shared, Deleveraged(3, 4, PERP, COIN // 2, 20_002, 1, 0, 0))
    check_after(builder, Deleverage(2, 1, PERP, COIN), owing, Deleveraged(2, 4, PERP, COIN, 40_007, 0, 0, 0))
    check_after(builder, WriteOff(2), replace(SOUND, equity=-5), WrittenOff(2, 0, 5, 0))
    with pytest.raises(BrokenInvariant, match=what):
        check_after(builder, Deleverage(2, 1, PERP, COIN), before, detail)


def test_who_gave_for_a_solvent_account_must_have_its_initial_margin() -> None:
    """Eight thousand dollars are less than a coin needs; for an account that owes that is no fault."""
    builder = Stage(8_000 * USD).venue.builder(START + 1)
    done = Deleveraged(3, 2, PERP, -COIN, -40_000, 0, 0, 0)
    with pytest.raises(BrokenInvariant, match="account 2 gave and has its initial margin"):
        check_after(builder, Deleverage(3, 2, PERP, COIN), SOUND, done)
    check_after(builder, Deleverage(3, 2, PERP, COIN), replace(SOUND, equity=-7), replace(done, received=-39_993))


def test_only_transactions_of_liquidation_are_looked_at_before() -> None:
    """Of these, everything that its laws need."""
    venue = Stage().venue
    builder = venue.builder(START + 1)
    assert look_before(builder, price(START + 1, LOW)) is None
    before = look_before(builder, Deleverage(2, 1, PERP, COIN))
    assert before is not None
    assert (before.equity, before.mark, before.gross) == (9_600 * USD, P, P * COIN)
