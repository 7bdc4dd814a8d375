"""A deployment is found by nothing but its address, however many blocks lie before and after it."""

from __future__ import annotations

import pytest

from rollup.derive.origin import first_block_at, read_origin
from rollup.errors import L1Error
from rollup.l1 import dev
from rollup.types.genesis import decode_leaves
from tests.support.deployed import Site, prepare_site
from tests.support.poster import start_poster


async def test_the_genesis_is_found_between_other_blocks(any_site: Site) -> None:
    """A second deployment on the same chain has its own, and neither is taken for the other."""
    await dev.mine(any_site.l1, 20)
    await dev.increase_time(any_site.l1, 5_000)
    later = await prepare_site(any_site.l1)
    await dev.mine(any_site.l1, 5)
    first, second = [await read_origin(any_site.l1, d.rollup) for d in (any_site.deployment, later)]
    for origin, deployment in ((first, any_site.deployment), (second, later)):
        assert (origin.block, origin.inbox) == (deployment.block, deployment.inbox)
        assert (origin.genesis.state_root, origin.chain_id) == (deployment.genesis_root, deployment.chain_id)
    assert first.separator != second.separator
    assert decode_leaves(first.leaves) == (await start_poster(any_site)).leaves


async def test_the_first_block_of_a_second_is_found_by_bisection(site: Site) -> None:
    """Several blocks may share a second, and there may be none at all."""
    newest = await site.l1.block_number()
    times = []
    for number in range(newest + 1):
        block = await site.l1.get_block(number)
        assert block is not None
        times.append(block.timestamp)
    for timestamp in {*times, 0, times[-1] + 1}:
        expected = next((number for number, time in enumerate(times) if time >= timestamp), newest + 1)
        assert await first_block_at(site.l1, timestamp, newest) == expected


async def test_an_address_without_a_rollup_is_refused(site: Site) -> None:
    """Neither an empty account nor another contract is one."""
    with pytest.raises(L1Error, match="no contract"):
        await read_origin(site.l1, b"\x99" * 20)
    with pytest.raises(L1Error):
        await read_origin(site.l1, site.deployment.inbox)
