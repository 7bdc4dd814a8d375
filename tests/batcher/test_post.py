"""The poster on a real L1: whatever happens on the way, each block stands on L1 once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from rollup.batcher.alarms import Alarms
from rollup.batcher.service import finalise_due
from rollup.errors import L1Error
from rollup.l1 import dev
from rollup.l1.client import L1Client
from rollup.l1.devkeys import dev_address
from rollup.l1.values import Fees
from rollup.types.messages import Forced, encode_message
from tests.support.batching import PATIENCE, Died, Fragile, die, poster_of, standing, tip, wait_for
from tests.support.deployed import DISPUTE_WINDOW, ETHER, RIVAL, SEQUENCER, Site, open_site
from tests.support.poster import Poster as Rival
from tests.support.stock import Stock, open_stock


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


@pytest.fixture
async def fragile(site: Site) -> AsyncIterator[Fragile]:
    """A client that can be made to fail."""
    async with Fragile(site.url) as client:
        yield client


@asynccontextmanager
async def without_mining(site: Site) -> AsyncIterator[None]:
    """Transactions wait as long as the block lasts, and are mined then."""
    await dev.set_automine(site.l1, enabled=False)
    yield
    await dev.set_automine(site.l1, enabled=True)


async def waiting(site: Site) -> bool:
    """Whether the sequencer has a transaction in the pool."""
    address = dev_address(SEQUENCER)
    return await site.l1.get_nonce(address, "pending") > await site.l1.get_nonce(address)


async def test_waiting_blocks_are_posted_once(site: Site, stock: Stock) -> None:
    """A batch of all of them, then nothing."""
    poster = poster_of(stock, site.l1)
    packed = await poster.post_if_due()
    assert packed is not None
    assert (packed.first, packed.last) == (1, 3)
    assert await poster.post_if_due() is None
    stock.add()
    assert await poster.post_if_due() is not None
    assert await tip(site) == (2, 4)


async def test_a_stuck_posting_is_replaced_at_a_higher_price(site: Site, stock: Stock) -> None:
    """Twice in the pool without being mined, the third price is mined, under the same nonce."""
    nonce = await site.l1.get_nonce(dev_address(SEQUENCER))
    poster, prices = poster_of(stock, site.l1), list[int]()
    replace = poster._replace

    async def watched(sent: Any) -> Any:
        again = await replace(sent)
        if again is not sent:  # it may have been mined in this very moment
            prices.extend((sent.fees.max_fee, again.fees.max_fee))
        return again

    poster._replace = watched  # type: ignore[method-assign]
    async with trio.open_nursery() as nursery, without_mining(site):
        nursery.start_soon(poster.post_if_due)

        async def replaced() -> bool:
            return len(prices) >= 4

        await wait_for(replaced)
    assert all(after * 100 >= before * 110 for before, after in zip(prices[::2], prices[1::2], strict=True))
    assert await site.l1.get_nonce(dev_address(SEQUENCER)) == nonce + 1
    assert await tip(site) == (1, 3)


async def test_a_nonce_that_another_transaction_took_is_noticed_and_the_next_one_used(site: Site, stock: Stock) -> None:
    """An operator used the key by hand, at a better price."""
    poster, failed = poster_of(stock, site.l1), list[L1Error]()

    async def post() -> None:
        try:
            await poster.post_if_due()
        except L1Error as error:
            failed.append(error)

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery, without_mining(site):
            nursery.start_soon(post)
            await wait_for(lambda: waiting(site))
            await use_by_hand(site)
    assert failed, "the posting was superseded"
    assert await tip(site) == (0, 0)
    assert await poster.post_if_due() is not None
    assert await tip(site) == (1, 3)


async def use_by_hand(site: Site) -> None:
    """A transaction with the next nonce of the sequencer's key, at a price that nobody outbids."""
    nonce = await site.l1.get_nonce(dev_address(SEQUENCER))
    hand = site.account(SEQUENCER)
    await hand.send(dev_address(RIVAL), value=1, nonce=nonce, fees=Fees(900 * 10**9, 900 * 10**9))
    await dev.mine(site.l1)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("mined", [False, True])
