"""Who may post what, when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollup.crypto.keccak import keccak
from rollup.crypto.merkle import merkle_root
from rollup.types.blocks import BatchBlock, encode_batch
from tests.support.chain import ALICE, BOB, CAROL, load_test_artifact, reverts
from tests.support.world import (
    FORCE_DEADLINE,
    MAX_TIME_AHEAD,
    MAX_TIME_LAG,
    MIN_STAKE,
    MINIMUM_OPENING,
    PROPOSER_TIMEOUT,
    World,
)


def blocks_of(world: World, count: int) -> list[BatchBlock]:
    """Blocks that differ."""
    return [world.block(txs=bytes([i % 256]) * (i % 50), root=keccak(bytes([i % 256]))) for i in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 64, 256])
def test_record_commits_to_every_header(world: World, count: int) -> None:
    """L1 builds the same headers as everybody else, and keeps their Merkle root."""
    world.inbox.send("open", BOB, MINIMUM_OPENING)
    blocks = blocks_of(world, count)
    blocks[0] = replace(blocks[0], inbox_count=1)
    posted = world.post(*blocks)
    record = world.rollup.call("batches", 1)
    root = merkle_root([keccak(h.encode()) for h in posted.headers])
    assert record[0] == root
    assert record[1] == blocks[-1].state_root
    assert record[3:] == (ALICE, world.chain.now, count, count, blocks[-1].timestamp, 1, 0)
    genesis_hash = world.rollup.call("batches", 0)[2]
    packed = (1).to_bytes(5, "big") + bytes(4) + root + blocks[-1].state_root + (1).to_bytes(5, "big")
    assert record[2] == keccak(genesis_hash + packed)


def test_event_tells_what_followers_need(world: World) -> None:
    """A follower learns of the batch from one event."""
    first = world.post()
    blocks = blocks_of(world, 3)
    second = world.post(*blocks)
    event = world.rollup.events(second.outcome)["BatchPosted"]
    assert event == {
        "index": 2,
        "batchHash": second.batch_hash,
        "fork": 0,
        "poster": ALICE,
        "firstNumber": 2,
        "lastNumber": 4,
        "inboxIndex": 0,
        "stateRoot": blocks[-1].state_root,
    }
    assert first.headers[0].number == 1


def test_views_follow_the_chain(world: World) -> None:
    """Roots and inbox positions can be read for every batch that stands, and for no other."""
    world.inbox.send("open", BOB, MINIMUM_OPENING)
    posted = world.post(world.block(messages=1))
    assert world.rollup.call("stateRootOf", 1) == posted.headers[0].state_root
    assert world.rollup.call("inboxIndexOf", 0) == 0
    assert world.rollup.call("inboxIndexOf", 1) == 1
    assert world.rollup.call("latestInboxIndex") == 1
    for view in ("batches", "stateRootOf", "inboxIndexOf"):
        with reverts("BatchUnknown", 2, 2):
            world.rollup.call(view, 2)


def test_contract_caller_is_refused(world: World) -> None:
    """Bytes passed on by a contract would not stand in the transaction's calldata."""
    relay = world.chain.deploy(load_test_artifact("Relay"))
    data = world.rollup.abi.encode_call("postBatch", world.parent_hash(), encode_batch([world.block()]), bytes(32))
    with reverts("IndirectCall", relay.address, ALICE):
        relay.send("relay", world.rollup.address, data)


def test_delegated_account_is_refused(world: World) -> None:
    """An account with delegated code (EIP-7702) could post from an inner call, so it cannot post at all."""
    relay = world.chain.deploy(load_test_artifact("Relay"))
    world.chain.set_code(ALICE, b"\xef\x01\x00" + relay.address)
    with reverts("IndirectCall", ALICE, ALICE):
        world.post()


