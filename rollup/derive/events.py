"""What the contracts tell a follower, as values, in the order in which L1 emitted them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """Where on L1 an event stands: block number, block hash, log index, transaction hash."""

    block_number: int
    block_hash: bytes
    log_index: int
    transaction_hash: bytes


@dataclass(frozen=True, slots=True)
class MessageAdded:
    """The inbox took `message` as number `index`; `rolling` is the inbox hash after it, `time` the L1 time (s)."""

    at: Position
    index: int
    message: bytes
    rolling: bytes
    time: int


@dataclass(frozen=True, slots=True)
class BatchPosted:
    """A batch stands on L1; `calldata` is the whole input of the transaction that posted it."""

    at: Position
    index: int
    batch_hash: bytes
    fork: int
    poster: bytes
    first_number: int
    last_number: int
    inbox_index: int
    state_root: bytes
    calldata: bytes


@dataclass(frozen=True, slots=True)
class Reverted:
    """Batch `from_batch` and all later ones are gone; `fork` is the new fork number."""

    at: Position
    from_batch: int
    fork: int


@dataclass(frozen=True, slots=True)
class Finalised:
    """Every batch up to and including `up_to` is final."""

    at: Position
    up_to: int


@dataclass(frozen=True, slots=True)
class Forked:
    """Batches that are not shown were reverted meanwhile; `fork` is the new number. Only exports leave them out."""

    at: Position
    fork: int


Event = MessageAdded | BatchPosted | Reverted | Finalised | Forked
