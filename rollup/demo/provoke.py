"""What somebody has to send so that a dishonest sequencer can commit its fraud.

Some frauds need nothing but a block; others need a signature to forge, a trade to repeat, or more than fits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import trio

from rollup.demo.honest import send_prices
from rollup.demo.party import make_order, place_all
from rollup.demo.setting import Stage
from rollup.devnet.client import Client
from rollup.types.limits import MILLION

FLOOD: Final = 36
"""Transactions sent at once; a block may hold 32."""
PATIENCE: Final = 3.0
"""Seconds in which what provokes a fraud must be sent, before the batch with the deposit is posted."""


@dataclass(frozen=True, slots=True)
class Provocation:
    """What to send, the verdict that L1 must reach, and the rhythm (s) in which the sequencer seals and posts.

    Where something must be sent first, the batch waits for it, so that it holds the deposit and the fraud alike.
    """

    verdict: str
    send: Callable[[Stage, Client], Awaitable[None]] | None = None
    block_seconds: float = 0.1
    batch_seconds: float = 0.5


async def send_price(stage: Stage, client: Client) -> None:
    """New prices, whose block writes the underlyings."""
    await send_prices(stage, client)


async def send_trade(stage: Stage, client: Client) -> None:
    """A trade between two users."""
    await send_prices(stage, client)
    instrument = await client.instrument("BTC-PERP")
    maker, taker = stage.party.makers[0], stage.party.takers[0]
    await client.place(make_order(maker, instrument, sell=True), instrument.name)
    await client.place(make_order(taker, instrument, sell=False, taking=True), instrument.name)


async def send_cancel(stage: Stage, client: Client) -> None:
    """A cancel to be executed in a block."""
    user = stage.party.takers[1]
    await client.cancel(user.wallet.cancel_all(user.account), hard=True)


async def send_too_large(stage: Stage, client: Client) -> None:
    """An order for a whole coin from the account that has a fortieth of its price."""
    await send_prices(stage, client)
    instrument = await client.instrument("BTC-PERP")
    maker, poor = stage.party.makers[0], stage.party.poor
    coin = MILLION // instrument.lot
    orders = (
        make_order(maker, instrument, sell=True, lots=coin),
        make_order(poor, instrument, sell=False, lots=coin, taking=True),
    )
    for order in orders:
        await place_all(client, [(order, instrument)])


async def send_flood(stage: Stage, client: Client) -> None:
    """More transactions at once than a block may hold, each of which would be right by itself."""
    user = stage.party.takers[1]
    async with trio.open_nursery() as nursery:
        for _ in range(FLOOD):
            signed = user.wallet.cancel(user.account, user.wallet.nonce())
            nursery.start_soon(partial(client.cancel, signed, hard=True))


PROVOCATIONS: Final[Mapping[str, Provocation]] = {
    "wrong-root": Provocation("WRONG_ROOT"),
    "stolen-cash": Provocation("WRONG_ROOT"),
    "ignored-inbox": Provocation("WRONG_ROOT"),
    "undecodable": Provocation("UNDECODABLE"),
    "wrong-funding": Provocation("WRONG_ROOT", send_price, batch_seconds=PATIENCE),
    "forged-signature": Provocation("SIGNATURE_INVALID", send_cancel, batch_seconds=PATIENCE),
    "overfill": Provocation("OVERFILL", send_trade, batch_seconds=PATIENCE),
    "replayed-order": Provocation("OVERFILL", send_trade, batch_seconds=PATIENCE),
    "skipped-margin": Provocation("MARGIN", send_too_large, batch_seconds=PATIENCE),
    "over-meter": Provocation("METER_TRANSACTIONS", send_flood, block_seconds=1.0, batch_seconds=PATIENCE),
}
"""By kind of fault."""
