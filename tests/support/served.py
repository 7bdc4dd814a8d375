"""A served sequencer in this process, on a site's L1, and what a test asks of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from rollup.crypto.eip712 import header_digest
from rollup.crypto.keccak import keccak
from rollup.crypto.signatures import recover
from rollup.derive.follower import Follower
from rollup.derive.origin import read_origin
from rollup.derive.replica import Replica
from rollup.derive.source import L1Source
from rollup.l1.devkeys import dev_address, dev_key
from rollup.rpc.client import RpcError
from rollup.rpc.node import Node, run_node
from rollup.sequencer.options import SequencerOptions
from rollup.sequencer.unit import Unit
from rollup.stf.invariants import check_invariants
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from rollup.types.blocks import Header
from tests.support.deployed import SEQUENCER, Site
from tests.support.prover import trying_to_prove
from tests.support.trader import USD, Trader

PRICE = 50_000 * USD
PATIENCE = 180.0


def options(site: Site, folder: Path, **changes: Any) -> SequencerOptions:
    """Options of a quick sequencer."""
    settings: dict[str, Any] = {
        "data_dir": folder,
        "l1_url": site.url,
        "rollup": site.deployment.rollup,
        "key": dev_key(SEQUENCER),
        "confirmations": 0,
        "batch_interval": 0.2,
        "poll_interval": 0.05,
    }
    return SequencerOptions(**{**settings, **changes})


@asynccontextmanager
async def serve(given: SequencerOptions) -> AsyncIterator[Node]:
    """A node for as long as the block lasts; it ends as an interrupted one does."""
    async with trio.open_nursery() as nursery:
        node: Node = await nursery.start(run_node, given, "127.0.0.1", 0)
        yield node
        nursery.cancel_scope.cancel()


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait for something that must come."""
    with trio.move_on_after(PATIENCE):
        while not await condition():  # noqa: ASYNC110 - what is awaited happens in another process
            await trio.sleep(0.05)
        return
    raise AssertionError(f"waited {PATIENCE:g} s in vain for {what}")


async def until_so(condition: Callable[[], bool], what: str) -> None:
    """The same for what can be seen from here."""

    async def seen() -> bool:
        return condition()

    await until(seen, what)


async def funded(rpc: Any, accounts: list[int]) -> Trader:
    """Wait until the accounts are on L2, post a price, and return who signs."""

    async def there() -> bool:
        try:
            await rpc.call("private/get_subaccount", {"subaccount_id": accounts[-1]})
        except RpcError:
            return False
        return True

    await until(there, "deposits on L2")
    status = await rpc.call("public/status")
    trader = Trader(bytes.fromhex(status["domain_separator"][2:]))
    await rpc.call("oracle/update", trader.price(PRICE))
    return trader


async def posted(node: Node) -> None:
    """Wait until everything is on L1, and the sequencer has written down in which batches."""
    sequencer = node.sequencer

    def seen() -> bool:
        progress, noted = sequencer.watcher.progress, sequencer.store.records.last_batch()
        known = 0 if noted is None else noted.index
        return progress.block >= sequencer.store.committed and known == progress.batch

    await until_so(seen, "everything on L1")


async def consumed(node: Node, count: int) -> None:
    """Wait until so many messages are in durable blocks."""
    store = node.sequencer.store

    def seen() -> bool:
        record = store.records.block(store.committed)
        return record is not None and record.header.inbox_index >= count

    await until_so(seen, f"{count} messages")


async def derive(site: Site) -> StateStore:
    """The state as anybody rebuilds it from L1, every block tried to be proven wrong."""
    origin = await read_origin(site.l1, site.deployment.rollup)
    store = StateStore.in_memory(ChainIdentity(origin.chain_id, origin.rollup))
    follower = Follower(L1Source(site.l1, origin))
    replica = Replica(store, origin, on_block=trying_to_prove(origin.separator, attempts=8))
    while await follower.read_on():
        while replica.execute_next(follower.chain) is not None:
            pass
    assert replica.fraud is None
    assert check_invariants(store.iterate_leaves())
    return store


@dataclass
class Signatures:
    """Every header that a key has signed in public, over all lives of its sequencer."""

    site: Site
    headers: dict[tuple[int, int], set[Header]] = field(default_factory=dict)

    def watch(self, node: Node) -> None:
        """Note what becomes durable on a node from now on, and what is already."""
        records, last = node.sequencer.store.records, node.sequencer.store.committed
        for record in records.blocks(1, last):
            if record.signature:
                self._note(record.header)
        separator = node.sequencer.exchange.status().separator

        def hear(unit: Unit) -> None:
            for block in unit.blocks:
                record = records.block(block.header.number)
                assert record is not None, "announced blocks are durable"
                digest = header_digest(separator, keccak(record.header.encode()))
                assert recover(digest, record.signature) == dev_address(SEQUENCER)
                self._note(record.header)

        node.sequencer.exchange.listen(hear)

    def _note(self, header: Header) -> None:
        self.headers.setdefault((header.fork, header.number), set()).add(header)

    async def check(self) -> None:
        """No two headers of one number and fork could be shown to L1 now, whose inbox both would have to have."""
        inbox = self.site.contract("Inbox")
        count = await inbox.call("count")
        for place, headers in self.headers.items():
            shown = [
                header
                for header in headers
                if header.inbox_index <= count and await inbox.call("hashAt", header.inbox_index) == header.inbox_hash
            ]
            assert len(shown) <= 1, f"two signatures for (fork, number) {place}"

    def once(self) -> bool:
        """Whether nothing was signed twice at all."""
        return all(len(headers) == 1 for headers in self.headers.values())
