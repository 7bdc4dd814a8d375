"""`rollup verify` as a user runs it: an endpoint, an address, an exit code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from tests.support.deployed import Site, open_site
from tests.support.frauds import LIE, post_variety
from tests.support.poster import Poster, start_poster, with_root


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """The contracts on an embedded L1."""
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def poster(site: Site) -> Poster:
    """An honest poster with a varied history behind it."""
    honest = await start_poster(site)
    await honest.open(2)
    await post_variety(honest)
    return honest


async def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run `rollup verify` in an empty folder."""
    command = [sys.executable, "-m", "rollup", "verify", *arguments]
    return await trio.run_process(
        command, cwd=folder, env=environment(), capture_stdout=True, capture_stderr=True, check=False
    )


def environment() -> dict[str, str]:
    """Nothing of the tests' own configuration."""
    root = Path(__file__).resolve().parents[2]
    return {"PYTHONPATH": str(root), "PATH": "", "TERM": "dumb"}


def address(site: Site) -> str:
    """The Rollup's address."""
    return f"0x{site.deployment.rollup.hex()}"


async def test_an_honest_rollup_is_verified_for_machines(site: Site, poster: Poster, tmp_path: Path) -> None:
    """One object on standard output, and nothing else."""
    done = await run("--l1", site.url, "--rollup", address(site), "--json", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    answer: dict[str, Any] = msgspec.json.decode(done.stdout)
    root = f"0x{poster.root.hex()}"
    assert (answer["ok"], answer["equal"], answer["state_root"], answer["l1_root"]) == (True, True, root, root)
    assert (answer["batches"], answer["blocks"], answer["transactions"]) == (3, 6, poster.included)
    assert answer["fraud"] is None
    assert answer["cash"] + answer["fees"] <= answer["deposits"] - answer["withdrawals"]
    assert answer["seconds"] > 0
    assert [*await trio.Path(tmp_path).iterdir()] == []


async def test_an_honest_rollup_is_verified_for_people(site: Site, poster: Poster, tmp_path: Path) -> None:
    """The address comes from the deployment file; progress goes to standard error."""
    site.deployment.save(tmp_path / "deployment.json")
    done = await run("--l1", site.url, "--deployment", "deployment.json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = dict(line.split(None, 1) for line in done.stdout.decode().splitlines())
    assert lines["state_root"].strip() == f"0x{poster.root.hex()}"
    assert lines["equal"].strip() == "True"


async def test_a_wrong_block_is_named_and_the_exit_code_is_one(site: Site, poster: Poster, tmp_path: Path) -> None:
    """A pending fraud is enough."""
    await poster.post(with_root(await poster.block(), LIE))
    done = await run("--l1", site.url, "--rollup", address(site), folder=tmp_path)
    assert done.returncode == 1
    assert "WRONG: block 7 (batch 4, position 0): wrong state root" in done.stderr.decode()
    machine = await run("--l1", site.url, "--rollup", address(site), "--json", folder=tmp_path)
    assert machine.returncode == 1
    answer = msgspec.json.decode(machine.stdout)
    assert (answer["ok"], answer["equal"], answer["l1_root"]) == (False, False, f"0x{LIE.hex()}")
    assert answer["fraud"]["right_root"] == f"0x{poster.root.hex()}"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--rollup", "0x12"], 2, "an address is 0x and 40"),
        ([], 2, "deployment file"),
        (["--rollup", "0x" + "77" * 20], 1, "there is no contract"),
    ],
)
async def test_what_cannot_be_verified_is_an_error_in_one_line(
    site: Site, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    """Exit code 2 for wrong use, 1 for what L1 does not have."""
    done = await run("--l1", site.url, *arguments, folder=tmp_path)
    assert done.returncode == code
    (line,) = done.stderr.decode().splitlines()
    assert words in line
    assert done.stdout == b""


async def test_a_node_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """No traceback."""
    done = await run("--l1", "http://127.0.0.1:9", "--rollup", "0x" + "77" * 20, folder=tmp_path)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
