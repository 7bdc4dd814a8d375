"""A stranger goes on where a sequencer was killed: forced messages, trading, and the race when the old one returns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rollup.l1.devkeys import dev_address
from rollup.rpc.client import RpcError, connect_ws
from rollup.rpc.node import Node
from rollup.sequencer.patience import RESERVE_SHARE
from rollup.sequencer.rejections import StoppedServing
from rollup.types.messages import Deposit, encode_message
from tests.support.deployed import DISPUTE_WINDOW, RIVAL, SEQUENCER, Site, open_site
from tests.support.orphans import OWNERS, balance_of, force, fresh_price, heir, pass_time, trading, withdrawal
from tests.support.served import derive, options, posted, serve, until_so
from tests.support.trader import USD

NEVER = 10_000.0


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """An L1 with the contracts."""
    async with open_site() as opened:
        yield opened


def alarms(node: Node) -> dict[str, str]:
    """The standing alarms."""
    return dict(text.split(": ", 1) for text in node.sequencer.alarms.texts())


async def refused(rpc: Any, method: str, params: Any) -> int:
    """The code with which a command is refused."""
    with pytest.raises(RpcError) as caught:
        await rpc.call(method, params)
    return caught.value.code


async def test_a_stranger_derives_the_state_waits_for_a_price_and_executes_forced_withdrawals(
    site: Site, tmp_path: Path
) -> None:
    """From L1 alone: same root, then a forced withdrawal behind positions succeeds because a price comes first."""
    async with trading(site, tmp_path / "old") as (node, _, trader):
        head, root = node.sequencer.store.committed, node.sequencer.store.root
    await pass_time(site, DISPUTE_WINDOW - 5)
    index = await force(site, withdrawal(trader, 0, 100, 1))
    await pass_time(site, 6)
    async with serve(heir(site, tmp_path / "new")) as node, connect_ws(node.address.ws_url) as rpc:
        store = node.sequencer.store
        assert (store.committed, store.root) == (head, root)
        await until_so(lambda: "held" in alarms(node), "the hold")
        assert f"message {index} waits" in alarms(node)["held"]
        assert balance_of(node, 0)[1] == 0
        await rpc.call("oracle/update", fresh_price(trader))
        await until_so(lambda: balance_of(node, 0)[1] == 100 * USD, "the forced withdrawal")
        await until_so(lambda: "held" not in alarms(node), "the end of the alarm")
        await until_so(lambda: store.committed == head + 2, "a block with the price, and one with the message")
        assert [len(record.messages) for record in store.records.blocks(head + 1, head + 2)] == [0, 1]
        await rpc.call("private/withdraw", trader.withdraw(1, OWNERS[1], USD, 1))
        await posted(node)
        last = store.records.last_batch()
        assert last is not None
        assert last.extra == dev_address(RIVAL)
        new_root = store.root
    assert (await derive(site)).root == new_root


async def test_an_overdue_forced_withdrawal_waits_for_its_price_and_one_batch_has_both(
    site: Site, tmp_path: Path
) -> None:
    """A holder's message is executed, not spent: meanwhile nothing but prices is taken in, and nothing is posted."""
    async with trading(site, tmp_path / "old") as (node, _, trader):
        head, batch = node.sequencer.store.committed, node.sequencer.watcher.progress.batch
    index = await force(site, withdrawal(trader, 0, 100, 1))
    await pass_time(site, DISPUTE_WINDOW + 5)
    given = heir(site, tmp_path / "new", batch_interval=0.0)
    async with serve(given) as node, connect_ws(node.address.ws_url) as rpc:
        store = node.sequencer.store
        assert f"message {index} waits" in alarms(node)["held"]
        assert "nothing but prices" in alarms(node)["held"]
        assert await refused(rpc, "private/withdraw", trader.withdraw(1, OWNERS[1], USD, 1)) == StoppedServing.code
        assert store.committed == head
        await rpc.call("oracle/update", fresh_price(trader))
        await until_so(lambda: balance_of(node, 0)[1] == 100 * USD, "the forced withdrawal")
        await until_so(lambda: "held" not in alarms(node), "the end of the alarm")
        await until_so(lambda: store.committed == head + 2, "a block with the price, and one with the message")
        assert [len(record.messages) for record in store.records.blocks(head + 1, head + 2)] == [0, 1]
        await posted(node)
        assert node.sequencer.watcher.progress.batch == batch + 1, "L1 takes no batch with the price alone"
        await rpc.call("private/withdraw", trader.withdraw(1, OWNERS[1], USD, 1))
        await posted(node)
        root = store.root
    assert (await derive(site)).root == root


