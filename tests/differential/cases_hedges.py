"""Cases of accounts that can still pay, for which nobody's hedge goes, and of what the fund pays for one that owes."""
# ruff: noqa: D103 - a case is named after what happens in it, and its reason stands beside it

from __future__ import annotations

from rollup.crypto.signatures import recover
from rollup.stf.builder import BlockBuilder
from rollup.stf.margin import initial
from rollup.types.limits import WIND_UP
from rollup.types.reasons import Reason
from rollup.types.transactions import Deleverage, Trade, WriteOff
from tests.differential import world as w
from tests.differential.cases import LOT, PRICE, RANGE, Txs, buy, case, sell
from tests.differential.cases_risk import distress
from tests.differential.signed import bid, combo, leg
from tests.differential.world import COIN, DOLLAR, World

RICH = 10**6 * DOLLAR


def straddled(world: World, equity: int = 50 * DOLLAR) -> World:
    """Account 2 is long a coin of the perpetual and short one of the future; account 3 has the other sides."""
    status = 2 if equity < 0 else 1
    distress(world, equity, status=status, since=600)
    world.hold(2, {w.BTC_PERP: COIN, w.BTC_FUTURE: -COIN})
    world.set_account(2, cash=equity + 100 * DOLLAR)
    world.hold(3, {w.BTC_PERP: -COIN, w.BTC_FUTURE: COIN})
    world.set_account(3, cash=RICH)
    world.count_interest()
    return world


