"""A chain with positions in perpetuals and options that comes to its end, and what each account should get."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rollup.crypto.eip712 import oracle_digest, order_digest, surface_digest
from rollup.crypto.signatures import sign
from rollup.derive.mirror import Mirror, open_mirror
from rollup.exit.contracts import Contracts, find_contracts
from rollup.exit.estate import Estate
from rollup.l1 import dev
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.devkeys import dev_key
from rollup.stf.margin import margin
from rollup.stf.settlement import settle
from rollup.types.genesis import BTC, BTC_PERP
from rollup.types.keys import GLOBALS
from rollup.types.leaves import Globals
from rollup.types.transactions import FLAG_SELL, FreshOrder, OracleUpdate, SurfaceUpdate, Trade, Transaction
from tests.support.deployed import DISPUTE_WINDOW, FEEDER, SEQUENCER, Site, open_site, prepare_site
from tests.support.poster import CASH, FIRST_OWNER, FOREVER, PRICE, Poster, start_poster

CALL, PUT = 4, 5
"""Markets of `with_dated_markets`."""
SERIES = 1
GRACE = 2 * DISPUTE_WINDOW
WINDOW = 14 * 86_400
"""Registration window of the deployment, s."""
LONG = 10**5
"""A dispute window that outlasts the way to the freeze, s."""
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

    @property
    def totals(self) -> Globals:
        """The chain's totals after the last block."""
        return Globals.decode(self.poster.leaves[GLOBALS])

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

    async def open(self, owner: bytes, amount: int = CASH) -> int:
        """Open an account for anybody, a contract say; the chain takes it in at once. Returns its number."""
        inbox = self.site.contract("Inbox")
        number: int = await inbox.call("accountCount")
        await inbox.transact(self.payer(SEQUENCER), "open", owner, amount)
        await self.hear()
        await self.poster.post(await self.poster.block())
        return number

    async def ruin(self) -> None:
        """Account 0 sells five coins to account 1, and the price rises by 60 %: 0 owes more than it has."""
        deal = self.deal(BTC_PERP, seller=0, buyer=1, price=PRICE, size=5 * 10**6)
        await self.poster.post(await self.poster.block(deal))
        for rise in (110, 121, 133, 146, 160):
            await self.travel(60)
            now, mark = await self.poster.now(), PRICE * rise // 100
            signature = sign(oracle_digest(self.poster.separator, BTC, now, mark, mark), dev_key(FEEDER))
            await self.poster.post(await self.poster.block(OracleUpdate(BTC, now, mark, mark, 1, (signature,))))

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
        yield await _begin(site)


@asynccontextmanager
async def open_ending_on(l1: L1Client, *, dispute_window: int = DISPUTE_WINDOW) -> AsyncIterator[Ending]:
    """The same on any development node; with the window `LONG`, batches are still pending when the chain is frozen."""
    deployment = await prepare_site(l1, dated=True, dispute_window=dispute_window)
    yield await _begin(Site(l1.url, l1, deployment))


async def _begin(site: Site) -> Ending:
    poster = await start_poster(site)
    await poster.open(3)
    ending = Ending(site, poster)
    await ending.trade()
    return ending
