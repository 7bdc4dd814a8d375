"""The console script `challenger`, in processes of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from challenger.status import read_status
from rollup.l1 import dev
from tests.challenger.life import PATIENCE, nonces, until, until_gone
from tests.support.deployed import CHALLENGER, ETHER, REWARD_DELAY, Site
from tests.support.frauds import LIE, fouls, stake_again
from tests.support.poster import Poster, with_root

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "challenger.cli"]
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PATH": "", "TERM": "dumb"}


async def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end in this folder."""
    with trio.fail_after(PATIENCE):
        return await trio.run_process(
            [*COMMAND, *arguments], cwd=folder, env=ENVIRONMENT, capture_stdout=True, capture_stderr=True, check=False
        )


class Running:
    """A `challenger watch --json`, and what it has printed."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []
        self._rest = b""

    async def wait(self, name: str) -> dict[str, Any]:
        """Read lines until an event of this name."""
        assert self.process.stdout is not None
        with trio.fail_after(PATIENCE):
            while True:
                line, found, rest = self._rest.partition(b"\n")
                if not found:
                    part = await self.process.stdout.receive_some()
                    assert part, f"ended before {name}: {self.events}"
                    self._rest += part
                    continue
                self._rest = rest
                self.events.append(msgspec.json.decode(line))
                if self.events[-1]["event"] == name:
                    return self.events[-1]

    async def stop(self, how: signal.Signals) -> int:
        """Send a signal; returns the exit code once the process and its workers are gone."""
        children = await children_of(self.process.pid)
        assert children
        self.process.send_signal(how)
        with trio.fail_after(PATIENCE):
            code = await self.process.wait()
        for child in children:
            await until_gone(child)
        return code


async def children_of(pid: int) -> list[int]:
    """Processes that this one has started."""
    text = await trio.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    every = [int(path.name) for path in await trio.Path("/proc").iterdir() if path.name.isdigit()]
    return sorted({*map(int, text.split()), *[other for other in every if await parent_of(other) == pid]})


async def parent_of(pid: int) -> int:
    """Parent of a process, 0 if it is gone."""
    try:
        stat = await trio.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(stat.rpartition(")")[2].split()[1])


@asynccontextmanager
async def watching(site: Site, folder: Path, *arguments: str) -> AsyncIterator[Running]:
    """A `challenger watch` that is killed in the end if it still runs."""
    target = ["--l1", site.url, "--rollup", address(site), "--data", str(folder / "data"), "--poll-seconds", "0.02"]
    process = await trio.lowlevel.open_process(
        [*COMMAND, "watch", "--json", *target, *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Running(process)
    finally:
        process.kill()
        assert process.stdout is not None
        await process.stdout.aclose()


def address(site: Site) -> str:
    """The Rollup's address."""
    return f"0x{site.deployment.rollup.hex()}"


