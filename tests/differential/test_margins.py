"""Margin to the unit: what an account may withdraw at most, by the full grid of scenarios, in both twins."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import ceil, floor

from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.types.keys import market_key
from rollup.types.leaves import Market
from rollup.types.reasons import Reason
from tests.differential import world as w
from tests.differential.twins import assert_agreement, fast_verifier, make_proof
from tests.differential.world import DOLLAR, World, make_world

MILLION = 10**6
STEPS = (0, 1, -1, 2, -2, 3, -3, 4, -4)
SIZES = st.integers(-(10**9), 10**9).filter(bool)
MARKS = st.integers(1, 10**6) | st.integers(10**9, 10**12)


def free_cash(positions: dict[int, int], cash: int, marks: dict[int, int], steps: dict[int, int], world: World) -> int:
    """Equity above initial margin, straight from the definitions: exact fractions, every scenario of each coin."""
    markets = {number: Market.decode(world.read(market_key(number))) for number in positions}
    value = sum(Fraction(size * marks[markets[n].underlying], MILLION) for n, size in positions.items())
    contingency = sum(
        Fraction(abs(size) * marks[markets[n].underlying] * markets[n].contingency, MILLION * MILLION)
        for n, size in positions.items()
    )
    by_coin: defaultdict[int, list[int]] = defaultdict(list)
    for number, size in positions.items():
        by_coin[markets[number].underlying].append(size)
    maintenance = ceil(contingency)
    for coin, sizes in by_coin.items():
        shocked = [floor(Fraction(marks[coin] * (MILLION + k * steps[coin]), MILLION)) for k in STEPS]
        profits = [sum(size * (price - marks[coin]) for size in sizes) for price in shocked]
        maintenance += ceil(Fraction(max(0, -min(profits)), MILLION))
    return cash + floor(value) - maintenance - ceil(Fraction(maintenance, 4))


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(
    positions=st.dictionaries(st.sampled_from([w.BTC_PERP, w.ETH_PERP, w.BTC_SMALL]), SIZES, min_size=1),
    btc=MARKS,
    eth=MARKS,
    steps=st.tuples(st.integers(0, 200_000), st.integers(0, 200_000)),
    contingency=st.integers(0, 10**6),
)
def test_exactly_the_free_cash_can_be_withdrawn(
    positions: dict[int, int], btc: int, eth: int, steps: tuple[int, int], contingency: int
) -> None:
    """All of it is let go, one unit more is refused, by both twins."""
    world = make_world(2)
    world.set_underlying(w.BTC, spot=btc, mark=btc, spot_step=steps[0])
    world.set_underlying(w.ETH, spot=eth, mark=eth, spot_step=steps[1])
    world.set_market(w.ETH_PERP, contingency=contingency)
    world.hold(0, positions)
    marks, grid = {w.BTC: btc, w.ETH: eth}, {w.BTC: steps[0], w.ETH: steps[1]}
    target = 10**6 * DOLLAR
    world.set_account(0, cash=target - free_cash(positions, 0, marks, grid, world))
    for amount, reason in ((target, Reason.NONE), (target + 1, Reason.MARGIN)):
        proof = make_proof(world, [w.withdraw(0, amount, 1)])
        assert proof.result.reason == reason
        assert_agreement(proof, fast_verifier())
