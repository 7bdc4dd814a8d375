"""Where a deployment begins, learnt from nothing but the address of its Rollup contract."""

from __future__ import annotations

from dataclasses import dataclass

from rollup.crypto.eip712 import domain_separator
from rollup.derive.anchor import Anchor
from rollup.derive.chain import DerivedBatch, batch_hash
from rollup.errors import L1Error
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract


@dataclass(frozen=True, slots=True)
class Origin:
    """What the Rollup contract says of itself; `block` is the L1 block that holds its Genesis event."""

    chain_id: int
    rollup: bytes
    inbox: bytes
    verifier: bytes
    separator: bytes
    block: int
    leaves: bytes
    genesis: DerivedBatch

    @property
    def anchor(self) -> Anchor:
        """Where a replica that knows nothing begins."""
        return Anchor(self.genesis)


async def read_origin(l1: L1Client, rollup: bytes) -> Origin:
    """Find a deployment's genesis; `L1Error` if there is no Rollup contract at that address, or the node lies.

    The genesis batch tells the second of its deployment, so the block is found by bisection and no log before it is
    asked for.
    """
    contract = Contract(l1, rollup, load_artifact("Rollup"))
    if not await l1.get_code(rollup):
        raise L1Error(f"there is no contract at 0x{rollup.hex()}", retryable=False)
    config = await contract.call("config")
    _, root, identity, _, deployed_at, _, _, last_timestamp, _, _ = await contract.call("batches", 0)
    newest = await l1.block_number()
    first = await first_block_at(l1, deployed_at, newest)
    last = await first_block_at(l1, deployed_at + 1, newest) - 1
    logs = await contract.events("Genesis", from_block=first, to_block=max(first, last))
    if len(logs) != 1:
        raise L1Error(f"0x{rollup.hex()} is not a Rollup: {len(logs)} genesis events", retryable=False)
    event, chain_id = logs[0], await l1.chain_id()
    separator = domain_separator(chain_id, rollup)
    hashed = batch_hash(bytes(32), 0, 0, bytes(32), root, 0)
    if event.values["root"] != root or identity != hashed or await contract.call("domainSeparator") != separator:
        raise L1Error(f"the genesis of 0x{rollup.hex()} contradicts itself", retryable=False)
    genesis = DerivedBatch(0, identity, 0, bytes(20), event.log.block_number, root, 0, 0, (), last_timestamp)
    return Origin(
        chain_id=chain_id,
        rollup=rollup,
        inbox=config[8],
        verifier=config[9],
        separator=separator,
        block=event.log.block_number,
        leaves=event.values["leaves"],
        genesis=genesis,
    )


async def first_block_at(l1: L1Client, timestamp: int, newest: int) -> int:
    """Number of the first block whose time is at least `timestamp` (s); `newest + 1` if there is none."""
    low, high = 0, newest + 1
    while low < high:
        middle = (low + high) // 2
        block = await l1.get_block(middle)
        if block is None:
            raise L1Error(f"the node does not have its block {middle}", retryable=True)
        if block.timestamp < timestamp:
            low = middle + 1
        else:
            high = middle
    return low
