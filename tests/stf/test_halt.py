"""The circuit breaker of a coin."""

from __future__ import annotations

from rollup.stf.halt import watch
from rollup.types.reasons import Reason
from tests.stf.venue import CALL, FUTURE, LOT, PERP, P, dated
from tests.stf.world import START, price, trade

BTC = dated(1).underlying()
PERIOD = BTC.halt_period
WINDOW = BTC.halt_window


def test_the_first_price_is_the_anchor() -> None:
    """There is nothing yet that it could have run away from."""
    assert (BTC.anchor_spot, BTC.anchor_time, BTC.halted_until) == (P, START, 0)


def test_a_fast_move_halts_and_becomes_the_anchor() -> None:
    """Just above the limit; at it nothing happens. The halt begins with the block, not with the price."""
    venue = dated()
    venue.change_underlying(max_move=10**6)
    venue.must(price(START + 20, P * 115 // 100), at=START + 20)
    assert (venue.underlying().halted_until, venue.underlying().anchor_spot) == (0, P)
    venue.must(price(START + 30, P * 115 // 100 + 1), at=START + 40)
    assert venue.underlying().halted_until == START + 40 + PERIOD
    assert (venue.underlying().anchor_spot, venue.underlying().anchor_time) == (P * 115 // 100 + 1, START + 30)


def test_a_slow_move_is_followed() -> None:
    """After the window the anchor moves to the spot."""
    venue = dated()
    for step in range(1, 4):
        time = START + step * WINDOW
        venue.must(price(time, P * (100 + 14 * step) // 100), at=time)
        assert venue.underlying().halted_until == 0
        assert venue.underlying().anchor_time == time
    venue.must(price(time + 1, P * 143 // 100), at=time + 1)
    assert venue.underlying().anchor_time == time


def test_a_fall_halts_too() -> None:
    """The move counts in both directions."""
    venue = dated()
    venue.change_underlying(spot=P * 84 // 100, time=START + 1)
    assert watch(venue.underlying(), START + 1).halted_until == START + 1 + PERIOD


def test_while_halted_positions_can_only_shrink() -> None:
    """In every market of the coin, for both sides; on other coins trading goes on, and later here as well."""
    venue = dated()
    venue.give(0, 1, {PERP: 10 * LOT, CALL: 10 * LOT})
    venue.change_underlying(halted_until=START + PERIOD)
    assert venue.refusal(trade(LOT, P, 1, buyer=1, seller=0)) is Reason.NONE
    assert venue.refusal(trade(LOT, venue.mark(CALL), 1, buyer=1, seller=0, market=CALL)) is Reason.NONE
    assert venue.refusal(trade(LOT, P, 1)) is Reason.HALTED
    assert venue.refusal(trade(LOT, P, 1, buyer=1, seller=2)) is Reason.HALTED
    assert venue.refusal(trade(LOT, P, 1, market=FUTURE)) is Reason.HALTED
    assert venue.refusal(trade(10 * LOT, P // 10, 1, market=2)) is Reason.NONE
    venue.change_underlying(time=START + PERIOD - 1)
    venue.change_series(time=START + PERIOD - 1)
    assert venue.refusal(trade(LOT, P, 1), at=START + PERIOD - 1) is Reason.HALTED
    assert venue.refusal(trade(LOT, P, 1), at=START + PERIOD) is Reason.NONE
