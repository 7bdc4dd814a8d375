"""An L1 that goes back under a sequencer and a challenger, and what everybody must agree on after it.

Both reach L1 through one relay, which is cut while L1 changes its branch: they see the old one, then the new one, as
they would of a real node, and nothing is sent in between.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from challenger.service import Challenger
from rollup.l1 import dev
from rollup.l1.account import L1Account
from rollup.l1.devkeys import dev_address, dev_key
from rollup.rpc.client import connect_ws
from rollup.rpc.node import Node
from rollup.types.keys import account_key
from rollup.types.leaves import Account
from rollup.types.transactions import Transaction, encode_transaction
from tests.challenger.life import Heard, challenging
from tests.support.deployed import CHALLENGER, ETHER, SEQUENCER, Site
from tests.support.poster import FIRST_OWNER
from tests.support.relay import Relay, relay_to
from tests.support.served import Signatures, derive, funded, options, posted, serve, until, until_so
from tests.support.trader import USD, Trader

OWNERS = [FIRST_OWNER, FIRST_OWNER + 1]
PAYER = 8
"""Sends deposits and forced transactions; the sequencer's key is its own."""
OPENING = 10_000


async def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Tip:
    """What L1 has: batches, the last block in them with its root, inbox messages, what is final."""

    batch: int
    block: int
    root: bytes
    messages: int
    final: int


@dataclass
class Scene:
    """One deployment with its people."""

    site: Site
    relay: Relay
    folder: Path
    challenger: Challenger
    heard: Heard
    signatures: Signatures
    accounts: list[int] = field(default_factory=list)

    # -- people --------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def sequencer(self, **changes: Any) -> AsyncIterator[tuple[Node, Any, Trader]]:
        """The sequencer for as long as the block lasts, its RPC, and who signs."""
        given = options(self.site, self.folder / "sequencer", **{"l1_url": self.relay.url, **changes})
        async with serve(given) as node, connect_ws(node.address.ws_url) as rpc:
            if given.key == dev_key(SEQUENCER):
                self.signatures.watch(node)
            yield node, rpc, Trader(node.sequencer.exchange.status().separator)

    async def deposit(self, account: int, dollars: int) -> None:
        """Deposit through L1."""
        await self.site.contract("Inbox").transact(self._payer, "deposit", account, dollars * USD)

    async def force(self, transaction: Transaction) -> None:
        """Force a transaction through L1."""
        inbox = self.site.contract("Inbox")
        fee = await inbox.call("forceFee")
        await inbox.transact(self._payer, "force", encode_transaction(transaction), value=fee)

    async def begin(self) -> None:
        """Money for the payer, the accounts, a price; all of it on L1."""
        token, inbox, payer = self.site.contract("TestUSD"), self.site.contract("Inbox"), self._payer
        await token.transact(payer, "mint", payer.address, 10**12)
        await token.transact(payer, "approve", inbox.address, 10**12)
        for owner in OWNERS:
            self.accounts.append(await inbox.call("accountCount"))
            await inbox.transact(payer, "open", dev_address(owner), OPENING * USD)
        async with self.sequencer() as (node, rpc, _):
            await funded(rpc, self.accounts)
            await posted(node)

    @property
    def _payer(self) -> L1Account:
        return self.site.account(PAYER)

    # -- L1 ------------------------------------------------------------------------------------------------------------

    async def snapshot(self) -> str:
        """L1 as it is."""
        return await dev.take_snapshot(self.site.l1)

    async def reorganise(self, snapshot: str, after: Callable[[], Awaitable[None]] = _nothing) -> None:
        """L1 goes back to a snapshot and on by another block and what `after` does there; nobody sees it in between."""
        self.relay.cut()
        await dev.revert_to(self.site.l1, snapshot)
        await dev.mine(self.site.l1)
        await after()
        self.relay.mend()

    async def pass_time(self, seconds: int) -> None:
        """L1 goes on."""
        await dev.increase_time(self.site.l1, seconds)
        await dev.mine(self.site.l1)

    async def tip(self) -> Tip:
        """What L1 has now."""
        rollup = self.site.contract("Rollup")
        index = await rollup.call("batchCount") - 1
        batch = await rollup.call("batches", index)
        count = await self.site.contract("Inbox").call("count")
        return Tip(index, batch[5], batch[1], count, await rollup.call("finalised"))

    # -- what must hold ------------------------------------------------------------------------------------------------

    async def verified(self, root: bytes) -> None:
        """Wait until the challenger's replica has this root, and finds nothing wrong."""
        store = self.challenger.pipeline.replica.store
        await until_so(lambda: (store.records.head() or (0, b""))[1] == root, "the challenger's replica")
        assert self.challenger.pipeline.replica.fraud is None

    async def agree(self, node: Node) -> Tip:
        """Wait until L1, sequencer and challenger have one state; nobody was slashed, nothing could slash anybody."""
        store = node.sequencer.store

        async def same() -> bool:
            tip = await self.tip()
            return (tip.block, tip.root) == (store.committed, store.root)

        await until(same, "everything on L1")
        await self.verified(store.root)
        assert (await derive(self.site)).root == store.root
        await self.unharmed()
        return await self.tip()

    async def unharmed(self, *stakers: int) -> None:
        """No reversion, every stake in place, no two signatures that could be shown to L1, no fraud told of."""
        rollup = self.site.contract("Rollup")
        assert await rollup.call("fork") == 0
        for key in {SEQUENCER, *stakers}:
            assert await rollup.call("stakeOf", dev_address(key)) == ETHER
        await self.signatures.check()
        assert not {"fraud_found", "fraud_proven"} & self.heard.names


def alarms(node: Node) -> dict[str, str]:
    """The standing alarms."""
    return dict(text.split(": ", 1) for text in node.sequencer.alarms.texts())


def money(node: Node, account: int) -> tuple[int, int]:
    """Cash of an account and what it has withdrawn, whole dollars."""
    found = Account.decode(node.sequencer.store.read(account_key(account)))
    return found.cash // USD, found.withdrawn // USD


async def withdraw(rpc: Any, trader: Trader, account: int, nonce: int) -> None:
    """A dollar, acknowledged."""
    await rpc.call("private/withdraw", trader.withdraw(account, OWNERS[account], USD, nonce))


@asynccontextmanager
async def open_scene(site: Site, folder: Path) -> AsyncIterator[Scene]:
    """A scene that has begun."""
    async with relay_to(site.url) as relay:
        behind = replace(site, url=relay.url)
        async with challenging(behind, folder / "challenger", CHALLENGER) as (challenger, heard):
            scene = Scene(site, relay, folder, challenger, heard, Signatures(site))
            await scene.begin()
            yield scene
