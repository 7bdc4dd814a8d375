"""Cases of old prices: a block's transaction refuses them, and a forced one takes some. `forced` is what L1 gets."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reasons stand beside it

from __future__ import annotations

from rollup.types.limits import FORCED_AGE, WIND_UP
from rollup.types.reasons import Reason
from rollup.types.transactions import Deleverage, Flag, Settle, Trade
from tests.differential import world as w
from tests.differential.cases import LOT, PRICE, Txs, buy, case, sell
from tests.differential.cases_dated import FORWARD
from tests.differential.cases_risk import distress
from tests.differential.signed import bid, combo, leg
from tests.differential.world import COIN, DOLLAR, World


def old(world: World, age: int = 61) -> World:
    """BTC's price and slices are so old; accounts 0 and 1 hold its perpetual, and ETH's beside it."""
    world.set_underlying(w.BTC, time=w.NOW - age, funding_time=w.NOW - age)
    for number in (w.NEAR, w.FAR):
        world.set_series(w.BTC, number, time=w.NOW - age)
    world.hold(0, {w.BTC_PERP: COIN, w.ETH_PERP: 10_000})
    world.hold(1, {w.BTC_PERP: -COIN, w.ETH_PERP: -10_000})
    world.count_interest()
    return world


def dated(world: World, age: int = 61) -> World:
    """As `old`, but with options and a future."""
    old(world, age)
    world.hold(0, {w.BTC_FUTURE: LOT, w.FAR_CALL: -COIN, w.FAR_PUT: COIN})
    world.hold(1, {w.BTC_FUTURE: -LOT, w.FAR_CALL: COIN, w.FAR_PUT: -COIN})
    world.count_interest()
    return world


# -- what leaves -------------------------------------------------------------------------------------------------------


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def withdraws_at_an_old_price(world: World) -> Txs:
    old(world)
    return [w.withdraw(0, DOLLAR, 1)]


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def withdraws_at_the_oldest_price(world: World) -> Txs:
    old(world, FORCED_AGE)
    return [w.withdraw(1, DOLLAR, 1)]


@case(Reason.ORACLE_STALE, forced=Reason.ORACLE_STALE)
def withdraws_at_a_price_too_old_for_all(world: World) -> Txs:
    old(world, FORCED_AGE + 1)
    return [w.withdraw(1, DOLLAR, 1)]


@case(Reason.NONE, forced=Reason.NONE)
def withdraws_at_a_price_that_is_fresh_for_longer(world: World) -> Txs:
    old(world, FORCED_AGE + 1).set_underlying(w.BTC, max_age=FORCED_AGE + 1)
    world.set_account(0, cash=24_000 * DOLLAR)
    return [w.withdraw(0, DOLLAR, 1)]


@case(Reason.ORACLE_STALE, forced=Reason.ORACLE_STALE)
def withdraws_before_any_price(world: World) -> Txs:
    world.hold(0, {w.NEW_PERP: LOT})
    return [w.withdraw(0, DOLLAR, 1)]


def margined(world: World, spare: int) -> World:
    """Account 0 with ten coins of a price a minute old; after 1 µUSD has left, its double initial margin and `spare`.

    Four steps of 5 % and a contingency of 0.5 % are the maintenance margin. Ahead of a forced message comes 1 µUSD.
    """
    world.set_underlying(w.BTC, time=w.NOW - 61)
    world.hold(0, {w.BTC_PERP: 10 * COIN})
    initial = 10 * PRICE * 205 // 1_000 * 5 // 4
    world.set_account(0, cash=2 * initial - 10 * PRICE + spare + 1)
    world.count_interest()
    return world


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def withdraws_to_twice_the_margin(world: World) -> Txs:
    margined(world, -1)
    return [w.withdraw(0, 1, 1)]


@case(Reason.ORACLE_STALE, forced=Reason.MARGIN)
def withdraws_beyond_twice_the_margin(world: World) -> Txs:
    margined(world, -2)
    return [w.withdraw(0, 1, 1)]


@case(Reason.NONE, forced=Reason.NONE)
def withdraws_at_a_fresh_price_beyond_twice_the_margin(world: World) -> Txs:
    margined(world, -2).set_underlying(w.BTC, time=w.NOW - 60)
    return [w.withdraw(0, 1, 1)]


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def transfers_to_twice_the_margin(world: World) -> Txs:
    margined(world, -1)
    return [w.transfer(0, 1, 1, 1)]


@case(Reason.ORACLE_STALE, forced=Reason.MARGIN)
def transfers_beyond_twice_the_margin(world: World) -> Txs:
    margined(world, -2)
    return [w.transfer(0, 1, 1, 1)]


@case(Reason.ORACLE_STALE, forced=Reason.MARGIN)
def hides_an_old_price_behind_a_fresh_one(world: World) -> Txs:
    """The old coin needs hardly any margin, the fresh one's is doubled with it."""
    margined(world, -100 * DOLLAR).set_underlying(w.BTC, time=w.NOW)
    world.set_underlying(w.ETH, time=w.NOW - 61)
    world.hold(0, {w.BTC_PERP: 10 * COIN, w.ETH_PERP: 10_000})
    return [w.withdraw(0, 1, 1)]


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def withdraws_at_an_old_slice(world: World) -> Txs:
    dated(world).set_underlying(w.BTC, time=w.NOW)
    return [w.withdraw(0, DOLLAR, 1)]


