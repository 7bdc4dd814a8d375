"""Faults around options, futures and liquidation: each makes one block wrong, and that for its own reason only."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollup.derive.fraud import Fraud
from rollup.sequencer.faults import DishonestLedger
from rollup.types.leaves import Status
from rollup.types.reasons import Reason
from tests.stf.venue import combo, leg
from tests.stf.world import SEPARATOR, USD, price
from tests.support.dishonest import dishonest, verdict
from tests.support.pit import CALL, EXPIRY, FAR_CALL, FUTURE, PUT, P, Pit, pit, pit_genesis, surface
from tests.support.prover import trying_to_prove

COIN = 1_000_000
ATTEMPTS = 8
"""Ways in which each honest block on the way is tried to be proven wrong."""

REASONS = {
    "wrong-mark": Reason.MARGIN,
    "wrong-payoff": Reason.NONE,
    "wrong-settlement": Reason.NONE,
    "unjust-liquidation": Reason.NOT_LIQUIDATABLE,
    "missed-flag": Reason.NONE,
    "skipped-band": Reason.PRICE_BAND,
    "wrong-combo-leg": Reason.SIGNATURE_INVALID,
    "wrong-deleveraging-price": Reason.NONE,
}


def sell_too_much(desk: Pit) -> None:
    """Twenty short calls on 100,000 dollars, which bear nine."""
    desk.trade(1, 2, CALL, COIN)
    desk.trade(1, 0, CALL, 20 * COIN, 2_000 * USD)


def let_expire(desk: Pit) -> None:
    """Calls and puts that expire half an hour after prices began to be averaged."""
    desk.trade(1, 0, CALL, COIN)
    desk.trade(1, 0, PUT, COIN)
    desk.flush()
    for seconds, spot in ((-60, P), (-30, P * 105 // 100), (1, P * 103 // 100)):
        desk.time = EXPIRY + seconds
        desk.submit(price(desk.time, spot))
        desk.submit(surface(desk.time, spot))
        desk.flush()
    desk.look()


def trade_calls(desk: Pit) -> None:
    """A trade that nobody has to worry about."""
    desk.trade(1, 0, CALL, COIN)


def reduce_late(desk: Pit) -> None:
    """A future bought on all of an account's money loses nine per cent; a part of it is sold before anybody looks."""
    desk.trade(0, 1, FUTURE, 9_700_000)
    desk.flush()
    desk.now(P * 91 // 100, 60)
    desk.flush()
    desk.look()
    assert desk.account(0).status == Status.SOUND
    desk.trade(1, 0, FUTURE, COIN // 10)


def trade_far_off(desk: Pit) -> None:
    """A call at a price that is a fifth of the coin's above its own."""
    desk.trade(1, 0, CALL, COIN // 10, desk.mark(CALL) + P // 5)


def trade_combo(desk: Pit) -> None:
    """A spread that both sides have signed."""
    legs = [leg(CALL, COIN, desk.mark(CALL)), leg(FAR_CALL, COIN, desk.mark(FAR_CALL), sell=True)]
    desk.submit(combo(0, 1, 1, legs))


def fall_deep(desk: Pit) -> None:
    """An account loses more than it has, and there is no fund."""
    desk.trade(0, 1, FUTURE, 9 * COIN)
    desk.crash(P * 70 // 100)
    desk.look()
    desk.look()
    assert desk.position(0, FUTURE) == 0


ACTS: dict[str, Callable[[Pit], None]] = {
    "wrong-mark": sell_too_much,
    "wrong-payoff": let_expire,
    "wrong-settlement": let_expire,
    "unjust-liquidation": trade_calls,
    "missed-flag": reduce_late,
    "skipped-band": trade_far_off,
    "wrong-combo-leg": trade_combo,
    "wrong-deleveraging-price": fall_deep,
}


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


HONEST = [let_expire, trade_calls, trade_combo, fall_deep]


@pytest.mark.parametrize("act", HONEST)
def test_the_same_acts_are_right_without_a_fault(act: Callable[[Pit], None]) -> None:
    """What honest sequencers do of it."""
    with dishonest(None, pit()) as desk:
        act(desk)
        desk.flush()
    assert judged(desk) is None
