"""A flooded queue does not stop the chain: full batches are accepted though they leave overdue messages behind."""

from __future__ import annotations

from tests.support.chain import reverts
from tests.support.world import FORCE_DEADLINE, World


def fill_queue(world: World, length: int) -> None:
    """A queue of made-up messages of time 0. The inbox keeps their number lowest in slot 0."""
    world.chain.set_storage(world.inbox.address, 0, length)
    assert world.inbox.call("count") == length


def test_queue_longer_than_a_batch_does_not_stop_posting(world: World) -> None:
    """A batch as full of messages as can be is accepted though it leaves overdue ones, until the queue is gone."""
    fill_queue(world, 3 * 8_192 + 1)
    for _ in range(3):
        world.post(*[world.block(messages=32)] * 256)
    world.post(world.block(messages=1))
    assert world.rollup.call("latestInboxIndex") == 3 * 8_192 + 1


def test_queue_of_heavy_messages_does_not_stop_posting(world: World) -> None:
    """Where a block has room for one message only, 256 such blocks are as much as can be."""
    fill_queue(world, 300)
    world.post(*[world.block(messages=1, txs=b"\x01" * 40)] * 256)
    world.post(*[world.block(messages=1)] * 44)


def test_batch_with_room_must_empty_the_queue(world: World) -> None:
    """One block less, or one block without a message, and overdue messages may not be left."""
    fill_queue(world, 9_000)
    with reverts("MessageOverdue", 8_160, 0, FORCE_DEADLINE):
        world.post(*[world.block(messages=32)] * 255)
    idle = [world.block(messages=32)] * 255
    for place in (0, 100, 255):
        with reverts("MessageOverdue", 8_160, 0, FORCE_DEADLINE):
            world.post(*idle[:place], world.block(), *idle[place:])
