"""The served sequencer with options: surfaces, orders, combos by request for quotes, Greeks, liquidation, to L1."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from rollup.rpc.client import RpcError, WsRpc, connect_ws
from tests.support.deployed import Site, open_site
from tests.support.served import PRICE, derive, funded, options, posted, serve, until
from tests.support.trader import USD, micro, open_accounts

COIN = 1_000_000


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """An L1 with contracts whose genesis has a future, a call and a put."""
    async with open_site(dated=True, patient=True) as opened:
        yield opened


async def names(rpc: WsRpc) -> dict[str, str]:
    """Instruments by type: perp, future, C, P of BTC."""
    listed = (await rpc.call("public/get_all_instruments", {"currency": "BTC"}))["instruments"]
    return {
        each["instrument_type"] if not each["option_details"] else each["option_details"]["option_type"]: each[
            "instrument_name"
        ]
        for each in listed
    }


async def test_options_trade_and_combos_are_agreed_by_request_for_quotes(site: Site, tmp_path: Path) -> None:
    """From a surface over orders and a two-legged combo to the same state derived from L1."""
    maker, taker = accounts = await open_accounts(site, [3, 4], 100_000 * USD)
    async with serve(options(site, tmp_path)) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        await rpc.call("oracle/surface", trader.surface(PRICE))
        found = await names(rpc)
        ticker = await rpc.call("public/get_ticker", {"instrument_name": found["C"]})
        assert ticker["trading_status"] == "open"
        mark = micro(ticker["option_pricing"]["mark_price"]) // 100_000 * 100_000
        assert 0.5 < float(ticker["option_pricing"]["iv"]) < 0.6
        await rpc.call("private/order", trader.option(found["C"], 4, maker, 3, -COIN // 10, mark, 1))
        bought = await rpc.call("private/order", trader.option(found["C"], 4, taker, 4, COIN // 10, mark, 1))
        assert bought["order"]["order_status"] == "filled"

        await rpc.subscribe(f"quotes.{taker}")
        legs = [
            {"instrument_name": found["P"], "direction": "buy", "amount": "0.2"},
            {"instrument_name": found["C"], "direction": "sell", "amount": "0.1"},
        ]
        rfq = await rpc.call("private/send_rfq", {"subaccount_id": taker, "legs": legs})
        assert [rfq["rfq_id"]] == [
            r["rfq_id"] for r in (await rpc.call("private/poll_rfqs", {"subaccount_id": maker}))["rfqs"]
        ]
        sent = await rpc.call("private/send_quote", trader.quote(rfq, maker, 3, [mark, mark], 2))
        note = await rpc.next_notification()
        assert (note.channel, note.data["quote_id"]) == (f"quotes.{taker}", sent["quote_id"])
        (quote,) = (await rpc.call("private/poll_quotes", {"subaccount_id": taker}))["quotes"]
        done = await rpc.call("private/execute_quote", trader.acceptance(quote, taker, 4, 2))
        assert done["status"] == "filled"
        assert {(t["instrument_name"], t["direction"]) for t in done["trades"]} == {
            (found["C"], "sell"), (found["P"], "buy")
        }  # fmt: skip
        held = (await rpc.call("private/get_subaccount", {"subaccount_id": taker}))["positions"]
        assert [(p["instrument_name"], p["amount"]) for p in held] == [(found["P"], "0.2")]
        history = await rpc.call("public/get_trade_history", {"subaccount_id": taker})
        assert len(history["trades"]) == 3
        with pytest.raises(RpcError, match="no such request"):
            await rpc.call("private/execute_quote", trader.acceptance(quote, taker, 4, 3))
        await posted(node)
        root = node.sequencer.store.root
    assert (await derive(site)).root == root


async def test_greeks_are_pushed_with_each_word_of_the_oracle(site: Site, tmp_path: Path) -> None:
    """Of a market and of an account; an account's are the sum of its positions'."""
    accounts = await open_accounts(site, [3, 4], 100_000 * USD)
    async with serve(options(site, tmp_path)) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        await rpc.call("oracle/surface", trader.surface(PRICE))
        found = await names(rpc)
        one = await rpc.call("public/get_greeks", {"instrument_name": found["P"]})
        mark = micro(one["greeks"][0]["mark_price"]) // 100_000 * 100_000
        await rpc.call("private/order", trader.option(found["P"], 5, accounts[0], 3, -COIN, mark, 1))
        await rpc.call("private/order", trader.option(found["P"], 5, accounts[1], 4, COIN, mark, 1))
        await rpc.call("private/order", trader.order(accounts[0], 3, True, COIN // 2, PRICE, 2))
        await rpc.call("private/order", trader.order(accounts[1], 4, False, COIN // 2, PRICE, 2))
        mine = await rpc.call("private/get_greeks", {"subaccount_id": accounts[1]})
        (total,) = mine["greeks"]
        assert float(total["delta"]) == pytest.approx(sum(float(p["delta"]) for p in mine["positions"]))
        assert float(total["delta"]) == pytest.approx(0.5 + float(one["greeks"][0]["delta"]), abs=1e-3)
        await rpc.subscribe(f"greeks.{found['P']}", f"account_greeks.{accounts[1]}")
        first = {(await rpc.next_notification()).channel for _ in range(2)}
        await trio.sleep(1.1)  # the oracle's time counts whole seconds
        await rpc.call("oracle/surface", trader.surface(PRICE * 101 // 100))
        later = {note.channel: note.data for note in [await rpc.next_notification() for _ in range(2)]}
        assert set(later) == first
        moved = float(later[f"greeks.{found['P']}"]["delta"])
        assert -1 < float(one["greeks"][0]["delta"]) < moved < 0


async def test_a_fall_flags_an_account_and_opens_its_auction(site: Site, tmp_path: Path) -> None:
    """The sequencer flags by itself and shows what is for sale; flagging again is refused."""
    accounts = await open_accounts(site, [3, 4, 5], 100_000 * USD)
    long, short, _ = accounts
    async with serve(options(site, tmp_path)) as node, connect_ws(node.address.ws_url) as rpc:
        trader = await funded(rpc, accounts)
        await rpc.call("private/order", trader.order(short, 4, True, 7 * COIN, PRICE, 1))
        await rpc.call("private/order", trader.order(long, 3, False, 7 * COIN, PRICE, 1))
        assert (await rpc.call("public/get_live_auctions"))["auctions"] == []
        price = PRICE
        for _ in range(2):
            await trio.sleep(1.1)
            price = price * 92 // 100
            await rpc.call("oracle/update", trader.price(price))

        async def flagged() -> bool:
            shown = await rpc.call("private/get_subaccount", {"subaccount_id": long})
            return bool(shown["health"] == "unsafe")

        await until(flagged, "the flag")
        (auction,) = (await rpc.call("public/get_live_auctions"))["auctions"]
        assert (auction["subaccount_id"], auction["auction_type"]) == (long, "unsafe")
        with pytest.raises(RpcError, match="FLAGGED"):
            await rpc.call("public/flag", {"subaccount_id": long})
        await posted(node)
        root = node.sequencer.store.root
    assert (await derive(site)).root == root
