"""Whole leveraged replays: a made-up crash everywhere, the recorded one where it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trio

from rollup.batcher.alarms import Alarms
from rollup.feeder.candles import read_candles
from rollup.replay import errands
from rollup.replay.crash.run import run_leveraged_replay
from rollup.replay.crash.words import tell
from rollup.replay.settings import ReplaySettings
from rollup.replay.tape import Tape, read_stretch
from rollup.sequencer import service
from tests.replay.crash.market import write_fall
from tests.replay.market import Remembering
from tests.support.source import ROOT

RECORDED = ROOT.parent / "shared" / "data" / "btc_perp_1m_2022-01.csv.gz"
STEPS = ["network", "accounts", "trading", "liquidation", "posting", "invariants", "verification"]


async def test_a_made_up_crash_goes_through_auctions_fund_and_deleveraging(tmp_path: Path) -> None:
    """Slow first, then faster than any auction: whoever falls is flagged in that block, no unit of money is lost."""
    path = write_fall(tmp_path / "fall.csv")
    summary, steps = await replay(path, tmp_path / "data", ticks=None, accounts=40, orders=25)
    found = steps["liquidation"]
    assert found["raised"] == sum(found["lags"].values()) > 10
    assert found["bids"] > 0
    assert found["deleveragings"] > 0
    assert found["insolvent_peak"] > 0
    assert found["covered"] > 0
    assert found["dues"] > 0
    assert found["fund_end"] >= 0
    assert found["blocks"] == summary["blocks"]
    state = steps["invariants"]
    held = state["cash"] + state["fees"] + state["insurance"] + state["pools"] - state["bad_debt"]
    assert held == state["deposits"] - state["withdrawals"]
    assert state["bad_debt"] == found["bad_debt"]
    assert sum(size > 0 for size in state["open_interest"].values()) > 1  # options too
    assert summary["state_root"] == steps["verification"]["state_root"]
    assert all(tell(step, figures) for step, figures in steps.items())
    assert tell("summary", summary)


async def test_what_is_forced_during_an_insolvency_waits_for_it_and_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sequencer holds it until auctions have run; recorded time passes meanwhile, after the last candle too."""
    told: list[str] = []

    class Listening(Alarms):
        """As ever, and remembers what was raised."""

        def raise_(self, key: str, text: str) -> None:
            told.append(key)
            super().raise_(key, text)

    monkeypatch.setattr(service, "Alarms", Listening)
    monkeypatch.setattr(errands, "FORCE_EVERY", 2)
    monkeypatch.setattr(errands, "DEPOSIT_EVERY", 6)
    path = write_fall(tmp_path / "fall.csv")
    summary, steps = await replay(path, tmp_path / "data", ticks=None, accounts=40, orders=25)
    assert "held" in told
    assert steps["liquidation"]["insolvent_peak"] > 0
    trading, accounts = steps["trading"], steps["accounts"]["accounts"]
    forced = summary["candles"] // 2
    assert trading["deposits"] > 1
    assert 0 < trading["forced_withdrawals"] <= forced
    assert steps["verification"]["messages"] == accounts + trading["deposits"] + forced


@pytest.mark.market_data
async def test_in_the_recorded_crash_every_flag_is_raised_in_its_block(tmp_path: Path) -> None:
    """Its deepest quarter of an hour."""
    if not RECORDED.exists():
        pytest.skip(f"the recorded market is not at {RECORDED.relative_to(ROOT.parent)} beside the project")
    summary, steps = await replay(RECORDED, tmp_path / "data", ticks=20, accounts=40, orders=20)
    assert steps["network"]["last_price"] < steps["network"]["first_price"] * 0.965
    assert steps["liquidation"]["raised"] > 3
    assert summary["trades"] > 50


async def replay(
    path: Path, folder: Path, *, ticks: int | None, accounts: int, orders: float
) -> tuple[dict[str, Any], dict[str, Mapping[str, Any]]]:
    """Replay a candle file; the summary and what the observer heard."""
    candles = list(read_candles(path))
    heard = Remembering()
    await trio.Path(folder).mkdir()
    settings = ReplaySettings(Tape(candles), read_stretch(candles, ticks, None), accounts, orders, 1, folder)
    summary = await run_leveraged_replay(settings, heard)
    assert list(heard.steps) == STEPS
    return summary, heard.steps
