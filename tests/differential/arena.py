"""The state in which random games begin: rich and poor accounts, two with all positions, some already in distress.

Positions net to zero in every market and the totals add up, so that a game's end can be held to the invariants.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from rollup.crypto.signatures import recover
from rollup.stf.builder import BlockBuilder
from rollup.stf.health import with_health
from rollup.stf.margin import Margin
from rollup.types.keys import GLOBALS, account_key, market_key, series_key, underlying_key
from rollup.types.leaves import Globals, MarketKind
from tests.differential import world as w
from tests.differential.world import COIN, DOLLAR, SEPARATOR, World, make_world

ACCOUNTS: Final = 14
HOUSE: Final = 0
"""Rich, the other side of most positions."""
LIQUIDATORS: Final = (1, 2, 3)
RISKY: Final = (4, 5, 6, 7, 8, 9)
"""Accounts whose equity a plan sets, in per cent of their maintenance margin."""
FULL: Final = (10, 11)
"""Accounts with 32 positions, opposite to each other."""
RUINED: Final = (12, 13)
"""Accounts without positions, whose cash is below zero in games with somebody insolvent."""
FIRST: Final = 1_001
"""Number of the first of the markets that only those hold."""

_HELD: Final = {
    4: {w.BTC_PERP: COIN},
    5: {w.NEAR_CALL: -COIN, w.NEAR_PUT: -COIN},
    6: {w.BTC_FUTURE: COIN, w.FAR_PUT: -2 * COIN, w.ETH_PERP: 4 * COIN},
    7: {w.ETH_PERP: -8 * COIN, w.ETH_CALL: -5 * COIN},
    8: {w.BTC_SMALL: COIN, w.FAR_CALL: 3 * COIN, w.NEAR_FUTURE: -COIN},
    9: {w.BTC_PERP: -COIN, w.FAR_CALL: COIN, w.ETH_FUTURE: -3 * COIN, w.ETH_PUT: 6 * COIN},
}


def make_arena(health: Sequence[int] = (200,) * len(RISKY), bad_debt: int = 0) -> World:
    """A world whose risky accounts have so many per cent of their maintenance margin; those below it are flagged."""
    world = _crowded().copy()
    margins = _margins()
    for number, share in zip(RISKY, health, strict=True):
        equity, maintenance = margins[number]
        target = maintenance * share // 100
        account = world.account(number)
        world.set_account(number, cash=account.cash + target - equity)
        if share < 100 and share % 2 == 0:
            builder = BlockBuilder(world.read, world.time, SEPARATOR, recover)
            flagged = with_health(builder.view, world.account(number), target, maintenance)
            world.set_account(number, status=flagged.status, flagged=flagged.flagged)
    if min(health) < 0:
        for number in RUINED:
            world.set_account(number, cash=-90 * number * DOLLAR, status=2, flagged=w.NOW - 5)
    balance(world, bad_debt)
    return world


def balance(world: World, bad_debt: int = 0) -> None:
    """Make the totals fit the accounts, and the fund small."""
    accounts = [world.account(number) for number in range(ACCOUNTS)]
    fund = {"insurance": 400 * DOLLAR, "fees": 100 * DOLLAR}
    cash = sum(account.cash for account in accounts)
    world.set_globals(
        **fund, deposits=cash + sum(fund.values()) - bad_debt, bad_debt=bad_debt, accounts=ACCOUNTS,
        insolvent=sum(account.status == 2 for account in accounts), auction=20,
    )  # fmt: skip
    assert Globals.decode(world.read(GLOBALS)).deposits >= 0


@cache
def _crowded() -> World:
    world = make_world(ACCOUNTS, 200_000 * DOLLAR)
    for coin in (w.BTC, w.ETH):
        world.set_underlying(coin, settlement_window=600, halt_period=20, max_age=120)
    leaves = {underlying_key(w.NEW): w.underlying(spot=0, mark=0, time=0).encode()}
    for coin in (w.BTC, w.ETH):
        world.set_series(coin, w.NEAR, expiry=w.NOW + 200 * coin)
    for i in range(32):
        kind = (MarketKind.CALL, MarketKind.PUT, MarketKind.CALL, MarketKind.FUTURE)[i % 4]
        strike = w.BTC_MARK * (80 + 2 * i) // 100 if kind != MarketKind.FUTURE else 0
        leaves[market_key(FIRST + i)] = w.option(kind, (w.NEAR, w.FAR)[i // 16], strike).encode()
    leaves[series_key(w.ETH, w.FAR)] = w.series(forward=w.ETH_MARK + 3 * DOLLAR).encode()
    world.write(leaves)
    _give_positions(world)
    for number in (HOUSE, *LIQUIDATORS):
        world.set_account(number, cash=20_000_000 * DOLLAR)
    world.count_interest()
    return world


def _give_positions(world: World) -> None:
    house: dict[int, int] = {}
    for number, held in _HELD.items():
        world.hold(number, held)
        for market, size in held.items():
            house[market] = house.get(market, 0) - size
    world.hold(HOUSE, {market: size for market, size in house.items() if size})
    sizes = {FIRST + i: (i % 5 - 2 or 3) * COIN // 10 for i in range(32)}
    world.hold(FULL[0], sizes)
    world.hold(FULL[1], {market: -size for market, size in sizes.items()})


@cache
def _margins() -> dict[int, Margin]:
    world = _crowded()
    builder = BlockBuilder(world.read, world.time, SEPARATOR, recover)
    return {number: builder.margin_of(number) for number in RISKY}


def exists(world: World, number: int) -> bool:
    """Whether there is such an account."""
    return bool(world.read(account_key(number)))
