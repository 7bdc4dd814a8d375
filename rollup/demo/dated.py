"""What provokes the frauds around options, futures and liquidation. Each starts from the setting's markets and prices.

Amounts follow from what the demo's users own, so that an account falls short by a wide margin and never by chance.
"""

from __future__ import annotations

from typing import Any, Final

from rollup.crypto.eip712 import acceptance_digest, legs_hash, quote_digest
from rollup.crypto.signatures import sign
from rollup.demo.honest import send_prices
from rollup.demo.markets import SPOT, deal, find, list_expiring, move, publish_surface, wait_until
from rollup.demo.party import DOLLAR, OPENINGS, User
from rollup.demo.report import NotVerified
from rollup.demo.setting import CALL, FAR_CALL, FUTURE, SERIES, Stage
from rollup.devnet.client import Client
from rollup.l1.devkeys import dev_key
from rollup.rpc.client import RpcError
from rollup.types.limits import MILLION
from rollup.types.transactions import FLAG_SELL

LIFE: Final = 600
"""Seconds for which quotes and acceptances are good."""
SOON: Final = (12, 25, 60)
"""Seconds until the expiry of the call that is settled; the later ones are for machines that are busy."""
ROUNDS: Final = 20
"""Rounds of prices, a second each, in which an insolvent account must have been closed."""


async def open_markets(stage: Stage, client: Client) -> None:
    """Fresh prices of all coins and of the expiry: who holds anything can trade only then."""
    await send_prices(stage, client)
    await publish_surface(stage, client, SERIES, SPOT)


async def trade_option(stage: Stage, client: Client) -> None:
    """A call changes hands at its mark; everybody is far above margin."""
    await open_markets(stage, client)
    call = await find(client, CALL)
    mark = (await client.ticker(call.name)).mark
    await deal(client, call, stage.party.takers[0], stage.party.makers[0], MILLION // 10, mark)


async def bid_on_sound(stage: Stage, client: Client) -> None:
    """A maker bids for all that a taker holds, who is far above its margin and was never flagged."""
    await trade_option(stage, client)
    taker, maker = stage.party.takers[0], stage.party.makers[1]
    bid = maker.wallet.bid(maker.account, taker.account, fraction=MILLION, limit=OPENINGS[0])
    await client.call(
        "private/liquidate",
        subaccount_id=bid.liquidator,
        liquidated_subaccount_id=bid.account,
        fraction=bid.fraction,
        price_limit=bid.limit,
        nonce=str(bid.nonce),
        signature_expiry_sec=bid.expiry,
        signature=f"0x{bid.signature.hex()}",
    )


async def trade_far_off(stage: Stage, client: Client) -> None:
    """A call is sold for a tenth of the coin more than its mark, twice what the band allows."""
    await open_markets(stage, client)
    call = await find(client, CALL)
    mark = (await client.ticker(call.name)).mark
    await deal(client, call, stage.party.takers[0], stage.party.makers[0], MILLION // 10, mark + SPOT // 10)


async def sell_too_much(stage: Stage, client: Client) -> None:
    """The account with little sells a call on a coin for each 6,000 dollars it has; margin asks for about 9,000."""
    await open_markets(stage, client)
    call, poor = await find(client, CALL), stage.party.poor
    await deal(client, call, stage.party.makers[0], poor, poor.cash // 6_000, 2_000 * DOLLAR)


async def settle_call(stage: Stage, client: Client) -> None:
    """A call in the money is traded, expires, and is paid out; its last forward is not its average."""
    await send_prices(stage, client)
    refusal = ""
    for seconds in SOON:
        expiring = await list_expiring(stage, client, seconds)
        await publish_surface(stage, client, expiring.series, SPOT)
        try:
            await deal(client, expiring.call, stage.party.takers[0], stage.party.makers[0], MILLION // 10, 10 * DOLLAR)
        except RpcError as error:
            refusal = str(error)  # it expired meanwhile
            continue
        await move(stage, client, SPOT * 102 // 100, expiring.series)
        await wait_until(client, expiring.expiry)
        await publish_surface(stage, client, expiring.series, SPOT * 104 // 100)
        return
    raise NotVerified(f"no call could be traded within {SOON[-1]} s of its listing: {refusal}")


async def sink(stage: Stage, client: Client) -> None:
    """A taker buys as many coins of the future as 20,000 dollars allow."""
    await open_markets(stage, client)
    future, taker, maker = await find(client, FUTURE), stage.party.takers[1], stage.party.makers[0]
    coins = OPENINGS[3] * MILLION // SPOT * 38 // 10
    await deal(client, future, taker, maker, coins, SPOT)


async def reduce_late(stage: Stage, client: Client) -> None:
    """The future falls by nine per cent, to below the taker's maintenance margin; then the taker sells a little."""
    await sink(stage, client)
    price = await move(stage, client, SPOT * 91 // 100, SERIES)
    future = await find(client, FUTURE)
    await deal(client, future, stage.party.makers[1], stage.party.takers[1], MILLION // 100, price)


async def fall_deep(stage: Stage, client: Client) -> None:
    """The future falls by a third, to where the taker owes more than the fund has, and somebody must give way."""
    await sink(stage, client)
    future, price = await find(client, FUTURE), SPOT
    for turn in range(ROUNDS):
        if future.name not in (await client.account(stage.party.takers[1].account)).positions:
            return
        price = await move(stage, client, SPOT * max(65, 91 - 9 * turn) // 100, SERIES)
    raise NotVerified(f"the account was not deleveraged by {price} µUSD")


async def trade_combo(stage: Stage, client: Client) -> None:
    """A call spread is asked for, quoted, and accepted: both sides sign every leg with its price."""
    await open_markets(stage, client)
    taker, maker = stage.party.takers[0], stage.party.makers[0]
    calls = [await find(client, CALL), await find(client, FAR_CALL)]
    asked: list[dict[str, Any]] = [
        {"instrument_name": call.name, "direction": direction, "size": str(MILLION // 10)}
        for call, direction in zip(calls, ("buy", "sell"), strict=True)
    ]
    prices = [(await client.ticker(call.name)).mark // call.tick * call.tick for call in calls]
    hashed = legs_hash(
        (call.market, FLAG_SELL if leg["direction"] == "buy" else 0, int(leg["size"]), price)
        for call, leg, price in zip(calls, asked, prices, strict=True)
    )
    rfq = await client.call("private/send_rfq", subaccount_id=taker.account, legs=asked)
    quoted = [{**leg, "price": str(price)} for leg, price in zip(asked, prices, strict=True)]
    terms = _signed(maker, quote_digest, (maker, taker), hashed)
    quote = await client.call(
        "private/send_quote", subaccount_id=maker.account, rfq_id=rfq["rfq_id"], direction="sell", legs=quoted, **terms
    )
    accepted = _signed(taker, acceptance_digest, (maker, taker), hashed)
    await client.call(
        "private/execute_quote",
        subaccount_id=taker.account,
        rfq_id=rfq["rfq_id"],
        quote_id=quote["quote_id"],
        **accepted,
    )


def _signed(user: User, digest_of: Any, sides: tuple[User, User], hashed: bytes) -> dict[str, Any]:
    """Nonce, expiry and signature of one side of a combo."""
    nonce = user.wallet.nonce()
    expiry = (nonce >> 13) + LIFE
    digest = digest_of(user.wallet.separator, sides[0].account, sides[1].account, hashed, nonce, expiry)
    signature = sign(digest, dev_key(user.key))
    return {"nonce": str(nonce), "signature_expiry_sec": expiry, "signature": f"0x{signature.hex()}"}
