"""Listing: names become items, nothing is listed twice, and what L1 took in the rollup takes too."""

from __future__ import annotations

from typing import Any

import pytest

from rollup.cli.listings import (
    Listed,
    Terms,
    Wanted,
    chain_of,
    describe_item,
    read_expiry,
    read_name,
    read_strikes,
    strikes_around,
)
from rollup.cli.market_admin import ListingDesk
from rollup.errors import ConfigError
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.l1.deployment import DeploymentPlan, deploy_contracts
from rollup.l1.devkeys import dev_address, dev_key
from rollup.stf.builder import BlockBuilder
from rollup.types.genesis import BTC, ETH, MarketConfig, SeriesConfig, UnderlyingConfig, devnet_genesis
from rollup.types.keys import market_key, series_key
from rollup.types.leaves import Market, MarketKind, Series
from rollup.types.limits import MILLION
from rollup.types.messages import List, encode_message
from rollup.types.reasons import Reason
from tests.support.l1 import serve_embedded

CHRISTMAS = 1_798_185_600
"""2026-12-25 08:00 UTC."""
GENESIS = devnet_genesis(1_700_000_000, (dev_address(10),), 1)


def fresh() -> Listed:
    """What a devnet's plain genesis lists."""
    return Listed.of(GENESIS.leaves(), ())


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("SOL", Wanted("SOL")),
        ("U77-PERP", Wanted("U77", MarketKind.PERP)),
        ("BTC-20261225", Wanted("BTC", MarketKind.FUTURE, CHRISTMAS)),
        ("BTC-20261225T1430", Wanted("BTC", MarketKind.FUTURE, CHRISTMAS + 6 * 3_600 + 1_800)),
        ("BTC-20261225-60000-C", Wanted("BTC", MarketKind.CALL, CHRISTMAS, 60_000 * MILLION)),
        ("BTC-20261225-0.5-P", Wanted("BTC", MarketKind.PUT, CHRISTMAS, 500_000)),
    ],
)
def test_names_are_read(name: str, wanted: Wanted) -> None:
    """As the exchange writes them, with the hour if it is another than usual."""
    assert read_name(name) == wanted


@pytest.mark.parametrize(
    "name",
    [
        "", "btc", "GOLD", "BTC-", "BTC-PERP-1", "BTC-2026", "BTC-20261325", "BTC-20261225T2500", "BTC-20261225-60000",
        "BTC-20261225-60000-X", "BTC-20261225-0-C", "BTC-20261225-1.0000001-C", "BTC-20261225-1.2.3-P", "U0",
    ],
)  # fmt: skip
def test_what_names_nothing_is_refused(name: str) -> None:
    """Before anything is announced."""
    with pytest.raises(ConfigError):
        read_name(name)


def test_strikes_are_listed_or_stepped_through() -> None:
    """Sorted, each once."""
    assert read_strikes("50000:60000:5000,45000,55000") == [n * 1_000 * MILLION for n in (45, 50, 55, 60)]
    for text in ("", "1:2", "2:1:1", "x", "1:1000:1"):
        with pytest.raises(ConfigError):
            read_strikes(text)


def test_strikes_around_a_price_are_round() -> None:
    """With the nearest one in the middle."""
    assert strikes_around(61_234 * MILLION, 3, 50_000) == [n * 1_000 * MILLION for n in (55, 60, 65)]
    assert strikes_around(2_987 * MILLION, 3, 5_000) == [n * MILLION for n in (2_960, 2_980, 3_000)]


def test_what_an_item_needs_comes_before_it() -> None:
    """A coin, then its series, then the markets on it; numbers follow those there are."""
    items = fresh().plan([read_name("SOL-20261225-150-C"), read_name("BTC-20261225"), read_name("SOL-20261225-150-P")])
    kinds = [type(item) for item in items]
    assert kinds == [UnderlyingConfig, SeriesConfig, MarketConfig, SeriesConfig, MarketConfig, MarketConfig]
    markets = [item for item in items if isinstance(item, MarketConfig)]
    assert [market.number for market in markets] == [3, 4, 5]
    assert [market.underlying for market in markets] == [3, BTC, 3]
    assert all(market.lot * market.tick % MILLION == 0 for market in markets)
    assert all(describe_item(item) for item in items)


def test_nothing_is_listed_twice() -> None:
    """Neither what the genesis lists nor what was announced a moment ago."""
    listed = fresh()
    chain = chain_of("BTC", CHRISTMAS, read_strikes("50000:70000:10000"))
    assert not listed.plan([read_name("BTC-PERP"), read_name("ETH")])
    first = listed.plan(chain)
    assert len(first) == 1 + 1 + 6
    assert not listed.plan(chain)
    again = Listed.of(GENESIS.leaves(), [b"\xff", *(encode_message(List(0, item)) for item in first)])
    assert not again.plan(chain)
    assert again.names["BTC-20261225-60000-C"] == listed.names["BTC-20261225-60000-C"]
    assert again.coins == {BTC, ETH}


def test_terms_that_cannot_be_are_refused() -> None:
    """The rollup would pass over such a listing."""
    with pytest.raises(ConfigError, match="rounded"):
        fresh().plan([read_name("BTC-20261225")], Terms(1, 1))


async def test_what_l1_took_the_rollup_takes_and_only_from_the_admin() -> None:
    """Announced through the inbox, read back from L1 alone, executed by the state transition."""
    async with serve_embedded() as url, L1Client(url) as l1:
        head = await l1.get_block()
        assert head is not None
        genesis = devnet_genesis(head.timestamp, (dev_address(10),), 1)
        plan = DeploymentPlan(dev_address(1), genesis, market_admin=dev_address(3), listing_delay=5)
        deployment = await deploy_contracts(L1Account(l1, dev_key(0)), plan)
        desk = ListingDesk(l1, deployment)
        listed = await desk.listed()
        assert (await desk.admin(), await desk.delay()) == (dev_address(3), 5)
        expiry = head.timestamp + 86_400
        items = listed.plan(chain_of("BTC", expiry, [60_000 * MILLION]))
        with pytest.raises(ConfigError, match="market admin"):
            await collect(desk, L1Account(l1, dev_key(4)), items)
        done = await collect(desk, L1Account(l1, dev_key(3)), items)
        assert [each.item for each in done] == items
        assert not (await desk.listed()).plan(chain_of("BTC", expiry, [60_000 * MILLION]))
    leaves = genesis.leaves()
    builder = BlockBuilder(lambda key: leaves.get(key, b""), head.timestamp + 60, bytes(32))
    for each in done:
        receipt = builder.take_message(encode_message(List(each.opens, each.item)))
        assert receipt.reason is Reason.NONE
    leaves |= builder.finish().writes
    assert Series.decode(leaves[series_key(BTC, 1)]).expiry == expiry
    call = Market.decode(leaves[market_key(4)])
    assert (call.kind, call.strike, call.opens) == (MarketKind.CALL, 60_000 * MILLION, done[2].opens)


async def collect(desk: ListingDesk, admin: L1Account, items: list[Any]) -> list[Any]:
    """All announcements."""
    return [each async for each in desk.announce(admin, items)]


def test_an_expiry_has_an_hour() -> None:
    """Eight, UTC, unless told."""
    assert read_expiry("20261225") == CHRISTMAS
    assert read_expiry("20261225T0000") == CHRISTMAS - 8 * 3_600
