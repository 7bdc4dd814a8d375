"""The batcher's loop on a real L1: alarms early, and on again by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from rollup.batcher.alarms import Alarms
from rollup.batcher.service import run_batcher
from rollup.errors import L1Error
from rollup.l1 import dev
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import ContractAbi
from tests.support.batching import poster_of, standing, tip, wait_for
from tests.support.deployed import DISPUTE_WINDOW, ETHER, RIVAL, SEQUENCER, Site, open_site
from tests.support.relay import relay_to
from tests.support.stock import Stock, open_stock

POST_BATCH = f"0x{ContractAbi(load_artifact('Rollup').abi).function('postBatch').selector.hex()}"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """An L1 with the contracts."""
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def stock(site: Site, tmp_path: Path) -> AsyncIterator[Stock]:
    """Three blocks that wait."""
    async with open_stock(site, tmp_path) as opened:
        opened.add(2)
        yield opened


@asynccontextmanager
async def running(stock: Stock, client: L1Client, alarms: Alarms, **terms: Any) -> AsyncIterator[None]:
    """The batcher's own loop."""
    poster = poster_of(stock, client, alarms)
    settings: dict[str, Any] = {
        "poll": 0.02,
        "low_balance": 0,
        "finalise": False,
        "posting": lambda: True,
        "verified": lambda _: None,
        **terms,
    }
    async with trio.open_nursery() as nursery:
        await nursery.start(
            lambda task_status: run_batcher(
                poster, poster._contract, poster._account, alarms, task_status=task_status, **settings
            )
        )
        yield
        nursery.cancel_scope.cancel()


async def test_a_low_balance_is_an_alarm_while_posting_still_works_and_an_empty_one_ends_with_the_refill(
    site: Site, stock: Stock
) -> None:
    """Early, not when it is too late."""
    alarms, wallet, friend = Alarms(), site.account(SEQUENCER), site.account(RIVAL)

    async def leave(wei: int) -> None:
        balance = await site.l1.get_balance(wallet.address)
        await wallet.transact(friend.address, value=balance - wei, gas=21_000)

    await leave(ETHER // 20)
    async with running(stock, site.l1, alarms, low_balance=ETHER // 10):
        await wait_for(lambda: reached(site, 3))
        assert standing(alarms) == {"balance"}
    await leave(10**14)
    stock.add()
    async with running(stock, site.l1, alarms, low_balance=ETHER // 10):

        async def starved() -> bool:
            return "l1" in standing(alarms)

        await wait_for(starved)
        assert "balance" in standing(alarms)
        await friend.transact(wallet.address, value=ETHER)
        await wait_for(lambda: reached(site, 4))

        async def quiet() -> bool:
            return not standing(alarms)

        await wait_for(quiet)


async def reached(site: Site, block: int) -> bool:
    """Whether L1 has this block."""
    return (await tip(site))[1] >= block


async def test_an_l1_that_is_down_for_a_while_is_an_alarm_and_posting_goes_on(site: Site, stock: Stock) -> None:
    """Blocks that came meanwhile follow."""
    alarms = Alarms()
    async with relay_to(site.url) as relay, L1Client(relay.url) as client, running(stock, client, alarms):
        await wait_for(lambda: reached(site, 3))
        relay.cut()
        stock.add(2)

        async def down() -> bool:
            return "l1" in standing(alarms)

        await wait_for(down)
        relay.mend()
        await wait_for(lambda: reached(site, 5))

        async def quiet() -> bool:
            return not standing(alarms)

        await wait_for(quiet)


class Stubborn(L1Client):
    """A client of a node that fails whenever a batch is to be posted."""

    async def request(self, method: str, *params: Any, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        """Ask the node, or fail."""
        if method == "eth_estimateGas" and params[0]["data"].startswith(POST_BATCH):
            raise L1Error("no batches today", retryable=True)
        return await super().request(method, *params, timeout=timeout)


async def test_batches_become_final_though_none_can_be_posted(site: Site, stock: Stock) -> None:
    """One failure does not keep the batcher from the rest of its work."""
    poster, alarms = poster_of(stock, site.l1), Alarms()
    assert await poster.post_if_due() is not None
    known = (await poster._contract.batch(1)).batch_hash
    stock.add()
    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await dev.mine(site.l1)
    async with (
        Stubborn(site.url) as client,
        running(stock, client, alarms, finalise=True, verified=lambda index: known if index == 1 else None),
    ):

        async def final() -> bool:
            return bool(await site.contract("Rollup").call("finalised") == 1)

        await wait_for(final)

        async def told() -> bool:
            return "no batches today" in str(alarms.texts())

        await wait_for(told)
    assert await tip(site) == (1, 3)