@case(Reason.ORACLE_STALE, forced=Reason.ORACLE_STALE)
def withdraws_at_a_perpetual_s_price_and_an_older_slice(world: World) -> Txs:
    """They would be netted, and are of different times."""
    dated(world).set_underlying(w.BTC, time=w.NOW)
    world.hold(0, {w.BTC_PERP: COIN, w.BTC_FUTURE: LOT})
    world.count_interest()
    return [w.withdraw(0, DOLLAR, 1)]


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def withdraws_at_a_perpetual_s_price_and_a_slice_of_about_its_time(world: World) -> Txs:
    dated(world, 120).set_underlying(w.BTC, time=w.NOW - 60)
    world.hold(0, {w.BTC_PERP: COIN, w.BTC_FUTURE: LOT})
    world.count_interest()
    return [w.withdraw(0, DOLLAR, 1)]


@case(Reason.ORACLE_STALE, forced=Reason.ORACLE_STALE)
def withdraws_at_slices_of_different_times(world: World) -> Txs:
    dated(world, 200).set_series(w.BTC, w.NEAR, time=w.NOW - 261)
    world.hold(0, {w.FAR_CALL: COIN, w.NEAR_CALL: COIN})
    world.count_interest()
    return [w.withdraw(0, DOLLAR, 1)]


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def withdraws_at_an_old_price_beside_a_fresh_one_of_another_coin(world: World) -> Txs:
    """Nothing is netted between coins."""
    old(world, FORCED_AGE)
    return [w.withdraw(0, DOLLAR, 1)]


@case(Reason.ORACLE_STALE, forced=Reason.ORACLE_STALE)
def spreads_between_prices_of_different_times(world: World) -> Txs:
    """Each leg by itself would do."""
    old(world).set_underlying(w.BTC, time=w.NOW)
    return [combo(0, 1, 1, [leg(w.BTC_PERP, LOT, PRICE, sell=True), leg(w.BTC_FUTURE, LOT, FORWARD)])]


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def withdraws_at_the_oldest_slice(world: World) -> Txs:
    dated(world, FORCED_AGE)
    return [w.withdraw(1, DOLLAR, 1)]


@case(Reason.ORACLE_STALE, forced=Reason.ORACLE_STALE)
def withdraws_at_a_slice_too_old_for_all(world: World) -> Txs:
    dated(world, FORCED_AGE + 1)
    return [w.withdraw(1, DOLLAR, 1)]


@case(Reason.ORACLE_STALE, forced=Reason.MARGIN)
def withdraws_at_an_old_slice_with_little(world: World) -> Txs:
    """More than the initial margin, less than twice that."""
    dated(world).set_account(1, cash=20_000 * DOLLAR)
    return [w.withdraw(1, DOLLAR, 1)]


@case(Reason.NONE)
def withdraws_at_a_fresh_slice_with_little(world: World) -> Txs:
    dated(world, 0).set_account(1, cash=20_000 * DOLLAR)
    return [w.withdraw(1, DOLLAR, 1)]


@case(Reason.NONE)
def withdraws_at_an_abandoned_slice_with_little(world: World) -> Txs:
    """What is abandoned is no old price."""
    dated(world, WIND_UP + 1).set_account(1, cash=20_000 * DOLLAR)
    return [w.withdraw(1, DOLLAR, 1)]


# -- deals -------------------------------------------------------------------------------------------------------------


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def closes_by_a_combo_at_an_old_price(world: World) -> Txs:
    old(world)
    return [combo(1, 0, 1, [leg(w.BTC_PERP, COIN, PRICE)])]


