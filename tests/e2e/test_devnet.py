"""`rollup devnet` as its users run it: it trades by itself, and leaves nothing behind however it ends."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.programs import Program, running_program

pytestmark = pytest.mark.slow

START = 300.0
"""Seconds until everything must be up, on a machine that is busy with other tests."""
PATIENCE = 300.0
OPTIONS = ["--l1-port", "0", "--rpc-port", "0", "--dispute-seconds", "3", "--cashier-seconds", "2"]
KINDS = ("account", "trade", "block", "batch", "final", "withdrawal", "claim", "batch_verified")
ROLES = 5
"""The parent, L1, sequencer, challenger and actors; the challenger has workers besides."""


def devnet(folder: Path, *options: str) -> list[str]:
    """The command line of a devnet in `folder`."""
    return ["devnet", "--data", str(folder / "devnet"), *OPTIONS, *options]


def is_ready(event: dict[str, Any]) -> bool:
    """The line with the addresses."""
    return bool(event["event"] == "ready")


def see_everything(program: Program) -> None:
    """Wait for an event of each kind."""
    missing = set(KINDS)

    def is_last(event: dict[str, Any]) -> bool:
        missing.discard(event["event"])
        return not missing

    program.wait_for(is_last, PATIENCE)


def test_devnet_trades_by_itself_and_an_interrupt_leaves_no_process(tmp_path: Path) -> None:
    """Trades, blocks, batches, finality, withdrawals, claims and verdicts come; Ctrl-C ends all with code 0."""
    with running_program(devnet(tmp_path), tmp_path) as program:
        ready = program.wait_for(is_ready, START)
        assert ready["ws"].startswith("ws://127.0.0.1:")
        assert len(program.descendants()) >= ROLES
        see_everything(program)
        program.send(signal.SIGINT)
        assert program.wait(PATIENCE) == 0, program.said()
        assert not program.descendants()
    assert not [event for event in program.events if event["event"].startswith("fraud")]


def test_devnet_stops_by_itself_after_the_seconds_asked_for(tmp_path: Path) -> None:
    """And starts again over what it left."""
    for _ in range(2):
        with running_program(devnet(tmp_path, "--seconds", "2", "--takers", "1"), tmp_path) as program:
            assert program.wait(START + PATIENCE) == 0, program.said()
            assert any(is_ready(event) for event in program.events)
            assert not program.descendants()


@pytest.mark.parametrize("ready", [True, False])
def test_devnet_that_is_killed_leaves_no_process(tmp_path: Path, ready: bool) -> None:
    """`kill -9` of the parent, in the middle of its work or of its start."""
    with running_program(devnet(tmp_path), tmp_path) as program:
        program.wait_for(is_ready if ready else lambda _: True, START)
        assert len(program.descendants()) >= ROLES - (0 if ready else 1)
        program.send(signal.SIGKILL)
        program.process.wait()
        program.wait_until_gone(PATIENCE)


def test_devnet_that_is_terminated_while_it_starts_stops_in_good_order(tmp_path: Path) -> None:
    """SIGTERM counts as Ctrl-C does."""
    with running_program(devnet(tmp_path), tmp_path) as program:
        program.wait_for(lambda event: event["event"] == "account", START)
        program.send(signal.SIGTERM)
        assert program.wait(PATIENCE) == 0, program.said()
        assert not program.descendants()
