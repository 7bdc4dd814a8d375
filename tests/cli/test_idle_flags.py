"""Flags that would change nothing, and folders that cannot be had, are refused before anything is started."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rollup.cli.display import open_folder
from rollup.cli.greeks import greeks
from rollup.cli.replay import replay
from rollup.errors import ConfigError

ABSENT = Path("no-such-file.csv")


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"chain": ABSENT, "leverage": True}, "--leverage: only with --candles"),
        ({"chain": ABSENT, "minutes": "5"}, "--minutes: only with --candles"),
        ({"chain": ABSENT, "start": "2022-01-01"}, "--from: only with --candles"),
        ({"candles": ABSENT, "rounds": 3}, "--rounds: only with --chain"),
        ({"candles": ABSENT, "expiries": 1}, "--expiries: only with --chain"),
        ({"candles": ABSENT, "leverage": True, "strikes": 9}, "--strikes: only with --chain"),
    ],
)
async def test_a_replay_refuses_flags_of_the_other_kind(flags: dict[str, Any], named: str) -> None:
    """Hours of a replay that was meant otherwise are lost hours."""
    with pytest.raises(ConfigError, match=f"^{named}$"):
        await replay(**flags)


@pytest.mark.parametrize("flags", [{"chain": ABSENT, "rounds": 3}, {"candles": ABSENT, "minutes": "all"}])
async def test_flags_of_its_own_kind_are_taken(flags: dict[str, Any]) -> None:
    """So that the file is the next thing that is missing."""
    with pytest.raises(ConfigError, match=r"^no-such-file\.csv: "):
        await replay(**flags)


@pytest.mark.parametrize(
    "flags",
    [
        {"instrument": "BTC-PERP", "account": 1},
        {"currency": "BTC", "account": 1},
        {"instrument": "BTC-PERP", "currency": "BTC"},
    ],
)
async def test_greeks_are_of_one_thing(flags: dict[str, Any]) -> None:
    """An account's totals are of all its coins: a coin beside it would be ignored."""
    with pytest.raises(ConfigError, match="give one of them"):
        await greeks(**flags)


def test_a_folder_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    """Below a file nothing can be made; a file is no folder; what is there is not written over."""
    file = tmp_path / "file"
    file.write_text("x")
    for wanted in (file, file / "below", tmp_path):
        with pytest.raises(ConfigError, match=f"^{re.escape(str(wanted))}"), open_folder(wanted):
            pass
    with open_folder(tmp_path / "new" / "folder") as made:
        assert made.is_dir()
