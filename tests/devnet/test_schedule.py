"""Which series a devnet has, and when the next one is announced."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from rollup.cli.listings import Listed
from rollup.cli.market_admin import Announcement, ListingDesk
from rollup.devnet.lister import LEAD, Lister
from rollup.devnet.schedule import STRIKES, WINDOW, Schedule, markets_of, series_of
from rollup.feeder.venue import Known
from rollup.l1.account import L1Account
from rollup.types.genesis import BTC, ETH
from rollup.types.keys import market_key, underlying_key
from rollup.types.leaves import Market, MarketKind, Series, Underlying
from rollup.types.limits import MILLION
from rollup.types.listing import Item

NOW = 1_700_000_017
DELAY = 5
SCHEDULE = Schedule(300)
FEEDERS = (b"\1" * 20,)


def test_a_devnet_begins_with_perpetuals_a_future_and_options_on_two_series() -> None:
    """All in a genesis that passes its own checks; the near series settles over a short window."""
    genesis = SCHEDULE.genesis(NOW, FEEDERS, 1)
    leaves = genesis.leaves()
    kinds = [market.kind for market in genesis.markets]
    assert kinds.count(MarketKind.PERP) == 2
    assert kinds.count(MarketKind.FUTURE) == 1
    assert kinds.count(MarketKind.CALL) == kinds.count(MarketKind.PUT) == 2 * STRIKES
    far, near = sorted((series.expiry for series in genesis.series), reverse=True)
    assert near % 60 == 0
    assert 300 <= near - NOW < 360
    assert far % 86_400 == 8 * 3_600
    assert Underlying.decode(leaves[underlying_key(BTC)]).settlement_window == WINDOW
    assert Market.decode(leaves[market_key(1)]).underlying == BTC


class Desk:
    """A listing desk without an L1: what is announced is remembered, or refused while `broken`."""

    def __init__(self) -> None:
        self.leaves = SCHEDULE.genesis(NOW, FEEDERS, 1).leaves()
        self.items: list[Item] = []

    async def listed(self) -> Listed:
        """The genesis, and what was announced."""
        listed = Listed.of(self.leaves, ())
        for item in self.items:
            listed.note(item)
        return listed

    async def announce(self, _account: object, items: Sequence[Item]) -> AsyncIterator[Announcement]:
        """Remember them."""
        for item in items:
            self.items.append(item)
            yield Announcement(item, 0, len(self.items), 0)


def known(time: int, spot: int = 61_234 * MILLION, **series: Any) -> Known:
    """The state at a time."""
    coins = {number: Underlying(spot, spot, time, 0, 0, 0, 50_000, 60, 100_000, 50_000) for number in (BTC, ETH)}
    return Known(time, 1, FEEDERS, coins, {(BTC, 1): Series(NOW + 10, **series)})


async def test_the_next_near_series_is_announced_once_before_the_last_expires() -> None:
    """Around the spot of the moment, with numbers of its own; nothing without a spot."""
    desk, told = Desk(), list[str]()
    lister = Lister(
        cast("ListingDesk", desk), cast("L1Account", None), SCHEDULE, lambda name, _text, /, **_: told.append(name)
    )
    expiry = SCHEDULE.near_expiry(NOW)
    await lister._list_next(known(expiry - DELAY - LEAD - 1), DELAY)
    await lister._list_next(known(expiry - DELAY - LEAD, spot=0), DELAY)
    assert not desk.items
    for second in range(60):
        await lister._list_next(known(expiry - DELAY - LEAD + second), DELAY)
    assert told == ["listing"]
    (series,) = series_of(desk.items)
    markets = markets_of(desk.items)
    assert series.expiry == SCHEDULE.near_expiry(expiry)
    assert len(markets) == 2 * STRIKES
    assert {market.series for market in markets} == {series.number} == {3}
    assert min(abs(market.strike - 61_234 * MILLION) for market in markets) < 500 * MILLION
    assert not {market_key(market.number) for market in markets} & set(desk.leaves)


@pytest.mark.parametrize("settlement", [0, 60_000 * MILLION])
def test_a_settlement_is_told_once(settlement: int) -> None:
    """As soon as the state has it."""
    told: list[object] = []
    lister = Lister(
        cast("ListingDesk", Desk()),
        cast("L1Account", None),
        SCHEDULE,
        lambda _name, _text, /, **fields: told.append(fields["price"]),
    )
    for _ in range(3):
        lister.tell_settlements(known(NOW, settlement=settlement))
    assert told == ([settlement] if settlement else [])
