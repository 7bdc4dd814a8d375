"""What the bot does with what it sees, without a sequencer: an exchange that answers as told."""

from __future__ import annotations

from typing import Any

from rollup.cli.wallet import Wallet
from rollup.l1.devkeys import dev_key
from rollup.liquidator.bot import Bot, Event
from rollup.liquidator.strategy import Limits
from rollup.rpc.client import RpcError
from rollup.sequencer.rejections import STATE_CODES
from rollup.types.reasons import Reason

ACCOUNT, WEAK = 5, 7
SHOWN: dict[str, Any] = {
    "subaccount_id": WEAK,
    "fraction": 400_000,
    "min_fraction": 100_000,
    "must_be_flagged": False,
    "gross_value": "100000",
    "mark_value": "40000",
    "bid_price": "38000",
}


class Exchange:
    """Shows one auction; refuses with these codes, one after the other, and then takes everything."""

    def __init__(self, *refusals: int, **changes: Any) -> None:
        self.shown = SHOWN | changes
        self.refusals = list(refusals)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    async def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """Answer, or refuse."""
        if method == "public/get_live_auctions":
            return {"auctions": [self.shown]}
        self.calls.append((method, params or {}))
        if self.refusals:
            raise RpcError(self.refusals.pop(0), "no")
        return {"block_number": 3}


async def look(exchange: Exchange) -> tuple[Bot, list[Event]]:
    """One look of a bot."""
    events: list[Event] = []
    bot = Bot(exchange, Wallet(dev_key(5), 31337, bytes(20)), ACCOUNT, Limits(), events.append)
    await bot.look()
    return bot, events


async def test_a_spent_flag_is_raised_before_anything_is_bid() -> None:
    """Then the auction begins anew, and the next look sees it."""
    exchange = Exchange(must_be_flagged=True)
    bot, events = await look(exchange)
    assert exchange.calls == [("public/flag", {"subaccount_id": WEAK})]
    assert [(event.kind, event.account, event.offer) for event in events] == [("flagged", WEAK, None)]
    assert (bot.tally.flags, bot.tally.bids, bot.tally.refused) == (1, 0, 0)


async def test_a_flag_that_somebody_else_was_faster_to_raise_is_told_as_refused() -> None:
    """And nothing is lost."""
    bot, events = await look(Exchange(STATE_CODES + Reason.FLAGGED, must_be_flagged=True))
    assert [(event.kind, event.account) for event in events] == [("refused", WEAK)]
    assert (bot.tally.flags, bot.tally.refused) == (0, 1)


async def test_a_bid_that_is_too_large_is_halved_down_to_the_least() -> None:
    """Four tenths, two, one; never less than may be bid for."""
    too_large = STATE_CODES + Reason.MARGIN
    exchange = Exchange(too_large, too_large, too_large, too_large)
    bot, events = await look(exchange)
    assert [params["fraction"] for _, params in exchange.calls] == [400_000, 200_000, 100_000]
    assert (bot.tally.bids, bot.tally.refused) == (0, 3)
    assert {event.kind for event in events} == {"refused"}


async def test_its_own_account_it_leaves_to_others() -> None:
    """A bid on oneself is refused anyway."""
    exchange = Exchange(subaccount_id=ACCOUNT)
    bot, _ = await look(exchange)
    assert (exchange.calls, bot.tally.auctions) == ([], 1)
