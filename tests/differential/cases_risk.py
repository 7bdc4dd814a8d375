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


# -- who leaves meanwhile ----------------------------------------------------------------------------------------------


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
