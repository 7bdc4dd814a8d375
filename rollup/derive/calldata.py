"""The input of `postBatch(bytes32 parentBatchHash, bytes blocks, bytes32 inboxHash)`, where a batch's data stands.

The contract takes one encoding of it only (offset 96, padded to words, nothing after), so that every reader finds the
same bytes; anything else cannot have succeeded and is the node's invention.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rollup.crypto.keccak import keccak
from rollup.errors import InvalidBatch, L1Error
from rollup.types.blocks import BatchBlock, decode_batch

SELECTOR: Final = keccak(b"postBatch(bytes32,bytes,bytes32)")[:4]
HEAD: Final = 132
"""Selector, parent hash, offset, inbox hash and length."""
_OFFSET: Final = (96).to_bytes(32, "big")


@dataclass(frozen=True, slots=True)
class Posted:
    """The arguments of `postBatch`; `inbox_hash` is the rolling hash after the last block."""

    parent_hash: bytes
    blocks: list[BatchBlock]
    inbox_hash: bytes


def encode_posted(parent_hash: bytes, blocks: bytes, inbox_hash: bytes) -> bytes:
    """The input of a transaction that posts these encoded blocks."""
    head = SELECTOR + parent_hash + _OFFSET + inbox_hash + len(blocks).to_bytes(32, "big")
    return head + blocks + bytes(-len(blocks) % 32)


def read_posted(calldata: bytes) -> Posted:
    """Read the input of a transaction that posted a batch; raises `L1Error` if L1 cannot have taken it."""
    length = int.from_bytes(calldata[100:HEAD], "big")
    padded = -(-length // 32) * 32
    if calldata[:4] != SELECTOR or calldata[36:68] != _OFFSET or len(calldata) != HEAD + padded:
        raise L1Error("the input of a posted batch is not a postBatch call", retryable=True)
    try:
        blocks = decode_batch(calldata[HEAD : HEAD + length])
    except InvalidBatch as error:
        raise L1Error(f"the node shows a batch that L1 refuses: {error}", retryable=True) from error
    return Posted(calldata[4:36], blocks, calldata[68:100])
