"""L1 loses deposits and forced transactions that blocks have consumed, with the batches of these blocks."""

from __future__ import annotations

import pytest

from rollup.crypto.eip712 import withdraw_digest
from rollup.crypto.signatures import sign
from rollup.l1 import dev
from rollup.l1.devkeys import dev_key
from rollup.rpc.client import RpcError
from rollup.sequencer.rejections import StoppedServing
from rollup.types.transactions import Withdraw
from tests.reorg.scene import OPENING, OWNERS, Scene, alarms, money, withdraw
from tests.support.served import consumed, until_so
from tests.support.trader import USD, Trader

pytestmark = pytest.mark.anvil


def hundred(trader: Trader, account: int, nonce: int) -> Withdraw:
    """A withdrawal of a hundred dollars, to be forced."""
    digest = withdraw_digest(trader.separator, account, 100 * USD, nonce)
    return Withdraw(account, 100 * USD, nonce, sign(digest, dev_key(OWNERS[account])))


async def test_a_lost_deposit_that_comes_back_leaves_every_block_as_it_was_signed(scene: Scene) -> None:
    """Until it is back nothing is taken in and nothing posted that L1 could not judge; then all stands again."""
    before = await scene.tip()
    async with scene.sequencer() as (node, rpc, trader):
        store = node.sequencer.store
        snapshot = await scene.snapshot()
        await scene.deposit(0, 111)
        await consumed(node, 3)
        await withdraw(rpc, trader, 0, 1)
        after = await scene.agree(node)
        assert (after.block, after.messages, money(node, 0)) == (before.block + 2, 3, (OPENING + 110, 1))
        await scene.reorganise(snapshot)
        await until_so(lambda: "inbox" in alarms(node), "the alarm")
        await scene.verified(before.root)
        assert await scene.tip() == before
        assert (store.committed, store.root) == (after.block, after.root), "what was signed is kept"
        with pytest.raises(RpcError) as caught:
            await withdraw(rpc, trader, 0, 2)
        assert caught.value.code == StoppedServing.code
        await scene.deposit(0, 111)
        await until_so(lambda: "inbox" not in alarms(node), "the end of the alarm")
        again = await scene.agree(node)
        assert (again.block, again.root, again.messages) == (after.block, after.root, after.messages)
        await withdraw(rpc, trader, 0, 2)
        await scene.agree(node)
        assert money(node, 0) == (OPENING + 109, 2)
    assert scene.signatures.once()


async def test_a_lost_deposit_with_another_in_its_place_is_no_longer_credited(scene: Scene) -> None:
    """Blocks from the lost one on are built anew; what was acknowledged before it stands."""
    async with scene.sequencer() as (node, rpc, trader):
        await withdraw(rpc, trader, 0, 1)
        before = await scene.agree(node)
        snapshot = await scene.snapshot()
        await scene.deposit(0, 111)
        await consumed(node, 3)
        await scene.agree(node)
        await scene.reorganise(snapshot, lambda: scene.deposit(1, 222))
        await until_so(lambda: money(node, 1)[0] == OPENING + 222, "the other deposit")
        after = await scene.agree(node)
        assert (after.block, after.messages) == (before.block + 1, 3)
        assert (money(node, 0), money(node, 1)) == ((OPENING - 1, 1), (OPENING + 222, 0))
        await withdraw(rpc, trader, 0, 2)
        await scene.agree(node)
    assert not scene.signatures.once(), "one block was signed twice, on messages that L1 cannot both have"


async def test_a_forced_withdrawal_that_l1_loses_and_gets_again_in_another_place_is_executed_once(scene: Scene) -> None:
    """A stranger's deposit takes its number; the withdrawal comes behind it."""
    async with scene.sequencer() as (node, rpc, trader):
        await withdraw(rpc, trader, 1, 1)
        before = await scene.agree(node)
        snapshot = await scene.snapshot()
        forced = hundred(trader, 0, 7)
        await scene.force(forced)
        await consumed(node, 3)
        taken = await scene.agree(node)
        assert money(node, 0) == (OPENING - 100, 100)

        async def otherwise() -> None:
            await scene.deposit(1, 5)
            await scene.force(forced)
            await scene.force(forced)

        await scene.reorganise(snapshot, otherwise)
        await consumed(node, 5)
        after = await scene.agree(node)
        assert taken.messages == 3 < after.messages == 5
        assert after.block > before.block
        assert (money(node, 0), money(node, 1)) == ((OPENING - 100, 100), (OPENING + 4, 1))


async def test_a_reorganisation_within_the_confirmations_moves_nobody(scene: Scene) -> None:
    """A message is consumed when it has them, so what goes with fewer was in no block."""
    async with scene.sequencer(confirmations=2) as (node, rpc, trader):
        await dev.mine(scene.site.l1, 2)
        await until_so(lambda: node.sequencer.watcher.may_build, "service")
        await withdraw(rpc, trader, 0, 1)
        head = node.sequencer.store.committed
        snapshot = await scene.snapshot()
        await scene.deposit(0, 111)
        await scene.reorganise(snapshot, lambda: scene.deposit(1, 222))
        await dev.mine(scene.site.l1, 2)
        await consumed(node, 3)
        assert node.sequencer.watcher._follower.reorganisations == 0
        assert node.sequencer.store.committed == head + 1, "one block with the message"
        assert (money(node, 0), money(node, 1)) == ((OPENING - 1, 1), (OPENING + 222, 0))
    assert scene.signatures.once()


async def test_a_reorganisation_deeper_than_the_confirmations_is_survived_as_well(scene: Scene) -> None:
    """The message had its confirmations, and L1 lost it all the same: an alarm, then the other branch."""
    async with scene.sequencer(confirmations=2) as (node, rpc, trader):
        await dev.mine(scene.site.l1, 2)
        await until_so(lambda: node.sequencer.watcher.may_build, "service")
        await withdraw(rpc, trader, 0, 1)
        snapshot = await scene.snapshot()
        await scene.deposit(0, 111)
        await dev.mine(scene.site.l1, 2)
        await consumed(node, 3)
        await scene.reorganise(snapshot, lambda: dev.mine(scene.site.l1, 3))
        await until_so(lambda: "inbox" in alarms(node), "the alarm")
        await scene.deposit(1, 222)
        await dev.mine(scene.site.l1, 2)
        await until_so(lambda: money(node, 1)[0] == OPENING + 222, "the other branch")
        await until_so(lambda: node.sequencer.watcher.may_build, "service")
        assert money(node, 0) == (OPENING - 1, 1)
        await withdraw(rpc, trader, 0, 2)
        await scene.agree(node)
