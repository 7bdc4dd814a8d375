"""How long waiting messages are held back, and that no hold is for ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.sequencer.patience import AUCTIONS, SHARE, Bounds, Cause, Hold, Need, Patience, Waiting

DEADLINE, AUCTION = 8_000, 100
DEPOSIT, WITHDRAWAL, TRADE, BOTH = b"deposit", b"withdrawal", b"trade", b"both"
NEEDS = {
    DEPOSIT: Need(),
    WITHDRAWAL: Need(solvency=True),
    TRADE: Need(frozenset({1})),
    BOTH: Need(frozenset({1, 2}), solvency=True),
}
LAST = DEADLINE - 600
"""When a message must be let go at the latest: what is left is for posting."""
LATE = 600
"""How long a message waits for its price that is found after that: ten minutes."""
GRACE, LAG = 16_000, 86_400


class Queue:
    """A queue as L1 fills it, looked at with one patience."""

    def __init__(self, deadline: int = DEADLINE, auction: int = AUCTION, *, grace: int = GRACE, lag: int = LAG) -> None:
        self.patience = Patience(Bounds(deadline, grace, lag), auction)
        self.waiting: list[Waiting] = []
        self.taken = 0

    def add(self, now: int, *messages: bytes) -> None:
        """L1 takes in messages."""
        self.waiting += [Waiting(now, message) for message in messages]

    def look(self, now: int, *, stale: Iterable[int] = (), insolvent: bool = False, room: bool = True) -> int:
        """Take what may be taken; how much that is."""
        self.patience.see(len(self.waiting), stale, now)
        queue = self.waiting[self.taken :]
        admitted = self.patience.admit(
            self.taken, queue, now, NEEDS.__getitem__, insolvent=insolvent, room=lambda: room
        )
        self.taken += admitted
        return admitted


def test_without_a_cause_everything_is_taken_at_once() -> None:
    """However long the queue, whatever is in it."""
    queue = Queue()
    queue.add(0, *[TRADE, WITHDRAWAL, DEPOSIT] * 100)
    assert queue.look(1) == 300
    assert queue.patience.hold is None


def test_an_insolvency_holds_the_first_forced_withdrawal_and_all_behind_it() -> None:
    """What came before it passes; the hold ends with the insolvency."""
    queue = Queue()
    queue.add(0, DEPOSIT, TRADE, WITHDRAWAL, DEPOSIT)
    assert queue.look(10, insolvent=True) == 2
    assert queue.patience.hold == Hold(2, Cause.INSOLVENCY, 10 + AUCTIONS * AUCTION)
    assert queue.look(11, insolvent=True) == 0
    assert queue.look(12) == 2


@pytest.mark.parametrize(("auction", "longest"), [(100, 400), (10_000, DEADLINE // SHARE)])
def test_an_insolvency_that_lasts_holds_for_four_auctions_or_a_quarter_of_the_deadline(
    auction: int, longest: int
) -> None:
    """Whichever is shorter, since the message was first seen, to the second."""
    queue = Queue(auction=auction)
    queue.add(0, WITHDRAWAL)
    assert queue.look(50, insolvent=True) == 0
    assert queue.look(50 + longest - 1, insolvent=True) == 0
    assert queue.look(50 + longest, insolvent=True) == 1


def test_each_message_is_held_since_it_was_seen_itself_so_holds_do_not_add_up() -> None:
    """Three withdrawals in a row wait no longer than one."""
    queue = Queue()
    queue.add(0, WITHDRAWAL, WITHDRAWAL)
    assert queue.look(0, insolvent=True) == 0
    queue.add(100, WITHDRAWAL)
    assert queue.look(100, insolvent=True) == 0
    assert queue.look(400, insolvent=True) == 2
    assert queue.look(499, insolvent=True) == 0
    assert queue.look(500, insolvent=True) == 1


def test_a_missing_price_holds_only_what_needs_that_price() -> None:
    """Until it is there, or for a quarter of the deadline since it was missed."""
    queue = Queue()
    queue.add(0, DEPOSIT, WITHDRAWAL, TRADE, DEPOSIT)
    assert queue.look(10, stale=[2]) == 4
    queue.add(20, TRADE)
    assert queue.look(20, stale=[1]) == 0
    assert queue.patience.hold == Hold(4, Cause.PRICE, 20 + DEADLINE // SHARE)
    assert queue.look(21) == 1


def test_a_market_that_nobody_prices_holds_the_queue_once_not_for_every_message_again() -> None:
    """Else whoever has a position in it could hold everybody up for ever, at a fee a day."""
    queue = Queue()
    queue.add(0, TRADE)
    assert queue.look(0, stale=[1]) == 0
    assert queue.look(2_000, stale=[1]) == 1
    for now in range(2_000, 8_000, 500):
        queue.add(now, TRADE, DEPOSIT)
        assert queue.look(now, stale=[1]) == 2
    assert queue.look(8_000) == 0
    queue.add(8_001, TRADE)
    assert queue.look(8_001, stale=[1]) == 0, "it had a price again, so there is hope"


def test_with_two_causes_the_longer_hold_counts_and_only_while_its_cause_lasts() -> None:
    """A price comes first, the insolvency ends later."""
    queue = Queue()
    queue.add(0, BOTH)
    assert queue.look(0, stale=[1], insolvent=True) == 0
    assert queue.patience.hold == Hold(0, Cause.PRICE, DEADLINE // SHARE)
    assert queue.look(1, insolvent=True) == 0
    assert queue.patience.hold == Hold(0, Cause.INSOLVENCY, AUCTIONS * AUCTION)
    assert queue.look(2) == 1


def test_an_insolvency_lets_an_old_message_go_in_time_to_be_posted_and_holds_no_overdue_one() -> None:
    """However lately it was seen first: who takes over finds old ones."""
    for age, admitted in ((LAST - 1, 0), (LAST, 1), (DEADLINE, 1), (10 * DEADLINE, 1)):
        queue = Queue()
        queue.add(0, WITHDRAWAL)
        assert queue.look(age, stale=[1], insolvent=True) == admitted


@pytest.mark.parametrize("age", [LAST - 1, LAST, DEADLINE, DEADLINE + 1, DEADLINE + GRACE // 2])
def test_who_finds_an_old_message_lets_it_wait_for_its_price_a_little_even_if_it_is_overdue(age: int) -> None:
    """It cannot come any later than too late; the hold says that it is a late one."""
    queue = Queue()
    queue.add(0, DEPOSIT, TRADE)
    assert queue.look(age, stale=[1]) == 1
    assert queue.patience.hold == Hold(1, Cause.PRICE, age + LATE, late=age >= LAST)
    assert queue.look(age + LATE - 1, stale=[1]) == 0
    assert queue.patience.hold == Hold(1, Cause.PRICE, age + LATE, late=True)
    assert queue.look(age + LATE, stale=[1]) == 1
    assert queue.patience.hold is None


def test_a_late_hold_ends_with_the_price_or_when_the_batch_has_no_room_for_both() -> None:
    """Without room a batch would have to leave the message behind, and L1 would refuse it for ever."""
    for state in ({}, {"stale": [2]}, {"stale": [1], "room": False}):
        queue = Queue()
        queue.add(0, TRADE)
        assert queue.look(DEADLINE, stale=[1]) == 0
        assert queue.look(DEADLINE + 1, **state) == 1


def test_before_its_time_a_message_waits_whether_or_not_a_batch_has_room() -> None:
    """L1 takes batches without it."""
    queue = Queue()
    queue.add(0, TRADE)
    assert queue.look(LAST - 1, stale=[1], room=False) == 0
    assert queue.look(LAST, stale=[1], room=False) == 1


def test_who_has_waited_for_the_price_for_long_waits_no_more_when_it_is_late() -> None:
    """A spell counts once: later messages of markets that nobody prices go on."""
    queue = Queue()
    queue.add(0, TRADE)
    assert queue.look(LAST - DEADLINE // SHARE, stale=[1]) == 0
    assert queue.look(LAST, stale=[1]) == 1
    queue.add(LAST, TRADE)
    assert queue.look(LAST + DEADLINE, stale=[1]) == 1


@pytest.mark.parametrize(
    ("grace", "age", "longest"),
    [
        (2_000, DEADLINE + 1, 1_999 // 4),
        (2_000, DEADLINE + 1_900, 25),
        (2_000, DEADLINE + 2_000, 0),
        (2_000, 99_999, 0),
    ],
)
def test_no_late_hold_takes_more_than_a_quarter_of_the_time_until_the_freeze(
    grace: int, age: int, longest: int
) -> None:
    """Nobody may end the chain because of it."""
    queue = Queue(grace=grace)
    queue.add(0, TRADE)
    assert queue.look(age, stale=[1]) == (longest == 0)
    if longest:
        assert queue.look(age + longest - 1, stale=[1]) == 0
        assert queue.look(age + longest, stale=[1]) == 1


def test_no_late_hold_makes_the_price_block_too_old_to_be_posted() -> None:
    """A quarter of the lag that L1 bears."""
    queue = Queue(lag=400)
    queue.add(0, TRADE)
    assert queue.look(DEADLINE, stale=[1]) == 0
    assert queue.look(DEADLINE + 99, stale=[1]) == 0
    assert queue.look(DEADLINE + 100, stale=[1]) == 1


def test_the_time_kept_for_posting_is_ten_minutes_at_most() -> None:
    """With a deadline of a day there is no need for three hours."""
    queue = Queue(deadline=86_400, auction=10**6)
    queue.add(0, WITHDRAWAL)
    assert queue.look(86_400 - 601, insolvent=True) == 0
    assert queue.look(86_400 - 600, insolvent=True) == 1


def test_messages_that_l1_takes_back_are_new_when_others_come() -> None:
    """The first look at a place counts from what stands there now."""
    queue = Queue()
    queue.add(0, DEPOSIT, WITHDRAWAL)
    assert queue.look(0, insolvent=True) == 1
    queue.waiting.pop()
    assert queue.look(100, insolvent=True) == 0
    queue.add(200, WITHDRAWAL)
    assert queue.look(200, insolvent=True) == 0
    assert queue.look(599, insolvent=True) == 0
    assert queue.look(600, insolvent=True) == 1


STEPS = st.lists(
    st.tuples(
        st.integers(1, 900),
        st.lists(st.sampled_from(sorted(NEEDS)), max_size=3),
        st.sets(st.integers(1, 2)),
        st.booleans(),
    ),
    max_size=40,
)


@given(STEPS)
def test_nobody_is_held_past_his_bound_nor_overtaken(
    steps: Iterable[tuple[int, list[bytes], set[int], bool]],
) -> None:
    """Whatever comes in whatever state: after each look the head of the queue has a cause and time left, or is taken.

    Causes may follow each other as they like: no message waits longer than a quarter of the deadline after it was seen.
    """
    queue, now, seen = Queue(), 0, dict[int, int]()
    for pause, messages, stale, insolvent in steps:
        now += pause
        queue.add(now, *messages)
        seen.update({index: now for index in range(len(queue.waiting)) if index not in seen})
        queue.look(now, stale=stale, insolvent=insolvent)
        for index in range(queue.taken, len(queue.waiting)):
            waited = now - seen[index]
            assert waited < DEADLINE // SHARE, "whatever it was that held it"
        if queue.taken < len(queue.waiting):
            hold = queue.patience.hold
            assert hold is not None
            assert hold.index == queue.taken
            assert now < hold.until <= now + DEADLINE // SHARE
            _check_cause(hold, queue.waiting[hold.index], {"stale": stale, "insolvent": insolvent})


def _check_cause(hold: Hold, waiting: Waiting, state: Mapping[str, object]) -> None:
    need = NEEDS[waiting.message]
    if hold.cause is Cause.INSOLVENCY:
        assert need.solvency
        assert state["insolvent"]
        assert hold.until <= waiting.time + LAST
    else:
        assert need.markets & state["stale"]  # type: ignore[operator]
        assert hold.until <= waiting.time + LAST + LATE
