"""Runs the commands of the way out as a user does: an L1 node, an address and a key, in an empty folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import trio

from tests.support.exits import STRANGER, Ending

ROOT = Path(__file__).resolve().parents[2]


async def run(
    ending: Ending, folder: Path, command: str, *arguments: str, key: int | str = STRANGER
) -> subprocess.CompletedProcess[bytes]:
    """Run a command with nobody at a terminal."""
    address = f"0x{ending.site.deployment.rollup.hex()}"
    where = ("--l1", ending.site.url, "--rollup", address, "--key", f"dev:{key}" if isinstance(key, int) else key)
    return await trio.run_process(
        [sys.executable, "-m", "rollup", command, *arguments, *where],
        cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": "", "TERM": "dumb"}, stdin=subprocess.DEVNULL,
        capture_stdout=True, capture_stderr=True, check=False,
    )  # fmt: skip


def lines(done: subprocess.CompletedProcess[bytes], *, code: int = 0) -> list[dict[str, Any]]:
    """What it answered, an object per line."""
    assert done.returncode == code, done.stderr.decode()
    return [msgspec.json.decode(line) for line in done.stdout.splitlines()]
