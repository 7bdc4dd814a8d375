"""What somebody has to send so that a dishonest sequencer can commit its fraud.

Some frauds need nothing but a block; others need a signature to forge, a trade to repeat, or more than fits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import trio

from rollup.demo import dated
from rollup.demo.honest import send_prices
from rollup.demo.party import DOLLAR, make_order, place_all
from rollup.demo.setting import Stage
from rollup.devnet.client import Client
from rollup.types.limits import MILLION

FLOOD: Final = 36
"""Transactions sent at once; a block may hold 32."""


@dataclass(frozen=True, slots=True)
class Provocation:
    """What to send, the verdict that L1 must reach, and the rhythm (s) in which the sequencer seals blocks.

    A dishonest sequencer posts nothing before its fraud, so the batch holds the deposit, what was sent and the fraud.
    """

    verdict: str
    send: Callable[[Stage, Client], Awaitable[None]] | None = None
    block_seconds: float = 0.1


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
    """An order from the account with little for a coin more than it has 5,000 dollars; margin asks for 10,000 each."""
    await send_prices(stage, client)
    instrument = await client.instrument("BTC-PERP")
    maker, poor = stage.party.makers[0], stage.party.poor
    lots = (1 + poor.cash // (5_000 * DOLLAR)) * MILLION // instrument.lot
    orders = (
        make_order(maker, instrument, sell=True, lots=lots),
        make_order(poor, instrument, sell=False, lots=lots, taking=True),
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
    "wrong-funding": Provocation("WRONG_ROOT", send_price),
    "forged-signature": Provocation("SIGNATURE_INVALID", send_cancel),
    "overfill": Provocation("OVERFILL", send_trade),
    "replayed-order": Provocation("OVERFILL", send_trade),
    "skipped-margin": Provocation("MARGIN", send_too_large),
    "over-meter": Provocation("METER_TRANSACTIONS", send_flood, block_seconds=1.0),
    "wrong-mark": Provocation("MARGIN", dated.sell_too_much),
    "wrong-payoff": Provocation("WRONG_ROOT", dated.settle_call),
    "wrong-settlement": Provocation("WRONG_ROOT", dated.settle_call),
    "unjust-liquidation": Provocation("NOT_FLAGGED", dated.bid_on_sound),
    "missed-flag": Provocation("WRONG_ROOT", dated.reduce_late),
    "skipped-band": Provocation("PRICE_BAND", dated.trade_far_off),
    "wrong-combo-leg": Provocation("SIGNATURE_INVALID", dated.trade_combo),
    "wrong-deleveraging-price": Provocation("WRONG_ROOT", dated.fall_deep),
}
"""By kind of fault."""
