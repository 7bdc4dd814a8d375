"""`rollup escape` as a user runs it: an L1 node, an address and a key, in an empty folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from tests.cli.test_verify import address, environment
from tests.support.exits import LATE, STRANGER, Ending, open_ending
from tests.support.poster import FIRST_OWNER


@pytest.fixture
async def ending() -> AsyncIterator[Ending]:
    """A chain with positions."""
    async with open_ending() as opened:
        yield opened


async def run(
    ending: Ending, folder: Path, command: str, *arguments: str, key: int = STRANGER
) -> subprocess.CompletedProcess[bytes]:
    """Run a command of the way out in an empty folder, without a terminal."""
    where = ("--l1", ending.site.url, "--rollup", address(ending.site), "--key", f"dev:{key}")
    return await trio.run_process(
        [sys.executable, "-m", "rollup", command, *arguments, *where],
        cwd=folder, env=environment(), stdin=subprocess.DEVNULL, capture_stdout=True, capture_stderr=True, check=False,
    )  # fmt: skip


def lines(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    """What it answered, an object per line."""
    assert done.returncode == 0, done.stderr.decode()
    return [msgspec.json.decode(line) for line in done.stdout.splitlines()]


async def test_an_owner_gets_out_with_a_key_and_an_address(ending: Ending, tmp_path: Path) -> None:
    """Each step is planned, done and told as one object; what cannot be done yet is told with its time."""
    await ending.freeze()
    first = lines(await run(ending, tmp_path, "escape", "--yes", "--json", key=FIRST_OWNER + 1))
    told = [(line["step"], line.get("status")) for line in first]
    assert told == [
        ("finalise", "planned"), ("register", "later"), ("collect", "later"), ("refund", "later"),
        ("finalise", "done"), ("refund", "done"), ("register", "done"), ("end", None),
    ]  # fmt: skip
    assert (first[-1]["complete"], first[-1]["micro_paid"]) == (False, LATE)
    assert all(line["gas"] > 20_000 and line["cost_wei"] > 0 for line in first[:-1])
    await ending.travel(first[-1]["next_due"] + 1 - await ending.poster.now())
    second = lines(await run(ending, tmp_path, "escape", "--yes", "--json", key=FIRST_OWNER + 1))
    assert second[-1] | {"complete": True, "micro_paid": ending.equity(1), "remaining": 0} == second[-1]
    assert await ending.held(FIRST_OWNER + 1) == ending.equity(1) + LATE
    assert not await trio.to_thread.run_sync(lambda: list(tmp_path.iterdir()))
