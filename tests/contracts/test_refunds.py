"""Deposits that the end state never took in go back to the owners of their accounts, once."""

from __future__ import annotations

from tests.support.chain import ALICE, BOB, CAROL, DAVE, reverts
from tests.support.ending import USD, EndState, holder, starve, state_of
from tests.support.world import DOLLARS, World

TAKEN = 100 * USD


def opening(account: int, owner: bytes, amount: int) -> bytes:
    """The message of an opened account."""
    return b"\x01" + account.to_bytes(3, "big") + owner + amount.to_bytes(8, "big")


def deposit(account: int, amount: int) -> bytes:
    """The message of a deposit."""
    return b"\x02" + account.to_bytes(3, "big") + amount.to_bytes(8, "big")


def ended(world: World) -> EndState:
    """The end state took message 0, BOB's account 0; 1 opens CAROL's account 1, 2 and 3 pay into both, 4 is forced."""
    world.inbox.send("open", BOB, TAKEN, sender=DAVE)
    state = state_of({0: holder(BOB, TAKEN)}, deposits=TAKEN)
    posted = world.post(world.block(root=state.tree.root, messages=1))
    world.inbox.send("open", CAROL, 7 * USD, sender=DAVE)
    world.inbox.send("deposit", 0, 11, sender=DAVE)
    world.inbox.send("deposit", 1, 13, sender=DAVE)
    starve(world)
    world.rollup.send("finalise", posted.index)
    return state


def test_owners_get_their_late_deposits_back(world: World) -> None:
    """Whoever paid and whoever calls, the money is the account's, also if the account never came to be."""
    ended(world)
    for index, message, account, owner, amount in (
        (3, deposit(1, 13), 1, CAROL, 13),
        (1, opening(1, CAROL, 7 * USD), 1, CAROL, 7 * USD),
        (2, deposit(0, 11), 0, BOB, 11),
    ):
        before = world.token.call("balanceOf", owner)
        outcome = world.vault.send("refund", index, message, sender=DAVE)
        event = world.vault.events(outcome)["Refunded"]
        assert event == {"index": index, "account": account, "owner": owner, "amount": amount}
        assert world.token.call("balanceOf", owner) == before + amount
        assert world.vault.call("refunded", index)
    assert world.vault.call("refundedTotal") == 7 * USD + 24
    assert world.token.call("balanceOf", world.vault.address) == TAKEN


def test_refund_is_paid_once(world: World) -> None:
    """The second time it is refused."""
    ended(world)
    world.vault.send("refund", 2, deposit(0, 11))
    with reverts("AlreadyRefunded", 2):
        world.vault.send("refund", 2, deposit(0, 11))


def test_consumed_deposit_is_not_refunded(world: World) -> None:
    """It is part of what the account is worth."""
    ended(world)
    with reverts("MessageConsumed", 0, 1):
        world.vault.send("refund", 0, opening(0, BOB, TAKEN))


def test_message_must_be_the_inboxs_own(world: World) -> None:
    """Another amount, owner, account, position or length is not what the inbox hashed."""
    ended(world)
    for index, message in (
        (2, deposit(0, 12)),
        (2, deposit(1, 11)),
        (3, deposit(0, 11)),
        (2, deposit(0, 11) + b"\0"),
        (2, b""),
        (1, opening(1, BOB, 7 * USD)),
    ):
        with reverts("WrongMessage", index):
            world.vault.send("refund", index, message)


def test_messages_without_money_are_not_refunded(world: World) -> None:
    """A forced transaction brought none."""
    ended(world)
    with reverts("NotADeposit", 4):
        world.vault.send("refund", 4, b"\x03" + ALICE + b"\x02")
    for index in (5, 2**40, 2**256 - 1):
        with reverts("IndexUnknown"):
            world.vault.send("refund", index, deposit(0, 11))


def test_late_deposits_are_no_part_of_the_pot(world: World) -> None:
    """They are held back from those who share, refunded or not."""
    state = ended(world)
    world.vault.send("register", state.estate(0))
    assert world.vault.call("pot") == (TAKEN, False)
    world.vault.send("refund", 1, opening(1, CAROL, 7 * USD))
    assert world.vault.call("pot") == (TAKEN, False)
    world.chain.travel(world.vault.call("registrationDeadline") + 1 - world.chain.now)
    world.vault.send("collect", 0)
    world.vault.send("refund", 2, deposit(0, 11))
    world.vault.send("refund", 3, deposit(1, 13))
    assert world.token.call("balanceOf", world.vault.address) == 0
    assert world.token.call("balanceOf", BOB) == DOLLARS + TAKEN + 11


def test_chain_that_ends_in_its_genesis_refunds_everything(world: World) -> None:
    """A sequencer that never took anything costs nobody anything."""
    world.inbox.send("open", BOB, TAKEN, sender=DAVE)
    starve(world)
    assert world.rollup.call("endState") == (True, 0)
    world.vault.send("refund", 0, opening(0, BOB, TAKEN))
    assert world.token.call("balanceOf", BOB) == DOLLARS + TAKEN
