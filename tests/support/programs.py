"""Console programs as users start them: real processes, their lines, their exit codes, and what they leave behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.support.source import ROOT

MARK = "PLUMBLINE_TESTED_PROGRAM"
"""Environment variable by which every descendant of a program is known; no configuration section has this name."""


class Program:
    """A running command with `--json`; its standard output is read as it comes."""

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        module: str = "rollup",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.mark = uuid.uuid4().hex
        self.events: list[dict[str, Any]] = []
        self.errors = folder / f"{arguments[0]}-{self.mark[:8]}.err"
        variables = {**os.environ, MARK: self.mark, "PYTHONPATH": str(ROOT), **(environment or {})}
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments, "--json"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=variables,
                cwd=folder,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(b"\n"):  # a killed program may leave half a line
                self.events.append(msgspec.json.decode(line))

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
        """The first event that is wanted; fails with what the program said if it ends or time does."""
        deadline = time.monotonic() + seconds
        seen = 0
        while True:
            ended = self.process.poll() is not None
            for event in self.events[seen:]:
                seen += 1
                if wanted(event):
                    return event
            assert not ended, f"ended with code {self.process.returncode}: {self.said()}"
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {self.said()}"
            time.sleep(0.02)

    def wait(self, seconds: float) -> int:
        """The exit code."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still runs after {seconds:g} s: {self.said()}") from None
        self._reader.join(seconds)
        return code

    def said(self) -> str:
        """The end of both outputs."""
        last = "\n".join(str(event) for event in self.events[-5:])
        return f"{last}\n{self.errors.read_text(errors='replace')[-2000:]}"

    def send(self, number: int) -> None:
        """Send a signal to the program alone."""
        self.process.send_signal(number)

    def descendants(self) -> list[int]:
        """Every process that the program or its children started and that still runs, itself included."""
        return [pid for pid in _processes() if _is_marked(pid, self.mark) and not _is_zombie(pid)]

    def wait_until_gone(self, seconds: float) -> None:
        """Fail if anything of it still runs after a while."""
        deadline = time.monotonic() + seconds
        while left := self.descendants():
            assert time.monotonic() < deadline, f"processes {left} are left: {self.said()}"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it and everything that it started."""
        for pid in self.descendants():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        self._reader.join(60)
        if self.process.stdout is not None:
            self.process.stdout.close()


@contextmanager
def running_program(
    arguments: Sequence[str], folder: Path, module: str = "rollup", environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Start a program; whatever of it is left at the end of the block is killed."""
    program = Program(arguments, folder, module, environment)
    try:
        yield program
    finally:
        program.kill()


def _processes() -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            yield int(entry.name)


def _is_marked(pid: int, mark: str) -> bool:
    try:
        return f"{MARK}={mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