@case(Reason.MARGIN)
def deleverages_half_of_a_hedge(world: World) -> Txs:
    straddled(world)
    return [Deleverage(2, 3, w.BTC_PERP, COIN // 2)]


@case(Reason.MARGIN)
def deleverages_the_other_half_of_a_hedge(world: World) -> Txs:
    straddled(world, 0)
    return [Deleverage(2, 3, w.BTC_FUTURE, COIN // 2)]


@case(Reason.NONE)
def deleverages_the_hedge_of_who_owes(world: World) -> Txs:
    straddled(world, -1)
    return [Deleverage(2, 3, w.BTC_PERP, COIN // 2)]


@case(Reason.NONE)
def deleverages_beyond_a_hedge(world: World) -> Txs:
    """Three coins against one: what is too much of them may go."""
    straddled(world)
    world.hold(2, {w.BTC_PERP: 3 * COIN, w.BTC_FUTURE: -COIN})
    world.set_account(2, cash=-2 * PRICE + 5_000 * DOLLAR)
    world.hold(3, {w.BTC_PERP: -3 * COIN, w.BTC_FUTURE: COIN})
    world.count_interest()
    return [Deleverage(2, 3, w.BTC_PERP, 2 * COIN)]


def hedging(world: World, spare: int, equity: int = 5_000 * DOLLAR) -> World:
    """Account 3's short perpetual covers a future; without it, its equity is its initial margin and `spare` more."""
    distress(world, equity, status=2 if equity < 0 else 1, since=600)
    world.hold(3, {w.BTC_FUTURE: COIN})
    world.set_account(3, cash=0)
    found = BlockBuilder(world.read, world.time, w.SEPARATOR, recover).margin_of(3)
    world.set_account(3, cash=initial(found.maintenance) - found.equity + PRICE + spare)
    world.hold(3, {w.BTC_PERP: -COIN, w.BTC_FUTURE: COIN})
    world.count_interest()
    return world


@case(Reason.NONE)
def deleverages_against_who_keeps_initial_margin(world: World) -> Txs:
    hedging(world, 0)
    return [Deleverage(2, 3, w.BTC_PERP, COIN)]


@case(Reason.MARGIN)
def deleverages_against_who_needs_the_hedge(world: World) -> Txs:
    hedging(world, -1)
    return [Deleverage(2, 3, w.BTC_PERP, COIN)]


@case(Reason.NONE)
def deleverages_who_owes_against_who_needs_the_hedge(world: World) -> Txs:
    hedging(world, -1, -2_000 * DOLLAR)
    return [Deleverage(2, 3, w.BTC_PERP, COIN)]


# -- an abandoned slice ------------------------------------------------------------------------------------------------


def abandoned(world: World, holder: int) -> World:
    """Account 2 is in distress, and this account holds calls whose slice nobody has renewed for too long."""
    distress(world, since=600)
    held = {position.market: position.size for position in world.account(holder).positions}
    world.hold(holder, held | {w.FAR_CALL: LOT})
    world.set_series(w.BTC, w.FAR, time=w.NOW - WIND_UP - 1)
    world.count_interest()
    return world


@case(Reason.ORACLE_STALE)
def bids_for_calls_on_an_abandoned_slice(world: World) -> Txs:
    abandoned(world, 2)
    return [bid(2, 0, 1)]


@case(Reason.ORACLE_STALE)
def bids_with_calls_on_an_abandoned_slice(world: World) -> Txs:
    abandoned(world, 0)
    return [bid(2, 0, 1)]


@case(Reason.ORACLE_STALE)
def deleverages_who_has_calls_on_an_abandoned_slice(world: World) -> Txs:
    abandoned(world, 2)
    return [Deleverage(2, 3, w.BTC_PERP, LOT)]


@case(Reason.ORACLE_STALE)
def deleverages_against_calls_on_an_abandoned_slice(world: World) -> Txs:
    abandoned(world, 3)
    return [Deleverage(2, 3, w.BTC_PERP, LOT)]


@case(Reason.ORACLE_STALE)
def trades_with_who_has_calls_on_an_abandoned_slice(world: World) -> Txs:
    abandoned(world, 1)
    return [Trade(buy(), sell(), LOT)]


@case(Reason.ORACLE_STALE)
def quotes_with_calls_on_an_abandoned_slice(world: World) -> Txs:
    abandoned(world, 0)
    return [combo(0, 1, 5, (leg(w.BTC_PERP, LOT, PRICE),))]


@case(Reason.ORACLE_STALE)
def accepts_with_calls_on_an_abandoned_slice(world: World) -> Txs:
    abandoned(world, 1)
    return [combo(0, 1, 5, (leg(w.BTC_PERP, LOT, PRICE),))]


# -- the fund's share --------------------------------------------------------------------------------------------------


@case(Reason.NONE)
def deleverages_in_three_parts_at_the_funds_expense(world: World) -> Txs:
    """It pays a share that does not divide with each, and the last unit with the last."""
    distress(world, -1_000 * DOLLAR + 7, status=2, since=600)
    return [
        Deleverage(2, 3, w.BTC_PERP, size)
        for size in (COIN // 3 // LOT * LOT, LOT, COIN - LOT - COIN // 3 // LOT * LOT)
    ]


@case(Reason.NONE)
def deleverages_in_parts_at_the_expense_of_fund_and_counterparties(world: World) -> Txs:
    distress(world, -1_700 * DOLLAR + 3, status=2)
    world.hold(2, {w.BTC_PERP: COIN, w.FAR_CALL: -7 * LOT, w.FAR_PUT: 11 * LOT})
    world.hold(3, {w.BTC_PERP: -COIN, w.FAR_CALL: 7 * LOT, w.FAR_PUT: -11 * LOT})
    world.count_interest()
    parts = ((w.FAR_CALL, 7 * LOT), (w.BTC_PERP, 13 * LOT), (w.FAR_PUT, 5 * LOT), (w.FAR_PUT, 6 * LOT))
    return [*(Deleverage(2, 3, market, size) for market, size in parts), Deleverage(2, 3, w.BTC_PERP, COIN - 13 * LOT)]


@case(Reason.INSOLVENCY)
def withdraws_while_the_fund_has_paid_for_a_part(world: World) -> Txs:
    """The rest owes its share of the deficit until it is closed too."""
    distress(world, -900 * DOLLAR, status=2, since=600)
    return [Deleverage(2, 3, w.BTC_PERP, LOT), w.withdraw(0, DOLLAR, 1)]


@case(Reason.NONE)
def withdraws_once_the_fund_has_paid_for_all(world: World) -> Txs:
    distress(world, -900 * DOLLAR, status=2, since=600)
    whole = [Deleverage(2, 3, w.BTC_PERP, LOT), Deleverage(2, 3, w.BTC_PERP, COIN - LOT)]
    return [*whole, w.withdraw(0, DOLLAR, 1)]


def worthless(world: World) -> World:
    """Account 2 owes, and holds puts that are worth nothing."""
    distress(world, -500 * DOLLAR, status=2, since=600)
    world.set_market(w.NEAR_PUT, strike=DOLLAR)
    world.set_account(2, cash=-500 * DOLLAR)
    world.hold(2, {w.NEAR_PUT: -COIN})
    world.hold(3, {w.NEAR_PUT: COIN})
    world.count_interest()
    return world


@case(Reason.NONE)
def deleverages_what_is_worth_nothing(world: World) -> Txs:
    """For nothing: the fund pays when the debt is written off."""
    worthless(world)
    return [Deleverage(2, 3, w.NEAR_PUT, LOT), Deleverage(2, 3, w.NEAR_PUT, COIN - LOT), WriteOff(2)]


@case(Reason.INSOLVENCY)
def withdraws_while_a_debt_without_value_is_not_written_off(world: World) -> Txs:
    worthless(world)
    return [Deleverage(2, 3, w.NEAR_PUT, COIN), w.withdraw(0, DOLLAR, 1)]


@case(Reason.CASH_RANGE)
def trades_with_an_insurance_beyond_range(world: World) -> Txs:
    world.set_globals(insurance=RANGE)
    return [Trade(buy(), sell(), LOT)]


@case(Reason.CASH_RANGE)
def bids_with_fees_beyond_range(world: World) -> Txs:
    distress(world).set_globals(fees=RANGE)
    return [bid(2, 0, 1)]
