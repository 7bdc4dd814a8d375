"""Whoever goes on with a chain may do so on a node that has dropped its old logs, with a watcher's export."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from challenger.export import write_export
from rollup.errors import L1Pruned
from rollup.rpc.client import connect_ws
from tests.support.deployed import Site, open_site
from tests.support.pruned import pruned_node
from tests.support.served import derive, funded, options, posted, serve
from tests.support.trader import USD, open_accounts


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """The contracts on an embedded L1."""
    async with open_site() as opened:
        yield opened


async def test_a_sequencer_with_an_empty_folder_goes_on_from_an_export(site: Site, tmp_path: Path) -> None:
    """Without one it says what it lacks; with one it serves the accounts that L1 has, and posts."""
    accounts = await open_accounts(site, [5, 6])
    async with serve(options(site, tmp_path / "first")) as node, connect_ws(node.address.ws_url) as rpc:
        await funded(rpc, accounts)
        await posted(node)
    path = tmp_path / "past"
    await write_export(site.l1, site.deployment.rollup, path)
    async with pruned_node(site) as url:
        with pytest.raises(ExceptionGroup) as caught:
            async with serve(options(site, tmp_path / "bare", l1_url=url)):
                raise AssertionError("there is nothing to begin with")
        assert caught.group_contains(L1Pruned)
        again = options(site, tmp_path / "second", l1_url=url, export=path)
        async with serve(again) as node, connect_ws(node.address.ws_url) as rpc:
            await funded(rpc, accounts)
            found = await rpc.call("private/get_subaccount", {"subaccount_id": accounts[1]})
            assert float(found["subaccount_value"]) == 10_000 * USD / 10**6
            await posted(node)
            store = await derive(site)
            assert store.committed == node.sequencer.store.committed