async def test_an_overdue_message_for_which_no_price_comes_is_let_go_soon_and_nothing_is_posted_without_it(
    site: Site, tmp_path: Path
) -> None:
    """The hold ends by L1's time: the first batch has the message, whatever becomes of it."""
    async with trading(site, tmp_path / "old") as (node, _, trader):
        head = node.sequencer.store.committed
    index = await force(site, withdrawal(trader, 0, 100, 1))
    await pass_time(site, DISPUTE_WINDOW + 5)
    async with serve(heir(site, tmp_path / "new")) as node:
        store = node.sequencer.store
        assert f"message {index} waits" in alarms(node)["held"]
        assert store.committed == head
        await pass_time(site, DISPUTE_WINDOW // RESERVE_SHARE)
        await until_so(lambda: store.committed > head, "the block with the message")
        await posted(node)
        record = store.records.block(store.committed)
        assert record is not None
        assert (store.committed, record.header.inbox_index, len(record.messages)) == (head + 1, index + 1, 1)
        assert "held" not in alarms(node)
        assert balance_of(node, 0)[1] == 100 * USD, "at the old price, with twice the margin"


async def test_the_designated_sequencer_returns_and_the_stranger_says_so_and_stops(site: Site, tmp_path: Path) -> None:
    """One batch of the old one makes it exclusive again; nothing more is taken in that could not be posted."""
    async with trading(site, tmp_path / "old") as (_, _, trader):
        pass
    await pass_time(site)
    async with serve(heir(site, tmp_path / "new", clock=options(site, tmp_path).clock)) as node:
        async with connect_ws(node.address.ws_url) as rpc:
            await rpc.call("private/withdraw", trader.withdraw(0, OWNERS[0], USD, 1))
            await posted(node)
        async with serve(options(site, tmp_path / "old")) as old, connect_ws(old.address.ws_url) as rpc:
            assert old.sequencer.store.root == node.sequencer.store.root
            await rpc.call("private/withdraw", trader.withdraw(0, OWNERS[0], USD, 2))
            await posted(old)
            await until_so(lambda: "is in turn" in alarms(node).get("posting", ""), "the alarm")
            assert dev_address(SEQUENCER).hex() in alarms(node)["posting"]
            await until_so(lambda: node.sequencer.store.root == old.sequencer.store.root, "the old one's batch")
        async with connect_ws(node.address.ws_url) as rpc:
            third = trader.withdraw(0, OWNERS[0], USD, 3)
            assert await refused(rpc, "private/withdraw", third) == StoppedServing.code
            await pass_time(site)  # and the old one is gone again
            await until_so(lambda: "posting" not in alarms(node), "the turn")
            await rpc.call("private/withdraw", third)
            await posted(node)
        root = node.sequencer.store.root
    assert (await derive(site)).root == root


async def test_who_loses_the_race_with_signed_blocks_says_so_and_signs_nothing_in_their_place(
    site: Site, tmp_path: Path
) -> None:
    """The stranger had blocks that it could not post before the old one came back."""
    async with trading(site, tmp_path / "old") as (_, _, trader):
        pass
    await pass_time(site)
    given = heir(site, tmp_path / "new", clock=options(site, tmp_path).clock, batch_interval=NEVER)
    async with serve(given) as node, connect_ws(node.address.ws_url) as rpc:
        for nonce in (1, 2, 3):
            await rpc.call("private/withdraw", trader.withdraw(1, OWNERS[1], USD, nonce))
        signed = node.sequencer.store.committed
        async with serve(options(site, tmp_path / "old")) as old, connect_ws(old.address.ws_url) as theirs:
            await theirs.call("private/withdraw", trader.withdraw(0, OWNERS[0], USD, 1))
            await posted(old)
            await until_so(lambda: "overtaken" in alarms(node), "the alarm")
            assert f"block {signed}" in alarms(node)["overtaken"]
            await until_so(lambda: "posting" in alarms(node), "whose turn it is")
            assert await refused(rpc, "private/withdraw", trader.withdraw(1, OWNERS[1], USD, 9)) == StoppedServing.code
            root = old.sequencer.store.root
    assert (await derive(site)).root == root


async def test_a_stranger_without_a_stake_of_its_own_finds_one_and_finalises_what_it_verified(
    site: Site, tmp_path: Path
) -> None:
    """The old one's batches become final by the stranger's hand, once their window is over and not before."""
    async with trading(site, tmp_path / "old", finalise=False) as (node, _, _):
        old = node.sequencer.watcher.progress
    assert old.finalised == 0 < old.batch
    await pass_time(site)
    await site.contract("Inbox").transact(site.account(SEQUENCER), "deposit", 0, USD)
    async with serve(heir(site, tmp_path / "new")) as node:
        await until_so(lambda: node.sequencer.watcher.progress.finalised == old.batch, "finality of the old batches")
        await until_so(lambda: node.sequencer.watcher.progress.batch > old.batch, "the stranger's own batch")
        record = node.sequencer.store.records.block(node.sequencer.store.committed)
        assert record is not None
        assert record.messages == (encode_message(Deposit(0, USD)),)
        assert node.sequencer.watcher.progress.finalised == old.batch
        assert await site.contract("Rollup").call("finalised") == old.batch
