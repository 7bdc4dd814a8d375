"""A fee market that jumps while a posting waits: it follows the market in one step, up to the operator's ceiling."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio

from rollup.batcher.alarms import Alarms
from rollup.l1 import dev
from rollup.l1.anvil import find_anvil, run_anvil
from rollup.l1.client import L1Client
from rollup.l1.encoding import to_quantity
from tests.support.batching import PATIENCE, poster_of, standing, tip, wait_for
from tests.support.deployed import Site, prepare_site
from tests.support.stock import Stock, open_stock

GWEI = 10**9
SPIKE = 300 * GWEI

pytestmark = pytest.mark.anvil


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """The contracts on anvil, whose price of gas can be set."""
    if find_anvil() is None:
        pytest.skip("anvil is not installed: run `npm ci`")
    async with run_anvil() as url, L1Client(url) as l1:
        yield Site(url, l1, await prepare_site(l1))


@pytest.fixture
async def stock(site: Site, tmp_path: Path) -> AsyncIterator[Stock]:
    """A block that waits."""
    async with open_stock(site, tmp_path) as opened:
        yield opened


async def move_market(site: Site, price: int) -> None:
    """The next block has this base fee; done once the node, which learns of it a moment later, tells of it."""
    await site.l1.request("anvil_setNextBlockBaseFeePerGas", to_quantity(price))
    await dev.mine(site.l1)

    async def told() -> bool:
        return price <= (await site.l1.suggest_fees()).max_fee < 10 * price

    await wait_for(told)


async def spike(site: Site) -> None:
    """The next block, which a waiting posting is too cheap for, costs a hundred times as much."""
    await move_market(site, SPIKE)


async def test_a_posting_that_a_fee_spike_overtakes_is_replaced_at_the_markets_price(site: Site, stock: Stock) -> None:
    """Not by steps of fifteen per cent, each of which would be too late."""
    poster, prices, jumped = poster_of(stock, site.l1), list[tuple[int, int]](), trio.Event()
    replace = poster._replace

    async def watched(sent: Any) -> Any:
        await jumped.wait()  # a replacement between the new price and its block would be mined in that block
        again = await replace(sent)
        prices.append((sent.fees.max_fee, again.fees.max_fee))
        return again

    poster._replace = watched  # type: ignore[method-assign]
    await dev.set_automine(site.l1, enabled=False)

    async def overpriced() -> bool:
        return any(after >= SPIKE * 8 // 10 for _, after in prices)

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(poster.post_if_due)
            await wait_for(lambda: sent(site))
            await spike(site)
            assert await tip(site) == (0, 0), "its price is below that of the block"
            jumped.set()
            await wait_for(overpriced)
            await dev.set_automine(site.l1, enabled=True)
            await dev.mine(site.l1)
    jump = next(pair for pair in prices if pair[1] >= SPIKE * 8 // 10)
    assert jump[0] < SPIKE // 10, "in one step"
    assert await tip(site) == (1, 1)


async def sent(site: Site) -> bool:
    """Whether the posting is in the pool."""
    address = site.account(0).address
    return await site.l1.get_nonce(address, "pending") > await site.l1.get_nonce(address)


async def test_a_spike_beyond_the_ceiling_is_an_alarm_until_it_is_over(site: Site, stock: Stock) -> None:
    """What waits in the pool stays at its price, and nothing is lost."""
    alarms = Alarms()
    poster = poster_of(stock, site.l1, alarms, max_fee=100 * GWEI)
    await spike(site)
    assert await poster.post_if_due() is None
    assert standing(alarms) == {"fees"}
    assert await tip(site) == (0, 0)
    await move_market(site, GWEI)
    assert await poster.post_if_due() is not None, "the market is calm again"
    assert await tip(site) == (1, 1)
    assert standing(alarms) == set()
