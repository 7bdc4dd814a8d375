"""Real blocks in a real database, for a batcher to post: sealed by the sequencer's ledger, without its tasks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rollup.crypto.eip712 import header_digest, withdraw_digest
from rollup.crypto.keccak import keccak
from rollup.crypto.signatures import recover, sign
from rollup.derive.origin import Origin, read_origin
from rollup.derive.replica import Replica
from rollup.l1.devkeys import dev_key
from rollup.sequencer.ledger import Ledger
from rollup.sequencer.stored import StoredBlocks
from rollup.store.changes import BlockCommit
from rollup.store.identity import ChainIdentity
from rollup.store.records import BlockRecord
from rollup.store.state import StateStore
from rollup.types.transactions import Withdraw
from tests.support.deployed import SEQUENCER, Site
from tests.support.poster import FIRST_OWNER


@dataclass
class Stock:
    """Blocks that wait for L1."""

    site: Site
    origin: Origin
    store: StateStore
    ledger: Ledger
    nonce: int = 0
    messages: int = 0

    @property
    def blocks(self) -> StoredBlocks:
        """As the batcher wants them."""
        return StoredBlocks(self.store.records, lambda: self.messages)

    async def open(self, dollars: int = 10_000) -> None:
        """A block that consumes the opening of the first account."""
        inbox, payer = self.site.contract("Inbox"), self.site.account(SEQUENCER)
        owner = self.site.account(FIRST_OWNER).address
        receipt = await inbox.transact(payer, "open", owner, dollars * 10**6)
        (event,) = inbox.decode_events(receipt.logs)
        self.messages += 1
        self.ledger.take_message(event.values["message"])
        self.seal()

    def add(self, count: int = 1) -> None:
        """Blocks with a withdrawal of a dollar each."""
        for _ in range(count):
            self.nonce += 1
            digest = withdraw_digest(self.origin.separator, 0, 10**6, self.nonce)
            self.ledger.apply(Withdraw(0, 10**6, self.nonce, sign(digest, dev_key(FIRST_OWNER))))
            self.seal()

    def seal(self) -> None:
        """Close the open block and make it durable."""
        block = self.ledger.seal()
        digest = header_digest(self.origin.separator, keccak(block.header.encode()))
        record = BlockRecord(block.header, block.txs, block.messages, sign(digest, dev_key(SEQUENCER)))
        self.store.commit([BlockCommit(block.staged, record)])


@asynccontextmanager
async def open_stock(site: Site, folder: Path, kind: type[Ledger] = Ledger) -> AsyncIterator[Stock]:
    """A stock with one block: the opening of account 0, which `FIRST_OWNER` holds."""
    origin = await read_origin(site.l1, site.deployment.rollup)
    store = StateStore.open(folder / "stock", ChainIdentity(origin.chain_id, origin.rollup), create=True)
    try:
        Replica(store, origin)
        head = await site.l1.get_block()
        assert head is not None
        time = head.timestamp
        stock = Stock(site, origin, store, kind(store, 0, origin.separator, recover, lambda: time))
        await stock.open()
        yield stock
    finally:
        store.close()
