"""Deposits and forced transactions: what is recorded, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from rollup.crypto.keccak import keccak
from tests.support.chain import ALICE, BOB, CAROL, load_test_artifact, reverts
from tests.support.world import BASE_FEE, DOLLARS, FEE_SLOPE, MINIMUM_OPENING, World

FIRST, SECOND = 2_000_000, 5
CAP = 1 << 60
NONE, TAKE_FEE, ADD_BONUS, FAIL, RETURN_FALSE, REENTER = range(6)


def rolled(*messages: bytes) -> bytes:
    """Rolling hash after these messages."""
    value = bytes(32)
    for message in messages:
        value = keccak(value + keccak(message))
    return value


def opening(account: int, owner: bytes, amount: int) -> bytes:
    """The message of an opened account."""
    return b"\x01" + account.to_bytes(3, "big") + owner + amount.to_bytes(8, "big")


def test_opening_moves_tokens_and_numbers_accounts(world: World) -> None:
    """Accounts count up from 0, belong to the named owner, and their tokens are in the vault."""
    for account, (payer, owner) in enumerate([(ALICE, BOB), (BOB, BOB), (BOB, CAROL)]):
        assert world.inbox.call("open", owner, FIRST, sender=payer) == account
        world.inbox.send("open", owner, FIRST, sender=payer)
        assert world.inbox.call("ownerOf", account) == owner
    assert world.inbox.call("accountCount") == 3
    assert world.inbox.call("ownerOf", 3) == bytes(20)
    assert world.inbox.call("depositedTotal") == 3 * FIRST
    assert world.token.call("balanceOf", world.vault.address) == 3 * FIRST
    assert world.token.call("balanceOf", BOB) == DOLLARS - 2 * FIRST


def test_messages_are_emitted_whole_and_hashed_in_order(world: World) -> None:
    """L1's events and its rolling hash are all a follower needs."""
    messages = [
        opening(0, CAROL, FIRST),
        b"\x02" + bytes(3) + SECOND.to_bytes(8, "big"),
        b"\x03" + BOB + b"\x03payload",
    ]
    calls: list[tuple[str, tuple[Any, ...], int]] = [
        ("open", (CAROL, FIRST), 0),
        ("deposit", (0, SECOND), 0),
        ("force", (b"\x03payload",), BASE_FEE),
    ]
    for index, ((name, values, wei), message) in enumerate(zip(calls, messages, strict=True)):
        world.chain.travel(10)
        time = world.chain.now
        outcome = world.inbox.send(name, *values, sender=BOB, value=wei)
        event = world.inbox.events(outcome)["MessageAdded"]
        after = rolled(*messages[: index + 1])
        assert event == {"index": index, "message": message, "hash": after, "time": time}
        assert world.inbox.call("hashAt", index + 1) == after
        assert world.inbox.call("timeAt", index) == time
    assert world.inbox.call("count") == 3
    assert world.inbox.call("hashAt", 0) == bytes(32)


def test_times_of_many_messages_are_kept_apart(world: World) -> None:
    """Several times share a storage slot without disturbing each other."""
    times = []
    for _ in range(14):
        world.chain.travel(7)
        times.append(world.chain.now)
        world.inbox.send("open", BOB, FIRST)
    assert [world.inbox.call("timeAt", i) for i in range(14)] == times


def test_positions_beyond_the_queue_are_refused(world: World) -> None:
    """There is no hash or time of what has not come."""
    world.inbox.send("open", BOB, FIRST)
    with reverts("IndexUnknown", 2, 1):
        world.inbox.call("hashAt", 2)
    with reverts("IndexUnknown", 1, 1):
        world.inbox.call("timeAt", 1)


def test_opening_needs_an_owner_and_the_minimum(world: World) -> None:
    """Account numbers are scarce, so they are not given away."""
    with reverts("OwnerZero"):
        world.inbox.send("open", bytes(20), FIRST)
    with reverts("AmountOutOfRange", MINIMUM_OPENING - 1, MINIMUM_OPENING, CAP):
        world.inbox.send("open", BOB, MINIMUM_OPENING - 1)
    world.inbox.send("open", BOB, MINIMUM_OPENING)


