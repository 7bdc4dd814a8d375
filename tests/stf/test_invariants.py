"""The check of a whole state finds what does not add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from rollup.errors import BrokenInvariant, Undecodable
from rollup.stf.invariants import check_invariants
from rollup.types.keys import GLOBALS, account_key
from rollup.types.leaves import Position
from rollup.types.limits import WIND_UP
from rollup.types.transactions import Settle
from tests.stf.world import COIN, START, USD, World, funded, price, trade, withdraw

P = 40_000 * USD


def busy() -> World:
    """A state with positions, fees, funding and withdrawals."""
    world = funded()
    world.must(trade(COIN, P, 1))
    world.must(price(START + 30, P, P + 100 * USD), at=START + 30)
    world.must(trade(COIN // 2, P, 2, buyer=2, seller=0), withdraw(1, USD, 1), at=START + 60)
    return world


def test_a_sound_state_is_reported() -> None:
    """With its figures."""
    report = busy().check()
    assert (report.accounts, report.deposits, report.withdrawals) == (3, 300_000 * USD, USD)
    assert report.open_interest == {1: COIN, 2: 0}
    assert report.cash + report.fees + report.insurance + report.pools == report.deposits - report.withdrawals


def total(field: str) -> Callable[[World], object]:
    """One more in a total."""

    def change(world: World) -> None:
        totals = world.globals()
        world.leaves[GLOBALS] = replace(totals, **{field: getattr(totals, field) + 1}).encode()

    return change


def position(delta: int) -> Callable[[World], object]:
    """A position that nobody traded."""
    return lambda world: world.change_account(1, positions=(Position(1, -COIN + delta, 0),))


BREAKS: dict[str, Callable[[World], object]] = {
    "cash from nothing": lambda world: world.change_account(0, cash=world.account(0).cash + 1),
    "fees": total("fees"),
    "insurance": total("insurance"),
    "deposits": total("deposits"),
    "withdrawals": total("withdrawals"),
    "accounts": total("accounts"),
    "funding pool": lambda world: world.change_market(pool=world.market().pool + 1),
    "open interest": lambda world: world.change_market(open_interest=COIN + 1),
    "longs without shorts": position(1),
    "shorts without longs": position(-1),
    "withdrawn by nobody": lambda world: world.change_account(0, withdrawn=1),
    "a lost account": lambda world: world.leaves.pop(account_key(2)),
    "a position in no market": lambda world: world.change_account(2, positions=(Position(9, 1, 0),)),
    "no totals": lambda world: world.leaves.pop(GLOBALS),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_state_is_refused(name: str) -> None:
    """By one unit of anything; the error tells both figures."""
    world = busy()
    BREAKS[name](world)
    with pytest.raises(BrokenInvariant) as broken:
        world.check()
    assert broken.value.expected != broken.value.actual


def wound_up() -> World:
    """The same after fourteen days without a price: one of three holders is paid out."""
    world = busy()
    world.must(Settle(0), at=START + 30 + WIND_UP + 1)
    return world


def test_an_abandoned_market_need_not_net_to_zero_but_its_pool_must_pay_the_rest() -> None:
    """One µUSD less than what is owed is found, unless rounding has left more."""
    world = wound_up()
    report = world.check()
    assert report.open_interest[1] == COIN // 2
    spare = world.market().pool
    for number in (1, 2):
        world.must(Settle(number))
        world.check()
    left = world.market().pool
    assert 0 <= left <= 3
    world = wound_up()
    for missing, sound in ((left, True), (left + 1, False)):
        world.change_market(pool=spare - missing)
        world.change_account(0, cash=wound_up().account(0).cash + missing)
        if sound:
            world.check()
        else:
            with pytest.raises(BrokenInvariant, match="pool of abandoned market 1"):
                world.check()


def test_leaves_that_are_none_are_refused() -> None:
    """Unknown keys and undecodable values."""
    for leaf in ((2, b"x"), (GLOBALS, b"x")):
        with pytest.raises(Undecodable):
            check_invariants([leaf])
