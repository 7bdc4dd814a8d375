"""A user's machine: an empty folder with key files, and the program. It has no data of any sequencer and asks none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import trio

from rollup.demo.report import NotVerified
from rollup.l1.devkeys import dev_key

SOURCES: Final = Path(__file__).resolve().parents[3]
"""Where Python finds the program when it is run from a checkout."""
KEY_FILE: Final = "key-"
TAIL: Final = 600
"""Characters shown of what a failed command said."""


class Machine:
    """Runs commands as its user would, each in a process of its own that knows an L1 node and the Rollup's address."""

    def __init__(self, folder: Path, l1_url: str, contract: bytes, patience: float) -> None:
        folder.mkdir(parents=True)
        self.folder = folder.resolve()  # commands run inside it
        self._where = ["--l1", l1_url, "--rollup", f"0x{contract.hex()}"]
        self._patience = patience

    def key(self, number: int) -> str:
        """A development key in a file of this machine, as `--key` wants it."""
        path = self.folder / f"{KEY_FILE}{number}"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(f"0x{dev_key(number).hex()}\n", encoding="ascii")
        return f"file:{path}"

    async def run(self, *arguments: str, codes: Sequence[int] = (0,)) -> list[dict[str, Any]]:
        """Run `rollup` with these arguments; its JSON lines. `NotVerified`, and what it said, for other exit codes."""
        command = [sys.executable, "-m", "rollup", *arguments, *self._where, "--json"]
        name = f"`rollup {arguments[0]}`"
        with trio.move_on_after(self._patience):
            done = await trio.run_process(
                command,
                cwd=self.folder,
                env=self._environment(),
                capture_stdout=True,
                capture_stderr=True,
                stdin=subprocess.DEVNULL,
                check=False,
            )
            said = (done.stdout + b"\n" + done.stderr).decode(errors="replace")
            if done.returncode not in codes:
                raise NotVerified(f"{name} ended with code {done.returncode}: {said[-TAIL:]}")
            return [msgspec.json.decode(line) for line in done.stdout.splitlines() if line]
        raise NotVerified(f"{name} did not end within {self._patience:g} s")

    def holds(self) -> list[str]:
        """Names of all that lies on it."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())

    def _environment(self) -> dict[str, str]:
        """Nothing of the caller's configuration."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PLUMBLINE_")}
        kept |= {
            name: os.environ[name] for name in ("PLUMBLINE_ARTIFACTS", "PLUMBLINE_TESTED_PROGRAM") if name in os.environ
        }
        return {**kept, "HOME": str(self.folder), "PYTHONPATH": str(SOURCES)}
