"""What the market admin announces through the inbox."""

from __future__ import annotations

import pytest

from rollup.l1.artifacts import load_artifact
from rollup.l1.deployment import created_address
from rollup.stf.block import execute_block
from rollup.types.blocks import Header
from rollup.types.keys import GLOBALS, market_key, series_key, underlying_key
from rollup.types.leaves import Globals, Market, Series, Underlying
from rollup.types.listing import Item, MarketConfig, SeriesConfig, UnderlyingConfig, encode_item
from rollup.types.messages import List, encode_message
from rollup.types.reasons import Reason
from tests.support.chain import ALICE, BOB, reverts
from tests.support.world import GENESIS_LEAVES, GENESIS_ROOT, LISTING_DELAY, World, config, inbox_arguments

ITEM = encode_item(SeriesConfig(1, 2, 2_000_000_000))
NOBODY = bytes(20)


def announced(world: World, item: bytes) -> bytes:
    """The message of a listing now."""
    return b"\x04" + (world.chain.now + LISTING_DELAY).to_bytes(5, "big") + item


def test_listing_is_a_message_that_opens_after_the_delay(world: World) -> None:
    """Emitted whole, numbered and hashed like every other, with L1's time plus the delay."""
    message = announced(world, ITEM)
    event = world.inbox.events(world.inbox.send("list", ITEM))["MessageAdded"]
    assert (event["index"], event["message"], event["time"]) == (0, message, world.chain.now)
    assert event["hash"] == world.inbox.call("hashAt", 1)
    assert world.inbox.call("count") == 1
    assert (world.inbox.call("marketAdmin"), world.inbox.call("listingDelay")) == (ALICE, LISTING_DELAY)


def test_only_the_market_admin_lists(world: World) -> None:
    """Not even for a fee."""
    with reverts("NotMarketAdmin", BOB, ALICE):
        world.inbox.send("list", ITEM, sender=BOB)
    assert world.inbox.call("count") == 0


def test_without_an_admin_nobody_lists(world: World) -> None:
    """The zero address sends nothing."""
    inbox_at = created_address(ALICE, world.chain.nonce(ALICE) + 1)
    settings = config(inbox_at, world.verifier.address, world.chain.now)
    rollup = world.chain.deploy(load_artifact("Rollup"), settings, GENESIS_LEAVES, GENESIS_ROOT)
    *arguments, _, delay = inbox_arguments(world.token.address, b"\x01" * 20, rollup.address)
    inbox = world.chain.deploy(load_artifact("Inbox"), *arguments, NOBODY, delay)
    assert inbox.address == inbox_at
    with reverts("NotMarketAdmin", ALICE, NOBODY):
        inbox.send("list", ITEM)


@pytest.mark.parametrize("length", [0, 129, 4_000])
def test_item_length_is_bounded(world: World, length: int) -> None:
    """Something, and at most 128 bytes."""
    with reverts("MessageLength", length, 128):
        world.inbox.send("list", bytes(length))


def test_longest_items_fit(world: World) -> None:
    """Whatever the bytes are: the state transition judges them."""
    assert world.inbox.events(world.inbox.send("list", bytes(128)))["MessageAdded"]["message"] == announced(
        world, bytes(128)
    )


def test_announced_items_are_listed_by_the_state_transition(world: World) -> None:
    """An underlying, one of its series and a market of it, from the bytes that L1 emitted."""
    expiry = world.chain.now + 10 * LISTING_DELAY
    items: list[Item] = [
        UnderlyingConfig(7),
        SeriesConfig(7, 1, expiry),
        MarketConfig(9, 7, tick=1_000, lot=1_000, kind=2, series=1, strike=10**9),
    ]
    messages = [
        world.inbox.events(world.inbox.send("list", encode_item(item)))["MessageAdded"]["message"] for item in items
    ]
    opens = world.chain.now + LISTING_DELAY
    assert messages == [encode_message(List(opens, item)) for item in items]
    leaves = {GLOBALS: Globals(0, bytes(32), 0, 0, 0, 0, 0, 0).encode()}
    header = Header(
        1, 0, bytes(32), world.chain.now, 3, world.inbox.call("hashAt", 3), bytes(32), bytes(32)
    )  # fmt: skip
    result = execute_block(lambda key: leaves.get(key, b""), header, b"", messages, bytes(32))
    assert result.reason == Reason.NONE
    assert [receipt.reason for receipt in result.receipts] == [Reason.NONE] * 3
    assert Underlying.decode(result.writes[underlying_key(7)]).funding_time == world.chain.now
    assert Series.decode(result.writes[series_key(7, 1)]).expiry == expiry
    assert Market.decode(result.writes[market_key(9)]).opens == opens
