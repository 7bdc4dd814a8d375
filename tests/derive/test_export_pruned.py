"""A node that has dropped its old logs is found out, and the remedy named."""

from __future__ import annotations

from typing import Any

import pytest

from rollup.errors import L1Pruned
from rollup.l1 import dev
from tests.support.deployed import Site
from tests.support.derived import Liar
from tests.support.exports import Pruned, derive_with, pruned
from tests.support.frauds import post_variety
from tests.support.poster import Poster


async def test_a_node_without_old_logs_is_found_out_and_the_remedy_named(site: Site, poster: Poster) -> None:
    """The genesis is the first that is missing."""
    await post_variety(poster)
    async with pruned(site) as client:
        with pytest.raises(L1Pruned, match=r"genesis.*challenger export") as caught:
            await derive_with(site, client, None)
        assert "genesis" in caught.value.what


@pytest.mark.parametrize("horizon", ["first message", "first batch", "middle", "all but nothing"])
@pytest.mark.parametrize("span", [1, 500])
async def test_a_node_that_dropped_some_logs_is_found_out_by_the_counters_on_l1(
    site: Site, poster: Poster, horizon: str, span: int
) -> None:
    """Whatever is the first missing event; and nothing is executed on a gap."""
    await post_variety(poster)
    newest, blocks = await site.l1.block_number(), list[int]()
    for contract, event in (("Inbox", "MessageAdded"), ("Rollup", "BatchPosted")):
        shown = await site.contract(contract).events(event, from_block=0, to_block=newest)
        blocks += [each.log.block_number for each in shown]
    blocks.sort()
    forgotten = {
        "first message": blocks[:1],
        "first batch": blocks[:3],
        "middle": blocks[3:5],
        "all but nothing": blocks,
    }[horizon]
    await dev.increase_time(site.l1, 5)
    await dev.mine(site.l1)

    def forget(method: str, _params: tuple[Any, ...], result: Any) -> Any:
        if method == "eth_getLogs":
            return [log for log in result if int(log["blockNumber"], 16) not in forgotten]
        return result

    async with Liar(site.url) as client:
        client.distort = forget
        with pytest.raises(L1Pruned, match="--export FILE"):
            await derive_with(site, client, None, span=span)


async def test_a_node_that_refuses_old_logs_and_one_that_forgot_the_calldata_are_named(
    site: Site, poster: Poster
) -> None:
    """The first answers with an error, the second still has the logs."""
    await post_variety(poster)
    async with Pruned(site.url, 2**20) as client:
        client.distort = lambda method, params, result: (
            result if method == "eth_getLogs" else client.forget(method, params, result)
        )
        with pytest.raises(L1Pruned, match=r"which posted batch \d"):
            await derive_with(site, client, None)
