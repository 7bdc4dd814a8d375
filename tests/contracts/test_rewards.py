"""Who gets what of a slashed stake."""

from __future__ import annotations

import pytest

from rollup.crypto.keccak import keccak
from tests.support.chain import ALICE, BOB, CAROL, DAVE, Deployed, load_test_artifact, reverts
from tests.support.world import MIN_STAKE, PROPOSER_TIMEOUT, REWARD_DELAY, Posted, World, as_tuple

STAKE = 2 * MIN_STAKE
"""What the sequencer has at stake."""

SALT = keccak(b"salt")
REASON, INDEX, ROOT = 42, 3, bytes(32)


def choose(world: World, reason: int = REASON) -> None:
    """Tell the verifier its verdict."""
    world.verifier.send("choose", reason, INDEX, ROOT)


def commitment(world: World, who: bytes, batch: Posted, reason: int = REASON, salt: bytes = SALT) -> bytes:
    """What `who` commits to when it has found the fraud."""
    verdict = world.rollup.call("verdictHash", batch.batch_hash, 0, reason, INDEX, ROOT)
    made: bytes = world.rollup.call("commitmentOf", who, salt, verdict)
    return made


def claimant(world: World, poster: bytes = ALICE) -> bytes:
    """Who gets the bounty as things stand."""
    holder: bytes = world.rollup.call("bountyOf", poster)[0]
    return holder


def burnt(world: World) -> int:
    """Wei sent into nothing."""
    return world.chain.balance(bytes(20))


def test_commitment_is_bound_to_committer_and_verdict(world: World) -> None:
    """The two hashes are what the interface says."""
    words = [keccak(b"batch"), *((n).to_bytes(32, "big") for n in (5, REASON, INDEX)), ROOT]
    verdict = keccak(b"".join(words))
    assert world.rollup.call("verdictHash", words[0], 5, REASON, INDEX, ROOT) == verdict
    assert world.rollup.call("commitmentOf", BOB, SALT, verdict) == keccak(bytes(12) + BOB + SALT + verdict)


