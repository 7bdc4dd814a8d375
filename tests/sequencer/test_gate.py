"""Which messages wait at the gate: what a forced transaction needs is read from the state that the desk has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from rollup.crypto.keccak import keccak
from rollup.derive.events import MessageAdded, Position
from rollup.derive.inbox import Inbox
from rollup.sequencer.gate import MESSAGES, Gate
from rollup.sequencer.patience import Bounds
from rollup.types.keys import GLOBALS
from rollup.types.leaves import Globals
from rollup.types.messages import Deposit, Forced, encode_message
from rollup.types.transactions import Flag, Trade, Transaction, encode_transaction
from tests.stf.world import USD, cancel, forced_order, price, set_signer, transfer, withdraw
from tests.support.pit import PERP, P, Pit, pit

COIN = 1_000_000
DEADLINE = 8_000
AT = Position(1, bytes(32), 0, bytes(32))
DEPOSIT = encode_message(Deposit(0, USD))


@pytest.fixture
def desk() -> Pit:
    """Fresh prices; accounts 0 and 1 hold a perpetual, others nothing."""
    opened = pit()
    opened.trade(0, 1, PERP, COIN)
    opened.flush()
    return opened


def forced(transaction: Transaction) -> bytes:
    """The message that forces a transaction."""
    return encode_message(Forced(b"\x05" * 20, encode_transaction(transaction)))


def inbox_of(messages: Iterable[bytes], time: int) -> Inbox:
    """An inbox with these messages of one time."""
    inbox = Inbox()
    for message in messages:
        rolled = keccak(inbox.hash_at(len(inbox)) + keccak(message))
        inbox.add(MessageAdded(AT, len(inbox), message, rolled, time))
    return inbox


def gate_of(desk: Pit) -> Gate:
    """A gate on a desk's state."""
    return Gate(desk.desk, Bounds(DEADLINE, DEADLINE, DEADLINE))


def look(gate: Gate, inbox: Inbox, first: int, now: int, *, room: bool = True) -> int:
    """How many messages from `first` on the gate lets through."""
    return gate.admit(inbox, first, now, room=lambda: room)


def admitted(desk: Pit, *messages: bytes) -> int:
    """How many of these messages may be taken now, seen for the first time."""
    return look(gate_of(desk), inbox_of(messages, desk.time), 0, desk.time)


def in_the_dark(desk: Pit) -> None:
    """Time goes on, and no price is fresh any more."""
    desk.time += 100
    desk.desk.ledger.refresh()


NEEDY: dict[str, Transaction] = {
    "withdrawal": withdraw(0, USD, 1),
    "transfer": transfer(1, 2, USD, 1),
    "trade": Trade(forced_order(2, True, COIN, P, 1), forced_order(3, False, COIN, P, 1), COIN),
    "flag": Flag(0),
}
FREE: dict[str, Transaction] = {
    "withdrawal without positions": withdraw(2, USD, 1),
    "withdrawal of nobody": withdraw(999, USD, 1, key=1),
    "cancel": cancel(0, 1),
    "signer": set_signer(0, b"\x09" * 20, 1),
}


@pytest.mark.parametrize("name", NEEDY)
def test_what_needs_a_price_waits_for_one_with_all_behind_it(desk: Pit, name: str) -> None:
    """What is before it passes."""
    queue = (DEPOSIT, forced(NEEDY[name]), DEPOSIT)
    assert admitted(desk, *queue) == 3
    in_the_dark(desk)
    assert admitted(desk, *queue) == 1


@pytest.mark.parametrize("name", FREE)
def test_what_needs_no_price_waits_for_none(desk: Pit, name: str) -> None:
    """Nor does what is no transaction at all."""
    in_the_dark(desk)
    assert admitted(desk, DEPOSIT, forced(FREE[name]), encode_message(Forced(bytes(20), b"\x02\xff")), b"\x09") == 4


def test_the_hold_ends_with_the_price_and_says_meanwhile_what_it_waits_for(desk: Pit) -> None:
    """The same gate, before and after."""
    in_the_dark(desk)
    gate, inbox = gate_of(desk), inbox_of([forced(withdraw(0, USD, 1))], desk.time)
    assert look(gate, inbox, 0, desk.time) == 0
    assert gate.text == f"message 0 waits, at most until L1's time {desk.time + DEADLINE // 4}: no fresh price"
    desk.submit(price(desk.time, P))
    assert look(gate, inbox, 0, desk.time) == 1
    assert gate.text == ""
    assert look(gate, inbox, 1, desk.time) == 0


def test_an_overdue_message_waits_late_for_its_price_if_the_batch_has_room_and_says_so(desk: Pit) -> None:
    """Who takes over finds it so; what needs no price never waits so long, and nothing waits without room."""
    in_the_dark(desk)
    old = desk.time - DEADLINE - 1
    for transaction, room, taken in (
        (NEEDY["withdrawal"], True, 0),
        (NEEDY["withdrawal"], False, 1),
        (FREE["cancel"], True, 1),
    ):
        gate = gate_of(desk)
        assert look(gate, inbox_of([forced(transaction)], old), 0, desk.time, room=room) == taken
        assert gate.holds_late == (taken == 0)
        assert ("nothing but prices" in gate.text) == (taken == 0)
    gate, inbox = gate_of(desk), inbox_of([forced(NEEDY["withdrawal"])], old)
    assert look(gate, inbox, 0, desk.time) == 0
    desk.submit(price(desk.time, P))
    assert look(gate, inbox, 0, desk.time) == 1
    assert not gate.holds_late
    assert look(gate, inbox, 1, desk.time) == 0


def test_an_insolvency_holds_forced_withdrawals_of_anybody_and_nothing_else(desk: Pit) -> None:
    """Who has no position might leave before the loss is shared."""
    leaf = Globals.decode(desk.desk.ledger.leaf(GLOBALS))
    staged = desk.store.stage({GLOBALS: _insolvent(leaf)})
    assert staged.number == desk.store.number
    desk.desk.ledger.move(0)
    assert admitted(desk, forced(transfer(1, 2, USD, 1)), DEPOSIT, forced(FREE["cancel"])) == 3
    for account in (0, 2):
        assert admitted(desk, DEPOSIT, forced(withdraw(account, USD, 1)), DEPOSIT) == 1


def _insolvent(totals: Globals) -> bytes:
    return replace(totals, insolvent=1).encode()


def test_messages_are_handed_on_in_portions(desk: Pit) -> None:
    """Each small enough to look at."""
    gate, inbox = gate_of(desk), inbox_of([DEPOSIT] * (MESSAGES + 5), desk.time)
    assert look(gate, inbox, 0, desk.time) == MESSAGES
    assert look(gate, inbox, MESSAGES, desk.time) == 5


def test_a_message_is_urgent_after_half_of_the_deadline(desk: Pit) -> None:
    """To the second; where there is none, nothing is urgent."""
    gate, inbox = gate_of(desk), inbox_of([DEPOSIT], 1_000)
    assert not gate.is_urgent(inbox, 0, 1_000 + DEADLINE // 2 - 1)
    assert gate.is_urgent(inbox, 0, 1_000 + DEADLINE // 2)
    assert not gate.is_urgent(inbox, 1, 10**9)
