"""Which batches an honest poster makes final: those that it has executed itself, and no others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rollup.batcher.service import finalise_due
from rollup.l1 import dev
from tests.support.batching import poster_of
from tests.support.deployed import DISPUTE_WINDOW, Site, open_site
from tests.support.stock import Stock, open_stock


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """An L1 with the contracts."""
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def stock(site: Site, tmp_path: Path) -> AsyncIterator[Stock]:
    """A block that waits."""
    async with open_stock(site, tmp_path) as opened:
        yield opened


async def test_only_verified_batches_are_made_final_and_none_behind_one_that_is_not(site: Site, stock: Stock) -> None:
    """A batch of another hash than the one that was executed is another batch."""
    poster = poster_of(stock, site.l1)
    contract, account = poster._contract, poster._account
    for _ in range(3):
        assert await poster.post_if_due() is not None
        stock.add()
    hashes = {index: (await contract.batch(index)).batch_hash for index in (1, 2, 3)}
    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await dev.mine(site.l1)
    assert await finalise_due(contract, account, lambda _: None) is None
    assert await finalise_due(contract, account, {**hashes, 2: bytes(32)}.get) == 1
    assert await contract.finalised() == 1
    assert await finalise_due(contract, account, hashes.get) == 3
    assert await contract.finalised() == 3
