"""Cases of accounts that nobody would take over: deleveraging, and debts that are written off."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reason stands beside it

from __future__ import annotations

from rollup.types.limits import INSURANCE_FUND
from rollup.types.reasons import Reason
from rollup.types.transactions import Deleverage, Flag, Trade, WriteOff
from tests.differential import world as w
from tests.differential.cases import LOT, PRICE, RANGE, Txs, buy, case, sell
from tests.differential.cases_risk import NEEDED, distress
from tests.differential.world import COIN, DOLLAR, World


@case(Reason.NONE)
def deleverages_after_the_auction(world: World) -> Txs:
    distress(world, since=600)
    return [Deleverage(2, 3, w.BTC_PERP, 7 * LOT), Deleverage(2, 3, w.BTC_PERP, COIN - 7 * LOT)]


@case(Reason.CASH_RANGE)
def deleverages_beside_fees_out_of_range(world: World) -> Txs:
    distress(world, since=600).set_globals(fees=1 << 62)
    return [Deleverage(2, 3, w.BTC_PERP, LOT)]


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


@case(Reason.NOT_FLAGGED)
def deleverages_on_a_spent_flag(world: World) -> Txs:
    distress(world, since=1_201)
    return [Deleverage(2, 3, w.BTC_PERP, LOT)]


@case(Reason.NONE)
def deleverages_at_the_last_moment(world: World) -> Txs:
    distress(world, since=1_200)
    return [Deleverage(2, 3, w.BTC_PERP, LOT)]


@case(Reason.AUCTION_OPEN)
def deleverages_on_a_flag_raised_again(world: World) -> Txs:
    distress(world, since=1_201)
    return [Flag(2), Deleverage(2, 3, w.BTC_PERP, LOT)]


@case(Reason.NONE)
def deleverages_at_mark_once_the_fund_has_paid(world: World) -> Txs:
    """It covers the debt to the last unit, after the auction: nothing is missing."""
    distress(world, -1_000 * DOLLAR, status=2, since=600)
    return [Deleverage(2, 3, w.BTC_PERP, 7 * LOT)]


@case(Reason.NONE)
def deleverages_at_nearly_the_mark(world: World) -> Txs:
    distress(world, -1_000 * DOLLAR - 1, status=2)
    return [Deleverage(2, 3, w.BTC_PERP, 7 * LOT)]


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


@case(Reason.NONE)
def writes_off_on_a_spent_flag(world: World) -> Txs:
    ruin(world).set_account(2, flagged=w.NOW - 10**6)
    return [WriteOff(2)]


@case(Reason.NONE)
def losses_are_repaid_as_money_comes_in(world: World) -> Txs:
    """After the write-off the fund is empty: fees and a gift are all that it can repay."""
    ruin(world)
    return [WriteOff(2), Trade(buy(), sell(), LOT), w.transfer(0, INSURANCE_FUND, 3 * DOLLAR, 1)]


@case(Reason.NONE)
def losses_are_repaid_in_full(world: World) -> Txs:
    """Out of insurance first, and no more than is owed."""
    world.set_globals(insurance=900 * DOLLAR, fees=100 * DOLLAR, bad_debt=950 * DOLLAR)
    return []


@case(Reason.NONE)
def losses_are_repaid_in_part(world: World) -> Txs:
    world.set_globals(insurance=900 * DOLLAR, fees=100 * DOLLAR, bad_debt=1_000 * DOLLAR + 1)
    return []


@case(Reason.NONE)
def losses_are_repaid_after_who_leaves_bore_a_share(world: World) -> Txs:
    world.set_globals(insurance=900 * DOLLAR, fees=100 * DOLLAR, bad_debt=1_000 * DOLLAR)
    return [w.withdraw(0, 10_000 * DOLLAR, 1)]
