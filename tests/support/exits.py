"""A chain with positions in perpetuals and options that comes to its end, and what each account should get."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rollup.crypto.eip712 import order_digest, surface_digest
from rollup.crypto.signatures import sign
from rollup.derive.mirror import Mirror, open_mirror
from rollup.exit.contracts import Contracts, find_contracts
from rollup.exit.estate import Estate
from rollup.l1 import dev
from rollup.l1.account import L1Account
from rollup.l1.devkeys import dev_key
from rollup.stf.margin import margin
from rollup.stf.settlement import settle
from rollup.types.genesis import BTC
from rollup.types.transactions import FLAG_SELL, FreshOrder, SurfaceUpdate, Trade, Transaction
from tests.support.deployed import DISPUTE_WINDOW, FEEDER, Site, open_site
from tests.support.poster import FIRST_OWNER, FOREVER, PRICE, Poster, start_poster

CALL, PUT = 4, 5
"""Markets of `with_dated_markets`."""
SERIES = 1
GRACE = 2 * DISPUTE_WINDOW
WINDOW = 14 * 86_400
"""Registration window of the deployment, s."""
WITHDRAWN = 2_500_000
LATE = 7_000_000
"""A deposit that comes too late, µUSD."""
STRANGER = 5
"""Development account that owns nothing here and pays for gas."""
SLICE = {"a": 4_000_000, "b": 20_000_000, "rho": -300_000_000, "m": 0, "sigma": 200_000_000}


@dataclass
class Ending:
    """A site whose chain is near its end: account 0 is short a perp, long a call; 1 the reverse; 2 holds cash only."""

    site: Site
    poster: Poster

    @property
    def owners(self) -> dict[int, int]:
        """Development key of each account's owner."""
        return {number: FIRST_OWNER + number for number in range(3)}

    def payer(self, key: int = STRANGER) -> L1Account:
        """A key that pays for gas."""
        return self.site.account(key)

    async def contracts(self) -> Contracts:
        """The contracts, found by the Rollup's address alone."""
        return await find_contracts(self.site.l1, self.site.deployment.rollup)

    @asynccontextmanager
    async def mirror(self) -> AsyncIterator[Mirror]:
        """A replica in memory."""
        async with open_mirror(self.site.l1, self.site.deployment.rollup) as mirror:
            yield mirror

    async def trade(self) -> None:
        """Perps and options change hands, money is withdrawn; the batch is posted and stays pending."""
        poster = self.poster
        now = await poster.now()
        deals: list[Transaction] = [
            self.surface(now),
            poster.trade(seller=0, buyer=1),
            self.deal(CALL, seller=1, buyer=0, price=2_000 * 10**6),
            self.deal(PUT, seller=0, buyer=1, price=10_000 * 10**6),
            poster.withdraw(2, WITHDRAWN),
        ]
        await poster.post(await poster.block(), await poster.block(*deals))

    def surface(self, now: int) -> SurfaceUpdate:
        """Forward and volatility of the series, signed by the feeder."""
        digest = surface_digest(
            self.poster.separator, BTC, SERIES, now, PRICE, SLICE["a"], SLICE["b"], SLICE["rho"], SLICE["m"],
            SLICE["sigma"], 10**6,
        )  # fmt: skip
        return SurfaceUpdate(
            BTC, SERIES, now, PRICE, **SLICE, confidence=10**6, signers=1, signatures=(sign(digest, dev_key(FEEDER)),)
        )

    def deal(self, market: int, *, seller: int, buyer: int, price: int, size: int = 100_000) -> Trade:
        """A trade of `size` µcoin at `price` µUSD."""
        return Trade(
            self._order(seller, market, FLAG_SELL, size, price), self._order(buyer, market, 0, size, price), size
        )

    async def starve(self, seconds: int = DISPUTE_WINDOW + GRACE + 10) -> None:
        """A forced message that nobody takes, for so long; and a deposit for account 1 behind it."""
        await self.poster.force(self.poster.withdraw(0, 1_000_000))
        await self.poster.deposit(1, LATE)
        await self.travel(seconds)

    async def freeze(self) -> None:
        """Starve a message and end the chain; batches are still pending."""
        await self.starve()
        await self.site.contract("Rollup").transact(self.payer(), "freeze")

    async def settle(self) -> None:
        """End the chain and settle its end state."""
        await self.freeze()
        rollup = self.site.contract("Rollup")
        await rollup.transact(self.payer(), "finalise", await rollup.call("batchCount") - 1)

    async def hear(self) -> list[int]:
        """Let the sequencer hear what others sent to the inbox; the numbers of these messages."""
        inbox, known = self.site.contract("Inbox"), len(self.poster.messages)
        head = await self.site.l1.block_number()
        events = await inbox.events("MessageAdded", from_block=0, to_block=head)
        self.poster.messages += [event.values["message"] for event in events[known:]]
        return [event.values["index"] for event in events[known:]]

    async def travel(self, seconds: int) -> None:
        """Let L1's time pass."""
        await dev.increase_time(self.site.l1, seconds)
        await dev.mine(self.site.l1)

    async def held(self, key: int) -> int:
        """µUSD that a development account has on L1."""
        money: int = await self.site.contract("TestUSD").call("balanceOf", self.site.account(key).address)
        return money

    def equity(self, account: int) -> int:
        """What an account is worth by the rules that trading goes by: settlement and margin (SPEC section 6)."""
        estate = Estate(lambda key: self.poster.leaves.get(key, b""))
        return margin(estate, settle(estate, estate.account(account))).equity

    def _order(self, account: int, market: int, flags: int, size: int, price: int) -> FreshOrder:
        self.poster.nonce += 1
        terms = (account, market, flags, size, price, self.poster.nonce, FOREVER)
        digest = order_digest(self.poster.separator, *terms)
        return FreshOrder(*terms, sign(digest, dev_key(FIRST_OWNER + account)))


@asynccontextmanager
async def open_ending() -> AsyncIterator[Ending]:
    """A chain on which perps and options were traded, with a pending batch."""
    async with open_site(dated=True) as site:
        poster = await start_poster(site)
        await poster.open(3)
        ending = Ending(site, poster)
        await ending.trade()
        yield ending
