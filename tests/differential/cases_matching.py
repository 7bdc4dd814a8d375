"""Cases of two orders that meet: sides, flags, time, market, price, quantity."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reason stands beside it

from __future__ import annotations

from rollup.types.keys import market_key
from rollup.types.reasons import Reason
from rollup.types.transactions import FLAG_IMMEDIATE, FLAG_POST_ONLY, Trade
from tests.differential import world as w
from tests.differential.cases import LOT, PRICE, Txs, buy, case, rest, sell
from tests.differential.world import COIN, World


@case(Reason.MARKET_MISMATCH)
def two_markets(_: World) -> Txs:
    return [Trade(buy(), sell(market=w.BTC_SMALL), LOT)]


@case(Reason.SIDE_MISMATCH)
def two_buyers(_: World) -> Txs:
    return [Trade(buy(), buy(1), LOT)]


@case(Reason.MAKER_IMMEDIATE)
def impatient_maker(_: World) -> Txs:
    return [Trade(buy(flags=FLAG_IMMEDIATE), sell(), LOT)]


@case(Reason.TAKER_POST_ONLY)
def shy_taker(_: World) -> Txs:
    return [Trade(buy(), sell(flags=FLAG_POST_ONLY), LOT)]


@case(Reason.ORDER_EXPIRED)
def maker_expired(_: World) -> Txs:
    return [Trade(buy(expiry=w.NOW - 1), sell(), LOT)]


@case(Reason.ORDER_EXPIRED)
def taker_expired(_: World) -> Txs:
    return [Trade(buy(expiry=w.NOW), sell(expiry=w.NOW - 1), LOT)]


@case(Reason.MARKET_UNKNOWN)
def no_such_market(_: World) -> Txs:
    return [Trade(buy(market=404), sell(market=404), LOT)]


@case(Reason.UNDERLYING_UNKNOWN)
def market_on_nothing(world: World) -> Txs:
    world.write({market_key(9): w.market(underlying=404).encode()})
    return [Trade(buy(market=9), sell(market=9), LOT)]


@case(Reason.MARKET_CLOSED)
def not_yet_open(_: World) -> Txs:
    return [Trade(buy(market=w.LATER), sell(market=w.LATER), LOT)]


@case(Reason.TICK)
def price_between_ticks(_: World) -> Txs:
    return [Trade(buy(price=PRICE + 1), sell(price=PRICE - 1), LOT)]


@case(Reason.NONE)
def taker_between_ticks(_: World) -> Txs:
    return [Trade(buy(), sell(price=PRICE - 1), LOT)]


@case(Reason.LOT)
def fill_between_lots(_: World) -> Txs:
    return [Trade(buy(), sell(), LOT + 1)]


@case(Reason.LOT)
def fill_of_nothing(_: World) -> Txs:
    return [Trade(buy(), sell(), 0)]


@case(Reason.PRICE_LIMIT)
def taker_wants_more(_: World) -> Txs:
    return [Trade(buy(), sell(price=PRICE + 1), LOT)]


@case(Reason.PRICE_LIMIT)
def taker_offers_less(_: World) -> Txs:
    return [Trade(sell(), buy(price=PRICE - 1), LOT)]


@case(Reason.OVERFILL)
def maker_overfilled(world: World) -> Txs:
    return [Trade(rest(world, buy(), filled=COIN - LOT), sell(), 2 * LOT)]


@case(Reason.OVERFILL)
def taker_overfilled(_: World) -> Txs:
    return [Trade(buy(), sell(size=LOT), LOT), Trade(buy(), sell(size=LOT), LOT)]


@case(Reason.PRICE_BAND)
def far_above_the_mark(_: World) -> Txs:
    price = PRICE * 105 // 100 + 100_000
    return [Trade(buy(price=price), sell(), LOT)]


@case(Reason.NONE)
def at_the_edge_of_the_band(_: World) -> Txs:
    return [Trade(buy(price=PRICE * 105 // 100), sell(), LOT), Trade(sell(2, price=PRICE * 95 // 100), buy(3), LOT)]
