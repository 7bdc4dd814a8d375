"""The time of blocks: whatever the machine's clock does, L1 takes them; and nobody goes on alone for too long."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rollup.l1 import dev
from rollup.rpc.client import connect_ws
from rollup.rpc.node import Node
from rollup.sequencer.l1_time import L1Time
from tests.support.deployed import DISPUTE_WINDOW, SEQUENCER, Site, open_site
from tests.support.poster import FIRST_OWNER
from tests.support.relay import relay_to
from tests.support.served import derive, funded, options, posted, serve, until_so
from tests.support.trader import USD, Trader, open_accounts

DAY = 86_400
AHEAD = 10**6
"""What the test deployment admits."""


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """An L1 with the contracts."""
    async with open_site() as opened:
        yield opened


class Clocks:
    """A machine's two clocks, in the test's hands."""

    def __init__(self) -> None:
        self.wall = 1_000_000
        self.steady = 50.0
        self.time = L1Time(lambda: self.wall, ahead=60, lag=DAY, patience=DAY, steady=lambda: self.steady)


def test_near_l1_the_machines_clock_is_the_time() -> None:
    """Seconds of difference are nothing."""
    clocks = Clocks()
    assert clocks.time.now() == 1_000_000
    clocks.time.hear(999_990)
    assert (clocks.time.now(), clocks.time.deviation()) == (1_000_000, 0)


@pytest.mark.parametrize(("jump", "expected"), [(10**9, 999_990 + 30), (-(10**6), 999_990 - DAY // 2)])
def test_a_jump_of_the_machines_clock_is_held_at_half_of_what_l1_admits(jump: int, expected: int) -> None:
    """And said."""
    clocks = Clocks()
    clocks.time.hear(999_990)
    clocks.wall += jump
    assert clocks.time.now() == expected
    assert clocks.time.deviation() == clocks.wall - expected
    clocks.steady += 100
    assert clocks.time.now() == expected + 100, "L1's time goes on though nothing is heard"


def test_a_long_silence_and_a_long_wait_are_trouble() -> None:
    """A quarter of a day without L1, without being posted, or a block that is nearly too old."""
    clocks = Clocks()
    assert clocks.time.trouble(1, None) == ""
    clocks.time.hear(1_000_000)
    assert clocks.time.trouble(1, 1_000_000) == ""
    clocks.steady += DAY // 4 + 1
    assert "nothing was heard" in clocks.time.trouble(1, 1_000_000)
    clocks.time.hear(1_000_000 + DAY // 4)
    assert "block 1 has waited" in clocks.time.trouble(1, 1_000_000)
    assert clocks.time.trouble(2, 1_000_000) == ""
    clocks.steady += DAY // 8
    assert clocks.time.trouble(3, None) == ""
    assert "is 66600 s old" in clocks.time.trouble(3, 1_000_000 + DAY * 3 // 8 - 66_600)


async def withdraw(rpc: Any, trader: Trader, nonce: int) -> None:
    """A block with a dollar's withdrawal."""
    await rpc.call("private/withdraw", trader.withdraw(0, FIRST_OWNER, USD, nonce))


def times(node: Node) -> list[int]:
    """Timestamps of all blocks."""
    store = node.sequencer.store
    return [record.header.timestamp for record in store.records.blocks(1, store.committed)]


async def l1_time(site: Site) -> int:
    """Time of L1's newest block."""
    head = await site.l1.get_block()
    assert head is not None
    return head.timestamp


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("jump", [-30 * DAY, 10_000 * DAY])
async def test_a_clock_that_jumps_stops_nothing(site: Site, tmp_path: Path, jump: int, *, restart: bool) -> None:
    """Blocks go on, their times never fall, and L1 takes every one; also when the jump came between two lives."""
    accounts = await open_accounts(site, [FIRST_OWNER, FIRST_OWNER + 1])
    shift = 0
    given = options(site, tmp_path, clock=lambda: int(time.time()) + shift)
    async with serve(given) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        await withdraw(rpc, trader, 1)
        await posted(node)
        if not restart:
            shift = jump
            await go_on(site, node, rpc, trader)
    shift = jump
    async with serve(given) as node, connect_ws(node.address.ws_url) as rpc:
        await go_on(site, node, rpc, trader, first=10)
        shift = 0
        await withdraw(rpc, trader, 20)
        await posted(node)
        assert times(node) == sorted(times(node))
    await derive(site)


async def go_on(site: Site, node: Node, rpc: Any, trader: Trader, first: int = 2) -> None:
    """Blocks, also after days on L1."""
    await withdraw(rpc, trader, first)
    await posted(node)
    await until_so(lambda: any(text.startswith("clock") for text in node.sequencer.alarms.texts()), "the alarm")
    await dev.increase_time(site.l1, 2 * DAY)
    await dev.mine(site.l1)
    now = await l1_time(site)
    heard = node.sequencer.watcher._time
    await until_so(lambda: heard.l1 is not None and heard.l1 >= now, "L1's new time")
    await withdraw(rpc, trader, first + 1)
    await posted(node)
    stamps = times(node)
    assert stamps == sorted(stamps)
    assert now - DAY <= stamps[-1] <= now + AHEAD


async def test_a_message_is_sealed_and_posted_though_nobody_trades(site: Site, tmp_path: Path) -> None:
    """A block of nothing but the message, long before the force deadline."""
    inbox, rollup, payer = site.contract("Inbox"), site.contract("Rollup"), site.account(SEQUENCER)
    async with serve(options(site, tmp_path)) as node:
        await open_accounts(site, [FIRST_OWNER])
        await posted_up_to(node, 1)
        await inbox.transact(payer, "deposit", 0, USD)
        await posted_up_to(node, 2)
        assert await rollup.call("latestInboxIndex") == await inbox.call("count") == 2
        store = node.sequencer.store
        assert all(record.messages and not record.txs for record in store.records.blocks(1, store.committed))


async def posted_up_to(node: Node, messages: int) -> None:
    """Wait until blocks with so many messages are on L1."""
    store = node.sequencer.store

    def there() -> bool:
        record = store.records.block(node.sequencer.watcher.progress.block)
        return record is not None and record.header.inbox_index >= messages

    await until_so(there, f"{messages} messages in blocks on L1")


async def test_a_message_that_is_overdue_when_l1_comes_back_is_posted_with_the_blocks_before_it(
    site: Site, tmp_path: Path
) -> None:
    """L1 would refuse the waiting blocks alone."""
    accounts = await open_accounts(site, [FIRST_OWNER, FIRST_OWNER + 1])
    async with relay_to(site.url) as relay:
        given = options(site, tmp_path, l1_url=relay.url)
        async with serve(given) as node, connect_ws(node.address.ws_url) as rpc:
            trader = await funded(rpc, accounts)
            await posted(node)
            relay.cut()
            for nonce in (1, 2, 3):
                await withdraw(rpc, trader, nonce)
            await site.contract("Inbox").transact(site.account(SEQUENCER), "deposit", 0, USD)
            await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
            await dev.mine(site.l1)
            relay.mend()
            await posted_up_to(node, 3)
            await posted(node)
            root = node.sequencer.store.root
    assert (await derive(site)).root == root
