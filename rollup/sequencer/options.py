"""What an operator decides about one sequencer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rollup.errors import ConfigError

Clock = Callable[[], int]
"""Unix time in whole seconds."""


def wall_clock() -> int:
    """The machine's own time."""
    return int(time.time())


@dataclass(frozen=True, slots=True)
class SequencerOptions:
    """Where the sequencer stores, whom it follows, and how long it waits.

    `key` is the private key (32 bytes) that signs block headers and posts batches. `block_interval` seconds pass at
    most between the first transaction of a block and its sealing, `batch_interval` between two batches unless
    `batch_blocks` are waiting, or `batch_bytes` of calldata.
    `confirmations` L1 blocks must stand on an inbox message before a block consumes it.
    Orders may live `max_order_life` seconds. Every `rehearsal_interval` seconds a block is executed by the verifier
    before it is posted (None: never). `clock` is believed only near L1's time (see `l1_time`).
    A block with a price stays open for `flag_patience` seconds at most until everybody was screened, so that whoever
    falls below his margin by that price is flagged in its block (0: answers are worth more than that).
    `fault` makes it dishonest on purpose (see `faults`), in the first block from number `fault_at` on that allows it.
    """

    data_dir: Path
    l1_url: str
    rollup: bytes
    key: bytes = field(repr=False)
    l1_from_block: int = 0
    block_interval: float = 0.01
    batch_interval: float = 2.0
    batch_blocks: int = 200
    batch_bytes: int = 100_000
    poll_interval: float = 0.25
    confirmations: int = 1
    export: Path | None = None
    """A watcher's export, where the node has dropped its old logs."""
    max_order_life: int = 30 * 86_400
    max_orders_per_account: int = 512
    finalise: bool = True
    low_balance: int = 10**17
    post_batches: bool = True
    rehearsal_interval: float | None = None
    fault: str | None = None
    fault_at: int = 1
    flag_patience: float = 0.0
    clock: Clock = wall_clock

    def __post_init__(self) -> None:
        if len(self.rollup) != 20:
            raise ConfigError("rollup: an address has 20 bytes")
        if len(self.key) != 32:
            raise ConfigError("key: a private key has 32 bytes")
        if not 0 < self.block_interval <= 10 or self.batch_interval < 0 or self.poll_interval <= 0:
            raise ConfigError("block_interval, batch_interval, poll_interval: seconds out of range")
        if not 1 <= self.batch_blocks <= 256:
            raise ConfigError("batch_blocks: 1 to 256")
        if self.batch_bytes < 1:
            raise ConfigError("batch_bytes: at least one")
        if self.rehearsal_interval is not None and self.rehearsal_interval < 0:
            raise ConfigError("rehearsal_interval: not negative")
        if self.flag_patience < 0:
            raise ConfigError("flag_patience: not negative")
        if self.confirmations < 0:
            raise ConfigError("confirmations: not negative")
