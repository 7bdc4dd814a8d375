"""Block headers, and the calldata of a batch (SPEC section 5)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from rollup.errors import InvalidBatch, Undecodable, Unencodable
from rollup.types.limits import MAX_BATCH_BLOCKS, MAX_BYTES, MAX_TRANSACTIONS

_LOW: Final = 0xFFFFFFFF
_HEADER: Final = struct.Struct(">BII32sBIBI32s32s32s")
_BLOCK: Final = struct.Struct(">BIBH32s")

HEADER_SIZE: Final = _HEADER.size
BLOCK_HEAD_SIZE: Final = _BLOCK.size
"""Bytes that a block adds to a batch beside its transactions."""


@dataclass(frozen=True, slots=True)
class Header:
    """A block's identity. `parent_root` is the root before it, the inbox position is after it; `timestamp` in s."""

    number: int
    fork: int
    parent_root: bytes
    timestamp: int
    inbox_index: int
    inbox_hash: bytes
    txs_hash: bytes
    state_root: bytes

    def encode(self) -> bytes:
        """The 147 bytes whose keccak is the block hash."""
        _words(self.parent_root, self.inbox_hash, self.txs_hash, self.state_root)
        try:
            return _HEADER.pack(
                self.number >> 32, self.number & _LOW, self.fork, self.parent_root, self.timestamp >> 32,
                self.timestamp & _LOW, self.inbox_index >> 32, self.inbox_index & _LOW, self.inbox_hash, self.txs_hash,
                self.state_root,
            )  # fmt: skip
        except struct.error as error:
            raise Unencodable(f"header: {error}") from error

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`; raises Undecodable unless there are exactly 147 bytes."""
        if len(data) != HEADER_SIZE:
            raise Undecodable(f"header of {len(data)} bytes")
        nh, nl, fork, parent_root, th, tl, ih, il, inbox_hash, txs_hash, state_root = _HEADER.unpack(data)
        return cls(
            nh << 32 | nl, fork, parent_root, th << 32 | tl, ih << 32 | il, inbox_hash, txs_hash, state_root
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BatchBlock:
    """A block as it stands in a batch: L1 knows the rest of its header."""

    timestamp: int
    inbox_count: int
    state_root: bytes
    txs: bytes


def encode_batch(blocks: Iterable[BatchBlock]) -> bytes:
    """The calldata of a batch of 1 … 256 blocks; a block has at most 32 messages and 8,192 bytes of transactions."""
    parts: list[bytes] = []
    for block in blocks:
        _words(block.state_root)
        if block.inbox_count > MAX_TRANSACTIONS or len(block.txs) > MAX_BYTES:
            raise Unencodable(f"a block of {block.inbox_count} messages and {len(block.txs)} bytes of transactions")
        try:
            parts.append(
                _BLOCK.pack(
                    block.timestamp >> 32, block.timestamp & _LOW, block.inbox_count, len(block.txs), block.state_root
                )
            )
        except struct.error as error:
            raise Unencodable(f"block: {error}") from error
        parts.append(block.txs)
    if not 1 <= len(parts) // 2 <= MAX_BATCH_BLOCKS:
        raise Unencodable(f"a batch of {len(parts) // 2} blocks")
    return b"".join(parts)


def decode_batch(data: bytes) -> list[BatchBlock]:
    """Inverse of `encode_batch`; raises InvalidBatch for bytes that no batch has."""
    blocks: list[BatchBlock] = []
    offset = 0
    while offset < len(data):
        if offset + _BLOCK.size > len(data):
            raise InvalidBatch(f"batch cut short in the head of block {len(blocks)}")
        high, low, inbox_count, size, state_root = _BLOCK.unpack_from(data, offset)
        start, offset = offset + _BLOCK.size, offset + _BLOCK.size + size
        if offset > len(data):
            raise InvalidBatch(f"batch cut short in the transactions of block {len(blocks)}")
        if inbox_count > MAX_TRANSACTIONS or size > MAX_BYTES:
            raise InvalidBatch(f"block {len(blocks)} takes {inbox_count} messages and {size} bytes of transactions")
        blocks.append(BatchBlock(high << 32 | low, inbox_count, state_root, data[start:offset]))
    if not 1 <= len(blocks) <= MAX_BATCH_BLOCKS:
        raise InvalidBatch(f"a batch of {len(blocks)} blocks")
    return blocks


def _words(*words: bytes) -> None:
    for word in words:
        if len(word) != 32:
            raise Unencodable(f"a hash has 32 bytes, not {len(word)}")
