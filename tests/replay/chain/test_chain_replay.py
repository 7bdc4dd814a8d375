"""Whole replays of option chains: a made-up one everywhere, the recorded one where it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from rollup.quant.chain import read_chain
from rollup.replay.chain.run import run_chain_replay
from rollup.replay.chain.settings import ChainSettings, cut_chain
from rollup.replay.chain.words import tell
from tests.replay.chain.market import EXPIRIES, STRIKES, write_chain
from tests.replay.market import Remembering
from tests.support.source import ROOT

RECORDED = ROOT.parent / "shared" / "data" / "deribit_btc_options_2020-05-21.csv"
STEPS = ["listing", "surface", "books", "trading", "posting", "invariants", "audit", "verification"]


async def test_a_made_up_chain_is_listed_quoted_traded_and_audited(tmp_path: Path) -> None:
    """Marks on their own slice agree to the price's last digits, every level rests, and py-evm finds nothing."""
    chain = read_chain(write_chain(tmp_path / "chain.csv"))
    folder = tmp_path / "data"
    await trio.Path(folder).mkdir()
    heard = Remembering()
    settings = ChainSettings(chain, folder, rounds=2, orders=12, takers=3, audit_ppm=400_000)
    summary = await run_chain_replay(settings, heard)
    assert list(heard.steps) == STEPS
    surface = heard.steps["surface"]
    assert surface["options"] == heard.steps["listing"]["options"] == len(EXPIRIES) * 2 * len(STRIKES)
    assert surface["worst_high"] < 2e-5  # a second of time value, and a fit's rounding
    assert surface["inside"] == surface["quoted"] == surface["options"]
    assert all(row["greeks"]["delta"]["largest"] < 1e-4 and not row["misses"] for row in surface["expiries"])
    books, trading = heard.steps["books"], heard.steps["trading"]
    assert books["rested"] == books["levels"] > 80
    assert books["refused"] == 0
    assert trading["trades"] >= trading["orders"] - trading["refused"] > 10
    assert 1 < trading["positions"] <= 32
    state, audit = heard.steps["invariants"], heard.steps["audit"]
    assert state["cash"] + state["fees"] == state["deposits"]
    assert sum(state["open_interest"].values()) == summary["open_interest"] > 0
    assert audit["audited"] > 0
    assert audit["skipped"] == 0
    assert summary["state_root"] == heard.steps["verification"]["state_root"]
    assert all(tell(step, figures) for step, figures in heard.steps.items())
    assert tell("summary", summary)


@pytest.mark.market_data
def test_the_recorded_chain_is_replayed_by_the_command(tmp_path: Path) -> None:
    """Two expiries of the recorded venue, near the money: errors within a tick of its books, all levels resting."""
    if not RECORDED.exists():
        pytest.skip(f"the recorded chain is not at {RECORDED.relative_to(ROOT.parent)} beside the project")
    cut = ["--expiries", "2", "--strikes", "6", "--rounds", "2", "--orders", "10", "--accounts", "3", "--audit", "0.3"]
    done = rollup("--chain", str(RECORDED), *cut, "--json", "--data", str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    steps = {line["step"]: line for line in map(json.loads, done.stdout.splitlines()) if "step" in line}
    assert list(steps) == [*STEPS, "summary"]
    assert all(step["ok"] for step in steps.values())
    assert steps["surface"]["worst_median"] < 0.0005
    assert steps["books"]["rested"] == steps["books"]["levels"] == 225
    assert steps["trading"]["trades"] > 0


@pytest.mark.market_data
def test_of_the_whole_recorded_chain_326_options_and_seven_slices_are_planned() -> None:
    """What the command lists by default."""
    if not RECORDED.exists():
        pytest.skip(f"the recorded chain is not at {RECORDED.relative_to(ROOT.parent)} beside the project")
    chain = cut_chain(read_chain(RECORDED), None, None)
    assert len(chain.expiries) == 7
    assert sum(len(expiry.quotes) for expiry in chain.expiries) == 326


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "a replay is of --candles or of a --chain"),
        (("--chain", "a", "--candles", "b"), "a replay is of --candles or of a --chain"),
        (("--chain", "a", "--leverage"), "--leverage: only with --candles"),
        (("--chain", "a", "--audit", "1.5"), "audit: a share from 0 to 1, not 1.5"),
        (("--chain", "a", "--accounts", "1"), "accounts (2 to 100000)"),
    ],
)
def test_arguments_that_contradict_each_other_are_refused(arguments: tuple[str, ...], why: str) -> None:
    """Exit code 2 and one line that says why."""
    done = rollup(*arguments)
    assert done.returncode == 2
    assert why in done.stderr
    assert done.stdout == ""


def rollup(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `rollup replay` as anybody would."""
    command = [sys.executable, "-m", "rollup", "replay", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, cwd=ROOT)
