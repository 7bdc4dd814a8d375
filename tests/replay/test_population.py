"""The population: shares, pace and keys follow from the seed."""

from __future__ import annotations

from collections import Counter

import pytest

from rollup.crypto.signatures import address_of
from rollup.replay.population import ORDERS, draw_population, trader_key


def test_kinds_come_in_their_shares_and_the_first_is_a_maker() -> None:
    """Even a single trader makes a market."""
    assert [character.kind for character in draw_population(1, 1, 10)] == ["maker"]
    counts = Counter(character.kind for character in draw_population(400, 1, 10))
    assert counts == {"maker": 40, "trend": 100, "reverter": 100, "noise": 128, "holder": 32}


def test_the_same_seed_draws_the_same_and_another_seed_others() -> None:
    """Keys included, and no two traders share one."""
    one, again, other = draw_population(50, 1, 10), draw_population(50, 1, 10), draw_population(50, 2, 10)
    assert one == again
    assert [c.deposit for c in one] != [c.deposit for c in other]
    keys = {c.key for c in one} | {c.key for c in other}
    assert len(keys) == 100
    assert len({address_of(key) for key in keys}) == 100
    assert one[3].key == trader_key(1, 3)


@pytest.mark.parametrize("orders", [5.0, 40.0])
def test_together_they_place_about_as_many_orders_as_wanted(orders: float) -> None:
    """Expected orders a minute: pace times orders per action."""
    characters = draw_population(400, 3, orders)
    assert sum(c.pace * ORDERS[c.kind] for c in characters) == pytest.approx(orders)


def test_nobody_acts_more_than_once_a_tick() -> None:
    """A handful of traders cannot place hundreds of orders a minute."""
    assert max(c.pace for c in draw_population(5, 1, 500.0)) == 1.0
    assert all(c.deposit >= 5_000 * 10**6 for c in draw_population(300, 1, 1.0))