def test_unusual_calldata_is_refused(world: World) -> None:
    """Only one encoding of the arguments counts, so that all readers find the same bytes."""
    blocks = encode_batch([world.block()])
    call = world.rollup.abi.encode_call("postBatch", world.parent_hash(), blocks, bytes(32))
    head, offset, tail = call[:36], call[36:68], call[68:]
    moved = head + (128).to_bytes(32, "big") + tail[:32] + bytes(32) + tail[32:]
    for data in (call + b"\0", call[: 132 + len(blocks)], moved):
        with reverts("CalldataNotCanonical", len(data)):
            world.chain.transact(ALICE, world.rollup.address, data)
    assert offset == (96).to_bytes(32, "big")
    world.chain.transact(ALICE, world.rollup.address, call)


def test_unstaked_poster_is_refused(world: World) -> None:
    """Whoever has less than the minimum at stake cannot post, not even after the sequencer's timeout."""
    world.chain.travel(PROPOSER_TIMEOUT + 1)
    world.stake(BOB, MIN_STAKE - 1)
    assert not world.rollup.call("mayPost", BOB)
    with reverts("StakeTooLow", BOB, MIN_STAKE - 1, MIN_STAKE):
        world.post(sender=BOB)
    world.stake(BOB, 1)
    assert world.rollup.call("mayPost", BOB)
    world.post(sender=BOB)


def test_live_sequencer_is_exclusive(world: World) -> None:
    """Up to the timeout's last second nobody else posts, and each batch of the sequencer renews its right."""
    world.stake(BOB)
    world.chain.travel(PROPOSER_TIMEOUT)
    world.post()
    until = world.chain.now + PROPOSER_TIMEOUT
    world.chain.travel(PROPOSER_TIMEOUT)
    assert not world.rollup.call("mayPost", BOB)
    with reverts("SequencerExclusive", BOB, ALICE, until):
        world.post(sender=BOB)


def test_silent_sequencer_is_overtaken(world: World) -> None:
    """After the timeout anyone staked posts, until the sequencer does again."""
    world.stake(BOB)
    world.chain.travel(PROPOSER_TIMEOUT + 1)
    world.post(sender=BOB)
    world.post(sender=BOB)
    world.post(sender=ALICE)
    with reverts("SequencerExclusive"):
        world.post(sender=BOB)


def test_unstaked_sequencer_is_overtaken_at_once(world: World) -> None:
    """The exclusive right goes with the stake."""
    world.stake(BOB)
    world.rollup.send("unstake", sender=ALICE)
    world.post(sender=BOB)
    with reverts("StakeTooLow", ALICE, 0, MIN_STAKE):
        world.post(sender=ALICE)


def test_batch_for_another_chain_is_refused(world: World) -> None:
    """A batch names its parent: after a reorganisation or reversion it does not land elsewhere."""
    parent = world.parent_hash()
    world.post()
    with reverts("WrongParent", world.parent_hash(), parent):
        world.rollup.send("postBatch", parent, encode_batch([world.block()]), bytes(32))


def test_time_bounds_are_exact(world: World) -> None:
    """The first block is at most the lag behind L1 and the last at most the lead ahead of it."""
    world.chain.travel(MAX_TIME_LAG + 1)
    now = world.chain.now
    with reverts("TimeTooEarly", now - MAX_TIME_LAG - 1, now - MAX_TIME_LAG):
        world.post(world.block(after=-MAX_TIME_LAG - 1))
    with reverts("TimeTooLate", now + MAX_TIME_AHEAD + 1, now + MAX_TIME_AHEAD):
        world.post(world.block(), world.block(after=MAX_TIME_AHEAD + 1))
    world.post(world.block(after=-MAX_TIME_LAG), world.block(after=MAX_TIME_AHEAD))


def test_falling_time_is_refused(world: World) -> None:
    """Time never falls, neither within a batch nor from one to the next."""
    now = world.chain.now
    with reverts("TimeFell", 1, now + 4, now + 5):
        world.post(world.block(after=5), world.block(after=4))
    with reverts("TimeFell", 0, now - 1, now):
        world.post(world.block(after=-1))
    world.post(world.block(after=5))
    with reverts("TimeFell", 0, now + 4, now + 5):
        world.post(world.block(after=4))
    world.post(world.block(after=5))


