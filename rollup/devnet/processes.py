"""Roles as processes of their own, which end when the devnet does, whatever ends it.

A child gets a session of its own, so that Ctrl-C in the terminal reaches the devnet alone, which then stops its
children in the right order; and a tether, so that it ends even if the devnet is killed. What it prints on standard
output are events, one JSON object a line; its standard error goes to a log file.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import trio

from rollup.errors import PlumblineError

GRACE: Final = 10.0
"""Seconds between asking a child to stop and killing its process group."""
LONGEST_LINE: Final = 1 << 20
TAIL: Final = 8
"""Log lines shown when a child fails."""

Event = dict[str, Any]


class RoleFailed(PlumblineError):  # noqa: N818 - the fact, named as it is told
    """A process of the devnet ended by itself."""


@dataclass(frozen=True, slots=True)
class Role:
    """A program: the module to run with its arguments, and where its standard error goes."""

    name: str
    module: str
    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None

    def command(self) -> list[str]:
        """The command line, tether included."""
        return [sys.executable, "-m", "rollup.devnet.tether", self.module, *self.arguments]


async def run_role(
    role: Role,
    on_event: Callable[[Event], None],
    *,
    ready: str = "listening",
    grace: float = GRACE,
    task_status: trio.TaskStatus[Event] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run a role until cancelled; started with its first event named `ready` and the `pid` of its process.

    Cancelling asks it to stop with SIGTERM and returns when it has ended; after `grace` seconds it is killed with all
    its children. `RoleFailed` with the end of its log if it ends by itself.
    """
    role.log.parent.mkdir(parents=True, exist_ok=True)
    with role.log.open("ab") as log:
        process = await trio.lowlevel.open_process(
            role.command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, **(role.environment or {})},
            start_new_session=True,
        )
    started = False
    try:
        assert process.stdout is not None
        async for event in _events(process.stdout, role.log):
            if not started and event.get("event") == ready:
                started = True
                task_status.started({"pid": process.pid, **event})
            on_event(event)
        code = await process.wait()
    finally:
        with trio.CancelScope(shield=True):
            await _stop(process, grace)
    raise RoleFailed(f"{role.name} ended with code {code}; {_tail(role.log)}")


async def _stop(process: trio.Process, grace: float) -> None:
    """Ask, wait, kill; the group is killed in any case, for children that the role may have left."""
    if process.returncode is None:
        process.terminate()
        with trio.move_on_after(grace):
            await process.wait()
    with suppress(ProcessLookupError, PermissionError):  # nobody is left in it; some systems say so by the latter
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            await stream.aclose()


async def _events(stream: trio.abc.ReceiveStream, log: Path) -> AsyncIterator[Event]:
    """JSON objects, one a line. What is no event (a warning of some library) goes to the log with the rest."""
    buffered = bytearray()
    async for chunk in stream:
        buffered += chunk
        *lines, rest = buffered.split(b"\n")
        buffered = bytearray(rest[-LONGEST_LINE:])
        for line in lines:
            try:
                event = msgspec.json.decode(line)
            except msgspec.DecodeError:
                event = None
            if isinstance(event, dict):
                yield event
            elif line:
                with log.open("ab") as file:
                    file.write(line + b"\n")


def _tail(log: Path) -> str:
    if not log.exists():
        return f"{log} is gone"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:]
    return f"the end of {log}:\n  " + "\n  ".join(lines) if lines else f"{log} is empty"
