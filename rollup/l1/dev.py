"""Controls that development nodes offer, the embedded L1 and anvil alike. No real network has them."""

from __future__ import annotations

from rollup.errors import L1Error
from rollup.l1.client import L1Client
from rollup.l1.encoding import to_quantity


async def mine(client: L1Client, blocks: int = 1) -> None:
    """Mine blocks now, empty unless transactions wait."""
    for _ in range(blocks):
        await client.request("evm_mine")


async def increase_time(client: L1Client, seconds: int) -> None:
    """Move the clock of the chain forward; the next block shows it."""
    await client.request("evm_increaseTime", to_quantity(seconds))


async def set_next_timestamp(client: L1Client, timestamp: int) -> None:
    """Give the next block this time; the clock goes on from there."""
    await client.request("evm_setNextBlockTimestamp", to_quantity(timestamp))


async def set_automine(client: L1Client, enabled: bool) -> None:
    """Whether each transaction is mined at once, or waits for `mine`."""
    await client.request("evm_setAutomine", enabled)


async def take_snapshot(client: L1Client) -> str:
    """Remember the chain as it is; returns the identifier to return to."""
    identifier = await client.request("evm_snapshot")
    if not isinstance(identifier, str):
        raise L1Error("the node returned no snapshot identifier", retryable=False)
    return identifier


async def revert_to(client: L1Client, snapshot: str) -> None:
    """Return the chain to a snapshot and forget it: what came after is reorganised away."""
    if await client.request("evm_revert", snapshot) is not True:
        raise L1Error(f"the node has no snapshot {snapshot}", retryable=False)
