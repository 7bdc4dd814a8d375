"""Cases of perpetuals whose feeders fall silent: prices that were abandoned, premiums that lapse."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reason stands beside it

from __future__ import annotations

from rollup.types.limits import WIND_UP
from rollup.types.reasons import Reason
from rollup.types.transactions import Deleverage, Flag, Settle, Trade
from tests.differential import world as w
from tests.differential.cases import LOT, PRICE, RANGE, Txs, buy, case, sell
from tests.differential.cases_risk import distress
from tests.differential.signed import bid
from tests.differential.world import COIN, DOLLAR, World

LAST = PRICE - 333 * DOLLAR - 1
"""BTC's last mark; the premium is below its spot."""


def silent(world: World, age: int = WIND_UP + 1, coin: int = w.BTC) -> World:
    """Let a coin's price be so old: abandoned, unless told otherwise. Accounts 0 and 1 hold BTC's perpetual."""
    world.set_underlying(coin, time=w.NOW - age, funding_time=w.NOW - age - 30, funding_index=7)
    world.set_underlying(w.BTC, mark=LAST)
    world.hold(0, {w.BTC_PERP: 5 * LOT + 1}, index=-(10**9) - 3)
    world.hold(1, {w.BTC_PERP: -5 * LOT - 1, w.ETH_PERP: LOT}, index=10**8)
    world.count_interest()
    return world


# -- perpetuals --------------------------------------------------------------------------------------------------------


@case(Reason.NONE)
def pays_out_an_abandoned_perpetual(world: World) -> Txs:
    silent(world)
    return [Settle(0), Settle(1)]


@case(Reason.ORACLE_STALE)
def perpetual_not_quite_abandoned(world: World) -> Txs:
    silent(world, WIND_UP)
    return [Settle(0)]


@case(Reason.ORACLE_STALE)
def perpetual_that_never_had_a_price(world: World) -> Txs:
    world.hold(0, {w.NEW_PERP: LOT})
    return [Settle(0)]


@case(Reason.NOTHING_TO_SETTLE)
def pays_out_an_abandoned_perpetual_once(world: World) -> Txs:
    silent(world)
    return [Settle(0), Settle(0)]


@case(Reason.NONE)
def pays_out_a_price_both_fresh_and_abandoned(world: World) -> Txs:
    silent(world).set_underlying(w.BTC, max_age=WIND_UP + 1)
    return [Settle(1), w.withdraw(0, DOLLAR, 1)]


@case(Reason.CASH_RANGE)
def funding_of_an_abandoned_perpetual_out_of_range(world: World) -> Txs:
    """The payout would bring the pool back."""
    silent(world).set_market(w.BTC_PERP, pool=-RANGE + 1)
    world.set_underlying(w.BTC, funding_index=10**11)
    return [Settle(1)]


@case(Reason.CASH_RANGE)
def payout_of_an_abandoned_perpetual_out_of_range(world: World) -> Txs:
    silent(world).set_market(w.BTC_PERP, pool=-RANGE + 1)
    return [Settle(0)]


@case(Reason.MARKET_EXPIRED)
def prices_an_abandoned_coin(world: World) -> Txs:
    silent(world)
    return [w.oracle_update(w.BTC, w.NOW, PRICE, PRICE)]


@case(Reason.MARKET_EXPIRED)
def prices_an_abandoned_coin_with_an_older_price(world: World) -> Txs:
    silent(world)
    return [w.oracle_update(w.BTC, w.NOW - WIND_UP - 2, PRICE, PRICE)]


@case(Reason.NONE)
def prices_a_coin_at_the_last_moment(world: World) -> Txs:
    silent(world, WIND_UP)
    return [w.oracle_update(w.BTC, w.NOW, PRICE, PRICE), w.transfer(0, 1, DOLLAR, 1)]


@case(Reason.ORACLE_STALE)
def trades_on_an_abandoned_price(world: World) -> Txs:
    silent(world)
    return [Trade(buy(), sell(2), LOT)]


@case(Reason.NONE)
def trades_while_another_coin_is_abandoned(world: World) -> Txs:
    silent(world, coin=w.ETH).set_underlying(w.BTC, mark=PRICE)
    return [Trade(buy(), sell(), LOT)]


@case(Reason.NONE)
def withdraws_what_was_in_an_abandoned_perpetual(world: World) -> Txs:
    """More than there was before the payout."""
    silent(world).set_account(0, cash=DOLLAR)
    return [w.withdraw(0, 200 * DOLLAR, 1)]


@case(Reason.MARGIN)
def withdraws_more_than_was_in_an_abandoned_perpetual(world: World) -> Txs:
    silent(world).set_account(0, cash=DOLLAR)
    return [w.withdraw(0, 500 * DOLLAR, 1)]


@case(Reason.NONE)
def flags_who_owes_on_an_abandoned_perpetual(world: World) -> Txs:
    silent(world).set_account(0, cash=-260 * DOLLAR)
    return [Flag(0)]


@case(Reason.NOT_LIQUIDATABLE)
def bids_for_an_abandoned_perpetual(world: World) -> Txs:
    distress(world).set_underlying(w.BTC, time=w.NOW - WIND_UP - 1)
    return [bid(2, 0, 1)]


@case(Reason.DELEVERAGE_SIZE)
def deleverages_an_abandoned_perpetual(world: World) -> Txs:
    distress(world, since=600).set_underlying(w.BTC, time=w.NOW - WIND_UP - 1)
    world.hold(2, {w.BTC_PERP: COIN, w.ETH_PERP: COIN})
    world.set_account(2, cash=-PRICE - 3_000 * DOLLAR)
    world.hold(3, {w.BTC_PERP: -COIN, w.ETH_PERP: -COIN})
    return [Deleverage(2, 3, w.BTC_PERP, LOT)]


# -- premiums ----------------------------------------------------------------------------------------------------------


def premium(world: World, age: int, since: int, max_age: int = 60) -> World:
    """BTC's price has a premium, is so old, and was last accrued so long ago."""
    world.set_underlying(
        w.BTC, mark=PRICE - 90 * DOLLAR, time=w.NOW - age, funding_time=w.NOW - since, max_age=max_age
    )  # fmt: skip
    return world


@case(Reason.NONE)
def premium_of_a_fresh_price(world: World) -> Txs:
    premium(world, 59, 59)
    return [w.oracle_update(w.BTC, w.NOW, PRICE, PRICE)]


@case(Reason.NONE)
def premium_that_lapsed(world: World) -> Txs:
    premium(world, 1_000, 1_000)
    return [w.oracle_update(w.BTC, w.NOW, PRICE, PRICE)]


@case(Reason.NONE)
def premium_that_lapsed_half_way(world: World) -> Txs:
    premium(world, 1_000, 970)
    return [w.oracle_update(w.BTC, w.NOW, PRICE, PRICE)]


@case(Reason.NONE)
def premium_that_lapsed_before(world: World) -> Txs:
    premium(world, 1_000, 940)
    return [w.oracle_update(w.BTC, w.NOW, PRICE, PRICE)]


@case(Reason.NONE)
def premium_that_lapsed_long_before(world: World) -> Txs:
    premium(world, 1_000, 900)
    return [w.oracle_update(w.BTC, w.NOW, PRICE, PRICE)]
