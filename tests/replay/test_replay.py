"""Whole replays: a made-up crash everywhere, the recorded market where it is, on the embedded L1 and on anvil."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rollup.cli.replay import read_count, read_time
from rollup.errors import ConfigError
from rollup.l1.anvil import find_anvil, run_anvil
from rollup.replay.words import tell
from tests.replay.market import STEPS, replay_file, write_crash
from tests.support.source import ROOT

RECORDED = ROOT.parent / "shared" / "data" / "btc_perp_1m_2022-01.csv.gz"


async def test_a_replay_holds_to_the_unit_and_repeats_itself(tmp_path: Path) -> None:
    """Everything happens in an hour of a crash; the same seed leads to the same state, and L1 alone to it as well."""
    path = write_crash(tmp_path / "crash.csv", 64)
    summary, heard = await replay_file(path, tmp_path / "one", ticks=None, accounts=30, orders=15)
    assert list(heard.steps) == STEPS
    trading, state = heard.steps["trading"], heard.steps["invariants"]
    assert trading["ticks"] == trading["oracle_updates"] == 64
    assert trading["trades"] > 100
    assert trading["orders"] >= trading["rested"] > 0
    assert min(trading[name] for name in ("deposits", "withdrawals", "transfers", "soft_cancels", "hard_cancels")) > 0
    assert trading["session_keys"] == 4
    assert heard.progressed["trading"] == [(tick, 64) for tick in range(1, 65)]
    money = state["cash"] + state["fees"] + state["insurance"] + state["pools"]
    assert money == state["deposits"] - state["withdrawals"]
    assert state["fees"] > 0
    assert state["open_interest"][1] > 0
    assert heard.steps["verification"]["state_root"] == summary["state_root"]
    assert heard.steps["verification"]["messages"] == 30 + trading["deposits"] + trading["forced_withdrawals"]
    assert all(tell(step, figures) for step, figures in heard.steps.items())

    again, _ = await replay_file(path, tmp_path / "two", ticks=None, accounts=30, orders=15)
    assert again["state_root"] == summary["state_root"]
    assert (again["orders"], again["trades"]) == (summary["orders"], summary["trades"])


@pytest.mark.anvil
async def test_a_node_that_is_later_than_the_candles_gets_them_later(tmp_path: Path) -> None:
    """Its clock cannot go back, so the recorded hours are moved to its present."""
    if find_anvil() is None:
        pytest.skip("anvil is not installed: run `npm ci`")
    path = write_crash(tmp_path / "crash.csv", 12)
    async with run_anvil() as url:
        summary, heard = await replay_file(path, tmp_path / "data", ticks=8, accounts=8, orders=10, l1=url)
    assert heard.steps["network"]["from"] > "2025"
    assert heard.steps["network"]["l1"] == url
    assert summary["candles"] == 8
    assert summary["trades"] > 0


@pytest.mark.market_data
async def test_the_recorded_crash_is_replayed(tmp_path: Path) -> None:
    """The deepest half hour of January 2022 in Bitcoin."""
    if not RECORDED.exists():
        pytest.skip(f"the recorded market is not at {RECORDED.relative_to(ROOT.parent)} beside the project")
    summary, heard = await replay_file(RECORDED, tmp_path / "data", ticks=30, accounts=40, orders=20)
    network = heard.steps["network"]
    assert network["from"].startswith("2022-01-21T21:2")
    assert network["last_price"] < network["first_price"] * 0.955
    assert summary["trades"] > 100


def test_the_command_prints_one_object_a_step_and_succeeds(tmp_path: Path) -> None:
    """What a machine reads: steps that are ok, progress between them, nothing else on standard output."""
    path = write_crash(tmp_path / "crash.csv", 20)
    done = rollup("--candles", str(path), "--accounts", "6", "--minutes", "10", "--orders", "6", "--json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    steps = [line for line in lines if "step" in line]
    assert [step["step"] for step in steps] == [*STEPS, "summary"]
    assert all(step["ok"] is True for step in steps)
    assert steps[-1]["candles"] == 10
    assert {line["progress"] for line in lines if "step" not in line} >= {"trading"}


def test_a_folder_that_is_not_empty_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """Used wrongly: exit code 2 and one line that says why."""
    path = write_crash(tmp_path / "crash.csv", 5)
    done = rollup("--candles", str(path), "--data", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == f"rollup: {tmp_path} exists and is not an empty folder\n"
    assert done.stdout == ""


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "ALL", "\N{SUPERSCRIPT TWO}", "9" * 10])
def test_minutes_that_are_no_number_are_refused(text: str) -> None:
    """Only a positive number or `all` will do."""
    with pytest.raises(ConfigError, match="minutes"):
        read_count(text)
    assert (read_count("all"), read_count("17")) == (None, 17)


def test_a_start_is_utc_unless_it_says_otherwise() -> None:
    """As the candles' times are."""
    assert read_time("1970-01-02") == read_time("1970-01-02T00:00:00Z") == 86_400
    assert read_time("1970-01-01T01:00:00+01:00") == 0
    with pytest.raises(ConfigError, match="ISO 8601"):
        read_time("yesterday")


def rollup(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `rollup replay` as anybody would."""
    command = [sys.executable, "-m", "rollup", "replay", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, cwd=ROOT)
