"""A sequencer as feeders see it: the real RPC methods on the real state transition, its clock Trio's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec
import trio
import trio.testing

from rollup.errors import InvalidTransaction, NoSurface
from rollup.feeder.opinion import Opinion
from rollup.feeder.panel import OwnKey, Panel
from rollup.feeder.venue import Venue
from rollup.l1.devkeys import dev_address, dev_key
from rollup.quant.sources import Prices
from rollup.quant.surfaces import SmileShape, Surface
from rollup.quant.svi import WireSvi
from rollup.rpc.answers import RpcDisconnected, decode_incoming, open_answer
from rollup.rpc.client import HttpRpc
from rollup.rpc.dispatch import Dispatcher
from rollup.rpc.methods.oracle import register_oracle
from rollup.rpc.session import Session
from rollup.sequencer.commands import TransactionReport
from rollup.sequencer.exchange import Exchange
from rollup.sequencer.oracle import OracleView
from rollup.sequencer.rejections import refusal
from rollup.stf.builder import BlockBuilder
from rollup.types.genesis import BTC, ETH, Genesis, MarketConfig, SeriesConfig, UnderlyingConfig
from rollup.types.keys import ORACLE_SET, series_key, underlying_key
from rollup.types.leaves import MarketKind, OracleSet, Series, Underlying
from rollup.types.limits import MILLION
from rollup.types.prices import OracleUpdate, SurfaceUpdate
from rollup.types.reasons import Reason

SEPARATOR = b"\x07" * 32
START = 1_700_000_000
FEEDERS = (10, 11, 12)
PRICE = 40_000 * MILLION
WINDOW = 30
SOON = START + 100
"""Expiry of the near series; the far one's is `LATE`."""
LATE = START + 86_400


class Market:
    """BTC and ETH, two series of BTC, three feeders of which two must sign. Refuses all while `closed`."""

    def __init__(self, clock: trio.testing.MockClock, threshold: int = 2) -> None:
        coin = UnderlyingConfig(BTC, settlement_window=WINDOW)
        series = (SeriesConfig(BTC, 1, SOON), SeriesConfig(BTC, 2, LATE))
        futures = [MarketConfig(n, BTC, 100_000, 1_000, MarketKind.FUTURE, series=n - 2) for n in (3, 4)]
        perps = [MarketConfig(1, BTC, 100_000, 1_000), MarketConfig(2, ETH, 10_000, 10_000)]
        feeders = tuple(map(dev_address, FEEDERS))
        coins = (coin, UnderlyingConfig(ETH))
        self.leaves = Genesis(START, feeders, threshold, coins, (*perps, *futures), series).leaves()
        self.dispatcher = Dispatcher()
        register_oracle(self.dispatcher, cast("Exchange", self))
        self.updates: list[OracleUpdate | SurfaceUpdate] = []
        self.refused: list[str] = []
        self.closed = self.away = False
        self._clock = clock
        self._begun = clock.current_time()

    @property
    def time(self) -> int:
        """The second of the next block."""
        return START + int(self._clock.current_time() - self._begun)

    def clock(self) -> float:
        """The same with its fraction."""
        return START + self._clock.current_time() - self._begun

    def coin(self, number: int = BTC) -> Underlying:
        """An underlying as it is now."""
        return Underlying.decode(self.leaves[underlying_key(number)])

    def series(self, number: int) -> Series:
        """A series of BTC as it is now."""
        return Series.decode(self.leaves[series_key(BTC, number)])

    def oracle(self) -> OracleView:
        """As `Exchange.oracle`."""
        coins = {number: self.coin(number) for number in (BTC, ETH)}
        oracles = OracleSet.decode(self.leaves[ORACLE_SET])
        return OracleView(self.time, oracles, coins, {(BTC, number): self.series(number) for number in (1, 2)})

    async def submit(self, update: OracleUpdate | SurfaceUpdate) -> TransactionReport:
        """As `Exchange.submit`, each update in a block of its own."""
        await trio.lowlevel.checkpoint()
        if self.closed:
            self.refused.append(Reason.TIME.name)
            raise refusal(Reason.TIME)
        builder = BlockBuilder(lambda key: self.leaves.get(key, b""), self.time, SEPARATOR)
        try:
            builder.apply(update)
        except InvalidTransaction as error:
            self.refused.append(Reason(error.reason).name)
            raise refusal(error.reason) from None
        self.leaves |= builder.finish().writes
        self.updates.append(update)
        return TransactionReport(bytes(32), len(self.updates), 0)

    async def call(self, method: str, params: dict[str, Any], _type: Any = None) -> Any:
        """As a connected client calls."""
        if self.away:
            raise RpcDisconnected(1006, "away")
        reply = self.dispatcher.begin_call(Session("http", "test", {}), method, msgspec.json.encode(params))
        if reply is not None and not isinstance(reply, bytes):
            reply = await reply.run()
        assert reply is not None
        return open_answer(decode_incoming(reply), Any)

    @property
    def venue(self) -> Venue:
        """The feeders' side of it."""
        return Venue(cast("HttpRpc", self))

    def prices(self, coin: int = BTC) -> list[OracleUpdate]:
        """Accepted prices of a coin."""
        return [each for each in self.updates if isinstance(each, OracleUpdate) and each.underlying == coin]

    def surfaces(self, number: int) -> list[SurfaceUpdate]:
        """Accepted surfaces of a series."""
        return [each for each in self.updates if isinstance(each, SurfaceUpdate) and each.series == number]


class Scripted:
    """A source that says what it is told to: one price, one volatility, a forward in proportion to spot."""

    def __init__(self, spot: int = PRICE, volatility: float = 0.6, carry: float = 0.01) -> None:
        self.spot = spot
        self.volatility = volatility
        self.carry = carry
        self.silent = False

    def prices(self, elapsed: float) -> Prices:  # noqa: ARG002 - the same at any time
        """The same for both."""
        return Prices(self.spot, self.spot)

    def surface(self, elapsed: float, expiry: float) -> Surface:  # noqa: ARG002 - the same at any time
        """One smile for all expiries; NoSurface while `silent`."""
        if self.silent:
            raise NoSurface("nothing is quoted")
        wire = WireSvi.of(SmileShape().slice(self.volatility, 0.1))
        return Surface(round(self.spot * (1 + self.carry)), wire, 990_000)


def opinion(*sources: Scripted) -> Opinion:
    """On BTC, then ETH."""
    return Opinion(dict(zip((BTC, ETH), sources, strict=False)), START)


def panel(keys: Sequence[int] = FEEDERS) -> Panel:
    """Feeders of one process, which sign whatever it proposes."""
    return Panel(SEPARATOR, [OwnKey(dev_key(key), name=str(key)) for key in keys])