async def test_a_watching_process_reverts_fraud_and_stops_in_good_order(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """From the command line to the reward; the status can be read while it runs and afterwards."""
    await poster.post(await poster.block())
    async with watching(site, tmp_path, "--key", f"dev:{CHALLENGER}") as running:
        assert (await running.wait("watching"))["mode"] == "defend"
        assert (await running.wait("ready"))["root"] == "0x" + poster.root.hex()
        await poster.post(with_root(await poster.block(poster.trade()), LIE))
        found, reverted = await running.wait("fraud_found"), await running.wait("fraud_reverted")
        assert (found["batch"], found["claimed_root"]) == (2, f"0x{LIE.hex()}")
        assert (reverted["batch"], reverted["reason"], reverted["fork"]) == (2, "WRONG_ROOT", 1)
        await dev.increase_time(site.l1, REWARD_DELAY + 1)
        await dev.mine(site.l1)
        assert (await running.wait("reward_claimed"))["wei"] == ETHER // 2
        await until(
            lambda: (read_status(tmp_path / "data")["fork"], read_status(tmp_path / "data")["fraud"]) == (1, None)
        )
        assert await running.stop(signal.SIGINT) == 0
    assert await nonces(site, CHALLENGER) == [2]
    told = await run("status", "--json", "--data", "data", folder=tmp_path)
    status = msgspec.json.decode(told.stdout)
    assert told.returncode == 0
    assert (status["batch"], status["fork"], status["fraud"], status["mode"]) == (1, 1, None, "defend")
    assert [proof["transaction"] for proof in status["proofs"]] == [reverted["transaction"]]
    people = await run("status", "--data", "data", folder=tmp_path)
    assert "s ago" in people.stdout.decode()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_a_stopped_process_goes_on_where_it_was(
    site: Site, poster: Poster, tmp_path: Path, how: signal.Signals
) -> None:
    """Also after kill -9: no batch is replayed twice, and the fraud that came meanwhile is proven."""
    await poster.post(await poster.block())
    async with watching(site, tmp_path, "--mode", "watch") as running:
        await running.wait("batch_verified")
        await running.wait("ready")
        code = await running.stop(how)
        assert code == (0 if how == signal.SIGTERM else -signal.SIGKILL)
    await poster.post((await fouls(poster))["forged signature"].block)
    async with watching(site, tmp_path, "--key", f"dev:{CHALLENGER}", "--audit-ppm", "0") as running:
        assert (await running.wait("fraud_reverted"))["reason"] == "SIGNATURE_INVALID"
        assert not [event for event in running.events if event["event"] == "batch_verified"]
        assert await running.stop(signal.SIGTERM) == 0


async def test_a_watching_process_commits_first_if_asked_to(site: Site, poster: Poster, tmp_path: Path) -> None:
    """By flag or by configuration; the events come in the order of the protocol."""
    await poster.post(with_root(await poster.block(), LIE))
    (tmp_path / "plumbline.toml").write_text("[challenger]\ncommit = true\n")
    async with watching(site, tmp_path, "--key", f"dev:{CHALLENGER}") as running:
        for name in ("fraud_found", "committed", "fraud_reverted", "revealed"):
            await running.wait(name)
        assert await running.stop(signal.SIGTERM) == 0
    await dev.increase_time(site.l1, REWARD_DELAY + 1)
    await stake_again(site, poster)
    await poster.post(with_root(await poster.block(), LIE))
    other = tmp_path / "other"
    other.mkdir()
    async with watching(site, other, "--key", f"dev:{CHALLENGER}", "--commit") as running:
        await running.wait("committed")
        await running.wait("revealed")
        assert await running.stop(signal.SIGTERM) == 0


async def test_prove_looks_once_and_reverts_what_is_wrong(site: Site, poster: Poster, tmp_path: Path) -> None:
    """Nothing to prove, a dry run, a proof, and again nothing: always exit code 0."""
    target = ["prove", "--json", "--l1", site.url, "--rollup", address(site)]
    await poster.post(await poster.block())
    nothing = await run(*target, "--key", f"dev:{CHALLENGER}", folder=tmp_path)
    assert nothing.returncode == 0
    answer = msgspec.json.decode(nothing.stdout)
    assert (answer["result"], answer["state_root"]) == ("nothing to prove", "0x" + poster.root.hex())

    await poster.post((await fouls(poster))["overfill"].block)
    dry = msgspec.json.decode((await run(*target, "--dry-run", folder=tmp_path)).stdout)
    assert (dry["result"], dry["reason"]) == ("fraud confirmed, nothing sent", "OVERFILL")
    assert len(dry["calldata"]) == 2 + 2 * dry["calldata_bytes"]
    assert await nonces(site, CHALLENGER) == [0]

    proven = await run(*target, "--key", f"dev:{CHALLENGER}", folder=tmp_path)
    assert proven.returncode == 0
    done = msgspec.json.decode(proven.stdout)
    assert (done["result"], done["batch"], done["fork"]) == ("reverted", 2, 1)
    assert await nonces(site, CHALLENGER) == [1]
    again = await run(*target, "--key", f"dev:{CHALLENGER}", folder=tmp_path)
    assert msgspec.json.decode(again.stdout)["result"] == "nothing to prove"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["watch", "--rollup", "0x12"], 2, "an address is 0x and 40"),
        (["watch", "--rollup", "0x" + "77" * 20], 2, "to defend takes a key"),
        (["watch", "--rollup", "0x" + "77" * 20, "--mode", "attack"], 2, "must be one of watch, defend"),
        (["watch", "--rollup", "0x" + "77" * 20, "--mode", "watch"], 1, "no contract"),
        (["watch", "--rollup", "0x" + "77" * 20, "--key", "11" * 32], 2, "from the environment only"),
        (["watch"], 2, "deployment file"),
        (["prove", "--rollup", "0x" + "77" * 20], 2, "takes a key"),
        (["prove", "--rollup", "0x" + "77" * 20, "--dry-run"], 1, "no contract"),
        (["status", "--data", "nowhere"], 1, "no challenger has run"),
        (["dance"], 2, "dance"),
    ],
)
async def test_wrong_use_is_one_line_and_an_exit_code(
    site: Site, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    """2 for wrong use, 1 for what L1 does not have; never a traceback."""
    target = ["--l1", site.url] if arguments[0] in {"watch", "prove"} else []
    done = await run(*arguments, *target, folder=tmp_path)
    assert done.returncode == code, done.stderr
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("challenger: ")
    assert words in line


async def test_help_needs_no_evm(tmp_path: Path) -> None:
    """It is quick because the slow modules are not imported for it."""
    script = (
        "import sys; from challenger.cli import CHALLENGER, run; run(['--help'], program=CHALLENGER);"
        "sys.exit(bool({'eth', 'httpx', 'eth_account'} & sys.modules.keys()))"
    )
    done = await trio.run_process(
        [sys.executable, "-c", script], cwd=tmp_path, env=ENVIRONMENT, capture_stdout=True, check=False
    )
    assert done.returncode == 0
    assert b"watch" in done.stdout
