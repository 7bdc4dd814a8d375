"""A transaction is seen through: stuck ones pay more, those of an earlier life are replaced."""

from __future__ import annotations

import pytest
import trio

from challenger.sending import see_through
from rollup.errors import L1LimitExceeded, L1Reverted
from rollup.l1 import dev
from rollup.l1.account import L1Account, SentTransaction
from rollup.l1.client import L1Client
from rollup.l1.devkeys import dev_address, dev_key
from rollup.l1.values import Fees, Receipt
from tests.challenger.life import PATIENCE, until
from tests.support.deployed import CHALLENGER, RIVAL, Site

ADDRESS = dev_address(CHALLENGER)
TARGET = dev_address(15)


async def test_a_transaction_is_mined_and_its_receipt_returned(site: Site) -> None:
    """The plain case."""
    receipt = await see_through(site.account(CHALLENGER), TARGET, b"")
    assert receipt.success
    assert receipt.to == TARGET


async def test_a_stuck_transaction_is_replaced_by_a_dearer_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """While L1 mines nothing its price rises; one version is mined, and only once."""
    account, raised = site.account(CHALLENGER), list[int]()
    await dev.set_automine(site.l1, enabled=False)
    receipts: list[Receipt] = []
    replace = account.replace

    async def watched(sent: SentTransaction, fees: Fees) -> SentTransaction:
        again = await replace(sent, fees)
        raised.append(again.fees.max_fee)
        return again

    monkeypatch.setattr(account, "replace", watched)

    async def send() -> None:
        receipts.append(await see_through(account, TARGET, b"", stuck=0.05))

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            await until(lambda: len(raised) >= 2)
            await dev.set_automine(site.l1, enabled=True)
    (receipt,) = receipts
    assert receipt.success
    assert receipt.effective_gas_price > (await site.l1.suggest_fees()).max_priority_fee * 125 // 100
    assert await site.l1.get_nonce(ADDRESS) == 1


async def test_what_an_earlier_life_left_in_the_pool_is_replaced(site: Site) -> None:
    """The new transaction takes the nonce of the old one, which is never mined."""
    await dev.set_automine(site.l1, enabled=False)
    old = await site.account(CHALLENGER).send(dev_address(16), b"", value=1)
    receipts: list[Receipt] = []

    async def send() -> None:
        receipts.append(await see_through(site.account(CHALLENGER), TARGET, b""))

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            while await site.l1.get_transaction(old.hash) is not None:  # noqa: ASYNC110 - the pool has no event
                await trio.sleep(0.005)
            await dev.set_automine(site.l1, enabled=True)
    assert receipts[0].to == TARGET
    assert await site.l1.get_nonce(ADDRESS) == 1


async def test_what_would_revert_is_not_sent(site: Site) -> None:
    """The reason comes back decoded."""
    rollup = site.contract("Rollup")
    data = rollup.abi.encode_call("claimReward", dev_address(RIVAL))
    with pytest.raises(L1Reverted, match="NoBounty"):
        await see_through(site.account(CHALLENGER), rollup.address, data)
    assert await site.l1.get_nonce(ADDRESS, "pending") == 0


async def test_a_price_above_the_ceiling_is_not_paid(embedded: L1Client) -> None:
    """The operator's limit holds for the first version already."""
    account = L1Account(embedded, dev_key(CHALLENGER), max_fee=10)
    with pytest.raises(L1LimitExceeded):
        await see_through(account, TARGET, b"")
