"""`rollup bench`: it runs, leaves nothing behind, and prints every figure. How fast anything is is asserted nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from rollup.bench.figures import PER_SECOND, RECOVERY, TINY, Report
from rollup.bench.load import _messages
from rollup.bench.run import NAMES
from rollup.bench.verification import ABSENT, measure_verification
from rollup.rpc.frames import text_frame

SECONDS = 900
"""The command takes five; a busy machine may need much longer."""


def run_bench(folder: Path, *flags: str) -> str:
    """What the command prints. All that it makes is in `folder`, and gone again afterwards, processes included."""
    command = [sys.executable, "-m", "rollup", "bench", "--tiny", *flags]
    environment = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert list(folder.iterdir()) == []
    assert not [line for line in command_lines() if str(folder) in line]
    return done.stdout


def command_lines() -> Iterator[str]:
    """Command lines of all running processes."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            yield path.read_bytes().decode(errors="replace")


@pytest.mark.slow
def test_every_figure_is_printed_for_machines(tmp_path: Path) -> None:
    """One line for each figure as it is measured, and last all of them, rates with their ratio to recovery."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in run_bench(tmp_path, "--json").splitlines()]
    summary = lines.pop()
    assert summary["step"] == "summary"
    assert summary["ok"] is True
    assert {"python", "system", "processors"} <= set(summary["machine"])
    figures = summary["figures"]
    assert set(figures) == set(NAMES)
    assert [line["name"] for line in lines] == list(figures)
    for name, figure in figures.items():
        assert figure["value"] > 0, name
        assert ("ratio" in figure) == (figure["unit"] == PER_SECOND), name
    assert figures[RECOVERY]["ratio"] == 1
    assert figures["verify_pyevm_gas"] == figures["verify_pyrevm_gas"]
    assert figures["l1_gas_per_trade"]["value"] <= 8_000


@pytest.mark.slow
def test_every_figure_is_printed_for_people(tmp_path: Path) -> None:
    """A table with each figure's name."""
    printed = run_bench(tmp_path)
    assert [name for name in NAMES if name not in printed] == []


def test_missing_pyrevm_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the optional machine its lines say so, and the others are there."""
    monkeypatch.setitem(sys.modules, "pyrevm", None)
    report = Report()
    measure_verification(report, TINY)
    assert report.figures["verify_pyevm_gas"].value
    for name in ("verify_pyrevm", "verify_pyrevm_seconds", "verify_pyrevm_gas"):
        assert report.figures[name].value is None
        assert report.as_json()[name]["note"] == ABSENT


def test_ratios_are_to_recovery_and_of_rates_only() -> None:
    """Gas, bytes and times have none, and nothing has before recovery is measured."""
    heard: list[float | None] = []
    report = Report(lambda _figure, ratio: heard.append(ratio))
    report.rate("early", "before the base is known", 10, 2.0)
    report.rate(RECOVERY, "the base", 100, 1.0)
    report.rate("half", "half as fast", 25, 0.5)
    report.add("gas", 12, "gas", "no rate")
    assert heard == [None, 1.0, 0.5, None]
    assert report.as_json()["gas"] == {"value": 12, "unit": "gas"}


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 200, 70_000])
def test_answers_are_cut_out_of_any_chunks(cut: int) -> None:
    """Frames of every length, however the stream was cut."""
    answers = [b"a", b"b" * 125, b"c" * 126, b"d" * 65_535, b"e" * 65_536, b""]
    stream = b"".join(text_frame(answer) for answer in answers)
    buffer, found = bytearray(), []
    for start in range(0, len(stream), cut):
        buffer += stream[start : start + cut]
        found += _messages(buffer)
    assert found == answers
    assert not buffer
