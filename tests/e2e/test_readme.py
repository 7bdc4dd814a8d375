"""The README's shell blocks, run as a reader runs them: the user's way through a devnet, line by line."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.readme import Line, shell_lines
from tests.support.source import ROOT

pytestmark = pytest.mark.slow

PATIENCE = 300.0
LONG = {"make", "demo"}
"""Minutes each; `tests/e2e` has the demo, and `make` is what runs the tests."""
LINES = shell_lines()
USER = [line for line in LINES if line.block == max(each.block for each in LINES)]


def environment(folder: Path) -> dict[str, str]:
    """Where `rollup` and `challenger` are commands, and nothing of the tests' own configuration is seen."""
    commands = folder / "bin"
    commands.mkdir()
    for name, module in (("rollup", "rollup"), ("challenger", "challenger.cli")):
        script = commands / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        script.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_")}
    return {**kept, "PATH": f"{commands}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def run(line: Line, folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """One line by the shell."""
    return subprocess.run(
        ["sh", "-c", str(line)],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
    )


@contextmanager
def devnet(folder: Path, variables: dict[str, str]) -> Iterator[str]:
    """A devnet as `make devnet` starts it, on free ports and with a short dispute window; its `export …` line."""
    options = ["--data", str(folder / "devnet"), "--l1-port", "0", "--rpc-port", "0", "--dispute-seconds", "3"]
    told = folder / "devnet.txt"
    with told.open("wb") as output:
        process = subprocess.Popen(["rollup", "devnet", *options], cwd=folder, env=variables, stdout=output)
    try:
        until = time.monotonic() + PATIENCE
        while (found := re.search(r"export .+", told.read_text())) is None:
            assert process.poll() is None, f"no export line: {told.read_text()}"
            assert time.monotonic() < until, f"no export line yet: {told.read_text()}"
            time.sleep(0.1)
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def take_exports(tokens: tuple[str, ...], variables: dict[str, str]) -> None:
    """What `export` does."""
    for token in tokens[1:]:
        name, _, value = token.partition("=")
        variables[name] = value


def test_the_user_s_block_works_line_by_line_on_a_fresh_devnet(tmp_path: Path) -> None:
    """As its reader does: the devnet's own `export` line pasted first, and the account that the deposit tells of."""
    variables = environment(tmp_path)
    with devnet(tmp_path, variables) as pasted:
        take_exports(tuple(pasted.split()), variables)
        for line in USER:
            if line.tokens[0] == "export":
                take_exports(line.tokens, variables)
                continue
            until = time.monotonic() + PATIENCE
            while (done := run(line, tmp_path, variables)).returncode and time.monotonic() < until:
                time.sleep(0.5)  # a deposit takes an L1 block or two to arrive
            assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
            if line.tokens[1] == "deposit":
                told = dict(row.split(maxsplit=1) for row in done.stdout.splitlines())
                assert [f"PLUMBLINE_CLIENT_ACCOUNT={told['account']}"] == [
                    each.tokens[1] for each in USER if "CLIENT_ACCOUNT" in str(each)
                ]


@pytest.mark.parametrize("line", [each for each in LINES if each not in USER and not LONG & set(each.tokens)], ids=str)
def test_the_other_lines_that_take_no_minutes_succeed(line: Line, tmp_path: Path) -> None:
    """What they print is help, and they say so with exit code 0."""
    done = run(line, tmp_path, environment(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
