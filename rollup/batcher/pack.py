"""Which stored blocks go into the next batch, and their calldata.

A batch holds at most 256 blocks, its transaction stays below 128 KiB, and its gas below 2²⁴ even where L1 charges
calldata by the floor of EIP-7623. Blocks are never split: the largest has 8 KiB.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rollup.l1.limits import MAX_TX_BYTES
from rollup.types.blocks import BLOCK_HEAD_SIZE, BatchBlock, Header, encode_batch
from rollup.types.limits import MAX_BATCH_BLOCKS

ENVELOPE: Final = 1_024
"""Bytes set aside for the transaction around the blocks: selector, arguments, fields, signature come to about 350."""
MAX_BLOCK_BYTES: Final = MAX_TX_BYTES - ENVELOPE


@dataclass(frozen=True, slots=True)
class PendingBlock:
    """A stored block that is not on L1; `inbox_count` messages are consumed by it."""

    header: Header
    inbox_count: int
    txs: bytes


@dataclass(frozen=True, slots=True)
class Packed:
    """Calldata of one batch: blocks `first` to `last`. `inbox_hash` is the inbox's rolling hash after the last one.

    `crowded`: a full batch whose every block consumes messages, which alone may leave overdue ones behind.
    """

    first: int
    last: int
    data: bytes
    inbox_index: int
    inbox_hash: bytes
    crowded: bool

    @property
    def count(self) -> int:
        """Number of blocks."""
        return self.last - self.first + 1


def pack(
    blocks: Iterable[PendingBlock], max_bytes: int = MAX_BLOCK_BYTES, max_blocks: int = MAX_BATCH_BLOCKS
) -> Packed:
    """As many of the blocks, from the first on, as one batch holds; there must be at least one."""
    chosen: list[PendingBlock] = []
    size = 0
    for block in blocks:
        size += BLOCK_HEAD_SIZE + len(block.txs)
        if chosen and (size > max_bytes or len(chosen) == max_blocks):
            break
        assert not chosen or block.header.number == chosen[-1].header.number + 1, "blocks come in order"
        chosen.append(block)
    data = encode_batch(
        BatchBlock(block.header.timestamp, block.inbox_count, block.header.state_root, block.txs) for block in chosen
    )
    end = chosen[-1].header
    crowded = len(chosen) == MAX_BATCH_BLOCKS and all(block.inbox_count for block in chosen)
    return Packed(chosen[0].header.number, end.number, data, end.inbox_index, end.inbox_hash, crowded)
