"""Cases of futures and options: expiry, settlement, slices, halts."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reason stands beside it

from __future__ import annotations

from dataclasses import replace

from rollup.types.keys import market_key
from rollup.types.leaves import MarketKind
from rollup.types.reasons import Reason
from rollup.types.transactions import Settle, Trade
from tests.differential import world as w
from tests.differential.cases import LOT, PRICE, Txs, buy, case, sell
from tests.differential.signed import surface
from tests.differential.world import COIN, DOLLAR, World

FORWARD = PRICE + 100 * DOLLAR
OPTION = {"market": w.FAR_CALL, "price": 1_900 * DOLLAR}


def expire(world: World, settlement: int = 0) -> World:
    """Let BTC's far series have expired, settled or not."""
    world.set_series(w.BTC, w.FAR, expiry=w.NOW - 5, settlement=settlement)
    return world


def aged(world: World, seconds: int = 10) -> World:
    """Let the far series' slice be some seconds old."""
    world.set_series(w.BTC, w.FAR, time=w.NOW - seconds)
    return world


@case(Reason.NONE)
def trades_of_every_kind(_: World) -> Txs:
    prices = {w.BTC_FUTURE: FORWARD - 100 * DOLLAR, w.FAR_CALL: 1_900 * DOLLAR, w.FAR_PUT: 1_400 * DOLLAR}
    return [Trade(buy(market=m, price=p, nonce=m), sell(market=m, price=p, nonce=m), LOT) for m, p in prices.items()]


@case(Reason.NONE)
def bearish_to_the_last_cent(_: World) -> Txs:
    return [Trade(sell(0, **OPTION), buy(1, **OPTION), LOT)]


@case(Reason.MARKET_EXPIRED)
def trades_an_expired_market(world: World) -> Txs:
    expire(world)
    return [Trade(buy(**OPTION), sell(**OPTION), LOT)]


@case(Reason.MARKET_EXPIRED)
def updates_a_settled_series(world: World) -> Txs:
    aged(expire(world, PRICE))
    return [surface(w.BTC, w.FAR, w.NOW, FORWARD)]


@case(Reason.SERIES_UNKNOWN)
def trades_on_no_series(world: World) -> Txs:
    world.write({market_key(9): w.option(MarketKind.PUT, 404, PRICE).encode()})
    return [Trade(buy(market=9), sell(market=9), LOT)]


@case(Reason.SERIES_UNKNOWN)
def updates_no_series(_: World) -> Txs:
    return [surface(w.BTC, 404, w.NOW, FORWARD)]


@case(Reason.ORACLE_STALE)
def trades_on_an_old_slice(world: World) -> Txs:
    aged(world, 61)
    return [Trade(buy(**OPTION), sell(**OPTION), LOT)]


@case(Reason.ORACLE_STALE)
def trades_without_a_slice(_: World) -> Txs:
    return [Trade(buy(market=w.BLANK_CALL), sell(market=w.BLANK_CALL), LOT)]


@case(Reason.PRICE_BAND)
def option_far_from_its_mark(_: World) -> Txs:
    dear = OPTION | {"price": 6_000 * DOLLAR}
    return [Trade(buy(**dear), sell(**dear), LOT)]


@case(Reason.MARGIN)
def shorts_too_many_options(world: World) -> Txs:
    terms = OPTION | {"size": 40 * COIN}
    world.set_account(0, cash=10**7 * DOLLAR)
    return [Trade(buy(**terms), sell(**terms), 40 * COIN)]


# -- slices ------------------------------------------------------------------------------------------------------------


@case(Reason.NONE)
def slices(world: World) -> Txs:
    aged(world)
    return [surface(w.BTC, w.FAR, w.NOW, FORWARD + DOLLAR, m=10**8), surface(w.BTC, w.BLANK, w.NOW, FORWARD, (0, 1, 2))]


@case(Reason.NONE)
def slice_that_settles(world: World) -> Txs:
    world.set_series(w.BTC, w.NEAR, expiry=w.NOW - 5, time=w.NOW - 30, sum=PRICE * 1_700, covered=1_700)
    world.hold(0, {w.NEAR_CALL: LOT, w.NEAR_PUT: LOT, w.NEAR_FUTURE: -LOT, w.BTC_PERP: LOT})
    world.hold(1, {w.NEAR_CALL: -LOT})
    world.count_interest()
    return [surface(w.BTC, w.NEAR, w.NOW, PRICE + 777 * DOLLAR + 1), Settle(1), Settle(0)]


@case(Reason.SURFACE_INVALID)
def slice_with_negative_variance(world: World) -> Txs:
    aged(world)
    return [surface(w.BTC, w.FAR, w.NOW, FORWARD, a=-(2 * 10**8))]


@case(Reason.SURFACE_INVALID)
def slice_with_perfect_correlation(world: World) -> Txs:
    aged(world)
    return [surface(w.BTC, w.FAR, w.NOW, FORWARD, rho=-(10**9))]


