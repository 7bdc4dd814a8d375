"""What an L1 node tells us, as values: addresses 20 bytes, hashes 32 bytes, amounts in wei, times in Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BlockTag = Literal["latest", "safe", "finalized", "earliest", "pending"]
BlockId = int | bytes | BlockTag
"""A block by number, by hash, or by tag."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction; block fields are None while it is pending, `to` is None if it creates a contract."""

    hash: bytes
    sender: bytes
    to: bytes | None
    nonce: int
    value: int
    data: bytes
    gas: int
    max_fee: int
    max_priority_fee: int
    block_number: int | None
    block_hash: bytes | None
    index: int | None


@dataclass(frozen=True, slots=True)
class Block:
    """A block header with the hashes of its transactions, and the transactions themselves if they were asked for."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    base_fee: int
    gas_used: int
    gas_limit: int
    transaction_hashes: tuple[bytes, ...]
    transactions: tuple[Transaction, ...] | None


@dataclass(frozen=True, slots=True)
class Log:
    """An event as emitted. `removed` is set when a reorganisation has undone it."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    tx_hash: bytes
    tx_index: int
    index: int
    removed: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a mined transaction; `success` is False if it reverted."""

    tx_hash: bytes
    tx_index: int
    success: bool
    block_number: int
    block_hash: bytes
    sender: bytes
    to: bytes | None
    contract_address: bytes | None
    gas_used: int
    effective_gas_price: int
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class FeeHistory:
    """Base fees from `oldest_block` to the block after the last asked for; rewards per block and percentile, in wei."""

    oldest_block: int
    base_fees: tuple[int, ...]
    gas_used_ratios: tuple[float, ...]
    rewards: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Fees:
    """EIP-1559 prices of one transaction, wei per gas."""

    max_fee: int
    max_priority_fee: int

    def raised(self, percent: int) -> Fees:
        """Both prices raised by `percent`, rounded up, as a replacement must (nodes ask for at least 10)."""
        return Fees(
            max_fee=-(-self.max_fee * (100 + percent) // 100),
            max_priority_fee=-(-self.max_priority_fee * (100 + percent) // 100),
        )
