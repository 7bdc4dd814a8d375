"""Cases of series whose feeders fall silent: not ended by anybody, ended late, slices that were abandoned."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reason stands beside it

from __future__ import annotations

from rollup.types.limits import CLOSING, WIND_UP
from rollup.types.reasons import Reason
from rollup.types.transactions import Settle, Trade
from tests.differential import world as w
from tests.differential.cases import LOT, PRICE, Txs, buy, case, sell
from tests.differential.cases_dated import FORWARD, OPTION
from tests.differential.signed import surface
from tests.differential.world import DOLLAR, World


def expired(world: World, age: int = CLOSING, **changes: int) -> World:
    """BTC's near series expired so long ago, and no update came; accounts 0 and 1 hold all there is of it."""
    terms = {"time": w.NOW - age - 50, "forward": PRICE + 777 * DOLLAR, "sum": PRICE * 1_111, "covered": 1_111}
    world.set_series(w.BTC, w.NEAR, **({"expiry": w.NOW - age} | terms | changes))
    world.hold(0, {w.NEAR_CALL: LOT, w.NEAR_PUT: 3 * LOT, w.NEAR_FUTURE: -LOT - 1, w.BTC_PERP: LOT})
    world.hold(1, {w.NEAR_CALL: -LOT, w.NEAR_PUT: -3 * LOT, w.NEAR_FUTURE: LOT + 1, w.BTC_PERP: -LOT})
    world.count_interest()
    return world


@case(Reason.NONE)
def closes_a_series(world: World) -> Txs:
    expired(world)
    return [Settle(0), Settle(1)]


@case(Reason.NONE)
def closes_a_series_at_nothing(world: World) -> Txs:
    expired(world, forward=0, sum=0, covered=0, time=0)
    return [Settle(1), Settle(0)]


@case(Reason.ORACLE_STALE)
def closes_a_series_too_early(world: World) -> Txs:
    expired(world, CLOSING - 1)
    return [Settle(0)]


@case(Reason.NONE)
def closes_a_series_in_a_trade(world: World) -> Txs:
    expired(world)
    return [Trade(buy(), sell(), LOT), w.withdraw(0, DOLLAR, 1)]


@case(Reason.ORACLE_STALE)
def closes_a_series_in_vain(world: World) -> Txs:
    """What comes behind it has a stale price."""
    expired(world).set_underlying(w.ETH, time=w.NOW - 61)
    world.hold(0, {w.NEAR_CALL: LOT, w.ETH_PERP: LOT, w.NEAR_PUT: 3 * LOT})
    world.hold(2, {w.NEAR_CALL: LOT, w.ETH_FUTURE: LOT})
    world.set_series(w.ETH, w.NEAR, time=w.NOW - 61)
    return [Settle(2)]


@case(Reason.MARGIN)
def closes_a_series_for_a_withdrawal_that_fails(world: World) -> Txs:
    expired(world)
    return [w.withdraw(0, 100_000 * DOLLAR, 1)]


@case(Reason.MARKET_EXPIRED)
def updates_a_closed_series(world: World) -> Txs:
    expired(world)
    return [Settle(0), surface(w.BTC, w.NEAR, w.NOW, FORWARD)]


@case(Reason.MARKET_EXPIRED)
def trades_in_a_series_to_be_closed(world: World) -> Txs:
    expired(world)
    near = {"market": w.NEAR_CALL, "price": DOLLAR}
    return [Trade(buy(**near), sell(**near), LOT)]


@case(Reason.NONE)
def ends_a_series_before_anybody_closes_it(world: World) -> Txs:
    """By an update that comes so late that only what was before it counts."""
    expired(world, CLOSING + 600)
    return [surface(w.BTC, w.NEAR, w.NOW, FORWARD), Settle(0), Settle(1)]


@case(Reason.NONE)
def ends_a_series_in_time(world: World) -> Txs:
    expired(world, 60)
    return [surface(w.BTC, w.NEAR, w.NOW, FORWARD), Settle(0)]


@case(Reason.NONE)
def ends_a_series_a_second_late(world: World) -> Txs:
    expired(world, 61)
    return [surface(w.BTC, w.NEAR, w.NOW, FORWARD), Settle(0)]


@case(Reason.NONE)
def ends_a_series_within_a_window_that_is_shorter_than_a_price_stays_fresh(world: World) -> Txs:
    expired(world, 30).set_underlying(w.BTC, settlement_window=30)
    world.set_series(w.BTC, w.NEAR, covered=11, sum=11 * PRICE)
    return [surface(w.BTC, w.NEAR, w.NOW, FORWARD), Settle(0)]


@case(Reason.NONE)
def ends_a_series_a_second_after_as_long_as_its_window(world: World) -> Txs:
    expired(world, 31).set_underlying(w.BTC, settlement_window=30)
    world.set_series(w.BTC, w.NEAR, covered=11, sum=11 * PRICE)
    return [surface(w.BTC, w.NEAR, w.NOW, FORWARD), Settle(0)]


@case(Reason.NONE)
def ends_late_a_series_that_had_no_slice(world: World) -> Txs:
    expired(world, 61, time=0, forward=0, sum=0, covered=0)
    return [surface(w.BTC, w.NEAR, w.NOW, FORWARD), Settle(0)]


def abandoned(world: World, age: int = WIND_UP + 1) -> World:
    """The slice of BTC's far series is so old; account 0 holds an option and a future of it."""
    world.set_series(w.BTC, w.FAR, time=w.NOW - age)
    world.hold(0, {w.FAR_CALL: -LOT, w.BTC_FUTURE: LOT, w.BTC_PERP: LOT})
    world.count_interest()
    return world


@case(Reason.NONE)
def withdraws_with_options_on_an_abandoned_slice(world: World) -> Txs:
    abandoned(world)
    return [w.withdraw(0, DOLLAR, 1)]


@case(Reason.ORACLE_STALE)
def deals_with_another_while_holding_options_on_an_abandoned_slice(world: World) -> Txs:
    abandoned(world)
    return [Trade(buy(), sell(), LOT)]


@case(Reason.ORACLE_STALE)
def slice_not_quite_abandoned(world: World) -> Txs:
    abandoned(world, WIND_UP)
    return [w.withdraw(0, DOLLAR, 1)]


@case(Reason.NOTHING_TO_SETTLE)
def settles_on_an_abandoned_slice(world: World) -> Txs:
    abandoned(world)
    return [Settle(0)]


@case(Reason.ORACLE_STALE)
def holds_an_option_without_a_slice(world: World) -> Txs:
    world.hold(0, {w.BLANK_CALL: LOT})
    return [Settle(0)]


@case(Reason.ORACLE_STALE)
def trades_on_an_abandoned_slice(world: World) -> Txs:
    abandoned(world)
    return [Trade(buy(**OPTION), sell(**OPTION), LOT)]


@case(Reason.NONE)
def slice_that_was_abandoned_lives_again(world: World) -> Txs:
    abandoned(world)
    return [w.withdraw(0, DOLLAR, 1), surface(w.BTC, w.FAR, w.NOW, FORWARD), Trade(buy(**OPTION), sell(**OPTION), LOT)]
