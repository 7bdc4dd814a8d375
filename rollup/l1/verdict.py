"""What the verifier contract says of a block, and where it keeps its pricer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rollup.crypto.keccak import keccak

GAS_LIMIT: Final = 1 << 24
"""What one L1 transaction may use (EIP-7825); no proof may need more."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A block is valid with `post_root`, or invalid for `reason` at transaction `index`."""

    reason: int
    index: int
    post_root: bytes
    gas_used: int


def pricer_address(verifier: bytes) -> bytes:
    """Where the verifier at `verifier` created its pricer: keccak(rlp([creator, 1])), last 20 bytes."""
    return keccak(b"\xd6\x94" + verifier + b"\x01")[12:]