async def test_a_crash_around_sending_posts_once(
    site: Site, stock: Stock, fragile: Fragile, moment: str, *, mined: bool
) -> None:
    """Killed before the node had the transaction, or after it; mined meanwhile, or still waiting."""
    getattr(fragile, moment)["eth_sendRawTransaction"] = die
    await dev.set_automine(site.l1, enabled=mined)
    with pytest.raises(Died):
        await poster_of(stock, fragile).post_if_due()
    sent = moment == "after"
    assert await waiting(site) == (sent and not mined)
    assert await tip(site) == ((1, 3) if sent and mined else (0, 0))
    stock.add()
    second, sent_again = poster_of(stock, fragile), trio.Event()

    async def note() -> None:
        sent_again.set()

    fragile.after["eth_sendRawTransaction"] = note
    async with trio.open_nursery() as nursery:
        nursery.start_soon(second.post_if_due)
        await sent_again.wait()
        await dev.set_automine(site.l1, enabled=True)
    assert await tip(site) == ((2, 4) if sent and mined else (1, 4))
    assert await second.post_if_due() is None


async def test_a_posting_whose_parent_l1_loses_is_given_up_at_once(site: Site, stock: Stock) -> None:
    """It could only revert, or went with its parent: nobody waits for it, and the next round builds on what stands."""
    snapshot = await dev.take_snapshot(site.l1)
    poster, failed = poster_of(stock, site.l1), list[L1Error]()
    poster._stuck = 10_000.0
    assert await poster.post_if_due() is not None
    stock.add()

    async def post() -> None:
        try:
            await poster.post_if_due()
        except L1Error as error:
            failed.append(error)

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery, without_mining(site):
            nursery.start_soon(post)
            await wait_for(lambda: waiting(site))
            await dev.revert_to(site.l1, snapshot)
            await dev.set_automine(site.l1, enabled=False)
    assert ["not the last one" in str(error) for error in failed] == [True]
    assert await tip(site) == (0, 0)
    assert await poster.post_if_due() is not None
    assert await tip(site) == (1, 4)


async def test_a_leftover_at_a_high_price_is_outbid(site: Site, stock: Stock, fragile: Fragile) -> None:
    """What an earlier life left in the pool pays ten times today's price."""
    fees = await site.l1.suggest_fees()
    high = Fees(fees.max_fee * 10, fees.max_priority_fee * 10)
    async with trio.open_nursery() as nursery, without_mining(site):
        left = await site.account(SEQUENCER).send(dev_address(RIVAL), value=1, fees=high)
        nursery.start_soon(poster_of(stock, fragile).post_if_due)

        async def outbid() -> bool:
            return await site.l1.get_transaction(left.hash) is None

        await wait_for(outbid)
    assert await tip(site) == (1, 3)
    assert await site.l1.get_receipt(left.hash) is None


async def test_a_reorganisation_that_lowers_the_nonce_does_not_leave_a_gap(site: Site, stock: Stock) -> None:
    """The same poster posts the same batch again, and makes it final, with nonces that L1 has never seen now."""
    snapshot = await dev.take_snapshot(site.l1)
    poster = poster_of(stock, site.l1)
    contract, account = poster._contract, poster._account
    assert await poster.post_if_due() is not None
    verified = {1: (await contract.batch(1)).batch_hash}.get
    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await dev.mine(site.l1)
    assert await finalise_due(contract, account, verified) == 1
    await dev.revert_to(site.l1, snapshot)
    await dev.mine(site.l1)
    assert await tip(site) == (0, 0)
    with trio.fail_after(PATIENCE):
        assert await poster.post_if_due() is not None
        assert await tip(site) == (1, 3)
        await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
        await dev.mine(site.l1)
        assert await finalise_due(contract, account, verified) == 1


