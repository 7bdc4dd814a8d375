"""Whether one batch surely holds everything that L1 lacks: what is signed, and a block for each message that waits.

L1 refuses a batch that leaves an overdue message behind, unless every block of a full one takes messages. So blocks
without messages may be built before an overdue one only while all of that fits together.
"""

from __future__ import annotations

from typing import Final

from rollup.batcher.pack import MAX_BLOCK_BYTES
from rollup.store.state import StateStore
from rollup.types.blocks import BLOCK_HEAD_SIZE
from rollup.types.limits import MAX_BATCH_BLOCKS

ROOM_BLOCKS: Final = MAX_BATCH_BLOCKS // 2
"""Half of a batch: the other half is for blocks that are under way while this is looked at."""
ROOM_BYTES: Final = MAX_BLOCK_BYTES // 2


def has_room(store: StateStore, posted: int, waiting: int) -> bool:
    """Whether the blocks after block `posted` and `waiting` messages fit one batch, with as much again to spare."""
    if store.number - posted + waiting > ROOM_BLOCKS:
        return False
    size = sum(BLOCK_HEAD_SIZE + len(record.txs) for record in store.records.blocks(posted + 1, store.committed))
    return size <= ROOM_BYTES
