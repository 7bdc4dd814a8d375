"""Cases of bids for accounts in distress: slices, prices, limits, and what must not be stripped."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reason stands beside it

from __future__ import annotations

from rollup.types.keys import market_key
from rollup.types.leaves import MarketKind
from rollup.types.reasons import Reason
from tests.differential import world as w
from tests.differential.cases import LOT, PRICE, RANGE, Txs, case
from tests.differential.cases_risk import NEEDED, distress
from tests.differential.signed import bid
from tests.differential.world import COIN, DOLLAR, World


@case(Reason.NONE)
def bids_for_slices(world: World) -> Txs:
    distress(world)
    return [bid(2, 0, 1, 100_000), bid(2, 1, 1, 333_333, key=w.key_of("session", 1)), bid(2, 3, 1)]


@case(Reason.NONE)
def bids_for_the_insolvent(world: World) -> Txs:
    distress(world, -10 * DOLLAR, status=2, since=5)
    return [bid(2, 0, 1, 500_000), bid(2, 1, 1)]


@case(Reason.NONE)
def bids_for_the_insolvent_at_the_end(world: World) -> Txs:
    """A tenth of the maintenance margin and the debt: just what the fund has."""
    distress(world, -10 * DOLLAR, status=2, since=900)
    world.set_globals(insurance=1_025 * DOLLAR, fees=10 * DOLLAR)
    return [bid(2, 0, 1, limit=PRICE - 1_025 * DOLLAR)]


@case(Reason.INSURANCE)
def bids_for_the_insolvent_when_a_cent_is_missing(world: World) -> Txs:
    distress(world, -10 * DOLLAR, status=2, since=900)
    world.set_globals(insurance=1_025 * DOLLAR, fees=10 * DOLLAR - 1)
    return [bid(2, 0, 1)]


@case(Reason.NOT_FLAGGED)
def bids_on_a_spent_flag(world: World) -> Txs:
    distress(world, since=1_201)
    return [bid(2, 0, 1)]


@case(Reason.NONE)
def bids_at_the_last_moment(world: World) -> Txs:
    distress(world, since=1_200)
    return [bid(2, 0, 1)]


@case(Reason.AMOUNT)
def bids_for_crumbs(world: World) -> Txs:
    distress(world)
    return [bid(2, 0, 1, 100_000), bid(2, 1, 1, 99_999)]


@case(Reason.AMOUNT)
def bids_for_crumbs_of_the_insolvent(world: World) -> Txs:
    distress(world, -10 * DOLLAR, status=2)
    return [bid(2, 0, 1, 99_999, limit=0)]


def hedged(world: World, lot: int = COIN) -> World:
    """Account 2 is long a perpetual against a short future that only comes by the lot."""
    distress(world, since=0)
    world.set_market(w.BTC_FUTURE, lot=lot)
    world.hold(2, {w.BTC_PERP: COIN, w.BTC_FUTURE: -COIN})
    world.set_account(2, cash=1_000 * DOLLAR)
    world.count_interest()
    return world


@case(Reason.MARGIN)
def bids_away_a_hedge(world: World) -> Txs:
    hedged(world)
    return [bid(2, 0, 1, 500_000)]


@case(Reason.NONE)
def bids_for_what_needs_no_margin(world: World) -> Txs:
    """An option worth nothing to anybody: the rest needs as little as the whole."""
    distress(world, status=2)
    world.write({market_key(9): w.option(MarketKind.CALL, w.FAR, (1 << 47) - 1).encode()})
    world.set_series(w.BTC, w.FAR, confidence=10**6)
    world.hold(2, {9: 10 * LOT})
    world.set_account(2, cash=-10 * DOLLAR)
    world.count_interest()
    return [bid(2, 0, 1, 100_000)]


@case(Reason.NONE)
def bids_for_a_hedge_and_what_it_covers(world: World) -> Txs:
    hedged(world, LOT)
    return [bid(2, 0, 1, 500_000)]


@case(Reason.SELF_TRADE)
def bids_for_itself(world: World) -> Txs:
    distress(world)
    return [bid(2, 2, 1)]


@case(Reason.ORDER_EXPIRED)
def bids_too_late(world: World) -> Txs:
    distress(world)
    return [bid(2, 0, 1, expiry=w.NOW - 1)]


@case(Reason.AMOUNT)
def bids_for_nothing(world: World) -> Txs:
    distress(world)
    return [bid(2, 0, 1, 0)]


@case(Reason.AMOUNT)
def bids_for_more_than_all(world: World) -> Txs:
    distress(world)
    return [bid(2, 0, 1, 10**6 + 1)]


@case(Reason.NONCE_STALE)
def bid_replayed(world: World) -> Txs:
    distress(world)
    return [bid(2, 0, 1, 100_000), bid(2, 0, 1, 100_000)]


@case(Reason.SIGNATURE_INVALID)
def bid_signed_by_nobody_who_may(world: World) -> Txs:
    distress(world)
    return [bid(2, 0, 1, key=w.key_of("owner", 2))]


@case(Reason.NOT_FLAGGED)
def bids_for_who_is_not_flagged(world: World) -> Txs:
    distress(world, status=0)
    return [bid(2, 0, 1)]


@case(Reason.NOT_LIQUIDATABLE)
def bids_for_who_recovered(world: World) -> Txs:
    distress(world, NEEDED)
    return [bid(2, 0, 1)]


@case(Reason.NOT_LIQUIDATABLE)
def bids_for_who_holds_nothing(world: World) -> Txs:
    distress(world).hold(2, {})
    return [bid(2, 0, 1)]


@case(Reason.NOT_LIQUIDATABLE)
def bids_for_what_expired(world: World) -> Txs:
    distress(world).hold(2, {w.FAR_CALL: LOT})
    world.set_series(w.BTC, w.FAR, settlement=PRICE)
    return [bid(2, 0, 1)]


@case(Reason.INSURANCE)
def bids_for_a_hole_too_deep(world: World) -> Txs:
    distress(world, -1_000 * DOLLAR, status=2)
    return [bid(2, 0, 1)]


@case(Reason.PRICE_LIMIT)
def bids_too_little(world: World) -> Txs:
    distress(world, since=0)
    return [bid(2, 0, 1, 100_000, limit=PRICE // 10 - 1)]


@case(Reason.NONE)
def bids_just_enough(world: World) -> Txs:
    distress(world, since=0)
    return [bid(2, 0, 1, 100_000, limit=PRICE // 10)]


@case(Reason.POSITION_LIMIT)
def bids_for_more_than_it_may_hold(world: World) -> Txs:
    distress(world)
    world.set_market(w.BTC_PERP, max_position=COIN // 2)
    return [bid(2, 0, 1)]


@case(Reason.MARGIN)
def bids_without_margin(world: World) -> Txs:
    distress(world).set_account(0, cash=7_000 * DOLLAR)
    return [bid(2, 0, 1)]


@case(Reason.CASH_RANGE)
def bids_beyond_range(world: World) -> Txs:
    distress(world).set_globals(insurance=RANGE - 1)
    return [bid(2, 0, 1)]
