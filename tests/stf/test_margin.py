"""Margin against a plain model of the specification in exact fractions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.errors import InvalidTransaction
from rollup.stf.context import Context
from rollup.stf.margin import initial, margin, require_initial
from rollup.stf.sheets import SCENARIOS, shocked_marks
from rollup.types.keys import market_key, underlying_key
from rollup.types.leaves import Account, Market, Position, Underlying
from rollup.types.reasons import Reason
from tests.stf.world import COIN, START, USD, World, funded

MARKETS = (1, 2, 3, 4)
"""Markets 1 and 3 on BTC, 2 and 4 on ETH."""

prices = st.integers(1, 2**47 - 1)
steps = st.integers(1, 200_000)
sizes = st.integers(-(2**62), 2**62).filter(bool)
holdings = st.dictionaries(st.sampled_from(MARKETS), sizes, max_size=4)
cash = st.integers(-(2**62) + 1, 2**62 - 1)


def context(world: World) -> Context:
    """A context in which every market counts as touched before."""
    return Context(world.read, START, bytes(32), lambda _digest, signature: signature[:20])


def world_of(marks: tuple[int, int], shocks: tuple[int, int], contingencies: tuple[int, ...]) -> World:
    """Four markets on two coins."""
    world = World()
    for coin, mark, step in zip((1, 2), marks, shocks, strict=True):
        leaf = replace(world.underlying(coin), spot=mark, mark=mark, time=START, spot_step=step)
        world.leaves[underlying_key(coin)] = leaf.encode()
    for market, contingency in zip(MARKETS, contingencies, strict=True):
        leaf_ = replace(world.market(), underlying=2 - market % 2, contingency=contingency)
        world.leaves[market_key(market)] = leaf_.encode()
    return world


def account_of(held: dict[int, int], money: int) -> Account:
    """An account with these sizes by market."""
    positions = tuple(Position(market, held[market], 0) for market in sorted(held))
    return Account(bytes(20), bytes(20), money, 0, 0, 0, positions)


def model(world: World, account: Account) -> tuple[int, int]:
    """Equity and maintenance as the specification says, scenario by scenario."""
    legs: dict[int, list[tuple[int, Market, Underlying]]] = {}
    for position in account.positions:
        market = world.market(position.market)
        legs.setdefault(market.underlying, []).append((position.size, market, world.underlying(market.underlying)))
    everything = [leg for group in legs.values() for leg in group]
    value = sum(Fraction(size * coin.mark, 10**6) for size, _, coin in everything)
    rates = [ceil(Fraction(coin.mark * market.contingency, 10**6)) for _, market, coin in everything]
    weighed = zip(everything, rates, strict=True)
    maintenance = ceil(Fraction(sum(abs(size) * rate for (size, _, _), rate in weighed), 10**6))
    for group in legs.values():
        profits = []
        for k in (0, 1, -1, 2, -2, 3, -3, 4, -4):
            shocked = [floor(Fraction(coin.mark) * (10**6 + k * coin.spot_step) / 10**6) for _, _, coin in group]
            profits.append(sum(size * (new - coin.mark) for (size, _, coin), new in zip(group, shocked, strict=True)))
        maintenance += ceil(Fraction(max(0, -min(profits)), 10**6))
    return account.cash + floor(value), maintenance


@settings(max_examples=200)
@given(
    st.tuples(prices, prices),
    st.tuples(steps, steps),
    st.tuples(*[st.integers(0, 999_999)] * 4),
    holdings,
    cash,
)
def test_margin_is_that_of_the_model(
    marks: tuple[int, int], shocks: tuple[int, int], contingencies: tuple[int, ...], held: dict[int, int], money: int
) -> None:
    """For any prices, shocks, contingencies and holdings, alone or several on a coin."""
    world = world_of(marks, shocks, contingencies)
    account = account_of(held, money)
    ctx = context(world)
    assert margin(ctx, account) == model(world, account)
    assert ctx.meters.read().revaluations == len(held)


def test_the_scenarios_are_twenty_three() -> None:
    """Seven shocks with volatility up, unchanged and down, and the two extremes with volatility up."""
    assert len(SCENARIOS) == len(set(SCENARIOS)) == 23
    assert SCENARIOS[:4] == ((0, 1), (0, 0), (0, -1), (1, 1))
    assert SCENARIOS[-2:] == ((4, 1), (-4, 1))


def test_shocked_prices_round_down() -> None:
    """3 µUSD, one step of 5 %: 3.15 is 3, 2.85 is 2."""
    assert shocked_marks(3, 50_000) == (3, 3, 3, 3, 3, 3, 2, 2, 2, 3, 3, 3, 2, 2, 2, 3, 3, 3, 2, 2, 2, 3, 2)


def test_opposite_holdings_on_one_coin_offset() -> None:
    """Only the contingency of both remains; on two coins nothing offsets."""
    world = world_of((40_000 * USD, 4_000 * USD), (50_000, 50_000), (5_000,) * 4)
    hedged = margin(context(world), account_of({1: COIN, 3: -COIN}, 0))
    assert hedged == (0, 2 * 40_000 * USD * 5_000 // 10**6)
    apart = margin(context(world), account_of({1: COIN, 2: -10 * COIN}, 0))
    assert apart == (0, 2 * (40_000 * USD // 5 + 200 * USD))


def test_initial_margin_is_a_quarter_more_rounded_up() -> None:
    """Of one µUSD it is two."""
    assert [initial(maintenance) for maintenance in (0, 1, 4, 5)] == [0, 2, 5, 7]


def test_an_account_without_positions_needs_no_margin_but_not_less_than_nothing() -> None:
    """Cash zero is enough, debt is not."""
    world = funded()
    require_initial(context(world), account_of({}, 0))
    with pytest.raises(InvalidTransaction) as refusal:
        require_initial(context(world), account_of({}, -1))
    assert refusal.value.reason is Reason.MARGIN


def test_sheets_are_drawn_once_a_block() -> None:
    """The second account is valued from the first one's."""
    world = world_of((40_000 * USD, 4_000 * USD), (50_000, 50_000), (0,) * 4)
    ctx = context(world)
    margin(ctx, account_of({1: COIN}, 0))
    sheet = ctx.sheets[1]
    margin(ctx, account_of({1: -COIN, 2: COIN}, 0))
    assert ctx.sheets[1] is sheet
    assert set(ctx.sheets) == {1, 2}
