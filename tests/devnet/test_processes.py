"""Children report events, stop when told, and never outlive the devnet: real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import trio

from rollup.devnet.processes import Event, Role, RoleFailed, run_role

PATIENCE = 180.0
"""Seconds until a test gives up on what should happen at once."""

OBEDIENT = """
import json, os, sys, time, signal
try:  # whoever reads the last line may stop this at once
    print("a stray line of some library", flush=True)
    print(json.dumps({"event": "listening", "pid": os.getpid()}), flush=True)
    print(json.dumps({"event": "tick", "n": 2**64}), flush=True)
    time.sleep(3600)
finally:
    print("tidied up", file=sys.stderr, flush=True)
"""
INTERRUPTIBLE = "import signal\nsignal.signal(signal.SIGTERM, lambda *_: exit(0))\n" + OBEDIENT
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + OBEDIENT
PARENT_OF_ONE = """
import subprocess, sys, json, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
print(json.dumps({"event": "listening", "pid": child.pid}), flush=True)
time.sleep(3600)
"""


@pytest.fixture
def role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Role]:
    """Makes a role of a script."""
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.getcwd()}")  # noqa: PTH109 - of the checkout

    def make(script: str) -> Role:
        (tmp_path / "child_under_test.py").write_text(script)
        return Role("child", "child_under_test", (), tmp_path / "logs" / "child.log")

    return make


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - no path object for this
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(pid: int) -> None:
    """Fail if a process is still there after a long while."""
    deadline = time.monotonic() + PATIENCE
    while alive(pid):
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.05)


async def start_and_cancel(role: Role, grace: float = PATIENCE) -> tuple[int, list[Event]]:
    """Run a role until it is ready and has ticked, then cancel; its pid and its events."""
    events: list[Event] = []
    async with trio.open_nursery() as nursery:
        ready: Event = await nursery.start(partial(run_role, role, events.append, grace=grace))
        assert alive(ready["pid"])
        while not any(event["event"] == "tick" for event in events):  # noqa: ASYNC110 - events come from outside
            await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    return ready["pid"], events


async def test_a_role_reports_its_events_and_stops_in_good_order(role: Callable[[str], Role]) -> None:
    """It gets the time to tidy up; big integers arrive exact; other lines land in its log."""
    child = role(INTERRUPTIBLE)
    pid, events = await start_and_cancel(child)
    assert not alive(pid)
    assert events[1] == {"event": "tick", "n": 2**64}
    log = child.log.read_text()
    assert "tidied up" in log
    assert "a stray line" in log


async def test_a_role_that_will_not_stop_is_killed(role: Callable[[str], Role]) -> None:
    """SIGTERM is not the last word."""
    pid, _ = await start_and_cancel(role(STUBBORN), grace=0.2)
    assert not alive(pid)


async def test_the_children_of_a_role_are_killed_with_it(role: Callable[[str], Role]) -> None:
    """Nothing that a role started is left."""
    async with trio.open_nursery() as nursery:
        ready: Event = await nursery.start(run_role, role(PARENT_OF_ONE), lambda _: None)
        assert alive(ready["pid"])
        nursery.cancel_scope.cancel()
    wait_until_gone(ready["pid"])


async def test_a_role_that_ends_by_itself_is_an_error_with_the_end_of_its_log(role: Callable[[str], Role]) -> None:
    """The user sees why without looking for files."""
    child = role(
        "import sys, json\nprint(json.dumps({'event': 'listening'}), flush=True)\nsys.exit('the disk is full')"
    )
    with pytest.RaisesGroup(pytest.RaisesExc(RoleFailed, match=r"child ended with code 1; .*\n  the disk is full")):
        async with trio.open_nursery() as nursery:
            await nursery.start(run_role, child, lambda _: None)


async def test_a_role_that_never_gets_ready_is_an_error_as_well(role: Callable[[str], Role]) -> None:
    """Starting it does not hang."""
    with pytest.RaisesGroup(pytest.RaisesExc(RoleFailed, match="child ended with code 3")):
        async with trio.open_nursery() as nursery:
            await nursery.start(run_role, role("import sys; sys.exit(3)"), lambda _: None)


@pytest.mark.parametrize("script", [INTERRUPTIBLE, OBEDIENT])
def test_a_role_ends_when_the_devnet_is_killed(role: Callable[[str], Role], tmp_path: Path, script: str) -> None:
    """`kill -9` of the parent leaves nothing."""
    child = role(script)
    parent = tmp_path / "parent.py"
    parent.write_text(
        "import trio\nfrom pathlib import Path\nfrom rollup.devnet.processes import Role, run_role\n"
        f"trio.run(run_role, Role('child', 'child_under_test', (), Path({str(child.log)!r})), "
        "lambda event: print(event.get('pid', ''), flush=True))"
    )
    with subprocess.Popen([sys.executable, parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert alive(pid)
        process.send_signal(signal.SIGKILL)
    wait_until_gone(pid)


async def test_a_role_whose_log_is_gone_still_fails_by_name(role: Callable[[str], Role]) -> None:
    """Somebody deletes the folder of a running devnet: one line tells what ended."""
    failing = role("import pathlib\npathlib.Path(__file__).with_name('logs').joinpath('child.log').unlink()\n")
    with pytest.RaisesGroup(pytest.RaisesExc(RoleFailed, match=r"child ended with code 0; .*child\.log is gone")):
        async with trio.open_nursery() as nursery:
            await nursery.start(run_role, failing, lambda _: None)
