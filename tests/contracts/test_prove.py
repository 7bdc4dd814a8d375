"""Proving a batch wrong, and batches becoming final."""

from __future__ import annotations

from rollup.crypto.keccak import keccak
from rollup.crypto.merkle import merkle_path
from tests.support.chain import ALICE, BOB, CAROL, reverts
from tests.support.world import DISPUTE_WINDOW, MIN_STAKE, MINIMUM_OPENING, Posted, World, as_tuple, tampered

RIGHT = keccak(b"what the block really leads to")


def choose(world: World, reason: int = 0, index: int = 0, root: bytes = RIGHT) -> None:
    """Tell the verifier its verdict."""
    world.verifier.send("choose", reason, index, root)


def test_wrong_root_reverts_the_batch(world: World) -> None:
    """A block that leads elsewhere takes its batch and all later ones along, and the next batches carry a new fork."""
    kept, bad, later = world.post(), world.post(), world.post()
    choose(world)
    outcome = world.prove(bad, sender=BOB)
    events = world.rollup.events(outcome)
    assert events["FraudProven"] == {
        "batch": bad.index, "position": 0, "prover": BOB, "reason": 0, "index": 0, "postRoot": RIGHT,
    }  # fmt: skip
    assert events["Reverted"] == {"fromBatch": bad.index, "fork": 1}
    assert world.rollup.call("batchCount") == bad.index
    assert world.rollup.call("fork") == 1
    assert world.parent_hash() == kept.batch_hash
    with reverts("BatchUnknown", later.index, bad.index):
        world.prove(later, sender=BOB)


def test_invalid_block_reverts_the_batch(world: World) -> None:
    """A reason is fraud by itself, whatever the root."""
    bad = world.post(world.block(), world.block(), world.block())
    choose(world, 43, 7, bytes(32))
    outcome = world.prove(bad, 2, sender=CAROL)
    event = world.rollup.events(outcome)["FraudProven"]
    assert (event["position"], event["reason"], event["index"], event["postRoot"]) == (2, 43, 7, bytes(32))


def test_valid_block_cannot_be_proven_wrong(world: World) -> None:
    """The verdict that the root is right leaves everything as it is."""
    posted = world.post()
    choose(world, root=posted.headers[0].state_root)
    with reverts("BlockValid", posted.index, 0):
        world.prove(posted, sender=BOB)
    assert world.rollup.call("stakeOf", ALICE) == 2 * MIN_STAKE


def test_chain_goes_on_from_the_last_good_batch(world: World) -> None:
    """After a reversion the same number is posted anew on the new fork, and its messages are taken again."""
    world.inbox.send("open", BOB, MINIMUM_OPENING)
    world.post()
    bad = world.post(world.block(messages=1))
    choose(world)
    world.prove(bad, sender=BOB)
    assert world.rollup.call("latestInboxIndex") == 0
    world.stake(CAROL)
    again = world.post(world.block(messages=1), sender=CAROL)
    assert again.index == bad.index
    assert again.batch_hash != bad.batch_hash
    assert (again.headers[0].number, again.headers[0].fork) == (bad.headers[0].number, 1)
    with reverts("WrongBlock"):
        world.prove(bad, sender=BOB)


def test_block_of_another_batch_is_refused(world: World) -> None:
    """Only a block that stands in the batch, at this position, is judged."""
    first = world.post(world.block(txs=b"\x01"), world.block(txs=b"\x02"), world.block(txs=b"\x03"))
    second = world.post(world.block(txs=b"\x04"))
    choose(world)
    hashes = [keccak(h.encode()) for h in first.headers]
    header, path = as_tuple(first.headers[1]), merkle_path(hashes, 1)
    proof = (b"", b"", b"")
    for batch, position in ((1, 0), (1, 2)):
        with reverts("WrongBlock"):
            world.rollup.send("prove", batch, position, header, path, *proof)
    for batch, position, siblings, blocks in (
        (1, 3, path, 3),
        (1, 1, path[:1], 3),
        (1, 1, [*path, bytes(32)], 3),
        (1, 1, [], 3),
        (second.index, 1, path, 1),
    ):
        with reverts("PathMismatch", position, blocks, len(siblings)):
            world.rollup.send("prove", batch, position, header, siblings, *proof)
    with reverts("WrongBlock"):
        world.rollup.send("prove", second.index, 0, header, [], *proof)


