"""Cases of the feeders' signed prices, in a block and, with `forced`, through L1."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reasons stand beside it

from __future__ import annotations

from rollup.types.limits import FORCED_AGE
from rollup.types.reasons import Reason
from tests.differential import world as w
from tests.differential.cases import PRICE, Txs, case
from tests.differential.cases_dated import FORWARD
from tests.differential.signed import surface
from tests.differential.world import DOLLAR, World


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def brings_the_oldest_price(_: World) -> Txs:
    return [w.oracle_update(w.NEW, w.NOW - FORCED_AGE, PRICE, PRICE)]


@case(Reason.ORACLE_STALE)
def brings_a_price_too_old_for_all(_: World) -> Txs:
    return [w.oracle_update(w.NEW, w.NOW - FORCED_AGE - 1, PRICE, PRICE)]


@case(Reason.ORACLE_TIME)
def brings_a_price_older_than_the_last(_: World) -> Txs:
    return [w.oracle_update(w.BTC, w.NOW - 61, PRICE, PRICE)]


@case(Reason.NONE, forced=Reason.NONE)
def brings_a_price_that_halts(world: World) -> Txs:
    world.set_underlying(w.BTC, time=w.NOW - 600, anchor_spot=PRICE * 100 // 80, anchor_time=w.NOW - 600)
    return [w.oracle_update(w.BTC, w.NOW, PRICE, PRICE)]


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def brings_the_oldest_slice(_: World) -> Txs:
    return [surface(w.BTC, w.BLANK, w.NOW - FORCED_AGE, FORWARD)]


@case(Reason.ORACLE_STALE)
def brings_a_slice_too_old_for_all(_: World) -> Txs:
    return [surface(w.BTC, w.BLANK, w.NOW - FORCED_AGE - 1, FORWARD)]


@case(Reason.ORACLE_STALE, forced=Reason.NONE)
def brings_the_forward_that_ends_a_series(world: World) -> Txs:
    world.set_series(w.BTC, w.FAR, expiry=w.NOW - 300, time=w.NOW - 900)
    return [surface(w.BTC, w.FAR, w.NOW - 290, FORWARD - DOLLAR)]