@case(Reason.SURFACE_INVALID)
def slice_surer_than_sure(world: World) -> Txs:
    aged(world)
    return [surface(w.BTC, w.FAR, w.NOW, FORWARD, confidence=10**6 + 1)]


@case(Reason.ORACLE_TIME)
def slice_not_newer(_: World) -> Txs:
    return [surface(w.BTC, w.FAR, w.NOW, FORWARD)]


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def slice_a_minute_old(_: World) -> Txs:
    return [surface(w.BTC, w.BLANK, w.NOW - 61, FORWARD)]


@case(Reason.ORACLE_PRICE)
def forward_zero(_: World) -> Txs:
    return [surface(w.BTC, w.BLANK, w.NOW, 0)]


@case(Reason.ORACLE_PRICE)
def forward_far_from_spot(_: World) -> Txs:
    return [surface(w.BTC, w.BLANK, w.NOW, PRICE * 111 // 100)]


@case(Reason.ORACLE_PRICE)
def slice_before_any_price(world: World) -> Txs:
    world.set_underlying(w.BTC, time=0)
    return [surface(w.BTC, w.BLANK, w.NOW, FORWARD)]


@case(Reason.ORACLE_MOVE)
def forward_jumps(world: World) -> Txs:
    aged(world).set_series(w.BTC, w.FAR, forward=FORWARD * 9 // 10)
    return [surface(w.BTC, w.FAR, w.NOW, FORWARD)]


@case(Reason.ORACLE_MOVE)
def volatility_jumps(world: World) -> Txs:
    aged(world)
    return [surface(w.BTC, w.FAR, w.NOW, FORWARD, a=2 * 10**9)]


@case(Reason.ORACLE_SIGNERS)
def one_feeder_for_a_slice(world: World) -> Txs:
    aged(world)
    return [surface(w.BTC, w.FAR, w.NOW, FORWARD, (2,))]


@case(Reason.SIGNATURE_INVALID)
def slice_signed_for_another_forward(world: World) -> Txs:
    aged(world)
    return [replace(surface(w.BTC, w.FAR, w.NOW, FORWARD), forward=FORWARD + 1)]


@case(Reason.METER_PRICINGS)
def one_option_too_many(world: World) -> Txs:
    """Three times 32 options drawn: the first time, and after each change of their slice."""
    numbers = range(1_001, 1_033)
    world.write({market_key(n): w.option(MarketKind.CALL, w.FAR, PRICE + n * DOLLAR).encode() for n in numbers})
    world.hold(0, dict.fromkeys(numbers, LOT))
    aged(world)
    slices_ = [surface(w.BTC, w.FAR, w.NOW - 5 + n, FORWARD) for n in range(2)]
    return [w.withdraw(0, 1, 1), slices_[0], w.withdraw(0, 1, 2), slices_[1], w.withdraw(0, 1, 3)]


# -- settlement, halts -----------------------------------------------------------------------------------------------


@case(Reason.NOTHING_TO_SETTLE)
def settles_what_lives(world: World) -> Txs:
    world.hold(0, {w.BTC_PERP: LOT, w.FAR_CALL: LOT})
    return [Settle(0)]


@case(Reason.NOTHING_TO_SETTLE)
def settles_twice(world: World) -> Txs:
    expire(world, PRICE + 7)
    world.hold(0, {w.FAR_CALL: LOT, w.FAR_PUT: -LOT, w.BTC_FUTURE: 3 * LOT})
    world.count_interest()
    return [Settle(0), Settle(0)]


@case(Reason.CASH_RANGE)
def payout_out_of_range(world: World) -> Txs:
    expire(world, PRICE)
    world.hold(0, {w.BTC_FUTURE: COIN})
    world.set_market(w.BTC_FUTURE, pool=-(1 << 62) + 1)
    return [Settle(0)]


@case(Reason.ORACLE_STALE)
def expired_but_not_settled(world: World) -> Txs:
    expire(world).set_series(w.BTC, w.FAR, time=w.NOW - 100)
    world.hold(0, {w.BTC_FUTURE: COIN})
    return [Settle(0)]


@case(Reason.HALTED)
def grows_while_halted(world: World) -> Txs:
    world.set_underlying(w.BTC, halted_until=w.NOW + 1)
    return [Trade(buy(), sell(), LOT)]


@case(Reason.NONE)
def shrinks_while_halted(world: World) -> Txs:
    world.set_underlying(w.BTC, halted_until=w.NOW + 1)
    world.hold(0, {w.BTC_PERP: -LOT})
    world.hold(1, {w.BTC_PERP: LOT})
    world.count_interest()
    return [Trade(buy(), sell(), LOT)]


@case(Reason.HALTED)
def price_halts(world: World) -> Txs:
    world.set_underlying(w.BTC, time=w.NOW - 90, anchor_spot=PRICE, anchor_time=w.NOW - 90, max_age=100)
    fallen = PRICE * 84 // 100
    update = w.oracle_update(w.BTC, w.NOW, fallen, fallen)
    return [update, Trade(buy(price=fallen), sell(price=fallen), LOT)]
