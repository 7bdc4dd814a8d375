"""A service in the background of a shell script, which has it ignore SIGINT, still stops when told."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.support.source import ROOT

PATIENCE = 180.0
"""Seconds until a test gives up."""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_was_started_in_the_background_stops_in_good_order(ending: signal.Signals) -> None:
    """Exit code 0, as from a terminal."""
    service = [sys.executable, "-m", "rollup", "l1", "--port", "0", "--json"]
    with subprocess.Popen(
        ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *service], cwd=ROOT, stdout=subprocess.PIPE
    ) as program:
        try:
            assert program.stdout is not None
            assert b'"listening"' in program.stdout.readline()
            program.send_signal(ending)
            assert program.wait(PATIENCE) == 0
        finally:
            program.kill()
