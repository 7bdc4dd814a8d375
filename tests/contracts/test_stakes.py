"""Stakes go in, stay as long as they answer for something, and come out."""

from __future__ import annotations

from tests.support.chain import ALICE, BOB, CAROL, load_test_artifact, reverts
from tests.support.world import DISPUTE_WINDOW, ETHER, MIN_STAKE, PROPOSER_TIMEOUT, World


def test_stakes_add_up(world: World) -> None:
    """Each payment raises the stake, and the contract holds the sum."""
    before = world.held()
    outcome = world.stake(BOB, 3)
    assert world.rollup.events(outcome)["Staked"] == {"poster": BOB, "amount": 3, "stake": 3}
    world.stake(BOB, 4)
    assert world.rollup.call("stakeOf", BOB) == 7
    assert world.held() == before + 7


def test_empty_stake_is_refused(world: World) -> None:
    """Staking nothing is a mistake, and so is taking nothing back."""
    with reverts("NoStake", BOB):
        world.stake(BOB, 0)
    with reverts("NoStake", BOB):
        world.rollup.send("unstake", sender=BOB)


def test_idle_stake_leaves_at_once(world: World) -> None:
    """Who never posted answers for nothing."""
    world.stake(BOB)
    before = world.chain.balance(BOB)
    outcome = world.rollup.send("unstake", sender=BOB)
    assert world.rollup.events(outcome)["Unstaked"] == {"poster": BOB, "amount": MIN_STAKE}
    assert world.chain.balance(BOB) == before + MIN_STAKE
    assert world.rollup.call("stakeOf", BOB) == 0


def test_stake_is_bound_until_the_last_batch_is_final(world: World) -> None:
    """A pending batch holds its poster's whole stake."""
    first = world.post()
    world.chain.travel(DISPUTE_WINDOW // 2)
    second = world.post()
    world.chain.travel(DISPUTE_WINDOW // 2 + 1)
    world.rollup.send("finalise", first.index)
    with reverts("StakeBound", ALICE, second.index, first.index):
        world.rollup.send("unstake", sender=ALICE)
    world.finalise(second)
    world.rollup.send("unstake", sender=ALICE)
    assert world.held() == 0


def test_stake_of_a_reverted_bystander_stays_bound_to_what_stands(world: World) -> None:
    """When another's fraud took a poster's last batch along, its earlier pending one still binds it, and only that."""
    world.stake(BOB)
    mine = world.post()
    world.chain.travel(PROPOSER_TIMEOUT + 1)
    bad = world.post(sender=BOB)
    gone = world.post()
    world.verifier.send("choose", 1, 0, bytes(32))
    world.prove(bad, sender=CAROL)
    assert world.rollup.call("lastBatchOf", ALICE) == gone.index
    with reverts("StakeBound", ALICE, mine.index, 0):
        world.rollup.send("unstake", sender=ALICE)
    world.finalise(mine)
    world.rollup.send("unstake", sender=ALICE)


def test_stake_stays_bound_when_others_fill_the_gap(world: World) -> None:
    """The bound is on batch numbers, so it never frees a stake too early, whoever posts under the same numbers."""
    world.stake(BOB)
    world.stake(CAROL)
    world.post()
    world.chain.travel(PROPOSER_TIMEOUT + 1)
    bad = world.post(sender=BOB)
    world.post()
    world.verifier.send("choose", 1, 0, bytes(32))
    world.prove(bad, sender=CAROL)
    world.chain.travel(PROPOSER_TIMEOUT + 1)
    filled = world.post(sender=CAROL)
    with reverts("StakeBound", ALICE, filled.index, 0):
        world.rollup.send("unstake", sender=ALICE)
    world.finalise(filled)
    world.rollup.send("unstake", sender=ALICE)


def test_reentered_unstake_pays_once(world: World) -> None:
    """A receiver that unstakes again from within finds nothing left, and its whole call fails."""
    relay = world.chain.deploy(load_test_artifact("Relay"))
    rollup = world.rollup
    relay.send("relay", rollup.address, rollup.abi.encode_call("stake"), value=ETHER)
    relay.send("answer", rollup.address, rollup.abi.encode_call("unstake"))
    with reverts("ETHTransferFailed"):
        relay.send("relay", rollup.address, rollup.abi.encode_call("unstake"))
    assert rollup.call("stakeOf", relay.address) == ETHER


def test_too_large_stake_is_refused(world: World) -> None:
    """The sum must fit its 128 bits; no real supply of ether comes near."""
    world.chain.set_balance(BOB, 1 << 129)
    world.stake(BOB, (1 << 128) - 1)
    with reverts("StakeTooLarge", 1 << 128):
        world.stake(BOB, 1)