async def test_a_parent_that_changes_before_sending_is_an_alarm_and_the_next_round_begins_anew(
    site: Site, stock: Stock, fragile: Fragile
) -> None:
    """A rival's batch came first: ours is refused before it costs anything, and nothing is built on the stranger."""
    alarms = Alarms()
    poster = poster_of(stock, fragile, alarms)
    await poster.post_if_due()
    await site.contract("Rollup").transact(site.account(RIVAL), "stake", value=ETHER)
    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await dev.mine(site.l1)
    rival = Rival(site, dict(stock.store.iterate_leaves()), RIVAL, nonce=1_000)
    stock.add()
    nonce = await site.l1.get_nonce(dev_address(SEQUENCER))

    async def overtake() -> None:
        await rival.post(await rival.block())

    fragile.before["eth_estimateGas"] = overtake
    assert await poster.post_if_due() is None
    assert "WrongParent" in alarms.texts()[0]
    assert await poster.post_if_due() is None
    assert await site.l1.get_nonce(dev_address(SEQUENCER)) == nonce
    assert await tip(site) == (2, 4)


async def test_an_inbox_that_changes_before_sending_is_refused_and_costs_nothing(
    stock: Stock, fragile: Fragile
) -> None:
    """The other site is the same deployment on a branch of L1 with another first message."""
    alarms = Alarms()
    poster = poster_of(stock, fragile, alarms)
    async with open_site() as other, L1Client(other.url) as elsewhere:
        inbox = other.contract("Inbox")
        await inbox.transact(other.account(SEQUENCER), "open", dev_address(7), 5 * 10**6)
        moved = poster_of(stock, elsewhere, alarms)
        nonce = await elsewhere.get_nonce(dev_address(SEQUENCER))
        assert await moved.post_if_due() is None
        assert "WrongInbox" in alarms.texts()[0]
        assert await elsewhere.get_nonce(dev_address(SEQUENCER)) == nonce
    assert await poster.post_if_due() is not None
    assert alarms.texts() == ()


async def test_a_price_above_the_ceiling_is_an_alarm_and_nothing_is_sent(site: Site, stock: Stock) -> None:
    """The market is beyond what the operator allows; later it is not."""
    alarms = Alarms()
    assert await poster_of(stock, site.l1, alarms, max_fee=1).post_if_due() is None
    assert [text.split(":")[0] for text in alarms.texts()] == ["fees"]
    assert await tip(site) == (0, 0)
    assert await poster_of(stock, site.l1, alarms).post_if_due() is not None
    assert alarms.texts() == ()


async def test_a_batch_that_leaves_an_overdue_message_behind_waits_for_the_block_that_takes_it(
    site: Site, stock: Stock
) -> None:
    """L1 would refuse it; nothing is sent, and the operator hears which message it is."""
    alarms = Alarms()
    poster = poster_of(stock, site.l1, alarms)
    inbox, payer = site.contract("Inbox"), site.account(RIVAL)
    await inbox.transact(payer, "force", b"\x02", value=await inbox.call("forceFee"))
    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await dev.mine(site.l1)
    nonce = await site.l1.get_nonce(dev_address(SEQUENCER))
    assert await poster.post_if_due() is None
    assert standing(alarms) == {"overdue"}
    assert "message 1 " in alarms.texts()[0]
    assert await site.l1.get_nonce(dev_address(SEQUENCER)) == nonce
    stock.ledger.take_message(encode_message(Forced(payer.address, b"\x02")))
    stock.messages += 1
    stock.seal()
    assert await poster.post_if_due() is not None
    assert standing(alarms) == set()
    assert await tip(site) == (1, 4)


async def test_on_a_frozen_chain_nothing_is_posted_and_the_operator_hears_why(site: Site, stock: Stock) -> None:
    """The message in the first block was never taken to L1; now it is too late."""
    alarms = Alarms()
    poster = poster_of(stock, site.l1, alarms)
    await dev.increase_time(site.l1, 4 * DISPUTE_WINDOW)
    await dev.mine(site.l1)
    await site.contract("Rollup").transact(site.account(RIVAL), "freeze")
    for key in ("batch", "overdue", "fees"):
        alarms.raise_(key, "the next batch …")
    assert await poster.post_if_due() is None
    assert standing(alarms) == {"posting"}, "there will be no next batch"
    assert "frozen" in alarms.texts()[0]
    assert poster.excluded, "so that nothing more is taken in"
    assert await tip(site) == (0, 0)
