"""Funding: the index follows the premium, payments round against the payer, pools never run dry."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from rollup.stf.funding import accrue
from rollup.types.leaves import Underlying
from rollup.types.limits import INDEX_BOUND
from tests.stf.world import COIN, START, USD, cancel, funded, price, trade, withdraw

P = 40_000 * USD
PLAIN = Underlying(P, P, START, 0, START, 3_750, 50_000, 86_400, 100_000, 50_000)
HOURS = 3_600


def test_a_premium_is_paid_once_in_eight_hours() -> None:
    """0.1 % above spot: after eight hours a coin has paid 0.1 % of spot."""
    later = accrue(replace(PLAIN, mark=P + P // 1000), START + 8 * HOURS)
    assert later.funding_index == P // 1000 * 1000
    assert later.funding_time == START + 8 * HOURS


def test_the_premium_is_clamped() -> None:
    """Beyond 0.375 % of spot, on either side, the index moves no faster."""
    for sign in (1, -1):
        later = accrue(replace(PLAIN, mark=P + sign * P // 50), START + 8 * HOURS)
        assert later.funding_index == sign * P * 3_750 // 1_000_000 * 1000


def test_without_a_price_only_time_moves() -> None:
    """Nothing is owed for a time without an oracle."""
    later = accrue(replace(PLAIN, time=0, spot=0, mark=5), START + HOURS)
    assert (later.funding_index, later.funding_time) == (0, START + HOURS)


def test_the_index_saturates() -> None:
    """At ±2^62 it stays; nobody's payment wraps."""
    for sign in (1, -1):
        full = replace(PLAIN, funding_index=sign * INDEX_BOUND, mark=P + sign * USD)
        assert accrue(full, START + 10**9).funding_index == sign * INDEX_BOUND
        nearly = replace(full, funding_index=sign * (INDEX_BOUND - 1))
        assert accrue(nearly, START + 10**9).funding_index == sign * INDEX_BOUND


@given(st.integers(1, 2**47 - 1), st.integers(1, 2**47 - 1), st.integers(0, 10**6), st.integers(0, 86_400))
def test_accrual_is_the_exact_figure_rounded_down(spot: int, mark: int, cap: int, seconds: int) -> None:
    """Against exact fractions, for any prices."""
    later = accrue(replace(PLAIN, spot=spot, mark=mark, funding_cap=cap), START + seconds)
    bound = Fraction(spot * cap // 10**6)
    premium = max(-bound, min(Fraction(mark - spot), bound))
    exact = floor(premium * 1000 * seconds / 28_800)
    assert later.funding_index == max(-INDEX_BOUND, min(exact, INDEX_BOUND))


def test_underlyings_accrue_at_their_first_touch_and_only_then() -> None:
    """A price in the block ends the old premium's time; what comes later in the block adds nothing."""
    world = funded()
    world.must(price(START + 30, P, P + 100 * USD), at=START + 30)
    world.must(trade(COIN, P, 1), price(START + 60, P, P - 100 * USD), trade(COIN, P, 2), at=START + 60)
    index = 100 * USD * 1000 * 30 // 28_800
    assert world.underlying().funding_index == index
    assert world.account(0).positions[0].funding_index == index
    world.must(trade(COIN, P, 3), at=START + 90)
    assert world.underlying().funding_index == index + (-100 * USD * 1000 * 30) // 28_800


@given(st.integers(1, 86_400), st.lists(st.integers(0, 100_000), max_size=6), st.integers(-50, 50))
def test_a_premium_counts_no_longer_than_its_price_stays_fresh(age: int, pauses: list[int], premium: int) -> None:
    """Whenever it is looked at: after max_age nothing more is owed, and no second counts twice."""
    coin = replace(PLAIN, max_age=age, mark=P + premium * USD)
    now, expected = START, 0
    for pause in pauses:
        fresh = min(now + pause, START + age) - min(now, START + age)
        expected += premium * USD * 1000 * fresh // 28_800
        now += pause
        coin = accrue(coin, now)
        assert (coin.funding_index, coin.funding_time) == (expected, now)


def test_silence_stops_the_funding_of_a_chain() -> None:
    """A block at 60 seconds owes what one a day later owes; the price after it owes from its own block on."""
    world = funded()
    world.must(trade(COIN, P, 1))
    world.must(price(START + 30, P, P + 100 * USD), at=START + 30)
    world.must(price(START + 86_430, P, P + 100 * USD), at=START + 86_430)
    index = 100 * USD * 1000 * 60 // 28_800
    assert (world.underlying().funding_index, world.underlying().funding_time) == (index, START + 86_430)
    world.must(price(START + 86_440, P, P), at=START + 86_440)
    assert world.underlying().funding_index == index + 100 * USD * 1000 * 10 // 28_800


def test_an_untouched_underlying_does_not_accrue() -> None:
    """Blocks that need no price leave it alone."""
    world = funded()
    result = world.must(cancel(0, 1), at=START + 30)
    assert result.usage.system == 1
    assert world.underlying().funding_time == START


def test_longs_pay_shorts_through_the_pool() -> None:
    """Who settles first is paid from, or pays into, the market's pool; then it is empty but for rounding."""
    world = funded()
    world.must(trade(COIN, P, 1))
    world.must(price(START + 30, P, P + 100 * USD), at=START + 30)
    cash = [world.account(n).cash for n in (0, 1)]
    world.must(withdraw(1, 1, 1), at=START + 60)
    due = 100 * USD * 30 // 28_800
    assert world.account(1).cash == cash[1] - 1 + due
    assert world.market().pool == -due
    world.check()
    world.must(withdraw(0, 1, 1), at=START + 60)
    assert world.account(0).cash == cash[0] - 1 - due - 1
    assert world.market().pool == 1
    world.check()


def test_a_position_opened_later_owes_nothing_for_before() -> None:
    """It starts at the index of its block."""
    world = funded()
    world.must(trade(COIN, P, 1))
    world.must(price(START + 30, P, P + 100 * USD), at=START + 30)
    world.must(trade(COIN, P, 2, buyer=2, seller=0), at=START + 60)
    index = world.underlying().funding_index
    assert index > 0
    assert world.account(2).positions[0].funding_index == index
    result = world.must(withdraw(2, 1, 1), at=START + 60)
    assert world.account(2).positions[0].funding_index == index
    assert result.receipts[0].detail is not None
    assert world.market().pool >= 0
