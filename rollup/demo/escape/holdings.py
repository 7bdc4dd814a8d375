"""An honest day that leaves everything open: perps both ways, futures, options long and short, and a debt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rollup.cli.amounts import show_usd
from rollup.demo.escape.reckoning import Prices, worth
from rollup.demo.honest import see_batch, see_cash, send_prices
from rollup.demo.markets import SPOT, deal, find, move, publish_surface
from rollup.demo.party import DOLLAR, OPENINGS, PRICES, User
from rollup.demo.report import NotVerified, require, require_equal
from rollup.demo.setting import CALL, FAR_CALL, FUTURE, PUT, SERIES, Stage
from rollup.devnet.client import Client
from rollup.quant.svi import WireSvi
from rollup.types.genesis import BTC, BTC_PERP, ETH, ETH_PERP
from rollup.types.keys import series_key, underlying_key
from rollup.types.leaves import Series, Underlying
from rollup.types.limits import INSURANCE_FUND, MILLION

FUND: Final = 5_000 * DOLLAR
"""µUSD given to the insurance fund; it covers the debt, so that the debt stays while the auction lasts."""
SIDE: Final = 765 * DOLLAR + 432_101
"""µUSD in the debtor's other account."""
GEARED: Final = OPENINGS[3] * MILLION // SPOT * 38 // 10
"""µcoin of the future that the account bought which is to fall below zero."""
DEEP: Final = SPOT * 730 // 1000
"""Where the price falls to: some 550 dollars more than the geared account has."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A trade: market, who buys from whom (positions in the party), µcoin."""

    market: int
    buyer: int
    seller: int
    size: int


WISHES: Final = (
    Wish(BTC_PERP, 2, 0, 300_000),
    Wish(ETH_PERP, 1, 2, 1_700_000),
    Wish(CALL, 2, 1, 250_000),
    Wish(FAR_CALL, 0, 2, 150_000),
    Wish(PUT, 1, 0, 230_000),
    Wish(FUTURE, 0, 1, 420_000),
)
"""Between two makers and a taker. The last one opened first holds nothing but cash, the one before it may be geared."""
GEARED_WISH: Final = Wish(FUTURE, 3, 0, GEARED)


async def open_sub_account(stage: Stage, client: Client) -> None:
    """Another account of the owner who is to be in debt with the first; its money is no part of that account's."""
    with stage.report.step("sub-account", "opening a second account of one owner") as step:
        first = stage.party.takers[1]
        await stage.bank.mint(SIDE)
        opened = await stage.bank.open(first.owner, SIDE)
        second = User(opened.account, first.key, first.wallet, cash=opened.amount)
        stage.party.users.append(second)
        await see_cash(step, client, second)
        require_equal("owner on L1", first.owner, await stage.observer.inbox.call("ownerOf", second.account))
        step.found(
            f"account {second.account} with {show_usd(SIDE)} USD, beside account {first.account}",
            account=second.account,
            owner=second.owner,
            amount=SIDE,
        )


async def give_to_fund(stage: Stage, client: Client) -> None:
    """A maker gives to the insurance fund."""
    with stage.report.step("insurance", "giving to the insurance fund") as step:
        giver = stage.party.makers[1]
        answer = await client.submit(giver.wallet.transfer(giver.account, INSURANCE_FUND, FUND))
        giver.cash -= FUND
        batch = await see_batch(stage, step, answer["block_number"])
        await stage.observer.replay()
        stage.party.check(stage.observer.mirror)
        step.found(f"{FUND // DOLLAR:,} USD, in batch {batch}", amount=FUND, batch=batch)


async def take_positions(stage: Stage, client: Client, *, geared: bool) -> None:
    """Trades that leave every kind of market open, seen on L1."""
    with stage.report.step("positions", "opening perps, futures and options") as step:
        block = 0
        for wish in (*WISHES, GEARED_WISH) if geared else WISHES:
            block = await _trade(stage, client, wish)
        batch = await see_batch(stage, step, block)
        await stage.observer.replay()
        stage.party.check(stage.observer.mirror)
        held = {
            user.account: {market: size for market, size in user.positions.items() if size}
            for user in stage.party.users
        }
        open_markets = {market for positions in held.values() for market in positions}
        missing = {BTC_PERP, ETH_PERP, FUTURE, CALL, FAR_CALL, PUT} - open_markets
        require(not missing, "markets with open positions", "all", f"none in {sorted(missing)}")
        count = sum(map(len, held.values()))
        step.found(f"{count} positions in {len(open_markets)} markets, in batch {batch}", positions=held, batch=batch)


async def _trade(stage: Stage, client: Client, wish: Wish) -> int:
    """Trade at the mark, with fresh prices: a busy machine may have let them grow old. The block."""
    await send_prices(stage, client)
    await publish_surface(stage, client, SERIES, SPOT)
    instrument = await find(client, wish.market)
    price = (await client.ticker(instrument.name)).mark
    users = stage.party.users
    rows = await deal(client, instrument, users[wish.buyer], users[wish.seller], wish.size, price)
    require(bool(rows), f"trades in {instrument.name}", "some", "none")
    for row in rows:
        stage.party.record(instrument, row)
    last: int = max(row["block_number"] for row in rows)
    return last


async def fall(stage: Stage, client: Client) -> None:
    """The price falls until the geared account owes more than it has."""
    with stage.report.step("fall", "having the price fall") as step:
        spot = SPOT
        while spot > DEEP:
            lower = max(
                DEEP, spot * 9 // 10
            )  # as much as the rollup allows at once, of spot and mark alike: no funding
            require_equal("price of BTC, µUSD", lower, await move(stage, client, lower, SERIES))
            spot = lower
        batch = await see_batch(stage, step, (await client.status())["head"])
        await stage.observer.replay()
        stage.party.check(stage.observer.mirror)
        user = stage.party.takers[1]
        time: int = (await stage.observer.rollup.call("batches", stage.observer.mirror.batch))[7]
        equity = worth(user.cash, user.positions, prices_at_end(stage, spot, time))
        require(-FUND < equity < 0, f"equity of account {user.account}, µUSD", "a debt that the fund covers", equity)
        step.found(
            f"BTC falls to {spot // DOLLAR:,} USD: account {user.account} owes {-equity // DOLLAR:,} USD",
            spot=spot,
            batch=batch,
            account=user.account,
            owner=user.owner,
            equity=equity,
        )


def prices_at_end(stage: Stage, spot: int, time: int) -> Prices:
    """The prices of the state that follows from L1, which must be those that the feeders signed last."""
    store = stage.observer.mirror.store
    for coin, price in ((BTC, spot), (ETH, PRICES["ETH-PERP"])):
        leaf = Underlying.decode(store.read(underlying_key(coin)))
        require_equal(f"spot and mark of coin {coin}", (price, price), (leaf.spot, leaf.mark))
        require_equal(f"funding of coin {coin}, whose mark is its spot", 0, leaf.funding_index)
    series = Series.decode(store.read(series_key(BTC, SERIES)))
    require_equal("forward of BTC", spot, series.forward)
    if series.settlement:
        raise NotVerified("the expiry was settled long before its time")
    return Prices(
        perps={BTC_PERP: spot, ETH_PERP: PRICES["ETH-PERP"]},
        forward=series.forward,
        svi=WireSvi(series.a, series.b, series.rho, series.m, series.sigma),
        seconds=series.expiry - time,
    )
