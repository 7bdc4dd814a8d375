"""The sequencer when L1 itself goes back: messages vanish, change or return, and posted batches with them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rollup.l1 import dev
from rollup.rpc.client import RpcError, connect_ws
from rollup.rpc.node import Node
from rollup.sequencer.rejections import StoppedServing
from tests.support.deployed import SEQUENCER, Site, open_site
from tests.support.poster import FIRST_OWNER
from tests.support.relay import relay_to
from tests.support.served import Signatures, derive, funded, options, posted, serve, until_so
from tests.support.trader import USD, Trader, open_accounts

OWNERS = [FIRST_OWNER, FIRST_OWNER + 1]
NEVER = 10_000.0
"""A batch interval that no test lives to see."""


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """An L1 with the contracts."""
    async with open_site() as opened:
        yield opened


async def deposit(site: Site, account: int, dollars: int) -> None:
    """Deposit through L1."""
    await site.contract("Inbox").transact(site.account(SEQUENCER), "deposit", account, dollars * USD)


async def branch_off(site: Site, snapshot: str) -> str:
    """Go back to a snapshot and on by a block that the old branch did not have; returns a snapshot there."""
    await dev.revert_to(site.l1, snapshot)
    again = await dev.take_snapshot(site.l1)
    await dev.mine(site.l1)
    return again


async def start(site: Site, folder: Path) -> Trader:
    """Two accounts and a price, all of it on L1."""
    accounts = await open_accounts(site, OWNERS)
    async with serve(options(site, folder)) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        await posted(node)
    return trader


async def withdraw(rpc: Any, trader: Trader, nonce: int) -> None:
    """A block with a dollar's withdrawal from the first account."""
    await rpc.call("private/withdraw", trader.withdraw(0, OWNERS[0], USD, nonce))


async def balance(rpc: Any, account: int) -> float:
    """An account's dollars."""
    found = await rpc.call("private/get_subaccount", {"subaccount_id": account})
    return float(found["collaterals"][0]["amount"])


async def consumed(node: Node, count: int) -> None:
    """Wait until so many messages are in durable blocks."""
    store = node.sequencer.store

    def seen() -> bool:
        record = store.records.block(store.committed)
        return record is not None and record.header.inbox_index >= count

    await until_so(seen, f"{count} messages")


def alarms(node: Node) -> set[str]:
    """Keys of the standing alarms."""
    return {text.split(":")[0] for text in node.sequencer.alarms.texts()}


async def finish(site: Site, folder: Path, signatures: Signatures) -> None:
    """Post everything; L1 then leads to the same root, and no two signatures could be shown to it."""
    async with serve(options(site, folder)) as node:
        signatures.watch(node)
        await posted(node)
        root = node.sequencer.store.root
    assert (await derive(site)).root == root
    await signatures.check()


@pytest.mark.parametrize("restart", [False, True])
async def test_blocks_with_a_message_that_l1_replaced_are_built_anew(
    site: Site, tmp_path: Path, *, restart: bool
) -> None:
    """Everything from the replaced message on is taken back; the first block after it consumes the other message."""
    trader, signatures = await start(site, tmp_path), Signatures(site)
    snapshot = await dev.take_snapshot(site.l1)
    given = options(site, tmp_path, batch_interval=NEVER)
    async with serve(given) as node, connect_ws(node.address.ws_url) as rpc:
        signatures.watch(node)
        common = node.sequencer.store.committed
        await withdraw(rpc, trader, 1)
        await deposit(site, 0, 111)
        await consumed(node, 3)
        await withdraw(rpc, trader, 2)
        if not restart:
            await branch_off(site, snapshot)
            await deposit(site, 1, 222)
            await until_so(lambda: node.sequencer.store.committed == common + 2, "the move")
            await until_so(lambda: node.sequencer.watcher.may_build, "service")
            await on_the_other_branch(node, rpc, trader)
    if restart:
        await branch_off(site, snapshot)
        await deposit(site, 1, 222)
        async with serve(given) as node, connect_ws(node.address.ws_url) as rpc:
            signatures.watch(node)
            await on_the_other_branch(node, rpc, trader)
    twice = [headers for headers in signatures.headers.values() if len(headers) > 1]
    assert len(twice) == 2
    assert all({header.inbox_index for header in headers} == {3} for headers in twice), "no prefix of the other inbox"
    await finish(site, tmp_path, signatures)


async def on_the_other_branch(node: Node, rpc: Any, trader: Trader) -> None:
    """What was before the replaced message stands, what came after it is gone, and trading goes on."""
    await consumed(node, 3)  # a withdrawal that came sooner could stand in the message's own block
    await withdraw(rpc, trader, 2)
    assert (await balance(rpc, 0), await balance(rpc, 1)) == (10_000 - 2, 10_222)


