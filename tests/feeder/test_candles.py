"""Candle files: exact prices, and refusals that name the line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from rollup.errors import ConfigError
from rollup.feeder.candles import Candle, read_candles

HEADER = "timestamp,open,high,low,close,volume\n"
GOOD = "2021-12-31 23:01:00.000000,46319.0,46385.5,46319.0,46377.000001,2300413.7\n"


@pytest.mark.parametrize("packed", [False, True])
def test_candles_are_read_exactly_plain_or_gzipped(tmp_path: Path, packed: bool) -> None:
    """Times are UTC, prices µUSD."""
    path = tmp_path / "candles.csv"
    content = (HEADER + GOOD).encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    wanted = Candle(1_640_991_660, 46_319_000_000, 46_385_500_000, 46_319_000_000, 46_377_000_001)
    assert list(read_candles(path)) == [wanted]


@pytest.mark.parametrize(
    "time", ["1640991660", "1640991660000", "2021-12-31T23:01:00+00:00", "2022-01-01T00:01:00+01:00"]
)
def test_a_time_may_be_a_number_or_carry_its_zone(tmp_path: Path, time: str) -> None:
    """Seconds, milliseconds and ISO 8601 alike."""
    path = tmp_path / "candles.csv"
    path.write_text(f"{HEADER}{time},1,1,1,1,0\n")
    assert [candle.time for candle in read_candles(path)] == [1_640_991_660]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "no column timestamp, open"),
        ("timestamp,open,high,low\n", "no column close"),
        (HEADER, "no candles"),
        (HEADER + "yesterday,1,1,1,1,0\n", "line 2: timestamp is no time: 'yesterday'"),
        (HEADER + GOOD + GOOD, "line 3: not later than the candle before"),
        (HEADER + "1640991660,x,1,1,1,0\n", "line 2: open is no price: 'x'"),
        (HEADER + "1640991660,nan,1,1,1,0\n", "line 2: open out of range: 'nan'"),
        (HEADER + "1640991660,1,1,0,1,0\n", "line 2: low out of range: '0'"),
        (HEADER + "1640991660,1,2,1,3,0\n", r"line 2: open or close outside of low … high"),
        (HEADER + "1640991660,1\n", "line 2: high is no price: None"),
    ],
)
def test_a_bad_file_is_refused_with_the_line(tmp_path: Path, content: str, complaint: str) -> None:
    """Whoever prepared the file finds the fault."""
    path = tmp_path / "candles.csv"
    path.write_text(content)
    with pytest.raises(ConfigError, match=complaint):
        list(read_candles(path))


def test_an_absent_or_torn_file_is_refused(tmp_path: Path) -> None:
    """A gzip file that ends early is no file of candles."""
    with pytest.raises(ConfigError, match="No such file"):
        list(read_candles(tmp_path / "absent.csv"))
    packed = gzip.compress((HEADER + GOOD * 1).encode())
    (tmp_path / "torn.csv").write_bytes(packed[:-12])
    with pytest.raises(ConfigError, match="not a whole CSV file"):
        list(read_candles(tmp_path / "torn.csv"))
