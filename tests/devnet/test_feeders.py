"""Feeders: who signs, what is signed, and that a price is sent once a second at most and within the limits."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import pytest
import trio

from rollup.crypto.eip712 import oracle_digest
from rollup.crypto.signatures import recover
from rollup.devnet.client import Client, Instrument
from rollup.devnet.feeders import Feeders, run_feeders, threshold_of
from rollup.devnet.prices import FixedPrice, Quote
from rollup.l1.devkeys import dev_address, dev_key
from rollup.rpc.client import HttpRpc, RpcError
from rollup.types.genesis import UnderlyingConfig
from rollup.types.limits import MILLION

SEPARATOR = b"\x07" * 32
BTC = Instrument("BTC-PERP", 1, 1, 100_000, 1_000)
PRICE = 40_000 * MILLION


def feeders(count: int, threshold: int) -> Feeders:
    """Feeders with development keys."""
    return Feeders([dev_key(10 + index) for index in range(count)], threshold, SEPARATOR)


class Exchange:
    """An exchange that remembers prices; its time is Trio's, from second 100 on. Refuses while `closed`."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.closed = False

    @property
    def time(self) -> int:
        """The exchange's second."""
        return 100 + int(trio.current_time() - self.begun)

    async def call(self, method: str, params: dict[str, Any], _type: Any = None) -> Any:
        """The methods that feeders use."""
        if method == "public/get_all_instruments":
            row = {"instrument_name": "BTC-PERP", "market": 1, "underlying": 1}
            return {"instruments": [{**row, "tick_size": "0.1", "amount_step": "0.001"}]}
        last: dict[str, Any] = self.updates[-1] if self.updates else {"spot": "0", "mark": "0", "time": 0}
        if method == "public/get_ticker":
            return {
                "timestamp": self.time * 1000,
                "index_price": str(int(last["spot"]) // MILLION),
                "mark_price": str(int(last["mark"]) // MILLION),
                "price_timestamp": last["time"] * 1000,
                "best_bid_price": "0",
                "best_ask_price": "0",
            }
        assert method == "oracle/update"
        if self.closed:
            raise RpcError(11045, "refused: ORACLE_STALE")
        assert last["time"] < params["time"] <= self.time
        self.updates.append(params)
        return {"block_number": len(self.updates)}

    def open(self) -> Client:
        """A client of it."""
        self.begun = trio.current_time()
        return Client(cast("HttpRpc", self))


@pytest.mark.parametrize(("count", "threshold"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (8, 6)])
def test_two_thirds_of_the_feeders_rounded_up_must_sign(count: int, threshold: int) -> None:
    """More than half, so that two different prices of one second cannot both be signed by honest feeders."""
    assert threshold_of(count) == threshold


@pytest.mark.parametrize(("count", "threshold"), [(1, 1), (3, 2), (8, 6)])
def test_each_signature_is_that_of_the_feeder_whose_bit_is_set(count: int, threshold: int) -> None:
    """Ascending, as the state transition reads them; and in turn everybody signs."""
    seen = 0
    for second in range(count):
        update = feeders(count, threshold).sign(1, 1_000 + second, Quote(PRICE, PRICE + 5))
        signers = [index for index in range(8) if update.signers >> index & 1]
        assert len(signers) == threshold == len(update.signatures)
        digest = oracle_digest(SEPARATOR, 1, update.time, update.spot, update.mark)
        recovered = [recover(digest, signature) for signature in update.signatures]
        assert recovered == [dev_address(10 + index) for index in signers]
        seen |= update.signers
    assert seen == (1 << count) - 1


@pytest.mark.usefixtures("autojump_clock")
async def test_a_price_goes_as_far_as_the_limits_allow_and_waits_for_its_second() -> None:
    """A jump arrives in steps of what one minute may move; two prices never carry one time."""
    exchange, writers = Exchange(), feeders(3, 2)
    client = exchange.open()
    await writers.publish(client, BTC, Quote(PRICE, PRICE))
    update = await writers.publish(client, BTC, Quote(2 * PRICE, 2 * PRICE))
    assert update.time == 101
    limits = UnderlyingConfig(1)
    assert update.spot == PRICE + PRICE * limits.max_move // MILLION
    assert update.mark == update.spot + update.spot * limits.max_basis // MILLION


@pytest.mark.usefixtures("autojump_clock")
async def test_feeders_go_on_after_a_refused_price() -> None:
    """The next one is tried in its turn."""
    exchange = Exchange()
    client = exchange.open()
    exchange.closed = True
    told: list[str] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            run_feeders,
            client,
            feeders(3, 2),
            {"BTC-PERP": FixedPrice(PRICE)},
            2.0,
            trio.current_time(),
            lambda name, _: told.append(name),
        )
        await trio.sleep(5)
        assert not told
        exchange.closed = False
        await trio.sleep(6.5)
        nursery.cancel_scope.cancel()
    assert told == ["BTC-PERP"] * 3
    times = [update["time"] for update in exchange.updates]
    assert [later - earlier for earlier, later in pairwise(times)] == [2, 2]
