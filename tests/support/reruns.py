"""Tests of real processes, sockets and clocks get a second try, in sight of everybody.

On a machine that is busy with other things a test may lose a race that says nothing about the software. That is no
verdict: it is run once more, and a rule that is broken fails twice. Each rerun is told at the end of the run with what
went wrong at first. It is not to be lived with: the test, or what it tests, is to be mended.

Tests that run in one thread without a clock have no such excuse, and neither have properties: Hypothesis would call
the second try a counterexample that it cannot repeat. They are run once.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).resolve().parents[1]
LIVE: Final = {
    "batcher", "challenger", "cli", "demo", "derive", "devnet", "e2e", "exit", "feeder", "l1", "liquidator", "reorg",
    "replay", "rpc", "sequencer",
}  # fmt: skip
"""Folders whose tests start nodes, servers and processes."""


def may_lose_a_race(item: pytest.Item) -> bool:
    """Whether a test depends on more than its inputs."""
    if not item.path.is_relative_to(TESTS) or getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
        return False
    return item.path.relative_to(TESTS).parts[0] in LIVE


def allow_one(items: Iterable[pytest.Item]) -> None:
    """Mark the tests that get a second try."""
    for item in items:
        if may_lose_a_race(item):
            item.add_marker(pytest.mark.flaky(reruns=1))


def tell(terminal: pytest.TerminalReporter) -> None:
    """Show why each test that was run again had failed."""
    for report in terminal.stats.get("rerun", []):
        terminal.section(f"first try of {report.nodeid} ({report.when})", sep="_")
        terminal.line(report.longreprtext)
