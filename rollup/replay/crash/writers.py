"""Options among the leveraged: writers who sell them as long as their margin lets them, to one who buys."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from rollup.errors import Rejected
from rollup.replay.strategies import Wish
from rollup.replay.tally import Tally
from rollup.replay.traders import Trader
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.matching_orders import TimeInForce

EVERY: Final = 10
"""Ticks between two rounds of sales."""
LARGEST: Final = 3_000_000
"""µcoin of one sale at most."""
LIFE: Final = 60


class Writers:
    """Sells one option a writer and round, at the mark."""

    def __init__(
        self,
        exchange: Exchange,
        writers: Sequence[Trader],
        buyer: Trader,
        markets: Sequence[int],
        tally: Tally,
        seed: int,
    ) -> None:
        self._exchange = exchange
        self._writers = writers
        self._buyer = buyer
        self._markets = markets
        self._tally = tally
        self._luck = Random(f"{seed}/writers")  # noqa: S311 - reproducible on purpose, protects nothing

    async def act(self, tick: int, now: int) -> None:
        """The round of this tick (counted from the beginning of the replay), if it has one."""
        if tick % EVERY == EVERY - 1:
            for writer in self._writers:
                await self._sell(writer, now)

    async def _sell(self, writer: Trader, now: int) -> None:
        number = self._luck.choice(self._markets)
        instrument = self._exchange.catalogue.by_number(number)
        terms = instrument.market
        price = self._exchange.ticker(instrument).mark // terms.tick * terms.tick
        size = int(LARGEST * self._luck.uniform(0.05, 1.0)) // terms.lot * terms.lot
        if price <= 0 or size <= 0:
            return
        bid = self._buyer.signer.order(Wish(False, size, price, LIFE), number, now)
        offer = writer.signer.order(Wish(True, size, price, LIFE, immediate=True), number, now)
        try:
            self._tally.acknowledge(await self._exchange.place(bid, TimeInForce.GTC))
            self._tally.acknowledge(await self._exchange.place(offer, TimeInForce.IOC))
        except Rejected as error:
            self._tally.refuse(error)
            await self._take_back(now)

    async def _take_back(self, now: int) -> None:
        """The bid that nobody took."""
        try:
            await self._exchange.cancel(self._buyer.signer.cancel_all(now))
        except Rejected:
            return  # it never rested
