"""A feeder's sources by its settings, and what makes no sense among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollup.errors import ConfigError
from rollup.feeder.coins import coin_number
from rollup.feeder.sources import FIRST_PRICES, SourceSettings, open_sources, read_walks
from rollup.quant.sources import CandleSource, WalkSource
from rollup.types.genesis import BTC, ETH
from rollup.types.limits import MILLION


def test_coins_walk_unless_a_file_says_otherwise(tmp_path: Path) -> None:
    """Candles drive their coin, the others walk as without them."""
    path = tmp_path / "candles.csv"
    path.write_text("timestamp,open,high,low,close\n60,100,200,100,150\n")
    recorded = open_sources(SourceSettings("candles", path))
    walking = open_sources(SourceSettings())
    assert recorded[BTC].prices(0).spot == 100 * MILLION
    assert recorded[ETH].prices(50) == walking[ETH].prices(50)
    assert walking[BTC].prices(0).spot == FIRST_PRICES["BTC"]
    assert isinstance(recorded[BTC], CandleSource)
    assert isinstance(walking[BTC], WalkSource)


def test_feeders_with_one_seed_walk_alike_and_with_another_apart() -> None:
    """So that those which co-sign agree."""
    first, same, other = (open_sources(SourceSettings(seed=seed))[BTC].prices(100) for seed in (1, 1, 2))
    assert first == same != other


def test_walks_are_read_exactly() -> None:
    """Micro-dollars."""
    assert read_walks(("BTC=60000.5", "U77=0.000001")) == {"BTC": 60_000_500_000, "U77": 1}


@pytest.mark.parametrize("text", ["BTC", "BTC=", "BTC=x", "BTC=0", "BTC=NaN", "BTC=1e30", "GOLD=1", "=1", "U0=1"])
def test_a_walk_that_makes_no_sense_is_refused(text: str) -> None:
    """Before anything is signed."""
    with pytest.raises(ConfigError):
        read_walks((text,))


@pytest.mark.parametrize("kind", ["candles", "chain"])
def test_a_recording_needs_its_file(kind: str) -> None:
    """And says how to name it."""
    with pytest.raises(ConfigError, match="--file"):
        open_sources(SourceSettings(kind))  # type: ignore[arg-type]


def test_coins_have_numbers() -> None:
    """Known ones by symbol, others by number."""
    assert (coin_number("BTC"), coin_number("ETH"), coin_number("U300")) == (1, 2, 300)
    with pytest.raises(ConfigError, match="no coin"):
        coin_number("U65536")
