"""A chain whose sequencer is gone: what it left on L1, and what its users do there."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from rollup.crypto import eip712
from rollup.crypto.signatures import sign
from rollup.l1 import dev
from rollup.l1.devkeys import dev_key
from rollup.rpc.client import connect_ws
from rollup.rpc.node import Node
from rollup.types.keys import account_key
from rollup.types.leaves import Account
from rollup.types.transactions import Transaction, Withdraw, encode_transaction
from tests.support.deployed import DISPUTE_WINDOW, FEEDER, RIVAL, SEQUENCER, Site
from tests.support.poster import FIRST_OWNER
from tests.support.served import PRICE, funded, options, posted, serve
from tests.support.trader import USD, Trader, open_accounts

OWNERS = [FIRST_OWNER, FIRST_OWNER + 1]
AGE = 700
"""Seconds by which an heir's clock is ahead, so that every price of before is too old for him."""


def later() -> int:
    """The heir's time."""
    return int(time.time()) + AGE


def heir(site: Site, folder: Path, **changes: Any) -> Any:
    """Options of a stranger who takes over with an empty database."""
    return options(site, folder, **{"key": dev_key(RIVAL), "clock": later, **changes})


def fresh_price(trader: Trader, spot: int = PRICE) -> dict[str, Any]:
    """A price of the heir's time."""
    now = later()
    digest = eip712.oracle_digest(trader.separator, 1, now, spot, spot)
    signature = f"0x{sign(digest, dev_key(FEEDER)).hex()}"
    return {"underlying": 1, "time": now, "spot": spot, "mark": spot, "signers": 1, "signatures": [signature]}


@asynccontextmanager
async def trading(site: Site, folder: Path, **changes: Any) -> AsyncIterator[tuple[Node, Any, Trader]]:
    """The designated sequencer with two accounts, each with a position, everything on L1."""
    accounts = await open_accounts(site, OWNERS)
    async with serve(options(site, folder, **changes)) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        await rpc.call("private/order", trader.order(0, OWNERS[0], True, 100_000, PRICE, 1))
        await rpc.call("private/order", trader.immediate(1, OWNERS[1], False, 100_000, PRICE, 1))
        await posted(node)
        yield node, rpc, trader


async def pass_time(site: Site, seconds: int = DISPUTE_WINDOW + 1) -> None:
    """L1 goes on, by default until the proposer timeout has passed."""
    await dev.increase_time(site.l1, seconds)
    await dev.mine(site.l1)


def withdrawal(trader: Trader, account: int, dollars: int, nonce: int) -> Withdraw:
    """Signed by its owner."""
    digest = eip712.withdraw_digest(trader.separator, account, dollars * USD, nonce)
    return Withdraw(account, dollars * USD, nonce, sign(digest, dev_key(OWNERS[account])))


async def force(site: Site, transaction: Transaction) -> int:
    """Send a transaction through L1; the message's number."""
    inbox = site.contract("Inbox")
    data, fee = encode_transaction(transaction), await inbox.call("forceFee")
    receipt = await inbox.transact(site.account(SEQUENCER), "force", data, value=fee)
    (event,) = inbox.decode_events(receipt.logs)
    index: int = event.values["index"]
    return index


def balance_of(node: Node, account: int) -> tuple[int, int]:
    """Cash and what was withdrawn, µUSD, in the newest state."""
    found = Account.decode(node.sequencer.store.read(account_key(account)))
    return found.cash, found.withdrawn