def test_deposit_needs_an_account_and_an_amount(world: World) -> None:
    """Nothing can be sent to an account that nobody opened."""
    with reverts("AccountUnknown", 0, 0):
        world.inbox.send("deposit", 0, SECOND)
    world.inbox.send("open", BOB, FIRST)
    with reverts("AccountUnknown", 1, 1):
        world.inbox.send("deposit", 1, SECOND)
    with reverts("AmountOutOfRange", 0, 1, CAP):
        world.inbox.send("deposit", 0, 0)
    for wide in (CAP + 1, 1 << 64, 1 << 255):
        with reverts("AmountOutOfRange", wide, 1, CAP):
            world.inbox.send("deposit", 0, wide)


def test_total_deposits_are_capped(world: World) -> None:
    """The sum of all deposits stays where the state transition needs no range checks."""
    world.token.send("mint", BOB, 2 * CAP)
    world.inbox.send("open", BOB, FIRST, sender=BOB)
    with reverts("DepositsExhausted", CAP + 1, CAP):
        world.inbox.send("deposit", 0, CAP - FIRST + 1, sender=BOB)
    world.inbox.send("deposit", 0, CAP - FIRST, sender=BOB)
    with reverts("DepositsExhausted", CAP + 1, CAP):
        world.inbox.send("deposit", 0, 1, sender=BOB)


def test_account_numbers_run_out(world: World) -> None:
    """The last number that fits 24 bits as a count is given out, and then no more."""
    world.inbox.send("open", BOB, FIRST)
    last = (1 << 24) - 2
    # Slot 0 packs count u40, accountCount u24, depositedTotal u64, forcedCount u40 from the low end.
    world.chain.set_storage(world.inbox.address, 0, 1 | last << 40 | FIRST << 64)
    assert world.inbox.call("accountCount") == last
    assert world.inbox.call("depositedTotal") == FIRST
    world.inbox.send("open", CAROL, FIRST)
    assert world.inbox.call("ownerOf", last) == CAROL
    with reverts("AccountsExhausted", last + 1):
        world.inbox.send("open", CAROL, FIRST)


def test_poor_or_unwilling_payer_is_refused(world: World) -> None:
    """Without balance or allowance nothing is credited."""
    with reverts("TransferFromFailed"):
        world.inbox.send("open", BOB, DOLLARS + 1, sender=BOB)
    world.token.send("approve", world.inbox.address, 0, sender=BOB)
    with reverts("TransferFromFailed"):
        world.inbox.send("open", BOB, FIRST, sender=BOB)
    assert world.inbox.call("count") == 0


@pytest.mark.parametrize(
    ("trick", "error", "arguments"),
    [
        (TAKE_FEE, "TransferMismatch", (FIRST, FIRST - 1)),
        (ADD_BONUS, "TransferMismatch", (FIRST, FIRST + 1)),
        (FAIL, "TransferFromFailed", ()),
        (RETURN_FALSE, "TransferFromFailed", ()),
    ],
)
def test_token_that_misbehaves_credits_nothing(
    hostile_world: World, trick: int, error: str, arguments: tuple[int, ...]
) -> None:
    """What is credited is what the vault got, to the unit, or nothing."""
    world = hostile_world
    world.inbox.send("open", BOB, FIRST)
    world.token.send("choose", trick, bytes(20), b"")
    for name, values in (("open", (BOB, FIRST)), ("deposit", (0, FIRST))):
        with reverts(error, *arguments):
            world.inbox.send(name, *values)
    assert world.inbox.call("count") == 1
    assert world.inbox.call("depositedTotal") == FIRST


def test_reentering_token_is_stopped(hostile_world: World) -> None:
    """A token that opens, deposits or forces from within its own transfer is refused."""
    world = hostile_world
    world.inbox.send("open", BOB, FIRST)
    for name, values in (("open", (BOB, FIRST)), ("deposit", (0, FIRST)), ("force", (b"\x02",))):
        world.token.send("choose", REENTER, world.inbox.address, world.inbox.abi.encode_call(name, *values))
        with reverts("TransferFromFailed"):
            world.inbox.send("deposit", 0, FIRST)
    assert world.inbox.call("count") == 1


def test_forcing_costs_the_fee_and_returns_the_rest(world: World) -> None:
    """The fee burns, what was paid too much comes back."""
    before = world.chain.balance(BOB)
    world.inbox.send("force", b"\x02", sender=BOB, value=5 * BASE_FEE)
    assert world.chain.balance(BOB) == before - BASE_FEE
    assert world.chain.balance(bytes(20)) == BASE_FEE
    assert world.chain.balance(world.inbox.address) == 0
    due = BASE_FEE + FEE_SLOPE
    with reverts("FeeTooLow", due - 1, due):
        world.inbox.send("force", b"\x02", sender=BOB, value=due - 1)


