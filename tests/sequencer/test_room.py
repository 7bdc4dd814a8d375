"""Whether one batch surely holds what L1 lacks: blocks, bytes, and a block for each message."""

from __future__ import annotations

from rollup.sequencer.room import ROOM_BLOCKS, ROOM_BYTES, has_room
from rollup.types.blocks import BLOCK_HEAD_SIZE
from rollup.types.limits import MAX_BATCH_BLOCKS
from tests.stf.world import cancel
from tests.support.pit import pit


def test_half_a_batch_of_blocks_and_messages_together_is_room() -> None:
    """To the block, counted from the last one on L1; the other half is for what is under way."""
    desk = pit()
    last = desk.store.number
    assert 2 * ROOM_BLOCKS == MAX_BATCH_BLOCKS
    assert has_room(desk.store, last, ROOM_BLOCKS)
    assert not has_room(desk.store, last, ROOM_BLOCKS + 1)
    assert has_room(desk.store, last - 1, ROOM_BLOCKS - 1)
    assert not has_room(desk.store, last - 1, ROOM_BLOCKS)


def test_blocks_of_half_a_batch_s_bytes_leave_no_room_for_more() -> None:
    """Calldata is counted as the batch has it; messages are no part of it."""
    desk = pit()
    last, size, nonce = desk.store.number, 0, 0
    while True:
        for _ in range(30):
            nonce += 1
            desk.submit(cancel(nonce % 6, nonce))
        desk.flush()
        record = desk.store.records.block(desk.store.committed)
        assert record is not None
        size += BLOCK_HEAD_SIZE + len(record.txs)
        if size > ROOM_BYTES:
            break
        assert has_room(desk.store, last, 0)
    assert desk.store.number - last < ROOM_BLOCKS
    assert not has_room(desk.store, last, 0)
