"""Cases of accounts in distress: flags, bids, deleveraging, debts, and who leaves meanwhile."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reason stands beside it

from __future__ import annotations

from rollup.types.limits import INSURANCE_FUND
from rollup.types.reasons import Reason
from rollup.types.transactions import Deleverage, Flag, Trade, WriteOff
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


# -- bids --------------------------------------------------------------------------------------------------------------


@case(Reason.NONE)
def bids_for_slices(world: World) -> Txs:
    distress(world)
    return [bid(2, 0, 1, 100_000), bid(2, 1, 1, 333_333, key=w.key_of("session", 1)), bid(2, 3, 1)]


@case(Reason.NONE)
def bids_for_the_insolvent(world: World) -> Txs:
    distress(world, -10 * DOLLAR, status=2, since=5)
    return [bid(2, 0, 1, 500_000), bid(2, 1, 1)]


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
    return [bid(2, 0, 1, 1_000), bid(2, 0, 1, 1_000)]


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


# -- deleveraging ------------------------------------------------------------------------------------------------------


@case(Reason.NONE)
def deleverages_after_the_auction(world: World) -> Txs:
    distress(world, since=600)
    return [Deleverage(2, 3, w.BTC_PERP, 7 * LOT), Deleverage(2, 3, w.BTC_PERP, COIN - 7 * LOT)]


@case(Reason.NONE)
def deleverages_what_no_fund_can_cover(world: World) -> Txs:
    distress(world, -2_000 * DOLLAR, status=2)
    return [Deleverage(2, 3, w.BTC_PERP, COIN // 2), Deleverage(2, 3, w.BTC_PERP, COIN // 2)]


@case(Reason.NONE)
def deleverages_a_short(world: World) -> Txs:
    distress(world, since=600)
    world.hold(2, {w.BTC_PERP: -COIN, w.FAR_CALL: -LOT})
    world.set_account(2, cash=PRICE + 5_000 * DOLLAR)
    world.hold(3, {w.BTC_PERP: COIN, w.FAR_CALL: 3 * LOT})
    world.count_interest()
    return [Deleverage(2, 3, w.FAR_CALL, LOT), Deleverage(2, 3, w.BTC_PERP, 10 * LOT)]


@case(Reason.SELF_TRADE)
def deleverages_against_itself(world: World) -> Txs:
    distress(world, since=600)
    return [Deleverage(2, 2, w.BTC_PERP, LOT)]


@case(Reason.NOT_FLAGGED)
def deleverages_the_sound(world: World) -> Txs:
    distress(world, status=0)
    return [Deleverage(2, 3, w.BTC_PERP, LOT)]


@case(Reason.NOT_LIQUIDATABLE)
def deleverages_who_recovered(world: World) -> Txs:
    distress(world, NEEDED, since=600)
    return [Deleverage(2, 3, w.BTC_PERP, LOT)]


@case(Reason.AUCTION_OPEN)
def deleverages_during_the_auction(world: World) -> Txs:
    distress(world, since=599)
    return [Deleverage(2, 3, w.BTC_PERP, LOT)]


@case(Reason.NONE)
def deleverages_a_debt_that_is_larger_than_its_positions(world: World) -> Txs:
    distress(world, -50_000 * DOLLAR, status=2)
    world.hold(2, {w.FAR_CALL: -LOT, w.FAR_PUT: LOT})
    world.hold(3, {w.FAR_CALL: LOT, w.FAR_PUT: -LOT})
    world.count_interest()
    return [Deleverage(2, 3, w.FAR_CALL, LOT), Deleverage(2, 3, w.FAR_PUT, LOT), WriteOff(2)]


@case(Reason.NONE)
def deleverages_who_is_worth_more_than_its_positions(world: World) -> Txs:
    distress(world, since=600)
    world.hold(2, {w.FAR_CALL: -COIN})
    world.hold(3, {w.FAR_CALL: COIN})
    world.set_account(2, cash=9_000 * DOLLAR)
    world.count_interest()
    return [Deleverage(2, 3, w.FAR_CALL, COIN)]


@case(Reason.AUCTION_OPEN)
def deleverages_while_the_fund_can_pay(world: World) -> Txs:
    distress(world, -1_000 * DOLLAR, status=2)
    return [Deleverage(2, 3, w.BTC_PERP, LOT)]


@case(Reason.MARKET_UNKNOWN)
def deleverages_in_no_market(world: World) -> Txs:
    distress(world, since=600)
    return [Deleverage(2, 3, 404, LOT)]


@case(Reason.DELEVERAGE_SIZE)
def deleverages_nothing(world: World) -> Txs:
    distress(world, since=600)
    return [Deleverage(2, 3, w.BTC_PERP, 0)]


@case(Reason.DELEVERAGE_SIZE)
def deleverages_more_than_there_is(world: World) -> Txs:
    distress(world, since=600)
    return [Deleverage(2, 3, w.BTC_PERP, COIN + LOT)]


@case(Reason.DELEVERAGE_SIZE)
def deleverages_between_lots(world: World) -> Txs:
    distress(world, since=600)
    return [Deleverage(2, 3, w.BTC_PERP, LOT + 1)]


@case(Reason.DELEVERAGE_SIZE)
def deleverages_two_of_one_side(world: World) -> Txs:
    distress(world, since=600).hold(3, {w.BTC_PERP: COIN})
    return [Deleverage(2, 3, w.BTC_PERP, LOT)]


@case(Reason.DELEVERAGE_SIZE)
def deleverages_who_holds_none(world: World) -> Txs:
    distress(world, since=600)
    return [Deleverage(2, 0, w.BTC_PERP, LOT)]


@case(Reason.CASH_RANGE)
def deleverages_beyond_range(world: World) -> Txs:
    distress(world, since=600).set_account(3, cash=-RANGE + 1)
    return [Deleverage(2, 3, w.BTC_PERP, LOT)]


# -- debts -------------------------------------------------------------------------------------------------------------


def ruin(world: World, debt: int = 1_500 * DOLLAR) -> World:
    """Account 2 holds nothing and owes this much."""
    distress(world, status=2).hold(2, {})
    world.set_account(2, cash=-debt)
    return world


@case(Reason.NONE)
def writes_off_what_the_fund_lacks(world: World) -> Txs:
    return [WriteOff(2), w.withdraw(0, 10_000 * DOLLAR, 1)] if ruin(world) else []


@case(Reason.NONE)
def writes_off_what_the_fund_has(world: World) -> Txs:
    return [WriteOff(2)] if ruin(world, 950 * DOLLAR) else []


@case(Reason.NOT_FLAGGED)
def writes_off_the_sound(_: World) -> Txs:
    return [WriteOff(2)]


@case(Reason.NOT_FLAGGED)
def writes_off_twice(world: World) -> Txs:
    return [WriteOff(2), WriteOff(2)] if ruin(world) else []


@case(Reason.NOT_LIQUIDATABLE)
def writes_off_who_holds_something(world: World) -> Txs:
    distress(world, -2_000 * DOLLAR, status=2)
    return [WriteOff(2)]


@case(Reason.NOT_LIQUIDATABLE)
def writes_off_who_owes_nothing(world: World) -> Txs:
    return [WriteOff(2)] if ruin(world, 0) else []


@case(Reason.CASH_RANGE)
def writes_off_beyond_range(world: World) -> Txs:
    ruin(world).set_globals(bad_debt=RANGE - 500 * DOLLAR)
    return [WriteOff(2)]


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