def test_force_fee_rises_with_the_queue(world: World) -> None:
    """Each forced message that no batch has taken raises the fee by the slope, until one takes it."""
    for pending in range(65):
        assert world.inbox.call("forceFee") == BASE_FEE + FEE_SLOPE * pending
        world.inbox.send("force", b"\x02", value=world.inbox.call("forceFee"))
    world.post(world.block(messages=32), world.block(messages=32))
    assert world.inbox.call("forceFee") == BASE_FEE + FEE_SLOPE


def test_deposits_cost_no_fee_however_long_the_queue(world: World) -> None:
    """Openings and deposits queue like everything else, stay free, and make it dearer for nobody."""
    for _ in range(3):
        world.inbox.send("open", BOB, FIRST)
    before = world.chain.balance(BOB)
    world.inbox.send("deposit", 0, SECOND, sender=BOB)
    assert world.chain.balance(BOB) == before
    assert world.inbox.call("forceFee") == BASE_FEE
    world.inbox.send("force", b"\x02", sender=BOB, value=BASE_FEE)
    assert [world.inbox.call("forcedBefore", index) for index in range(6)] == [0, 0, 0, 0, 0, 1]
    with reverts("IndexUnknown", 6, 5):
        world.inbox.call("forcedBefore", 6)
    world.inbox.send("open", BOB, FIRST)
    with reverts("FeeTooLow", BASE_FEE, BASE_FEE + FEE_SLOPE):
        world.inbox.send("force", b"\x02", sender=BOB, value=BASE_FEE)


def test_fee_counts_messages_of_reverted_batches_again(world: World) -> None:
    """What a reverted batch had taken waits again."""
    world.inbox.send("force", b"\x02", sender=BOB, value=BASE_FEE)
    posted = world.post(world.block(messages=1))
    assert world.inbox.call("forceFee") == BASE_FEE
    world.verifier.send("choose", 1, 0, bytes(32))
    world.prove(posted, sender=CAROL)
    assert world.inbox.call("forceFee") == BASE_FEE + FEE_SLOPE


@pytest.mark.parametrize("kind", [*range(14), 0x80, 0xFF])
def test_every_type_of_transaction_is_taken_and_no_other(world: World, kind: int) -> None:
    """Types 01 to 0b, the feeders' prices included; what nobody would take is not charged for."""
    taken = kind in range(1, 12)
    if taken:
        outcome = world.inbox.send("force", bytes([kind, 1]), sender=BOB, value=BASE_FEE)
        message = world.inbox.events(outcome)["MessageAdded"]["message"]
        assert message == b"\x03" + BOB + bytes([kind, 1])
    else:
        with reverts("KindRefused", kind):
            world.inbox.send("force", bytes([kind, 1]), sender=BOB, value=BASE_FEE)


def test_forced_message_length_is_bounded(world: World) -> None:
    """A message is at most 512 bytes with its head, and holds something."""
    for length, total in ((0, 21), (492, 513), (2_000, 2_021)):
        with reverts("MessageLength", total, 512):
            world.inbox.send("force", b"\x02" * length, value=BASE_FEE)
    world.inbox.send("force", b"\x02" * 491, value=BASE_FEE)


def test_contract_forces_in_its_own_name(world: World) -> None:
    """The recorded sender is who called, so a contract wallet needs no key; it gets its change, or nothing happens."""
    relay = world.chain.deploy(load_test_artifact("Relay"))
    call = world.inbox.abi.encode_call("force", b"\x02")
    outcome = relay.send("relay", world.inbox.address, call, value=2 * BASE_FEE)
    assert world.inbox.events(outcome)["MessageAdded"]["message"] == b"\x03" + relay.address + b"\x02"
    assert world.chain.balance(relay.address) == BASE_FEE
    relay.send("refuse", True)
    with reverts("ETHTransferFailed"):
        relay.send("relay", world.inbox.address, call, value=2 * BASE_FEE)
    relay.send("relay", world.inbox.address, call, value=BASE_FEE + FEE_SLOPE)


def test_reentered_force_is_stopped(world: World) -> None:
    """Change cannot be answered with another message from within."""
    relay = world.chain.deploy(load_test_artifact("Relay"))
    relay.send("answer", world.inbox.address, world.inbox.abi.encode_call("open", BOB, FIRST))
    with reverts("ETHTransferFailed"):
        relay.send("relay", world.inbox.address, world.inbox.abi.encode_call("force", b"\x02"), value=2 * BASE_FEE)
