"""Faults around options, futures and liquidation: each makes one block wrong, and that for its own reason only."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollup.derive.fraud import Fraud
from rollup.sequencer.faults import DishonestLedger
from tests.stf.world import SEPARATOR
from tests.support.acts import ACTS, COIN, REASONS, fall_deep, let_expire, sell_out, trade_calls, trade_combo
from tests.support.dishonest import dishonest, verdict
from tests.support.pit import CALL, Pit, pit, pit_genesis
from tests.support.prover import trying_to_prove

ATTEMPTS = 8
"""Ways in which each honest block on the way is tried to be proven wrong."""


def judged(desk: Pit, attempts: int = ATTEMPTS) -> Fraud | None:
    """What a replica says of the blocks; those that it finds right cannot be proven wrong either."""
    return verdict(desk, pit_genesis().leaves(), trying_to_prove(SEPARATOR, attempts=attempts))


@pytest.mark.parametrize("fault", REASONS)
def test_each_fault_is_found_by_replay_with_its_reason(fault: str) -> None:
    """The wrong block is the one that the ledger says, and every block before it is right."""
    with dishonest(fault, pit()) as desk:
        ledger = desk.desk.ledger
        assert isinstance(ledger, DishonestLedger)
        ACTS[fault](desk)
        desk.flush()
    fraud = judged(desk)
    assert fraud is not None
    assert fraud.reason is REASONS[fault]
    assert fraud.root != fraud.block.header.state_root
    assert fraud.block.header.number == ledger.wrong


def test_an_unjust_liquidation_takes_all_that_a_sound_account_is_worth() -> None:
    """Not a mark on it but the whole sale: its equity goes to the bidder, but for the fund's fifth."""
    with dishonest("unjust-liquidation", pit()) as desk:
        before = [desk.account(number).cash for number in (1, 2)]
        sell_out(desk)
        desk.flush()
        assert [desk.position(number, CALL) for number in (1, 2)] == [0, COIN]
        assert desk.account(1).cash == 0
        gained = desk.account(2).cash + desk.mark(CALL) - before[1]
        assert gained > before[0] * 3 // 4


HONEST = [let_expire, trade_calls, sell_out, trade_combo, fall_deep]


@pytest.mark.parametrize("act", HONEST)
def test_the_same_acts_are_right_without_a_fault(act: Callable[[Pit], None]) -> None:
    """What honest sequencers do of it."""
    with dishonest(None, pit()) as desk:
        act(desk)
        desk.flush()
    assert judged(desk) is None
