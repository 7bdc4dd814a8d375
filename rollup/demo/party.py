"""The users of the demo, and what each of them must own: computed here from prices and fees, compared with L1 later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import trio

from rollup.cli.wallet import Wallet
from rollup.demo.report import NotVerified, require_equal
from rollup.derive.mirror import Mirror
from rollup.devnet.client import Client, Instrument
from rollup.l1.devkeys import dev_address
from rollup.sequencer.amounts import read_micro
from rollup.types.genesis import MarketConfig
from rollup.types.limits import MILLION
from rollup.types.transactions import FreshOrder

USERS: Final = 40
"""First of the users' development keys."""
DOLLAR: Final = MILLION
OPENINGS: Final = (100_000 * DOLLAR, 100_000 * DOLLAR, 20_000 * DOLLAR, 20_000 * DOLLAR, 1_000 * DOLLAR)
"""µUSD of each account: two makers, two takers, and one with little."""
PRICES: Final[Mapping[str, int]] = {"BTC-PERP": 40_000 * DOLLAR, "ETH-PERP": 2_500 * DOLLAR}
"""µUSD per coin; spot and mark are the same, so no funding accrues and every balance can be told in advance."""
PREMIUM_SHARE: Final = 125_000
"""ppm of an option's price that its fee takes at most."""
FILLS_PER_QUOTE: Final = 3
"""Takers' orders that fill one maker's order: its signature reaches L1 with the first."""
CHUNK: Final = 12
"""Quotes whose fills are under way at once; 36 calls stay within what one connection may have."""


@dataclass(slots=True)
class User:
    """An account with its owner's key; `cash` (µUSD) and `positions` (µcoin by market) are what L1 must show."""

    account: int
    key: int
    wallet: Wallet
    cash: int = 0
    withdrawn: int = 0
    positions: dict[int, int] = field(default_factory=dict)

    @property
    def owner(self) -> bytes:
        """Address on L1."""
        return dev_address(self.key)


class Party:
    """All users."""

    def __init__(self, users: Iterable[User]) -> None:
        self.users = list(users)
        self.trades = 0

    @property
    def makers(self) -> list[User]:
        """Those who quote."""
        return self.users[:2]

    @property
    def takers(self) -> list[User]:
        """Those who cross."""
        return self.users[2:4]

    @property
    def poor(self) -> User:
        """The one with little."""
        return self.users[4]

    async def trade(self, client: Client, count: int) -> list[int]:
        """At least `count` trades in all markets, both ways; returns the numbers of the blocks they are in."""
        blocks: list[int] = []
        quotes = -(-count // FILLS_PER_QUOTE)
        for number in range(0, quotes, CHUNK):
            blocks += await self._trade_chunk(client, range(number, min(number + CHUNK, quotes)))
        return blocks

    async def _trade_chunk(self, client: Client, quotes: range) -> list[int]:
        """Rest the quotes, then fill them all at once: the answer to a trade comes when its block is sealed."""
        fills: list[tuple[FreshOrder, Instrument]] = []
        names = list(PRICES)
        resting: list[tuple[FreshOrder, Instrument]] = []
        for number in quotes:
            instrument = await client.instrument(names[number % len(names)])
            sell = number // CHUNK % 2 == 0  # one way a chunk: quotes of both sides at one price would cross
            maker = self.makers[number % 2]
            resting.append((make_order(maker, instrument, sell=sell, lots=FILLS_PER_QUOTE), instrument))
            fills += [
                (make_order(self.takers[(number + turn) % 2], instrument, sell=not sell, taking=True), instrument)
                for turn in range(FILLS_PER_QUOTE)
            ]
        for answer in await place_all(client, resting):
            if answer["trades"]:
                raise NotVerified("a post-only quote traded")
        blocks: list[int] = []
        for answer in await place_all(client, fills):
            for row in answer["trades"]:
                self.record(await client.instrument(row["instrument_name"]), row)
                blocks.append(row["block_number"])
        return blocks

    def record(self, instrument: Instrument, row: Mapping[str, Any]) -> None:
        """Settle a trade in what the users must own; fees are computed here, rounded up, not taken from the answer."""
        size, price = read_micro(row["trade_amount"], "amount"), read_micro(row["trade_price"], "price")
        terms = MarketConfig(instrument.market, instrument.underlying, instrument.tick, instrument.lot)
        amount = size * price // MILLION
        for name, fee, buys in (
            ("maker", terms.maker_fee, row["direction"] == "sell"),
            ("taker", terms.taker_fee, row["direction"] == "buy"),
        ):
            user = self.of(row[f"{name}_subaccount_id"])
            user.cash += (-amount if buys else amount) - fee_of(instrument, size, price, fee)
            user.positions[instrument.market] = user.positions.get(instrument.market, 0) + (size if buys else -size)
        self.trades += 1

    def of(self, account: int) -> User:
        """The user of an account."""
        return next(user for user in self.users if user.account == account)

    def check(self, mirror: Mirror) -> None:
        """Compare every account, to the unit, with the state that follows from L1; raises NotVerified."""
        for user in self.users:
            account = mirror.account(user.account)
            if account is None:
                raise NotVerified(f"account {user.account} is not in the state that follows from L1")
            name = f"of account {user.account}"
            require_equal(f"owner {name}", user.owner, account.owner)
            require_equal(f"cash {name}, µUSD", user.cash, account.cash)
            require_equal(f"withdrawn {name}, µUSD", user.withdrawn, account.withdrawn)
            held = {market: size for market, size in user.positions.items() if size}
            require_equal(f"positions {name}, µcoin", held, {each.market: each.size for each in account.positions})


def fee_of(instrument: Instrument, size: int, price: int, rate: int) -> int:
    """µUSD, rounded up: `rate` (ppm) of what is traded, of an option of its forward but an eighth of its price at most.

    The forward is the demo's price, at which alone options are traded here.
    """
    if instrument.kind == "option":
        return -(-size * min(PRICES["BTC-PERP"] * rate, price * PREMIUM_SHARE) // 10**12)
    return -(-(size * price // MILLION) * rate // MILLION)


def make_order(user: User, instrument: Instrument, *, sell: bool, lots: int = 1, taking: bool = False) -> FreshOrder:
    """An order at the demo's price: resting, or immediate."""
    return user.wallet.order(
        user.account,
        instrument.market,
        sell=sell,
        size=lots * instrument.lot,
        price=PRICES[instrument.name],
        post_only=not taking,
        immediate=taking,
    )


async def place_all(client: Client, orders: Iterable[tuple[FreshOrder, Instrument]]) -> list[dict[str, Any]]:
    """Place orders at the same time; answers in the order of the orders."""
    listed = list(orders)
    answers: list[dict[str, Any]] = [{} for _ in listed]

    async def place(index: int, order: FreshOrder, instrument: Instrument) -> None:
        answers[index] = await client.place(order, instrument.name)

    async with trio.open_nursery() as nursery:
        for index, (order, instrument) in enumerate(listed):
            nursery.start_soon(place, index, order, instrument)
    return answers
