"""The tape: which stretch is replayed, what the oracle says, and what traders read off the past."""

from __future__ import annotations

from itertools import pairwise
from statistics import fmean, pstdev

import pytest

from rollup.errors import ConfigError
from rollup.feeder.candles import Candle
from rollup.replay.tape import Stretch, Tape, read_stretch

DOLLAR = 1_000_000
CLOSES = [100, 101, 103, 99, 90, 80, 85, 95, 96, 94]


def candles(closes: list[int] = CLOSES, start: int = 60_000) -> list[Candle]:
    """One candle a minute that opens where the last one closed."""
    pairs = zip([closes[0], *closes], closes, strict=False)
    return [
        Candle(start + 60 * n, a * DOLLAR, max(a, b) * DOLLAR, min(a, b) * DOLLAR, b * DOLLAR)
        for n, (a, b) in enumerate(pairs)
    ]


def test_without_a_start_the_deepest_fall_of_that_length_is_replayed() -> None:
    """103 to 80 is the deepest fall over four candles."""
    assert read_stretch(candles(), 4, None) == Stretch(2, 5)


@pytest.mark.parametrize("ticks", [None, 10, 1_000])
def test_as_many_candles_as_there_are_means_all_of_them(ticks: int | None) -> None:
    """Asking for more is no error: the file may be short."""
    assert read_stretch(candles(), ticks, None) == Stretch(0, 9)


@pytest.mark.parametrize(
    ("ticks", "start", "wanted"),
    [(3, 60_060, Stretch(1, 3)), (None, 60_061, Stretch(2, 9)), (5, 60_480, Stretch(8, 9)), (1, 0, Stretch(0, 0))],
)
def test_a_start_begins_at_the_first_candle_not_before_it(ticks: int | None, start: int, wanted: Stretch) -> None:
    """The stretch ends with the file at the latest."""
    assert read_stretch(candles(), ticks, start) == wanted


@pytest.mark.parametrize(("ticks", "start"), [(0, None), (-5, None), (1, 60_541)])
def test_a_stretch_that_holds_no_candle_is_refused(ticks: int, start: int | None) -> None:
    """Nothing to replay is a fault of the call."""
    with pytest.raises(ConfigError):
        read_stretch(candles(), ticks, start)


def test_an_empty_tape_is_refused() -> None:
    """There is no price to begin with."""
    with pytest.raises(ConfigError):
        Tape([])


def test_the_mark_is_the_close_and_the_index_follows_it_with_a_lag() -> None:
    """The premium has the sign of the move, so funding is paid by those who chased it."""
    tape = Tape(candles([100] * 5 + [110] * 40))
    assert [tape.quote(0).mark, tape.quote(5).mark] == [100 * DOLLAR, 110 * DOLLAR]
    assert tape.quote(4).spot == 100 * DOLLAR
    gaps = [tape.quote(tick).mark - tape.quote(tick).spot for tick in range(5, 45)]
    assert gaps[0] == 8 * DOLLAR
    assert all(before >= after for before, after in pairwise(gaps))
    assert 0 <= gaps[-1] < DOLLAR // 100


def test_a_delay_moves_every_time_and_no_price() -> None:
    """For an L1 whose chain is younger than the candles."""
    plain, delayed = Tape(candles()), Tape(candles())
    delayed.delay(1_000)
    assert delayed.times == [time + 1_000 for time in plain.times]
    assert delayed.marks == plain.marks


@pytest.mark.parametrize("window", [1, 2, 5, 50])
def test_deviation_and_change_agree_with_their_definitions(window: int) -> None:
    """Prefix sums are only faster; where the past is shorter than the window, what there is of it counts."""
    tape = Tape(candles())
    for tick in range(len(tape)):
        past = [close * DOLLAR for close in CLOSES[max(0, tick - window + 1) : tick + 1]]
        spread = pstdev(past)
        wanted = (past[-1] - fmean(past)) / spread if spread else 0.0
        assert tape.deviation(tick, window) == pytest.approx(wanted)
        assert tape.change(tick, window) == pytest.approx(CLOSES[tick] / CLOSES[max(0, tick - window)] - 1)
