"""Margin to the unit: what an account may withdraw at most, by the full grid of scenarios, in both twins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from math import ceil, floor

from hypothesis import given, settings
from hypothesis import strategies as st

from rollup.stf.sheets import SCENARIOS, UNSHOCKED, option_grid
from rollup.types.keys import market_key, series_key, underlying_key
from rollup.types.leaves import Market, MarketKind, Series, Underlying
from rollup.types.reasons import Reason
from tests.differential import world as w
from tests.differential.twins import assert_agreement, fast_verifier, make_proof
from tests.differential.world import DOLLAR, World, make_world

MILLION = 10**6
SIZES = st.integers(-(10**9), 10**9).filter(bool)
MARKS = st.integers(1, 10**6) | st.integers(10**9, 10**12)
PPM = st.integers(0, MILLION)
HELD = (
    w.BTC_PERP, w.BTC_SMALL, w.BTC_FUTURE, w.NEAR_FUTURE, w.NEAR_CALL, w.NEAR_PUT, w.FAR_CALL, w.FAR_PUT, w.ETH_PERP,
    w.ETH_FUTURE, w.ETH_CALL, w.ETH_PUT,
)  # fmt: skip


class Book:
    """What an account's positions are worth and need, straight from the definitions: exact fractions, all scenarios."""

    def __init__(self, world: World, positions: Mapping[int, int]) -> None:
        self.value = Fraction(0)
        self._contingency = Fraction(0)
        self._profits: defaultdict[int, list[Fraction]] = defaultdict(lambda: [Fraction(0)] * len(SCENARIOS))
        self._calls: defaultdict[tuple[int, int], int] = defaultdict(int)
        self._world = world
        for number, size in positions.items():
            self._add(Market.decode(world.read(market_key(number))), size)

    def free_cash(self, cash: int) -> int:
        """Equity above initial margin, with so much cash."""
        for (coin, number), calls in self._calls.items():
            series, underlying = self._series(coin, number), self._coin(coin)
            rate = ceil(Fraction(series.forward * underlying.call_contingency, MILLION))
            self._contingency += max(0, -calls) * rate
        losses = (max(Fraction(0), -min(profits)) for profits in self._profits.values())
        maintenance = sum(ceil(loss / MILLION) for loss in losses) + ceil(self._contingency / MILLION)
        return cash + floor(self.value / MILLION) - maintenance - ceil(Fraction(maintenance, 4))

    def _coin(self, number: int) -> Underlying:
        return Underlying.decode(self._world.read(underlying_key(number)))

    def _series(self, coin: int, number: int) -> Series:
        return Series.decode(self._world.read(series_key(coin, number)))

    def _add(self, market: Market, size: int) -> None:
        coin = self._coin(market.underlying)
        forward, doubt = coin.mark, 0
        if market.kind != MarketKind.PERP:
            series = self._series(market.underlying, market.series)
            forward = series.forward
            doubt = ceil(Fraction(forward * (MILLION - series.confidence) * coin.confidence_factor, MILLION * MILLION))
        moved = [floor(Fraction(forward * (MILLION + k * coin.spot_step), MILLION)) for k, _ in SCENARIOS]
        rate = ceil(Fraction(forward * market.contingency, MILLION)) + doubt
        if market.kind >= MarketKind.CALL:
            moved = list(option_grid(market, coin, series, w.NOW))
            rate = rate if size < 0 else doubt
        mark = moved[UNSHOCKED]
        self.value += size * mark
        self._contingency += abs(size) * rate
        profits = self._profits[market.underlying]
        self._profits[market.underlying] = [p + size * (m - mark) for p, m in zip(profits, moved, strict=True)]
        if market.kind == MarketKind.CALL:
            self._calls[market.underlying, market.series] += size


def assert_free_cash(world: World, positions: dict[int, int]) -> None:
    """All of the free cash is let go, one unit more is refused, by both twins."""
    world.hold(0, positions)
    target = 10**6 * DOLLAR
    world.set_account(0, cash=target - Book(world, positions).free_cash(0))
    world.set_globals(deposits=10**17)
    for amount, reason in ((target, Reason.NONE), (target + 1, Reason.MARGIN)):
        proof = make_proof(world, [w.withdraw(0, amount, 1)])
        assert proof.result.reason == reason
        assert_agreement(proof, fast_verifier())


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(
    positions=st.dictionaries(st.sampled_from([w.BTC_PERP, w.ETH_PERP, w.BTC_SMALL]), SIZES, min_size=1),
    btc=MARKS,
    eth=MARKS,
    steps=st.tuples(st.integers(0, 200_000), st.integers(0, 200_000)),
    contingency=PPM,
)
def test_exactly_the_free_cash_of_perpetuals_can_be_withdrawn(
    positions: dict[int, int], btc: int, eth: int, steps: tuple[int, int], contingency: int
) -> None:
    """Whatever they cost and however far their prices are shocked."""
    world = make_world(2)
    world.set_underlying(w.BTC, spot=btc, mark=btc, spot_step=steps[0])
    world.set_underlying(w.ETH, spot=eth, mark=eth, spot_step=steps[1])
    world.set_market(w.ETH_PERP, contingency=contingency)
    assert_free_cash(world, positions)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    positions=st.dictionaries(st.sampled_from(HELD), SIZES, min_size=1, max_size=12),
    forwards=st.tuples(MARKS, MARKS, MARKS),
    shocks=st.tuples(st.integers(1, 200_000), PPM, PPM),
    rates=st.tuples(PPM, PPM, PPM),
    confidence=PPM,
)
def test_exactly_the_free_cash_of_any_book_can_be_withdrawn(
    positions: dict[int, int], forwards: tuple[int, int, int], shocks: tuple[int, int, int],
    rates: tuple[int, int, int], confidence: int,
) -> None:  # fmt: skip
    """Perpetuals, futures and options of several expiries and coins: grid, naked calls, contingencies, doubt."""
    world = make_world(2)
    step, up, down = shocks
    world.set_underlying(
        w.BTC, spot_step=step, vol_up=up, vol_down=down, call_contingency=rates[0], confidence_factor=rates[1]
    )  # fmt: skip
    for (coin, number), forward in zip(((w.BTC, w.NEAR), (w.BTC, w.FAR), (w.ETH, w.NEAR)), forwards, strict=True):
        world.set_series(coin, number, forward=forward, confidence=confidence)
    for market in (w.FAR_CALL, w.NEAR_PUT, w.BTC_FUTURE):
        world.set_market(market, contingency=rates[2])
    assert_free_cash(world, positions)