def test_half_is_burnt_and_half_held_for_the_prover(world: World) -> None:
    """The whole stake goes; the prover's half waits for the delay and is then paid, whoever asks."""
    bad = world.post()
    choose(world)
    outcome = world.prove(bad, sender=BOB)
    due = world.chain.now + REWARD_DELAY
    events = world.rollup.events(outcome)
    assert events["Slashed"] == {"poster": ALICE, "stake": STAKE, "burnt": STAKE // 2}
    assert events["BountyHeld"] == {"poster": ALICE, "claimant": BOB, "amount": STAKE // 2, "due": due}
    assert burnt(world) == STAKE // 2
    assert world.held() == STAKE // 2
    assert world.rollup.call("stakeOf", ALICE) == 0
    world.chain.travel(REWARD_DELAY)
    with reverts("RewardHeld", due, due):
        world.rollup.send("claimReward", ALICE)
    world.chain.travel(1)
    before = world.chain.balance(BOB)
    paid = world.rollup.send("claimReward", ALICE, sender=CAROL)
    assert world.rollup.events(paid)["RewardPaid"] == {"poster": ALICE, "claimant": BOB, "amount": STAKE // 2}
    assert world.chain.balance(BOB) == before + STAKE // 2
    assert world.held() == 0
    with reverts("NoBounty", ALICE):
        world.rollup.send("claimReward", ALICE)


def test_odd_stake_loses_no_wei(world: World) -> None:
    """Of an odd stake the larger half burns."""
    world.stake(ALICE, 1)
    bad = world.post()
    choose(world)
    world.prove(bad, sender=BOB)
    assert (burnt(world), world.held()) == (STAKE // 2 + 1, STAKE // 2)


def test_earlier_commitment_takes_the_bounty(world: World) -> None:
    """Who copies a proof from the mempool loses the reward to who had committed before."""
    bad = world.post()
    world.rollup.send("commit", commitment(world, BOB, bad), sender=BOB)
    choose(world)
    world.prove(bad, sender=CAROL)
    assert claimant(world) == CAROL
    world.rollup.send("reveal", ALICE, SALT, sender=BOB)
    assert claimant(world) == BOB


def test_earliest_of_several_commitments_wins(world: World) -> None:
    """Reveals may come in any order; the oldest commitment stays."""
    bad = world.post()
    for who in (BOB, CAROL, DAVE):
        world.rollup.send("commit", commitment(world, who, bad), sender=who)
    choose(world)
    world.prove(bad, sender=ALICE)
    for who in (DAVE, BOB):
        world.rollup.send("reveal", ALICE, SALT, sender=who)
        assert claimant(world) == who
    with reverts("CommitmentTooLate"):
        world.rollup.send("reveal", ALICE, SALT, sender=CAROL)
    assert claimant(world) == BOB


def test_commitment_in_the_proofs_block_or_later_is_too_late(world: World) -> None:
    """Only an earlier L1 block counts, because the proof shows the verdict to everybody."""
    bad = world.post()
    choose(world)
    proven_in = world.chain.block_number
    world.prove(bad, sender=BOB)
    late = commitment(world, CAROL, bad)
    world.rollup.send("commit", late, sender=CAROL)
    with reverts("CommitmentTooLate", late, proven_in + 1, proven_in):
        world.rollup.send("reveal", ALICE, SALT, sender=CAROL)
    same_block = world.fork()
    same_block.chain.header = same_block.chain.header.copy(block_number=proven_in)
    simultaneous = commitment(world, DAVE, bad)
    same_block.rollup.send("commit", simultaneous, sender=DAVE)
    with reverts("CommitmentTooLate", simultaneous, proven_in, proven_in):
        same_block.rollup.send("reveal", ALICE, SALT, sender=DAVE)


def test_commitment_of_another_is_worthless(world: World) -> None:
    """A copied commitment binds to who made it, and repeating it does not change its age."""
    bad = world.post()
    bobs = commitment(world, BOB, bad)
    made_in = world.chain.block_number
    world.rollup.send("commit", bobs, sender=BOB)
    world.rollup.send("commit", bobs, sender=CAROL)
    assert world.rollup.call("committedAt", bobs) == made_in
    choose(world)
    world.prove(bad, sender=DAVE)
    with reverts("CommitmentTooLate"):
        world.rollup.send("reveal", ALICE, SALT, sender=CAROL)
    world.rollup.send("reveal", ALICE, SALT, sender=BOB)


def test_commitment_to_another_outcome_is_worthless(world: World) -> None:
    """The reason, the salt and the batch must be right: committing to a guess gains nothing."""
    first, bad = world.post(), world.post()
    for guess in (commitment(world, BOB, bad, reason=41), commitment(world, BOB, first)):
        world.rollup.send("commit", guess, sender=BOB)
    world.rollup.send("commit", commitment(world, BOB, bad, salt=ROOT), sender=BOB)
    choose(world)
    world.prove(bad, sender=CAROL)
    with reverts("CommitmentTooLate"):
        world.rollup.send("reveal", ALICE, SALT, sender=BOB)


def test_reveal_ends_with_the_delay(world: World) -> None:
    """The bounty can be taken over up to the delay's last second."""
    bad = world.post()
    world.rollup.send("commit", commitment(world, BOB, bad), sender=BOB)
    choose(world)
    world.prove(bad, sender=CAROL)
    world.chain.travel(REWARD_DELAY)
    in_time = world.fork()
    in_time.rollup.send("reveal", ALICE, SALT, sender=BOB)
    assert claimant(in_time) == BOB
    world.chain.travel(1)
    with reverts("RevealTooLate"):
        world.rollup.send("reveal", ALICE, SALT, sender=BOB)


def test_reveal_without_a_bounty_is_refused(world: World) -> None:
    """There is nothing to take over."""
    with reverts("NoBounty", ALICE):
        world.rollup.send("reveal", ALICE, SALT, sender=BOB)


def test_proof_of_an_earlier_batch_takes_the_bounty(world: World) -> None:
    """Sacrificing its latest batch saves a poster nothing: the earliest proven fraud of the same poster is rewarded."""
    early, late = world.post(), world.post()
    choose(world)
    world.prove(late, sender=ALICE)
    assert claimant(world) == ALICE
    world.prove(early, sender=BOB)
    bounty = world.rollup.call("bountyOf", ALICE)
    assert bounty[:4] == (BOB, world.chain.now + REWARD_DELAY, early.index, STAKE // 2)
    assert burnt(world) == STAKE // 2


def test_earlier_batch_after_the_delay_changes_nothing(world: World) -> None:
    """A reward that was due stays with its claimant; the batch is reverted all the same."""
    early, late = world.post(), world.post()
    choose(world)
    world.prove(late, sender=CAROL)
    world.chain.travel(REWARD_DELAY + 1)
    world.prove(early, sender=BOB)
    assert claimant(world) == CAROL
    assert world.rollup.call("batchCount") == early.index


def test_earlier_batch_of_another_poster_has_its_own_bounty(world: World) -> None:
    """Each poster pays for its own fraud."""
    world.stake(BOB)
    world.chain.travel(PROPOSER_TIMEOUT + 1)
    early = world.post(sender=BOB)
    late = world.post(sender=ALICE)
    choose(world)
    world.prove(late, sender=CAROL)
    world.prove(early, sender=DAVE)
    assert (claimant(world, ALICE), claimant(world, BOB)) == (CAROL, DAVE)
    assert world.held() == STAKE // 2 + MIN_STAKE // 2


def test_batch_without_a_stake_behind_it_is_reverted_unpaid(world: World) -> None:
    """After a poster was paid for, its remaining fraud is still removed, and no bounty appears."""
    early, late = world.post(), world.post()
    choose(world)
    world.prove(late, sender=BOB)
    world.chain.travel(REWARD_DELAY + 1)
    world.rollup.send("claimReward", ALICE)
    outcome = world.prove(early, sender=BOB)
    assert set(world.rollup.events(outcome)) == {"FraudProven", "Reverted"}
    assert world.rollup.call("bountyOf", ALICE)[3] == 0


def test_slashed_poster_cannot_stake_while_its_bounty_is_open(world: World) -> None:
    """So a poster has one bounty at most, and cannot buy it back with a new stake and a new fraud."""
    bad = world.post()
    choose(world)
    world.prove(bad, sender=BOB)
    with reverts("BountyOpen", ALICE, world.chain.now + REWARD_DELAY):
        world.stake(ALICE)
    world.chain.travel(REWARD_DELAY + 1)
    world.rollup.send("claimReward", ALICE)
    world.stake(ALICE)
    world.post(sender=ALICE)


def test_slashed_sequencer_is_overtaken_at_once(world: World) -> None:
    """With its stake the sequencer loses its exclusive right."""
    world.stake(BOB)
    bad = world.post()
    choose(world)
    world.prove(bad, sender=CAROL)
    with reverts("StakeTooLow", ALICE, 0, MIN_STAKE):
        world.post(sender=ALICE)
    world.post(sender=BOB)


# Paying by force creates a contract that destroys itself, which py-evm remarks on; sending the ether is what it is for.
by_force = pytest.mark.filterwarnings("ignore:SELFDESTRUCT:DeprecationWarning")


def prove_through(world: World, relay: Deployed, bad: Posted) -> None:
    """Prove a one-block batch wrong by a contract, which so becomes the claimant."""
    call = world.rollup.abi.encode_call("prove", bad.index, 0, as_tuple(bad.headers[0]), [], b"", b"", b"")
    relay.send("relay", world.rollup.address, call)
    assert claimant(world) == relay.address


@by_force
def test_refusing_claimant_is_paid_by_force(world: World) -> None:
    """A claimant whose code refuses ether cannot keep the bounty open for ever."""
    relay = world.chain.deploy(load_test_artifact("Relay"))
    relay.send("refuse", True)
    bad = world.post()
    choose(world)
    prove_through(world, relay, bad)
    world.chain.travel(REWARD_DELAY + 1)
    world.rollup.send("claimReward", ALICE)
    assert world.chain.balance(relay.address) == STAKE // 2


@by_force
def test_reentered_claim_pays_once(world: World) -> None:
    """A claimant that claims again from within gets its reward once."""
    relay = world.chain.deploy(load_test_artifact("Relay"))
    relay.send("answer", world.rollup.address, world.rollup.abi.encode_call("claimReward", ALICE))
    world.stake(BOB)
    bad = world.post()
    choose(world)
    prove_through(world, relay, bad)
    world.chain.travel(REWARD_DELAY + 1)
    world.rollup.send("claimReward", ALICE)
    assert world.chain.balance(relay.address) == STAKE // 2
    assert world.held() == MIN_STAKE