def test_changed_header_is_refused(world: World) -> None:
    """No field of the posted header can be changed for the proof."""
    posted = world.post()
    choose(world)
    for header in tampered(posted.headers[0]):
        with reverts("WrongBlock"):
            world.prove(posted, sender=BOB, header=header)


def test_unknown_batch_is_refused(world: World) -> None:
    """There is nothing to prove about a batch that does not stand."""
    posted = world.post()
    beyond = Posted(posted.index + 1, posted.batch_hash, posted.headers, posted.outcome)
    with reverts("BatchUnknown", 2, 2):
        world.prove(beyond, sender=BOB)


def test_faulty_proof_proves_nothing(world: World) -> None:
    """When the verifier refuses, its error comes through and nothing has happened."""
    posted = world.post()
    world.verifier.send("fail", False)
    with reverts("MalformedWitness"):
        world.prove(posted, sender=BOB)
    assert world.rollup.call("batchCount") == posted.index + 1


def test_exhausted_gas_proves_nothing(world: World) -> None:
    """A verifier that runs out of the 63/64 of the gas it gets reverts the call, though the caller has gas left."""
    posted = world.post()
    world.verifier.send("fail", True)
    with reverts(""):
        world.prove(posted, sender=BOB)
    assert world.rollup.call("batchCount") == posted.index + 1
    assert world.rollup.call("stakeOf", ALICE) == 2 * MIN_STAKE


def test_finality_needs_the_whole_window(world: World) -> None:
    """At the window's last second a batch can be proven wrong but not finalised; a second later it can be finalised."""
    posted = world.post()
    deadline = world.chain.now + DISPUTE_WINDOW
    world.chain.travel(DISPUTE_WINDOW)
    with reverts("WindowOpen", posted.index, deadline, deadline):
        world.rollup.send("finalise", posted.index)
    provable = world.fork()
    choose(provable)
    provable.prove(posted, sender=BOB)
    world.chain.travel(1)
    outcome = world.rollup.send("finalise", posted.index, sender=CAROL)
    assert world.rollup.events(outcome)["Finalised"] == {
        "upTo": posted.index, "stateRoot": posted.headers[-1].state_root,
    }  # fmt: skip
    assert world.rollup.call("isFinal", posted.index)
    assert world.rollup.call("finalised") == posted.index


def test_overdue_but_not_finalised_batch_can_be_proven_wrong(world: World) -> None:
    """Finality is what `finalise` has said, so a late proof still counts until then."""
    posted = world.post()
    world.chain.travel(DISPUTE_WINDOW + 1)
    choose(world)
    world.prove(posted, sender=BOB)
    with reverts("BatchUnknown", 1, 1):
        world.rollup.send("finalise", posted.index)


def test_final_batch_cannot_be_proven_wrong(world: World) -> None:
    """What is final stays, the genesis included."""
    posted = world.post()
    world.finalise(posted)
    choose(world)
    with reverts("BatchFinal", posted.index, posted.index):
        world.prove(posted, sender=BOB)
    with reverts("BatchFinal", 0, posted.index):
        world.prove(Posted(0, posted.batch_hash, posted.headers, posted.outcome), sender=BOB)


def test_finalising_takes_several_batches_in_order(world: World) -> None:
    """The newest batch out of its window makes all before it final; nothing is finalised twice or ahead of time."""
    first, second = world.post(), world.post()
    world.chain.travel(DISPUTE_WINDOW)
    third = world.post()
    world.chain.travel(1)
    with reverts("WindowOpen", third.index, world.chain.now, world.chain.now - 1 + DISPUTE_WINDOW):
        world.rollup.send("finalise", third.index)
    world.rollup.send("finalise", second.index)
    assert world.rollup.call("isFinal", first.index)
    assert not world.rollup.call("isFinal", third.index)
    for index in (0, first.index, second.index):
        with reverts("BatchFinal", index, second.index):
            world.rollup.send("finalise", index)
    with reverts("BatchUnknown", 4, 4):
        world.rollup.send("finalise", 4)


def test_final_state_survives_a_reversion_behind_it(world: World) -> None:
    """Only what comes after the proven batch goes."""
    good, bad = world.post(), world.post()
    world.chain.travel(DISPUTE_WINDOW + 1)
    world.rollup.send("finalise", good.index)
    choose(world)
    world.prove(bad, sender=BOB)
    assert world.rollup.call("stateRootOf", good.index) == good.headers[-1].state_root
    assert world.rollup.call("isFinal", good.index)