@pytest.mark.parametrize("restart", [False, True])
async def test_a_message_that_l1_loses_stops_service_until_it_is_back(
    site: Site, tmp_path: Path, *, restart: bool
) -> None:
    """The same message in the same place: the blocks stand as they were signed."""
    trader, signatures = await start(site, tmp_path), Signatures(site)
    snapshot = await dev.take_snapshot(site.l1)
    given = options(site, tmp_path)
    async with serve(options(site, tmp_path, batch_interval=NEVER)) as node, connect_ws(node.address.ws_url) as rpc:
        signatures.watch(node)
        await withdraw(rpc, trader, 1)
        await deposit(site, 0, 111)
        await consumed(node, 3)
        head, root = node.sequencer.store.committed, node.sequencer.store.root
        await branch_off(site, snapshot)
        await until_so(lambda: "inbox" in alarms(node), "the alarm")
        await stopped(rpc, trader)
        if not restart:
            await deposit(site, 0, 111)
            await until_so(lambda: "inbox" not in alarms(node), "the end of the alarm")
            await withdraw(rpc, trader, 2)
    if restart:
        async with serve(given) as node, connect_ws(node.address.ws_url) as rpc:
            signatures.watch(node)
            await stopped(rpc, trader)
            await until_so(lambda: node.sequencer.watcher.progress.block == head - 1, "what L1 can have")
            await deposit(site, 0, 111)
            await until_so(lambda: node.sequencer.watcher.may_build, "service")
            assert (node.sequencer.store.committed, node.sequencer.store.root) == (head, root)
            await withdraw(rpc, trader, 2)
    assert signatures.once()
    await finish(site, tmp_path, signatures)


async def stopped(rpc: Any, trader: Trader) -> None:
    """Nothing is taken in."""
    with pytest.raises(RpcError) as caught:
        await withdraw(rpc, trader, 1_000)
    assert caught.value.code == StoppedServing.code


@pytest.mark.parametrize("restart", [False, True])
async def test_when_l1_returns_to_a_branch_its_signed_blocks_return(
    site: Site, tmp_path: Path, *, restart: bool
) -> None:
    """Branch A, branch B, branch A again: what was acknowledged on A stands again, trades and all, and B's goes."""
    trader, signatures = await start(site, tmp_path), Signatures(site)
    snapshot = await dev.take_snapshot(site.l1)
    async with serve(options(site, tmp_path, batch_interval=NEVER)) as node, connect_ws(node.address.ws_url) as rpc:
        signatures.watch(node)
        await deposit(site, 0, 111)
        await consumed(node, 3)
        await withdraw(rpc, trader, 1)
        await rpc.call("private/order", trader.order(0, OWNERS[0], True, 200_000, 50_000 * USD, 1))
        trade = await rpc.call("private/order", trader.immediate(1, OWNERS[1], False, 100_000, 50_000 * USD, 1))
        first = (node.sequencer.store.committed, node.sequencer.store.root)
        snapshot = await branch_off(site, snapshot)
        await deposit(site, 1, 222)
        await until_so(lambda: node.sequencer.store.committed < first[0], "the move to B")
        await until_so(lambda: node.sequencer.watcher.may_build, "service on B")
        for nonce in range(1, 7):
            await withdraw(rpc, trader, nonce)
        assert (await balance(rpc, 0)) == 10_000 - 6
        if not restart:
            await back_to_first(site, snapshot, node, rpc, first, trade)
    if restart:
        given = options(site, tmp_path, batch_interval=NEVER)
        async with serve(given) as node, connect_ws(node.address.ws_url) as rpc:
            await back_to_first(site, snapshot, node, rpc, first, trade)
    await finish(site, tmp_path, signatures)


async def back_to_first(
    site: Site, snapshot: str, node: Node, rpc: Any, first: tuple[int, bytes], trade: dict[str, Any]
) -> None:
    """L1 has A again: so does the sequencer."""
    await branch_off(site, snapshot)
    await deposit(site, 0, 111)
    store = node.sequencer.store
    await until_so(lambda: (store.committed, store.root) == first, "the return")
    await until_so(lambda: node.sequencer.watcher.may_build, "service on A")
    history = await rpc.call("public/get_trade_history", {"instrument_name": "BTC-PERP"})
    assert [each["trade_id"] for each in history["trades"]] == [each["trade_id"] for each in trade["trades"]]


@pytest.mark.parametrize("batches", [1, 3])
async def test_posted_batches_that_l1_loses_are_posted_again(site: Site, tmp_path: Path, batches: int) -> None:
    """The blocks stay as they were signed; only L1 has to get them again, in as many batches as it likes."""
    trader, signatures = await start(site, tmp_path), Signatures(site)
    snapshot = await dev.take_snapshot(site.l1)
    async with (
        relay_to(site.url) as relay,
        serve(options(site, tmp_path, l1_url=relay.url)) as node,
        connect_ws(node.address.ws_url) as rpc,
    ):
        signatures.watch(node)
        before = node.sequencer.watcher.progress
        for nonce in range(1, batches + 1):
            await withdraw(rpc, trader, nonce)
            await posted(node)
        head = (node.sequencer.store.committed, node.sequencer.store.root)
        assert node.sequencer.watcher.progress.batch == before.batch + batches
        reorganised = node.sequencer.watcher._follower.reorganisations
        relay.cut()  # a batch posted again between the two steps could make the very block that was lost
        await branch_off(site, snapshot)
        relay.mend()
        await until_so(lambda: node.sequencer.watcher._follower.reorganisations > reorganised, "the reorganisation")
        await posted(node)
        assert (node.sequencer.store.committed, node.sequencer.store.root) == head
        last = node.sequencer.store.records.last_batch()
        assert last is not None
        assert last.index == node.sequencer.watcher.progress.batch
        assert last.last == head[0]
        await withdraw(rpc, trader, 50)
        await posted(node)
    assert signatures.once()
    await finish(site, tmp_path, signatures)