def test_messages_beyond_the_inbox_are_refused(world: World) -> None:
    """A block takes no message that does not exist."""
    world.inbox.send("open", BOB, MINIMUM_OPENING)
    encoded = encode_batch([world.block(messages=1), world.block(messages=1)])
    with reverts("InboxOverrun", 2, 1):
        world.post_bytes(encoded)


def test_batch_on_reorganised_messages_is_refused(world: World) -> None:
    """If L1 now holds other messages than the poster consumed, its honest batch must not become a fraudulent one."""
    reorganised = world.fork()
    world.inbox.send("open", BOB, MINIMUM_OPENING)
    reorganised.inbox.send("open", CAROL, MINIMUM_OPENING)
    block = world.block(messages=1)
    known, found = (w.inbox.call("hashAt", 1) for w in (world, reorganised))
    with reverts("WrongInbox", found, known):
        reorganised.post_bytes(encode_batch([block]), known)
    world.post_bytes(encode_batch([block]), known)


def test_overdue_message_must_be_taken(world: World) -> None:
    """From the deadline on, a batch that leaves the message is refused; one that takes it is not."""
    world.inbox.send("open", BOB, MINIMUM_OPENING)
    added = world.chain.now
    world.inbox.send("deposit", 0, 1)
    world.chain.travel(FORCE_DEADLINE)
    world.inbox.send("deposit", 0, 1)
    world.post(world.block())
    world.chain.travel(1)
    with reverts("MessageOverdue", 0, added, added + FORCE_DEADLINE):
        world.post(world.block())
    with reverts("MessageOverdue", 1, added, added + FORCE_DEADLINE):
        world.post(world.block(messages=1))
    world.post(world.block(messages=1), world.block(messages=1))


@pytest.mark.parametrize("cut", [1, 39, 40, 41, 49, 51])
def test_truncated_batch_is_refused(world: World, cut: int) -> None:
    """Bytes that end within a block are no batch."""
    whole = encode_batch([world.block(txs=b"\x01" * 10)])
    with reverts("TruncatedBlock"):
        world.post_bytes((whole + whole)[:cut])


def test_empty_batch_is_refused(world: World) -> None:
    """A batch has at least one block."""
    with reverts("BlockCount", 0):
        world.post_bytes(b"")


def test_too_many_blocks_are_refused(world: World) -> None:
    """A batch has at most 256 blocks."""
    one = encode_batch([world.block()])
    with reverts("BlockCount", 257):
        world.post_bytes(one * 257)
    world.post_bytes(one * 256)


def test_oversized_block_is_refused(world: World) -> None:
    """A block that no proof would fit is not accepted: at most 32 messages and 8,192 bytes of transactions."""
    for _ in range(33):
        world.inbox.send("open", BOB, MINIMUM_OPENING)
    time, root = world.chain.now.to_bytes(5, "big"), bytes(32)
    wide = time + b"\0" + (8_193).to_bytes(2, "big") + root + b"\x01" * 8_193
    greedy = time + b"\x21" + b"\0\0" + root
    for data, error in ((wide, (0, 0, 8_193)), (greedy, (0, 33, 0))):
        with reverts("BlockTooLarge", *error):
            world.post_bytes(data)
    world.post(world.block(messages=32, txs=b"\x01" * 8_192))


def test_other_staker_answers_for_its_own_batch(world: World) -> None:
    """The record names who posted."""
    world.stake(CAROL)
    world.chain.travel(PROPOSER_TIMEOUT + 1)
    posted = world.post(sender=CAROL)
    assert world.rollup.call("batches", posted.index)[3] == CAROL
    assert world.rollup.call("lastBatchOf", CAROL) == posted.index
    assert world.rollup.call("lastBatchOf", ALICE) == 0
