"""The demo's dated markets: a future, two calls and a put a month away, and a call that expires while one looks on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import trio

from rollup.cli.listings import Wanted
from rollup.cli.market_admin import ListingDesk
from rollup.demo.party import PRICES, User
from rollup.demo.setting import Stage
from rollup.devnet.client import Client, Instrument
from rollup.devnet.roles import BANKER
from rollup.feeder.limits import allowed_surface
from rollup.feeder.rounds import publish_prices
from rollup.feeder.statements import Subject, surface_statement
from rollup.feeder.venue import Venue
from rollup.quant.sources import Prices
from rollup.quant.surfaces import Surface
from rollup.quant.svi import WireSvi
from rollup.sequencer.amounts import read_micro
from rollup.types.genesis import BTC
from rollup.types.listing import MarketConfig, SeriesConfig
from rollup.types.markets import MarketKind
from rollup.types.transactions import FreshOrder

SPOT: Final = PRICES["BTC-PERP"]
SMILE: Final = WireSvi(a=200_000_000, b=200_000_000, rho=-300_000_000, m=0, sigma=500_000_000)
"""A volatility of 55 % a year at the forward."""
PAUSE: Final = 0.1
"""Seconds between two looks at the sequencer's clock."""


@dataclass(frozen=True, slots=True)
class Expiring:
    """A call that was listed a moment ago, and when it expires (s)."""

    call: Instrument
    series: int
    expiry: int


async def instrument_of(client: Client, market: int) -> Instrument | None:
    """A market by its number; None if the sequencer has not heard of it."""
    page = await client.call("public/get_all_instruments", page_size=1000)
    for row in page["instruments"]:
        if row["market"] == market:
            tick, lot = read_micro(row["tick_size"], "tick_size"), read_micro(row["amount_step"], "amount_step")
            return Instrument(row["instrument_name"], market, row["underlying"], tick, lot, row["instrument_type"])
    return None


async def find(client: Client, market: int) -> Instrument:
    """A market that the sequencer knows, or is about to."""
    while True:
        found = await instrument_of(client, market)
        if found is not None:
            return found
        await trio.sleep(PAUSE)


async def move(stage: Stage, client: Client, spot: int, series: int) -> int:
    """Have the oracle say that BTC and its forward cost `spot` (µUSD), or as near to it as it may; what it says."""
    update = await publish_prices(Venue(client.rpc), stage.panel, BTC, Prices(spot, spot))
    await publish_surface(stage, client, series, update.spot)
    return update.spot


async def publish_surface(stage: Stage, client: Client, series: int, forward: int) -> Surface:
    """Have a slice of one of BTC's series co-signed, as near to this forward (µUSD) as the rollup allows."""
    venue = Venue(client.rpc)
    while True:
        known = await venue.known()
        before = known.series.get((BTC, series))
        if before is not None and known.time > before.time:
            break
        await trio.sleep(PAUSE)
    surface = allowed_surface(Surface(forward, SMILE), known.underlyings[BTC], before, known.time)
    statement = surface_statement(Subject(BTC, series), known.time, surface)
    await venue.submit(await stage.panel.co_sign(statement, known.feeders, known.threshold))
    return surface


async def list_expiring(stage: Stage, client: Client, seconds: int) -> Expiring:
    """List a call of a series that expires in `seconds`, on L1, and wait until it trades on L2."""
    desk = ListingDesk(stage.l1, stage.deployment)
    head = await stage.l1.get_block()
    assert head is not None, "the node has a newest block"
    expiry = head.timestamp + seconds
    listed = await desk.listed()
    series = number = opens = 0
    async for made in desk.announce(stage.account(BANKER), listed.plan([Wanted("BTC", MarketKind.CALL, expiry, SPOT)])):
        opens = made.opens
        if isinstance(made.item, SeriesConfig):
            series = made.item.number
        elif isinstance(made.item, MarketConfig):
            number = made.item.number
    call = await find(client, number)
    await wait_until(client, opens)
    return Expiring(call, series, expiry)


async def wait_until(client: Client, time: int) -> None:
    """Wait until L2 is at `time` (s)."""
    venue = Venue(client.rpc)
    while True:
        if (await venue.known()).time >= time:
            return
        await trio.sleep(PAUSE)


def sign_order(user: User, instrument: Instrument, size: int, price: int, *, taking: bool = False) -> FreshOrder:
    """An order for `size` µcoin (negative: sells) at `price` µUSD, moved onto tick and lot towards zero."""
    return user.wallet.order(
        user.account,
        instrument.market,
        sell=size < 0,
        size=abs(size) // instrument.lot * instrument.lot,
        price=price // instrument.tick * instrument.tick,
        post_only=not taking,
        immediate=taking,
    )


async def deal(
    client: Client, instrument: Instrument, buyer: User, seller: User, size: int, price: int
) -> list[dict[str, Any]]:
    """Have one sell `size` µcoin to the other at `price` µUSD; the trades, or RpcError if the sequencer refuses it."""
    await client.place(sign_order(seller, instrument, -size, price), instrument.name)
    answer = await client.place(sign_order(buyer, instrument, size, price, taking=True), instrument.name)
    trades: list[dict[str, Any]] = answer["trades"]
    return trades
