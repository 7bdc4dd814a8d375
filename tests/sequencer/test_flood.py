"""A flooded inbox: thousands of messages, long ones and ones that are heavy to execute, do not stop the chain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio

from rollup.batcher.pack import PendingBlock, pack
from rollup.crypto.signatures import recover
from rollup.l1.anvil import find_anvil, run_anvil
from rollup.l1.client import L1Client
from rollup.rpc.client import RpcError, connect_ws
from rollup.sequencer.catalogue import Catalogue, listed_leaves
from rollup.sequencer.desk import Desk
from rollup.sequencer.ledger import Ledger
from rollup.sequencer.memo import Memo
from rollup.sequencer.rejections import StoppedServing
from rollup.store.records import BlockRecord
from rollup.types.blocks import Header
from rollup.types.limits import MAX_BATCH_BLOCKS, MAX_BYTES, MAX_SLOTS, MAX_TRANSACTIONS
from rollup.types.messages import Forced, encode_message
from rollup.types.reasons import Reason
from tests.bounds.crowd import Book, Slots, make_crowd, remember_old_orders
from tests.bounds.fills import heavy_trades
from tests.bounds.forced import PAIRED, VALUED, force
from tests.differential.world import NOW, SEPARATOR
from tests.support.deployed import DISPUTE_WINDOW, Site, prepare_site
from tests.support.desk import new_store
from tests.support.flood import LONG, deposit_many, force_many
from tests.support.orphans import OWNERS, pass_time
from tests.support.served import consumed, derive, funded, options, posted, serve, until_so
from tests.support.trader import USD, open_accounts

BLOCKS = MAX_BATCH_BLOCKS + 20
A_BLOCK = MAX_BYTES // (len(LONG) + 21)
"""Long messages that fill a block."""


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """The contracts on anvil: the embedded L1 would take minutes for as many messages."""
    if find_anvil() is None:
        pytest.skip("anvil is not installed: run `npm ci`")
    async with run_anvil() as url, L1Client(url) as l1:
        yield Site(url, l1, await prepare_site(l1))


def crowded(records: list[BlockRecord]) -> bool:
    """Whether each block takes messages."""
    return all(record.messages for record in records)


async def takes(rpc: Any, withdrawal: dict[str, Any]) -> bool:
    """Whether the sequencer takes a withdrawal in, or nothing at the moment."""
    try:
        await rpc.call("private/withdraw", withdrawal)
    except RpcError as error:
        if error.code != StoppedServing.code:
            raise
        return False
    return True


@pytest.mark.anvil
async def test_a_queue_longer_than_a_batch_that_is_all_overdue_is_worked_off_in_full_batches(
    site: Site, tmp_path: Path
) -> None:
    """Nothing but blocks with messages until the end, and nothing is taken in meanwhile; then trading goes on."""
    accounts = await open_accounts(site, OWNERS)
    async with serve(options(site, tmp_path)) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        await posted(node)
        first = node.sequencer.store.committed
        batch = node.sequencer.watcher.progress.batch
    queue = BLOCKS * A_BLOCK
    await force_many(site, [LONG] * queue)
    await pass_time(site, 2 * DISPUTE_WINDOW)
    async with serve(options(site, tmp_path)) as node, connect_ws(node.address.ws_url) as rpc:
        nonce = 1
        while node.sequencer.store.committed < first + BLOCKS:
            nonce += await takes(rpc, trader.withdraw(0, OWNERS[0], USD, nonce))
        await until_so(lambda: node.sequencer.watcher.progress.block >= first + BLOCKS, "the queue on L1")
        records = list(node.sequencer.store.records.blocks(first + 1, first + BLOCKS))
        assert crowded(records)
        assert {len(record.messages) for record in records} == {A_BLOCK}
        await posted(node)
        full = node.sequencer.store.records.batch(batch + 1)
        assert full is not None
        assert full.last - full.first + 1 == MAX_BATCH_BLOCKS, "the first batch leaves overdue ones behind"
        await until_so(lambda: node.sequencer.watcher.may_build, "service")
        assert await takes(rpc, trader.withdraw(0, OWNERS[0], USD, nonce))
        await posted(node)
        root = node.sequencer.store.root
    assert (await derive(site)).root == root


@pytest.mark.anvil
async def test_a_flood_of_light_messages_leaves_users_their_turn_and_their_room(site: Site, tmp_path: Path) -> None:
    """A live sequencer takes messages a block at a time, with what users send in between."""
    accounts = await open_accounts(site, OWNERS)
    async with serve(options(site, tmp_path)) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        first = node.sequencer.store.committed
        nonce = 0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(force_many, site, [b"\x02"] * 1_000)
            while node.sequencer.exchange.status().inbox_index < 1_002:
                nonce += 1
                await rpc.call("private/withdraw", trader.withdraw(0, OWNERS[0], USD, nonce))
        await consumed(node, 1_002)
        await posted(node)
        records = list(node.sequencer.store.records.blocks(first + 1, node.sequencer.store.committed))
        assert sum(len(record.messages) for record in records) == 1_000
        root = node.sequencer.store.root
    assert (await derive(site)).root == root


@pytest.mark.anvil
async def test_a_flood_of_free_deposits_costs_its_sender_far_more_than_the_poster(site: Site, tmp_path: Path) -> None:
    """Deposits pay no fee, but the gas of each is hundreds of times what it adds to a batch."""
    await open_accounts(site, OWNERS)
    count = 320
    async with serve(options(site, tmp_path)) as node:
        await consumed(node, 2)
        await posted(node)
        costs = []
        for size in (1, count):
            sent = (await deposit_many(site, size)).gas_used
            await consumed(node, await site.contract("Inbox").call("count"))
            await posted(node)
            costs.append((sent, await gas_of_last_batch(site)))
    (one, base), (many, full) = costs
    assert full < base + 100_000, "ten blocks more"
    assert (many - one) > 100 * (full - base)


async def gas_of_last_batch(site: Site) -> int:
    """What it cost its poster."""
    rollup, newest = site.contract("Rollup"), await site.l1.block_number()
    event = (await rollup.events("BatchPosted", from_block=0, to_block=newest))[-1]
    receipt = await site.l1.get_receipt(event.log.tx_hash)
    assert receipt is not None
    return receipt.gas_used


def heavy_desk() -> tuple[Desk, list[bytes]]:
    """Accounts with as many options as there can be, and trades that fail when both sides were settled and valued."""
    world, slots = make_crowd(PAIRED, 0, book=Book.OPTIONS), Slots(MAX_SLOTS)
    messages = [force(trade) for trade in heavy_trades(Book.OPTIONS, VALUED, slots)]
    remember_old_orders(world, slots.used)
    store = new_store(world.leaves)
    ledger = Ledger(store, 0, SEPARATOR, recover, lambda: NOW)
    return Desk(ledger, Catalogue.of_leaves(listed_leaves(store)), Memo(), 1), messages


def test_messages_that_are_heavy_to_execute_fill_the_meters_of_every_block_but_none_of_them_is_lost() -> None:
    """Hundreds of the heaviest trades and the longest garbage: each block takes what it can, no meter refuses any."""
    desk, trades = heavy_desk()
    messages = [*trades, encode_message(Forced(bytes(20), LONG))] * 40
    counts, taken = list[int](), 0
    while taken < len(messages):
        counts.append(desk.take_block(messages[taken : taken + MAX_TRANSACTIONS]))
        taken += counts[-1]
    blocks = desk.take_unit().blocks
    assert [len(block.messages) for block in blocks] == counts
    assert max(counts) <= VALUED + 2 < MAX_TRANSACTIONS, "they are heavy"
    assert len(blocks) > len(messages) // MAX_TRANSACTIONS
    reasons = {receipt.reason for block in blocks for receipt in block.receipts}
    assert reasons == {Reason.MARGIN, Reason.UNDECODABLE}
    assert blocks[-1].header.inbox_index == len(messages)


def test_only_a_full_batch_of_blocks_with_messages_is_crowded() -> None:
    """One block less, or one without a message, may leave nothing overdue behind."""
    header = Header(1, 0, bytes(32), 1, 1, bytes(32), bytes(32), bytes(32))
    full = [PendingBlock(replace(header, number=n), 1, b"") for n in range(1, MAX_BATCH_BLOCKS + 2)]
    assert pack(full).crowded
    assert pack(full).last == MAX_BATCH_BLOCKS
    assert not pack(full[: MAX_BATCH_BLOCKS - 1]).crowded
    for place in (0, 100, MAX_BATCH_BLOCKS - 1):
        idle = [replace(block, inbox_count=int(at != place)) for at, block in enumerate(full)]
        assert not pack(idle).crowded
