"""Inbox messages: credited, executed, or no-ops that say why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollup.l1.devkeys import dev_address
from rollup.stf.block import execute_block
from rollup.stf.receipts import Kind
from rollup.types.keys import account_key, slot_key
from rollup.types.leaves import Account
from rollup.types.messages import Deposit, Forced, Open, encode_message
from rollup.types.reasons import Reason
from rollup.types.transactions import EMPTY_SIGNATURE, Trade, encode_transaction
from tests.stf.world import (
    COIN,
    START,
    USD,
    World,
    cancel,
    forced_order,
    funded,
    order,
    price,
    set_signer,
    trade,
    transfer,
    withdraw,
)

P = 40_000 * USD


def test_open_creates_an_account_with_its_deposit() -> None:
    """Owner and cash as L1 says; no signer, nothing withdrawn."""
    world = World()
    result = world.must(messages=[Open(5, dev_address(5), 7)])
    assert world.account(5) == Account(dev_address(5), bytes(20), 7, 0, 0, 0)
    assert (world.globals().deposits, world.globals().accounts, world.globals().inbox_index) == (7, 1, 1)
    assert [(r.kind, r.reason, r.forced) for r in result.receipts] == [(Kind.OPEN, Reason.NONE, False)]


def test_open_of_an_existing_account_only_credits_it() -> None:
    """The owner stays, the account is not counted twice."""
    world = World()
    world.must(messages=[Open(5, dev_address(5), 7), Open(5, dev_address(6), 3), Deposit(5, 1)])
    assert (world.account(5).owner, world.account(5).cash) == (dev_address(5), 11)
    assert (world.globals().deposits, world.globals().accounts) == (11, 1)
    world.check()


def test_deposit_to_an_unknown_account_is_a_no_op() -> None:
    """Nothing is credited to anyone, the message is consumed, the account counts as touched."""
    world = World()
    result = world.must(messages=[Deposit(5, 7)])
    assert [(r.kind, r.reason) for r in result.receipts] == [(Kind.DEPOSIT, Reason.ACCOUNT_UNKNOWN)]
    assert account_key(5) in result.pre
    assert account_key(5) not in world.leaves
    assert (world.globals().deposits, world.globals().inbox_index) == (0, 1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.UNDECODABLE),
        (b"\x00", Reason.UNDECODABLE),
        (b"\x04" + bytes(31), Reason.UNDECODABLE),
        (b"\x01" + bytes(30), Reason.UNDECODABLE),
        (b"\x02" + bytes(12), Reason.UNDECODABLE),
        (b"\x03" + bytes(19), Reason.UNDECODABLE),
        (b"\x03" + bytes(20), Reason.UNDECODABLE),
        (b"\x03" + bytes(20) + b"\x07" * 99, Reason.UNDECODABLE),
        (b"\x03" + bytes(20) + encode_transaction(cancel(0, 1)) + b"\0", Reason.UNDECODABLE),
        (b"\x03" + bytes(20) + encode_transaction(cancel(0, 1))[:-1], Reason.UNDECODABLE),
        (b"\x03" + bytes(20) + encode_transaction(price(START + 1, P)) + b"\0", Reason.UNDECODABLE),
        (b"\x03" + bytes(20) + b"\x06", Reason.UNDECODABLE),
        (b"\x03" + bytes(20) + b"\x0b" + bytes(99), Reason.UNDECODABLE),
        (b"\x03" + bytes(20) + b"\x0c" + bytes(99), Reason.UNDECODABLE),
        (b"\x03" + bytes(20) + b"\x08\x02" + bytes(99), Reason.UNDECODABLE),
        (b"\x04" + bytes(5), Reason.UNDECODABLE),
    ],
)
def test_other_bytes_are_no_ops(data: bytes, reason: Reason) -> None:
    """Whatever L1 passes on, the block stays valid, and only the inbox position changes."""
    world = funded()
    before = world.globals()
    result = world.must(messages=[data])
    assert [(r.kind, r.reason) for r in result.receipts] == [(Kind.UNKNOWN, reason)]
    assert result.usage.bytes == len(data)
    assert set(result.pre) == set(result.writes) == {0}
    assert replace(world.globals(), inbox_index=0, inbox_hash=b"") == replace(before, inbox_index=0, inbox_hash=b"")


def test_a_forced_transaction_executes_with_its_signature() -> None:
    """Anyone may force a transaction that its owner signed; the recovery is counted."""
    world = funded()
    result = world.must(messages=[Forced(dev_address(6), encode_transaction(withdraw(0, USD, 1)))])
    assert (result.receipts[0].kind, result.receipts[0].reason, result.receipts[0].forced) == (
        Kind.WITHDRAW,
        Reason.NONE,
        True,
    )
    assert world.account(0).withdrawn == USD
    assert result.usage.recoveries == 1
    world.check()


def test_the_owner_needs_no_signature_through_l1() -> None:
    """An empty signature stands for the sender, whose word costs no recovery: contract wallets act like this."""
    world = funded()
    forced = Forced(dev_address(0), encode_transaction(replace(withdraw(0, USD, 1), signature=EMPTY_SIGNATURE)))
    result = world.must(messages=[forced])
    assert result.receipts[0].reason is Reason.NONE
    assert result.usage.recoveries == 0
    assert world.account(0).withdrawn == USD


def test_an_empty_signature_of_a_stranger_is_invalid() -> None:
    """The L1 sender speaks only for what it owns; a session signer only where one may."""
    world = funded()
    world.must(set_signer(0, dev_address(5), 1))
    unsigned = replace(withdraw(0, USD, 2), signature=EMPTY_SIGNATURE)
    assert world.forced_reason(unsigned, sender=6) is Reason.SIGNATURE_INVALID
    assert world.forced_reason(unsigned, sender=5) is Reason.SIGNATURE_INVALID
    assert world.forced_reason(replace(cancel(0, 9), signature=EMPTY_SIGNATURE), sender=5) is Reason.NONE
    moved = replace(transfer(0, 1, 1, 2), signature=EMPTY_SIGNATURE)
    assert world.forced_reason(moved, sender=1) is Reason.SIGNATURE_INVALID
    assert world.forced_reason(moved, sender=0) is Reason.NONE


def test_the_zero_address_speaks_for_nobody() -> None:
    """It is what an account without session signer has for one."""
    world = funded()
    unsigned = Forced(bytes(20), encode_transaction(replace(cancel(0, 9), signature=EMPTY_SIGNATURE)))
    assert world.must(messages=[unsigned]).receipts[0].reason is Reason.SIGNATURE_INVALID


def test_a_two_sided_trade_can_be_forced() -> None:
    """One side on the sender's word, the other by its signed order."""
    world = funded()
    tx = Trade(order(1, True, COIN, P, 1), forced_order(0, False, COIN, P, 1), COIN)
    assert world.forced_reason(tx, sender=0) is Reason.NONE
    assert world.account(0).position_in(1) == COIN
    assert world.slot(0, 1).filled == COIN


