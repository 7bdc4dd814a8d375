"""The rollup as L1 alone shows it: a state rebuilt from L1, and proofs of its accounts for the vault.

Nobody is asked but the L1 node, and of that node nothing is believed that can be computed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rollup.derive.follower import Follower
from rollup.derive.fraud import Fraud
from rollup.derive.pipeline import Pipeline, Progress
from rollup.derive.replica import Replica
from rollup.derive.vetting import open_source
from rollup.errors import StoreError
from rollup.l1.client import L1Client
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from rollup.types.keys import account_key
from rollup.types.leaves import Account


@dataclass(frozen=True, slots=True)
class AccountProof:
    """An account's leaf after a final batch, and the witness that proves it to the vault."""

    number: int
    account: Account
    batch: int
    witness: bytes


class Mirror:
    """A replica that stays at what L1 says; `advance` brings it up to date. Made by `open_mirror`."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.store = pipeline.replica.store

    async def advance(self) -> None:
        """Derive what L1 has new. Raises `L1Error`, with all so far kept."""
        await self.pipeline.advance()

    @property
    def batch(self) -> int:
        """The last batch that was executed and found right."""
        return self.pipeline.replica.batch

    @property
    def final_batch(self) -> int:
        """The last batch that is final on L1 and was executed here."""
        return min(self.pipeline.follower.chain.finalised, self.batch)

    @property
    def fraud(self) -> Fraud | None:
        """The first wrong block on L1, while it stands there."""
        return self.pipeline.replica.fraud

    def account(self, number: int) -> Account | None:
        """An account after batch `batch`; None if it was not opened by then."""
        leaf = self.store.read(account_key(number))
        return Account.decode(leaf) if leaf else None

    def prove(self, number: int) -> AccountProof | None:
        """An account after batch `final_batch`, with its proof; None if it was not opened by then."""
        batch = self.final_batch
        block = self.last_block(batch)
        view = self.store.view(block)
        try:
            leaf = view.read(account_key(number))
            if not leaf:
                return None
            return AccountProof(number, Account.decode(leaf), batch, view.proof([account_key(number)]))
        finally:
            view.close()

    def last_block(self, batch: int) -> int:
        """Number of the last block of a batch that was executed."""
        if batch == 0:
            return self.pipeline.replica.origin.genesis.last_number
        record = self.store.records.batch(batch)
        if record is None:
            raise StoreError(f"batch {batch} is missing")
        return record.last


@asynccontextmanager
async def open_mirror(
    l1: L1Client,
    rollup: bytes,
    folder: Path | None = None,
    *,
    confirmations: int = 0,
    export: Path | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> AsyncIterator[Mirror]:
    """A mirror of the deployment at `rollup`, kept in `folder` (a LevelDB of its own), or in memory without one.

    Raises `L1Error` if there is no such deployment, `StoreError` if the folder belongs to another or is in use. Where
    the node has dropped its old logs (`L1Pruned`), a watcher's `export` stands in for them, if it is right
    (`ExportRefused`).
    """
    source = await open_source(l1, rollup, export)
    identity = ChainIdentity(source.origin.chain_id, rollup)
    if folder is not None:
        folder.parent.mkdir(parents=True, exist_ok=True)
    store = StateStore.in_memory(identity) if folder is None else StateStore.open(folder, identity, create=True)
    try:
        follower = Follower(source, confirmations=confirmations)
        yield Mirror(Pipeline(follower, Replica(store, source.origin), on_progress=on_progress))
    finally:
        store.close()
