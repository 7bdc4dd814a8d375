"""A block on L1 that is wrong, with all that it takes to prove it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rollup.crypto.keccak import keccak
from rollup.derive.chain import DerivedBatch, DerivedBlock
from rollup.types.reasons import Reason


@dataclass(frozen=True, slots=True)
class Fraud:
    """Where a wrong block stands, why it is wrong, and the witness of what it touches.

    `reason` is the STF's verdict at transaction `index` (NONE: every rule was kept, the root is wrong), `root` the root
    that is right (empty if the block is invalid).
    """

    batch: DerivedBatch
    position: int
    block: DerivedBlock
    reason: Reason
    index: int
    root: bytes
    witness: bytes

    @property
    def verdict(self) -> str:
        """Why, in one word: the reason's name, or WRONG_ROOT."""
        return self.reason.name if self.reason else "WRONG_ROOT"

    def __str__(self) -> str:
        why = f"{self.verdict} at transaction {self.index}" if self.reason else "wrong state root"
        return f"block {self.block.header.number} (batch {self.batch.index}, position {self.position}): {why}"

    def describe(self) -> dict[str, Any]:
        """The fraud for machines."""
        return {
            "batch": self.batch.index,
            "position": self.position,
            "block": self.block.header.number,
            "poster": f"0x{self.batch.poster.hex()}",
            "reason": self.verdict,
            "index": self.index,
            "claimed_root": f"0x{self.block.header.state_root.hex()}",
            "right_root": f"0x{self.root.hex()}" if self.root else None,
        }


def block_hashes(batch: DerivedBatch) -> list[bytes]:
    """Hashes of a batch's blocks, the leaves of its Merkle root on L1."""
    return [keccak(block.header.encode()) for block in batch.blocks]
