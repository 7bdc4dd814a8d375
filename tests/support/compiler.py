"""The contract compiler, where Node and the pinned compiler are installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass

import pytest

from rollup.l1.artifacts import Artifact, parse_artifact
from tests.support.source import ROOT


def run_node(script: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a script of the repository; skip where Node or the compiler is not installed, except in CI."""
    node = shutil.which("node")
    missing = "node" if node is None else "node_modules/solc" if not (ROOT / "node_modules/solc").is_dir() else ""
    if missing:
        message = f"{missing} is not installed: run `npm ci` with Node 20 or later"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    command = [str(node), str(ROOT / script), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, input=text, timeout=300, check=False)


@dataclass(frozen=True, slots=True)
class Bug:
    """A change of one source file of a contract: `old`, which stands there once, becomes `new`."""

    contract: str
    path: str
    old: str
    new: str

    def plant(self) -> dict[str, str]:
        """The changed file by its path."""
        path = f"contracts/src/{self.path}"
        content = (ROOT / path).read_text()
        assert content.count(self.old) == 1, f"{path} does not hold this once: {self.old}"
        return {path: content.replace(self.old, self.new)}


def compile_quickly(contract: str, changed: dict[str, str]) -> Artifact:
    """A contract with some files changed, hardly optimized."""
    run = run_node("contracts/test/mutate.mjs", contract, text=json.dumps(changed))
    assert run.returncode == 0, run.stderr
    return parse_artifact(run.stdout.encode(), contract)