def test_the_word_of_the_sender_ends_with_its_message() -> None:
    """An empty signature behind a forced message is as invalid as ever."""
    world = funded()
    forced = Forced(dev_address(0), encode_transaction(replace(cancel(0, 1), signature=EMPTY_SIGNATURE)))
    failing = Forced(dev_address(0), encode_transaction(replace(cancel(1, 1), signature=EMPTY_SIGNATURE)))
    late = replace(cancel(0, 2), signature=EMPTY_SIGNATURE)
    for first in (forced, failing):
        result = world.execute(late, messages=[first], keep=False)
        assert (result.reason, result.index) == (Reason.SIGNATURE_INVALID, 1)


def test_a_failed_forced_transaction_leaves_touches_meters_and_accruals() -> None:
    """Its other writes do not happen, not even the funding it settled on the way."""
    world = funded()
    world.must(trade(COIN, P, 1))
    world.must(price(START + 30, P, P + 100 * USD), at=START + 30)
    before = {key: world.leaves[key] for key in map(account_key, (0, 1))}
    pool, index = world.market().pool, world.underlying().funding_index
    huge = 20 * COIN
    tx = Trade(order(1, True, huge, P, 2), order(0, False, huge, P, 2), huge)
    result = world.must(messages=[Forced(dev_address(6), encode_transaction(tx))], at=START + 60)
    assert result.receipts[0].reason is Reason.MARGIN
    assert (result.usage.recoveries, result.usage.slots, result.usage.accounts) == (2, 2, 2)
    assert result.usage.revaluations == 1
    assert {slot_key(0, 2), slot_key(1, 2)} <= set(result.pre)
    assert {key: world.leaves[key] for key in before} == before
    assert world.market().pool == pool
    assert world.underlying().funding_index > index
    assert world.underlying().funding_time == START + 60
    assert slot_key(0, 2) not in world.leaves
    world.check()


def test_messages_come_before_transactions_and_are_counted_with_them() -> None:
    """Money deposited in a block can be withdrawn in the same; the index of a fault counts both."""
    world = World()
    opened = Open(0, dev_address(0), 5)
    result = world.execute(withdraw(0, 5, 1), withdraw(0, 1, 2), messages=[opened], keep=False)
    assert (result.reason, result.index) == (Reason.MARGIN, 2)
    result = world.must(withdraw(0, 5, 1), messages=[opened])
    assert [r.index for r in result.receipts] == [0, 1]
    world.check()


def test_the_block_takes_the_inbox_position_of_its_header() -> None:
    """Index and rolling hash of L1 stand in the totals afterwards."""
    world = World()
    inbox = [encode_message(Deposit(1, 1)), b"junk"]
    header = world.header(inbox, b"", START)
    world.must(messages=inbox)
    assert (world.globals().inbox_index, world.globals().inbox_hash) == (2, header.inbox_hash)


def test_messages_that_l1_did_not_send_are_a_fault_of_the_caller() -> None:
    """The inbox is L1's: a block cannot be judged on other messages."""
    world = World()
    header = world.header([b"one"], b"", START)
    for wrong in ([], [b"two"], [b"one", b"one"]):
        with pytest.raises(AssertionError):
            execute_block(world.read, header, b"", wrong, bytes(32))
