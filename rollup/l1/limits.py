"""What Ethereum mainnet allows, enforced by our client because development nodes are laxer."""

from __future__ import annotations

from typing import Final

MAX_TX_GAS: Final = 1 << 24
"""Gas limit of one transaction (EIP-7825)."""

MAX_TX_BYTES: Final = 128 * 1024
"""Encoded size of one transaction without blobs that nodes relay."""

MAX_INITCODE_BYTES: Final = 49_152
"""Size of a contract's creation code (EIP-3860)."""

MAX_CODE_BYTES: Final = 24_576
"""Size of a deployed contract (EIP-170)."""

TX_BASE_GAS: Final = 21_000
FLOOR_GAS_PER_TOKEN: Final = 10
TOKENS_PER_NONZERO_BYTE: Final = 4


def floor_gas(data: bytes) -> int:
    """Least gas that a transaction with this calldata pays, however little it executes (EIP-7623)."""
    zeros = data.count(0)
    tokens = zeros + TOKENS_PER_NONZERO_BYTE * (len(data) - zeros)
    return TX_BASE_GAS + FLOOR_GAS_PER_TOKEN * tokens
