"""Prices that feeders send: reproducible, within what the rollup accepts, and faithful to a record."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rollup.devnet.candles import Candle
from rollup.devnet.prices import FixedPrice, Quote, RandomWalk, RecordedPrice, within_limits
from rollup.types.leaves import Underlying
from rollup.types.limits import MILLION, PRICE_BOUND

START = 60_000 * MILLION
prices = st.integers(1, PRICE_BOUND - 1)


def coin(spot: int, time: int, max_move: int = 100_000, max_basis: int = 50_000) -> Underlying:
    """A coin with a price; limits in ppm."""
    return Underlying(spot, spot, time, 0, time, 3_750, 50_000, 60, max_move, max_basis)


def test_a_random_walk_repeats_with_its_seed_and_differs_with_another() -> None:
    """A devnet run can be run again."""

    def walk(seed: int) -> list[Quote]:
        source = RandomWalk(seed, START)
        return [source.quote(second) for second in range(100)]

    assert walk(1) == walk(1) != walk(2)


def test_a_random_walk_moves_about_as_much_as_its_volatility_says() -> None:
    """A day at 60 % a year is about 3 %: a thousand of them stay within bounds that only a broken walk leaves."""
    ends = [RandomWalk(seed, START, jumps_per_day=0).quote(86_400).spot / START - 1 for seed in range(1_000)]
    spread = (sum(move * move for move in ends) / len(ends)) ** 0.5
    assert 0.025 < spread < 0.04


def test_a_random_walk_jumps_when_told_to() -> None:
    """Jumps come on top of the small steps."""
    source = RandomWalk(3, START, volatility=0.0, jumps_per_day=86_400, jump_size=0.01)
    spots = [source.quote(second).spot for second in range(50)]
    assert len(set(spots)) > 20


def test_a_fixed_price_stands_still() -> None:
    """Whenever it is asked."""
    source = FixedPrice(START)
    assert {source.quote(second) for second in range(10)} == {Quote(START, START)}


def test_a_recorded_price_goes_from_open_to_close_and_stays_at_the_end() -> None:
    """With the speed asked for."""
    candles = [Candle(600, 100, 200, 100, 200), Candle(660, 200, 210, 190, 190)]
    source = RecordedPrice(candles, speed=2.0)
    assert [source.quote(t).spot for t in (0, 15, 29.9, 30, 45, 60, 1_000)] == [100, 150, 200, 200, 195, 190, 190]


@given(prices, prices, prices, st.integers(0, 600), st.integers(1, MILLION), st.integers(0, MILLION - 1))
def test_what_a_feeder_sends_passes_the_checks_of_the_rollup(
    spot: int, mark: int, old: int, later: int, max_move: int, max_basis: int
) -> None:
    """The same inequalities as the state transition's, whatever the source says."""
    known = coin(old, 1_000, max_move, max_basis)
    sent = within_limits(Quote(spot, mark), known, 1_000 + later)
    assert 1 <= sent.spot < PRICE_BOUND
    assert 1 <= sent.mark < PRICE_BOUND
    assert abs(sent.mark - sent.spot) * MILLION <= max_basis * sent.spot
    assert abs(sent.spot - old) * MILLION <= max_move * (1 + later // 60) * old


@given(st.integers(1_000, PRICE_BOUND - 1), st.integers(-40, 40))
def test_an_allowed_price_is_sent_unchanged(old: int, move: int) -> None:
    """Limits touch only what exceeds them."""
    spot = min(max(old + old * move // 1_000, 1), PRICE_BOUND - 1)
    assert within_limits(Quote(spot, spot), coin(old, 1_000), 1_000) == Quote(spot, spot)


def test_the_first_price_of_a_coin_may_be_any() -> None:
    """Without a price there is none to move from."""
    assert within_limits(Quote(START, START), coin(0, 0), 5) == Quote(START, START)
