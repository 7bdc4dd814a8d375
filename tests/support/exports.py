"""Exports of a site, and nodes that have dropped what exports hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from challenger.export import write_export
from rollup.derive.follower import Follower
from rollup.derive.pipeline import Pipeline
from rollup.derive.replica import Replica
from rollup.derive.vetting import open_source
from rollup.l1 import dev
from rollup.l1.client import L1Client
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from tests.support.deployed import DISPUTE_WINDOW, RIVAL, Site
from tests.support.derived import Liar


class Pruned(Liar):
    """A node that has dropped logs and transactions of blocks before `horizon`."""

    def __init__(self, url: str, horizon: int) -> None:
        super().__init__(url)
        self.horizon = horizon
        self.asked_for_old = False
        self.distort = self.forget

    def forget(self, method: str, params: tuple[Any, ...], result: Any) -> Any:
        """Leave out what is old, without a word."""
        if method == "eth_getLogs":
            self.asked_for_old |= int(params[0]["fromBlock"], 16) < self.horizon
            return [log for log in result if int(log["blockNumber"], 16) >= self.horizon]
        if method == "eth_getTransactionByHash" and result is not None:
            return result if int(result["blockNumber"], 16) >= self.horizon else None
        return result


@asynccontextmanager
async def pruned(site: Site) -> AsyncIterator[Pruned]:
    """The site's node, everything up to now forgotten."""
    await dev.increase_time(site.l1, 5)
    await dev.mine(site.l1)
    async with Pruned(site.url, await site.l1.block_number()) as client:
        yield client


async def export(site: Site, folder: Path, l1: L1Client | None = None, earlier: Path | None = None) -> Path:
    """Export everything up to now."""
    path = folder / f"export-{await site.l1.block_number()}"
    await write_export(l1 or site.l1, site.deployment.rollup, path, earlier=earlier)
    return path


async def derive_with(
    site: Site, l1: L1Client, path: Path | None, store: StateStore | None = None, span: int = 500
) -> Pipeline:
    """Derive to L1's head."""
    source = await open_source(l1, site.deployment.rollup, path)
    kept = store or StateStore.in_memory(ChainIdentity(source.origin.chain_id, site.deployment.rollup))
    replica = Replica(kept, source.origin)
    pipeline = Pipeline(Follower(source, anchor=replica.anchor, span=span), replica)
    await pipeline.advance()
    return pipeline


async def finalise(site: Site, up_to: int) -> None:
    """Make batches final."""
    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await site.contract("Rollup").transact(site.account(RIVAL), "finalise", up_to)
