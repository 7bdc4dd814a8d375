"""Where a deployment begins, learnt from nothing but the address of its Rollup contract."""

from __future__ import annotations

from dataclasses import dataclass

from rollup.crypto.eip712 import domain_separator
from rollup.derive.anchor import Anchor
from rollup.derive.chain import DerivedBatch, batch_hash
from rollup.derive.pruning import says_pruned
from rollup.errors import L1Error, L1Pruned, L1Refused
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


async def read_origin(l1: L1Client, rollup: bytes, leaves: bytes | None = None) -> Origin:
    """Find a deployment's genesis; `L1Error` if there is no Rollup contract at that address, or the node lies.

    The genesis batch tells the second of its deployment, so the block is found by bisection and no log before it is
    asked for. None is if the genesis `leaves` are given, whose root is then the caller's to check.
    """
    contract = Contract(l1, rollup, load_artifact("Rollup"))
    if not await l1.get_code(rollup):
        raise L1Error(f"there is no contract at 0x{rollup.hex()}", retryable=False)
    config = await contract.call("config")
    _, root, identity, _, deployed_at, _, _, last_timestamp, _, _ = await contract.call("batches", 0)
    newest = await l1.block_number()
    first = await first_block_at(l1, deployed_at, newest)
    last = await first_block_at(l1, deployed_at + 1, newest) - 1
    block = first
    if leaves is None:
        block, leaves = await _read_genesis(contract, first, max(first, last), root)
    chain_id = await l1.chain_id()
    separator = domain_separator(chain_id, rollup)
    hashed = batch_hash(bytes(32), 0, 0, bytes(32), root, 0)
    if identity != hashed or await contract.call("domainSeparator") != separator:
        raise L1Error(f"the genesis of 0x{rollup.hex()} contradicts itself", retryable=False)
    genesis = DerivedBatch(0, identity, 0, bytes(20), block, root, 0, 0, (), last_timestamp)
    return Origin(
        chain_id=chain_id,
        rollup=rollup,
        inbox=config[8],
        verifier=config[9],
        separator=separator,
        block=block,
        leaves=leaves,
        genesis=genesis,
    )


async def _read_genesis(contract: Contract, first: int, last: int, root: bytes) -> tuple[int, bytes]:
    """Block and leaves of the genesis event; `L1Pruned` if L1 must have it and the node does not show it."""
    name = f"0x{contract.address.hex()}"
    try:
        logs = await contract.events("Genesis", from_block=first, to_block=last)
    except L1Refused as refusal:
        if not says_pruned(refusal):
            raise
        raise L1Pruned(f"the genesis of {name} in block {first}") from refusal
    if not logs:
        raise L1Pruned(f"the genesis of {name} in block {first}")
    if len(logs) != 1 or logs[0].values["root"] != root:
        raise L1Error(f"the genesis of {name} contradicts itself", retryable=False)
    return logs[0].log.block_number, logs[0].values["leaves"]


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
