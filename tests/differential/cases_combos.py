"""Cases of combos: consents, legs, and what all legs together need."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reason stands beside it

from __future__ import annotations

from dataclasses import replace

from rollup.types.reasons import Reason
from tests.differential import world as w
from tests.differential.cases import LOT, PRICE, Txs, case
from tests.differential.signed import combo, leg
from tests.differential.world import COIN, DOLLAR, World

SPREAD = (leg(w.BTC_PERP, LOT, PRICE), leg(w.FAR_CALL, 2 * LOT, 1_900 * DOLLAR, sell=True))


@case(Reason.NONE)
def combo_of_all_kinds(_: World) -> Txs:
    legs = (*SPREAD, leg(w.FAR_PUT, LOT, 1_400 * DOLLAR), leg(w.ETH_FUTURE, 10 * LOT, w.ETH_MARK, sell=True))
    return [combo(0, 1, 5, sorted(legs, key=lambda item: item.market), taker_key=w.key_of("session", 1))]


@case(Reason.COMBO_LEGS)
def combo_with_a_market_twice(_: World) -> Txs:
    return [combo(0, 1, 5, (SPREAD[0], SPREAD[0]))]


@case(Reason.COMBO_LEGS)
def combo_out_of_order(_: World) -> Txs:
    return [combo(0, 1, 5, SPREAD[::-1])]


@case(Reason.SELF_TRADE)
def combo_with_itself(_: World) -> Txs:
    return [combo(1, 1, 5, SPREAD)]


@case(Reason.ORDER_EXPIRED)
def combo_accepted_too_late(_: World) -> Txs:
    return [combo(0, 1, 5, SPREAD, taker_expiry=w.NOW - 1)]


@case(Reason.NONCE_STALE)
def combo_replayed(_: World) -> Txs:
    return [combo(0, 1, 5, SPREAD), combo(0, 1, 5, SPREAD)]


@case(Reason.NONCE_FLOOR)
def combo_below_the_floor(world: World) -> Txs:
    world.set_account(1, nonce_floor=9)
    return [combo(0, 1, 5, SPREAD)]


@case(Reason.SIGNATURE_INVALID)
def combo_with_legs_changed(_: World) -> Txs:
    return [replace(combo(0, 1, 5, SPREAD), legs=(SPREAD[0], replace(SPREAD[1], price=1_901 * DOLLAR)))]


@case(Reason.ORDER_INVALID)
def combo_with_an_empty_leg(_: World) -> Txs:
    return [combo(0, 1, 5, (SPREAD[0], replace(SPREAD[1], size=0)))]


@case(Reason.TICK)
def combo_between_ticks(_: World) -> Txs:
    return [combo(0, 1, 5, (SPREAD[0], replace(SPREAD[1], price=1_900 * DOLLAR + 1)))]


@case(Reason.LOT)
def combo_between_lots(_: World) -> Txs:
    return [combo(0, 1, 5, (SPREAD[0], replace(SPREAD[1], size=LOT + 1)))]


@case(Reason.PRICE_BAND)
def combo_far_from_a_mark(_: World) -> Txs:
    return [combo(0, 1, 5, (SPREAD[0], replace(SPREAD[1], price=9_000 * DOLLAR)))]


@case(Reason.MARGIN)
def combo_that_one_leg_ruins(_: World) -> Txs:
    return [combo(0, 1, 5, (SPREAD[0], replace(SPREAD[1], size=100 * COIN)))]
