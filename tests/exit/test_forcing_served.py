"""Forcing on a chain that a real sequencer goes on with: everything forced is executed, and told from L1 alone."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rollup.derive.mirror import Mirror, open_mirror
from rollup.exit.forcing import force_message
from rollup.exit.outcome import Outcome, Stage, outcome_of
from rollup.exit.payloads import (
    account_of,
    next_owner_nonce,
    sign_cancel,
    sign_order,
    sign_set_signer,
    sign_withdrawal,
    trade_payload,
)
from rollup.l1.devkeys import dev_address, dev_key
from rollup.rpc.client import connect_ws
from rollup.rpc.node import Node
from rollup.types.reasons import Reason
from rollup.types.transactions import FLAG_SELL, FreshOrder
from tests.support.deployed import SEQUENCER, Site
from tests.support.served import PRICE, funded, options, serve, until
from tests.support.trader import USD, Trader, open_accounts
from tests.support.wallet import create_wallet, through_wallet

MAKER, TAKER = 5, 6
"""Development keys of accounts 0 and 1."""
COIN = 1_000_000


@dataclass
class Running:
    """A served chain, what L1 says of it, and a trader's signatures."""

    site: Site
    node: Node
    mirror: Mirror
    trader: Trader

    async def force(self, payload: bytes, key: int = MAKER) -> Outcome:
        """Force something and wait until a batch has taken it."""
        forced = await force_message(self.site.account(key), self.site.deployment.inbox, payload)
        return await self.consumed(forced.index)

    async def consumed(self, index: int) -> Outcome:
        """Wait until a batch has taken a message."""

        async def taken() -> bool:
            await self.mirror.advance()
            return (await outcome_of(self.mirror, index)).stage is not Stage.WAITING

        await until(taken, f"message {index} in a batch")
        return await outcome_of(self.mirror, index)


@asynccontextmanager
async def running(site: Site, folder: Path, **changes: Any) -> AsyncIterator[Running]:
    """Two accounts with 10,000 dollars each, and a price. `changes` are to the sequencer's options."""
    accounts = await open_accounts(site, [MAKER, TAKER])
    async with serve(options(site, folder, **changes)) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        async with open_mirror(site.l1, site.deployment.rollup) as mirror:
            chain = Running(site, node, mirror, trader)

            async def known() -> bool:
                await mirror.advance()
                return mirror.account(1) is not None

            await until(known, "both accounts on L1")
            yield chain


def fresh(account: int, flags: int, nonce: int, size: int = COIN // 10) -> FreshOrder:
    """An order without a signature."""
    return FreshOrder(account, 1, flags, size, PRICE, nonce, int(time.time()) + 3_600, b"")


async def test_everything_that_can_be_forced_is_executed_by_an_honest_sequencer(site: Site, tmp_path: Path) -> None:
    """A withdrawal, a signer, a two-sided trade, cancels; by signatures and by the sender alone."""
    async with running(site, tmp_path) as chain:
        mirror, separator = chain.mirror, chain.trader.separator
        nonce = next_owner_nonce(mirror, 0)
        done = await chain.force(sign_withdrawal(separator, 0, 100 * USD, nonce))
        assert (done.done, done.paid) == (True, 100 * USD)
        assert account_of(mirror, 0).withdrawn == 100 * USD

        by_key = sign_withdrawal(separator, 0, 50 * USD, next_owner_nonce(mirror, 0), dev_key(MAKER))
        assert (await chain.force(by_key, key=SEQUENCER)).done, "anybody may pay for a signed one"
        assert account_of(mirror, 0).withdrawn == 150 * USD

        assert (await chain.force(sign_set_signer(separator, 0, dev_address(3), next_owner_nonce(mirror, 0)))).done
        assert account_of(mirror, 0).signer == dev_address(3)

        maker = sign_order(separator, fresh(0, FLAG_SELL, 11), dev_key(3))
        taker = sign_order(separator, fresh(1, 0, 12))
        trade = await chain.force(trade_payload(maker, taker, COIN // 20), key=TAKER)
        assert trade.done, trade.tell()
        sizes = [[held.size for held in account_of(mirror, number).positions] for number in (0, 1)]
        assert sizes == [[-COIN // 20], [COIN // 20]]

        assert (await chain.force(sign_cancel(separator, 0, 11), key=3)).done, "the signer may cancel"
        again = await chain.force(trade_payload(maker, taker, COIN // 20), key=TAKER)
        assert (again.done, again.reason) == (False, Reason.ORDER_CONFLICT)
        assert (await chain.force(sign_cancel(separator, 1, 13, every=True), key=TAKER)).done
        assert account_of(mirror, 1).nonce_floor == 13


async def test_a_forced_withdrawal_of_too_much_is_refused_and_says_why(site: Site, tmp_path: Path) -> None:
    """By the rules of margin, as any withdrawal."""
    async with running(site, tmp_path) as chain:
        refused = await chain.force(sign_withdrawal(chain.trader.separator, 0, 20_000 * USD, 1))
        assert (refused.done, refused.reason) == (False, Reason.MARGIN)
        assert "initial margin" in refused.tell()
        assert account_of(chain.mirror, 0).withdrawn == 0


async def test_a_contract_wallet_forces_by_being_the_sender(site: Site, tmp_path: Path) -> None:
    """It has no key; and nobody else can do the same for it."""
    payer = site.account(SEQUENCER)
    wallet = await create_wallet(payer)
    inbox = site.contract("Inbox")
    async with running(site, tmp_path) as chain:
        number = await inbox.call("accountCount")
        await inbox.transact(payer, "open", wallet, 1_000 * USD)
        await chain.consumed(await inbox.call("count") - 1)
        payload = sign_withdrawal(chain.trader.separator, number, 300 * USD, next_owner_nonce(chain.mirror, number))
        stranger = await chain.force(payload, key=MAKER)
        assert stranger.reason is Reason.SIGNATURE_INVALID
        fee, before = await inbox.call("forceFee"), await site.l1.get_balance(wallet)
        call = inbox.abi.encode_call("force", payload)
        await through_wallet(payer, wallet, inbox.address, call, value=fee + 10**15)
        assert await site.l1.get_balance(wallet) - before == 10**15, "the rest came back to the wallet"
        outcome = await chain.consumed(await inbox.call("count") - 1)
        assert (outcome.done, outcome.paid) == (True, 300 * USD)
