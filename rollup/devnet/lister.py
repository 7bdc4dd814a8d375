"""The devnet's market admin: lists the next near series when the last is about to expire, and tells what settled.

It needs the sequencer only to know the state; what it lists goes through the inbox on L1 like anybody's listing.
"""

from __future__ import annotations

from typing import Final

import structlog
import trio

from rollup.cli.listings import Listed, show_time
from rollup.cli.market_admin import ListingDesk
from rollup.devnet.cashier import Tell
from rollup.devnet.schedule import Schedule, count_of, series_of
from rollup.errors import L1Error
from rollup.feeder.venue import Known, Venue
from rollup.l1.account import L1Account
from rollup.rpc.client import RpcError
from rollup.types.genesis import BTC
from rollup.types.instruments import symbol_of
from rollup.types.limits import MILLION

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 1.0
LEAD: Final = 20
"""Seconds on top of the listing delay before an expiry: by then the next series is in a block."""


class Lister:
    """Announces near series with the admin's key; remembers what it has told of."""

    def __init__(self, desk: ListingDesk, admin: L1Account, schedule: Schedule, tell: Tell) -> None:
        self._desk = desk
        self._admin = admin
        self._schedule = schedule
        self._tell = tell
        self._settled: set[tuple[int, int]] = set()
        self._listed: Listed | None = None

    async def run(self, venue: Venue) -> None:
        """Look every second until cancelled; raises what `Venue` raises when the sequencer is gone."""
        delay = await self._desk.delay()
        while True:
            try:
                known = await venue.known()
                self.tell_settlements(known)
                await self._list_next(known, delay)
            except (RpcError, L1Error) as error:
                self._listed = None  # what of it reached L1 is read from there
                log.warning("not_listed", error=str(error))
            await trio.sleep(LOOK_SECONDS)

    def tell_settlements(self, known: Known) -> None:
        """Each settled series once."""
        for key, series in known.series.items():
            if series.settlement and key not in self._settled:
                self._settled.add(key)
                coin, price = symbol_of(key[0]), series.settlement / MILLION
                self._tell(
                    "settlement", f"{coin} of {show_time(series.expiry)} settles at {price:,.2f}", coin=coin,
                    series=key[1], expiry=series.expiry, price=series.settlement,
                )  # fmt: skip

    async def _list_next(self, known: Known, delay: int) -> None:
        """Announce a near series, unless one lives on for long enough or is on its way."""
        if self._listed is None:
            self._listed = await self._desk.listed()
        opens, spot = known.time + delay, known.underlyings[BTC].spot
        horizon = opens + LEAD
        far = self._schedule.near_expiry(opens + LEAD) + 60
        near = [expiry for (coin, _), expiry in self._listed.expiries.items() if coin == BTC and expiry <= far]
        if not spot or max(near, default=0) > horizon:
            return
        items = self._listed.plan(self._schedule.near_chain(opens + LEAD, spot))
        async for done in self._desk.announce(self._admin, items):
            last = done
        expiry = series_of(items)[0].expiry
        self._tell(
            "listing", f"{count_of(items)} announced", coin=symbol_of(BTC), items=len(items), what=count_of(items),
            expiry=expiry, opens=last.opens,
        )  # fmt: skip
