"""Cases of cancels, cash, session signers and prices."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reason stands beside it

from __future__ import annotations

from rollup.types.accounts import NO_ADDRESS
from rollup.types.reasons import Reason
from rollup.types.transactions import OracleUpdate, Trade
from tests.differential import world as w
from tests.differential.cases import LOT, PRICE, RANGE, Txs, buy, case, rest, sell
from tests.differential.world import DOLLAR, World


@case(Reason.NONE)
def cancels(world: World) -> Txs:
    world.set_account(1, nonce_floor=3)
    session = w.key_of("session", 1)
    return [w.cancel(0, 9), w.cancel(1, 4, everything=True, key=session), w.cancel(1, 1, key=session)]


@case(Reason.NONE)
def cancels_what_is_partly_filled(world: World) -> Txs:
    rest(world, buy(), filled=LOT)
    return [w.cancel(0, 1)]


@case(Reason.NONCE_STALE)
def cancels_twice(_: World) -> Txs:
    return [w.cancel(0, 9), w.cancel(0, 9)]


@case(Reason.NONCE_STALE)
def cancels_an_older_order(_: World) -> Txs:
    return [w.cancel(0, 8_192 + 9), w.cancel(0, 9)]


@case(Reason.NONCE_STALE)
def floor_does_not_rise(world: World) -> Txs:
    world.set_account(0, nonce_floor=5)
    return [w.cancel(0, 5, everything=True)]


@case(Reason.NONCE_STALE)
def withdraws_twice(_: World) -> Txs:
    return [w.withdraw(0, DOLLAR, 1), w.withdraw(0, DOLLAR, 1)]


@case(Reason.NONCE_STALE)
def transfers_with_nonce_zero(_: World) -> Txs:
    return [w.transfer(0, 1, DOLLAR, 0)]


@case(Reason.NONCE_STALE)
def signer_replayed(_: World) -> Txs:
    return [w.set_signer(0, w.owner(5), 3), w.set_signer(0, w.owner(5), 3)]


@case(Reason.AMOUNT)
def withdraws_nothing(_: World) -> Txs:
    return [w.withdraw(0, 0, 1)]


@case(Reason.AMOUNT)
def withdraws_beyond_bounds(_: World) -> Txs:
    return [w.withdraw(0, RANGE, 1)]


@case(Reason.AMOUNT)
def transfers_nothing(_: World) -> Txs:
    return [w.transfer(0, 1, 0, 1)]


@case(Reason.NONE)
def cash_moves(world: World) -> Txs:
    world.hold(0, {w.BTC_PERP: LOT, w.ETH_PERP: LOT}, index=-(10**9))
    return [
        w.withdraw(0, DOLLAR, 1),
        w.transfer(0, 1, DOLLAR, 2),
        w.set_signer(2, NO_ADDRESS, 1),
        w.withdraw(1, DOLLAR, 9),
    ]


def aged(world: World) -> World:
    """Let BTC's price be ten seconds old."""
    world.set_underlying(w.BTC, time=w.NOW - 10)
    return world


@case(Reason.NONE)
def prices(world: World) -> Txs:
    aged(world)
    return [w.oracle_update(w.BTC, w.NOW, PRICE + DOLLAR, PRICE), w.oracle_update(w.NEW, w.NOW, 5, 5, (0, 1, 2))]


@case(Reason.UNDERLYING_UNKNOWN)
def price_of_nothing(_: World) -> Txs:
    return [w.oracle_update(404, w.NOW, PRICE, PRICE)]


@case(Reason.ORACLE_TIME)
def price_not_newer(_: World) -> Txs:
    return [w.oracle_update(w.BTC, w.NOW, PRICE, PRICE)]


@case(Reason.ORACLE_TIME)
def price_of_tomorrow(_: World) -> Txs:
    return [w.oracle_update(w.BTC, w.NOW + 1, PRICE, PRICE)]


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def price_a_minute_old(_: World) -> Txs:
    return [w.oracle_update(w.NEW, w.NOW - 61, PRICE, PRICE)]


@case(Reason.ORACLE_STALE)
def trade_on_an_old_price(world: World) -> Txs:
    world.set_underlying(w.BTC, time=w.NOW - 61)
    return [Trade(buy(), sell(), LOT)]


@case(Reason.ORACLE_STALE)
def trade_without_a_price(_: World) -> Txs:
    return [Trade(buy(market=w.NEW_PERP), sell(market=w.NEW_PERP), LOT)]


@case(Reason.ORACLE_STALE)
def other_holding_on_an_old_price(world: World) -> Txs:
    world.set_underlying(w.ETH, time=w.NOW - 61)
    world.hold(1, {w.ETH_PERP: LOT})
    return [Trade(buy(), sell(), LOT)]


@case(Reason.ORACLE_PRICE)
def spot_zero(_: World) -> Txs:
    return [w.oracle_update(w.NEW, w.NOW, 0, 1)]


@case(Reason.ORACLE_PRICE)
def mark_beyond_bounds(_: World) -> Txs:
    return [w.oracle_update(w.NEW, w.NOW, (1 << 47) - 1, 1 << 47)]


@case(Reason.ORACLE_PRICE)
def mark_far_from_spot(_: World) -> Txs:
    return [w.oracle_update(w.NEW, w.NOW, 100, 106)]


@case(Reason.ORACLE_MOVE)
def price_jumps(world: World) -> Txs:
    return [w.oracle_update(w.BTC, w.NOW, PRICE * 111 // 100, PRICE * 111 // 100)] if aged(world) else []


@case(Reason.ORACLE_SIGNERS)
def one_feeder(world: World) -> Txs:
    return [w.oracle_update(w.BTC, w.NOW, PRICE, PRICE, (0,))] if aged(world) else []


@case(Reason.ORACLE_SIGNERS)
def feeder_who_is_none(world: World) -> Txs:
    return [w.oracle_update(w.BTC, w.NOW, PRICE, PRICE, (0, 1, 3))] if aged(world) else []


@case(Reason.SIGNATURE_INVALID)
def feeders_swapped(world: World) -> Txs:
    good = w.oracle_update(w.BTC, w.NOW, PRICE, PRICE)
    aged(world)
    return [OracleUpdate(good.underlying, good.time, good.spot, good.mark, good.signers, good.signatures[::-1])]
