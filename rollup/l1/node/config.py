"""Settings of the embedded L1."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rollup.l1.devkeys import DEV_BALANCE_WEI, dev_address


def default_allocation(accounts: int = 20) -> dict[bytes, int]:
    """The public development accounts with their balances in wei."""
    return {dev_address(i): DEV_BALANCE_WEI for i in range(accounts)}


@dataclass(frozen=True, slots=True)
class EmbeddedL1Config:
    """How the embedded L1 behaves; times in seconds.

    Blocks appear with each transaction, and every `block_interval` seconds (None: only with transactions and by
    `evm_mine`). The clock starts at `genesis_time` (None: now) and runs with the wall clock. `safe` and `finalized`
    blocks are `safe_depth` and `finalized_depth` behind the head. `allocation` is wei by address.
    """

    chain_id: int = 31_337
    block_interval: float | None = 1.0
    genesis_time: int | None = None
    block_gas_limit: int = 60_000_000
    base_fee: int = 10**9
    priority_fee: int = 10**9
    safe_depth: int = 1
    finalized_depth: int = 2
    max_logs: int = 10_000
    allocation: dict[bytes, int] = field(default_factory=default_allocation)
    wall_clock: Callable[[], float] = time.time