@case(Reason.ORACLE_STALE, forced=Reason.MARGIN)
def opens_by_a_combo_at_an_old_price_with_little(world: World) -> Txs:
    old(world).hold(0, {})
    world.set_account(2, cash=15_000 * DOLLAR)
    return [combo(2, 0, 1, [leg(w.BTC_PERP, COIN, PRICE)])]


@case(Reason.NONE)
def opens_by_a_combo_at_a_fresh_price_with_little(world: World) -> Txs:
    old(world, 60).hold(0, {})
    world.set_account(2, cash=15_000 * DOLLAR)
    return [combo(2, 0, 1, [leg(w.BTC_PERP, COIN, PRICE)])]


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def shrinks_by_a_combo_at_an_old_price_with_little(world: World) -> Txs:
    """Below twice its initial margin it may still make its holding smaller."""
    old(world).set_account(0, cash=-PRICE + 14_000 * DOLLAR)
    return [combo(1, 0, 1, [leg(w.BTC_PERP, LOT, PRICE)])]


@case(Reason.ORACLE_STALE, forced=Reason.MARGIN)
def closes_with_who_has_little(world: World) -> Txs:
    """Who takes the holding over needs twice the margin."""
    old(world).set_account(2, cash=15_000 * DOLLAR)
    return [combo(2, 0, 1, [leg(w.BTC_PERP, COIN, PRICE)])]


@case(Reason.ORACLE_STALE, forced=Reason.MARGIN)
def trades_a_fresh_coin_beside_an_old_one(world: World) -> Txs:
    """The counterparty's old price makes the deal outdated for both."""
    old(world)
    world.hold(2, {})
    world.set_account(2, cash=5_000 * DOLLAR)
    mark = w.ETH_MARK + 2 * DOLLAR
    return [combo(2, 0, 1, [leg(w.ETH_PERP, 5 * COIN, mark)])]


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def combines_old_slices(world: World) -> Txs:
    old(world)
    return [combo(0, 1, 1, [leg(w.BTC_FUTURE, LOT, FORWARD), leg(w.FAR_CALL, LOT, 1_900 * DOLLAR)])]


@case(Reason.ORACLE_STALE)
def combines_slices_too_old_for_all(world: World) -> Txs:
    old(world, FORCED_AGE + 1)
    world.set_underlying(w.BTC, time=w.NOW)
    return [combo(0, 1, 1, [leg(w.BTC_FUTURE, LOT, FORWARD), leg(w.FAR_CALL, LOT, 1_900 * DOLLAR)])]


@case(Reason.ORACLE_STALE)
def combines_abandoned_slices(world: World) -> Txs:
    old(world, WIND_UP + 1)
    world.set_underlying(w.BTC, time=w.NOW)
    return [combo(0, 1, 1, [leg(w.BTC_FUTURE, LOT, FORWARD), leg(w.FAR_CALL, LOT, 1_900 * DOLLAR)])]


@case(Reason.ORACLE_STALE)
def fills_an_order_at_an_old_price(world: World) -> Txs:
    """It may have been signed long ago, and anybody could fill it."""
    old(world)
    return [Trade(buy(1), sell(0), LOT)]


@case(Reason.ORACLE_STALE)
def fills_an_order_beside_an_old_price(world: World) -> Txs:
    old(world)
    mark = w.ETH_MARK + 2 * DOLLAR
    return [Trade(buy(1, market=w.ETH_PERP, price=mark), sell(0, market=w.ETH_PERP, price=mark), COIN)]


# -- what is done to others --------------------------------------------------------------------------------------------


@case(Reason.ORACLE_STALE)
def settles_at_an_old_price(world: World) -> Txs:
    dated(world)
    world.set_series(w.BTC, w.FAR, expiry=w.NOW - 5, settlement=PRICE)
    world.hold(1, {w.BTC_PERP: COIN, w.FAR_CALL: COIN})
    return [Settle(1)]


@case(Reason.ORACLE_STALE)
def flags_at_an_old_price(world: World) -> Txs:
    old(world).set_account(0, cash=-PRICE)
    return [Flag(0)]


@case(Reason.ORACLE_STALE)
def bids_at_an_old_price(world: World) -> Txs:
    distress(world).set_underlying(w.BTC, time=w.NOW - 61)
    return [bid(2, 0, 1)]


@case(Reason.ORACLE_STALE)
def deleverages_at_an_old_price(world: World) -> Txs:
    distress(world, since=600).set_underlying(w.BTC, time=w.NOW - 61)
    return [Deleverage(2, 3, w.BTC_PERP, LOT)]
