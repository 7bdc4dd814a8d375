"""What reads and proves the contracts: where it stands, what it finds, and the answers to that."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = REPOSITORY / ".venv-analysis" / "bin"
FORGE = TOOLS.parent / "node_modules" / "@foundry-rs" / "forge-linux-amd64" / "bin"
ANSWERS = REPOSITORY / "contracts" / "analysis" / "slither.md"
PROOFS = REPOSITORY / "contracts" / "proofs"
# `make analysis` sets it: what is missing fails there, and what takes minutes is run.
THOROUGH = bool(os.environ.get("PLUMBLINE_ANALYSIS"))
# Seconds for one query; what is proven takes below ten on an idle core.
QUERY_LIMIT = 300
EVERY = "every"
PASSED, COUNTEREXAMPLE = 0, 1

Findings: TypeAlias = Counter[tuple[str, str]]


def require_tools() -> None:
    """Skip where the tools are not installed."""
    needed = {"slither": TOOLS / "slither", "halmos": TOOLS / "halmos", "forge": FORGE / "forge"}
    missing = [name for name, path in needed.items() if not path.exists()]
    if shutil.which("node") is None:
        missing.append("node")
    if not missing:
        return
    message = f"not installed: {', '.join(missing)}; run `make analysis`"
    if THOROUGH:
        pytest.fail(message)
    pytest.skip(message)


def require_patience() -> None:
    """Skip what takes minutes, but in `make analysis`."""
    require_tools()
    if not THOROUGH:
        pytest.skip("takes minutes: run `make analysis`")


def run_slither(root: Path) -> Findings:
    """How often each detector finds something at each place in the contracts under `root`, a copy of the repository."""
    options = (
        "--compile-force-framework solc-json --solc-disable-warnings --filter-paths node_modules --fail-none --json -"
    )
    command = [str(TOOLS / "slither"), "contracts/analysis/sources.json", "--solc", "contracts/analysis/solc.mjs"]
    result = subprocess.run(
        [*command, *options.split()], cwd=root, capture_output=True, text=True, timeout=600, check=False
    )
    assert result.returncode == 0, result.stderr[-2000:]
    report = json.loads(result.stdout)
    assert report["success"], report["error"]
    return Counter((found["check"], name_place(found["elements"][0])) for found in report["results"]["detectors"])


def name_place(element: Mapping[str, Any]) -> str:
    """`Contract.function.variable`, as far as the element has them."""
    names: list[str] = []
    while element and element["type"] in {"contract", "function", "variable", "node"}:
        if element["type"] != "node":
            names.insert(0, element["name"])
        element = element.get("type_specific_fields", {}).get("parent", {})
    return ".".join(names)


def read_answers(text: str) -> Findings:
    """What is answered: under `## detector`, items that begin with `place` (times), comma, …, colon."""
    answers: Findings = Counter()
    for section in text.split("\n## ")[1:]:
        check, _, body = section.partition("\n")
        for item in re.findall(r"^- (.*?):\s", body, re.MULTILINE | re.DOTALL):
            if item == EVERY:
                answers[check, EVERY] = 1
            for place, times in re.findall(r"`([^`]+)`(?: \((\d+)\))?", item):
                answers[check, place] += int(times or 1)
    return answers


def compare(findings: Findings, answers: Findings) -> tuple[Findings, Findings]:
    """What is found and not answered, and what is answered and not found."""
    general = {check for check, place in answers if place == EVERY}
    found = {check for check, _ in findings}
    particular = Counter({key: times for key, times in answers.items() if key[1] != EVERY})
    open_ = Counter({key: times for key, times in findings.items() if key[0] not in general}) - particular
    stale = particular - findings
    stale.update((check, EVERY) for check in general - found)
    return open_, stale


def copy_contracts(target: Path, *, proofs: Iterable[str] = ()) -> None:
    """Make `target` a repository of the contracts alone, with these of the proofs."""
    shutil.copytree(REPOSITORY / "contracts" / "src", target / "contracts" / "src")
    shutil.copytree(REPOSITORY / "contracts" / "analysis", target / "contracts" / "analysis")
    shutil.copy(REPOSITORY / "contracts" / "foundry.toml", target / "contracts")
    shutil.copy(REPOSITORY / "package.json", target)
    (target / "node_modules").symlink_to(REPOSITORY / "node_modules")
    (target / "contracts" / "proofs").mkdir()
    for name in ("Cheats", "World", "Setting", *proofs):
        shutil.copy(PROOFS / f"{name}.sol", target / "contracts" / "proofs")


def list_proofs() -> dict[str, list[str]]:
    """The names of what is proven, by contract."""
    return {
        path.stem: sorted(re.findall(r"function (check_\w+)", path.read_text()))
        for path in sorted(PROOFS.glob("*Proof.sol"))
    }


def prove(root: Path, contract: str, function: str = "check_") -> dict[str, int]:
    """How the proofs in a contract under `root` end: PASSED, COUNTEREXAMPLE, or another number if undecided."""
    report = root / "contracts" / f"{contract}.json"
    solver = shlex.join([str(TOOLS / "python"), str(REPOSITORY / "contracts" / "analysis" / "solve.py")])
    options = [
        *("--root", ".", "--forge-build-out", "../build/proofs", "--contract", contract, "--function", function),
        *("--solver-command", solver, "--solver-timeout-assertion", f"{QUERY_LIMIT}s", "--json-output", str(report)),
    ]
    subprocess.run(
        [TOOLS / "halmos", *options],
        cwd=root / "contracts",
        env={**os.environ, "PATH": f"{FORGE}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    results = json.loads(report.read_text())["test_results"][f"proofs/{contract}.sol:{contract}"]
    return {result["name"].partition("(")[0]: result["exitcode"] for result in results}


def prove_integers(file: Path) -> list[str]:
    """What the solver says to each query in a file about integers."""
    result = subprocess.run([TOOLS / "z3", file], capture_output=True, text=True, timeout=600, check=False)
    return result.stdout.split()
