"""Cases of accounts in distress: flags, bids, and who leaves meanwhile."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reason stands beside it

from __future__ import annotations

from rollup.types.limits import INSURANCE_FUND
from rollup.types.reasons import Reason
from rollup.types.transactions import Flag, Trade
from tests.differential import world as w
from tests.differential.cases import LOT, PRICE, RANGE, Txs, buy, case, sell
from tests.differential.signed import bid
from tests.differential.world import COIN, DOLLAR, World

NEEDED = 10_250 * DOLLAR
"""Maintenance margin of a coin of the perpetual at the mark."""


def distress(world: World, equity: int = 5_000 * DOLLAR, *, status: int = 1, since: int = 60) -> World:
    """Account 2 is long a coin with so much equity, flagged `since` seconds ago; account 3 is short one."""
    flagged = w.NOW - since if status else 0
    world.hold(2, {w.BTC_PERP: COIN})
    world.set_account(2, cash=equity - PRICE, status=status, flagged=flagged)
    world.hold(3, {w.BTC_PERP: -COIN})
    world.set_market(w.BTC_PERP, open_interest=COIN)
    world.set_globals(insurance=900 * DOLLAR, fees=100 * DOLLAR, auction=600, insolvent=int(status == 2))
    return world


@case(Reason.NONE)
def raises_and_clears_flags(world: World) -> Txs:
    distress(world, status=0)
    return [Flag(2), w.transfer(0, 2, 9_000 * DOLLAR, 1), Flag(2)]


@case(Reason.NONE)
def flags_the_insolvent(world: World) -> Txs:
    distress(world, -1)
    return [Flag(2)]


@case(Reason.NOT_LIQUIDATABLE)
def flags_the_sound(world: World) -> Txs:
    distress(world, NEEDED, status=0)
    return [Flag(2)]


@case(Reason.FLAGGED)
def flags_twice(world: World) -> Txs:
    distress(world, NEEDED - 1, status=0)
    return [Flag(2), Flag(2)]


@case(Reason.FLAGGED)
def flags_again_at_the_last_moment(world: World) -> Txs:
    distress(world, since=1_200)
    return [Flag(2)]


@case(Reason.FLAGGED)
def raises_a_spent_flag_once(world: World) -> Txs:
    distress(world, since=1_201)
    return [Flag(2), Flag(2)]


@case(Reason.NONE)
def bids_on_a_flag_raised_again(world: World) -> Txs:
    """The auction begins anew: there is no discount yet."""
    distress(world, since=1_201)
    return [Flag(2), bid(2, 0, 1, 100_000, limit=PRICE // 10)]


@case(Reason.PRICE_LIMIT)
def bids_too_little_on_a_flag_raised_again(world: World) -> Txs:
    distress(world, since=1_201)
    return [Flag(2), bid(2, 0, 1, 100_000, limit=PRICE // 10 - 1)]


@case(Reason.NONE)
def clears_a_spent_flag(world: World) -> Txs:
    distress(world, NEEDED, since=5_000)
    return [Flag(2)]


@case(Reason.FLAGGED)
def spent_flag_of_who_became_insolvent(world: World) -> Txs:
    """First its status changes, then it is raised again, then it stands."""
    distress(world, -1, since=1_201)
    return [Flag(2), Flag(2), Flag(2)]


@case(Reason.NOT_LIQUIDATABLE)
def flags_the_sound_in_long_auctions(world: World) -> Txs:
    distress(world, NEEDED, status=0).set_globals(auction=(1 << 32) - 1)
    return [Flag(2)]


# -- bids --------------------------------------------------------------------------------------------------------------


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


@case(Reason.INSOLVENCY)
def withdraws_while_somebody_is_insolvent(world: World) -> Txs:
    distress(world, -1, status=2)
    return [w.withdraw(0, DOLLAR, 1)]


@case(Reason.NONE)
def trades_and_transfers_while_somebody_is_insolvent(world: World) -> Txs:
    distress(world, -1, status=2)
    return [w.transfer(0, INSURANCE_FUND, DOLLAR, 1), Trade(buy(), sell(), LOT)]


@case(Reason.CASH_RANGE)
def withdraws_more_than_all_can_be_worth(world: World) -> Txs:
    world.set_account(0, cash=RANGE - 1)
    world.set_globals(bad_debt=DOLLAR)
    return [w.withdraw(0, RANGE // 2, 1)]


@case(Reason.CASH_RANGE)
def insures_beyond_range(world: World) -> Txs:
    world.set_globals(insurance=RANGE - DOLLAR)
    return [w.transfer(0, INSURANCE_FUND, DOLLAR, 1)]
