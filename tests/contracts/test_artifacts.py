"""The committed artifacts are what the sources compile to, and fit on L1."""

from __future__ import annotations

import subprocess

import pytest

from rollup.l1.artifacts import artifact_names, load_artifact
from rollup.l1.limits import MAX_CODE_BYTES, MAX_INITCODE_BYTES
from tests.support.compiler import run_node

CONTRACTS = ("Appraiser", "Inbox", "Pricer", "RecallableUSD", "Rollup", "TestUSD", "Vault", "Verifier")


def run_compiler(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the contract build."""
    return run_node("contracts/compile.mjs", *arguments)


@pytest.mark.slow
def test_committed_artifacts_match_sources() -> None:
    """Recompiling gives every artifact byte for byte, without a warning."""
    result = run_compiler("--check")
    assert result.returncode == 0, result.stderr


def test_unknown_contract_is_refused() -> None:
    """A misspelt name compiles nothing and says so."""
    result = run_compiler("--check", "Rolup")
    assert result.returncode == 1
    assert "no contract is called Rolup" in result.stderr


def test_all_contracts_are_committed() -> None:
    """Python users find every contract without Node."""
    assert artifact_names() == CONTRACTS


@pytest.mark.parametrize("name", CONTRACTS)
def test_contract_fits_l1(name: str) -> None:
    """Deployed code stays within EIP-170 and creation code within EIP-3860, with room for constructor arguments."""
    artifact = load_artifact(name)
    assert artifact.name == name
    assert 0 < len(artifact.deployed_bytecode) <= MAX_CODE_BYTES
    assert len(artifact.bytecode) <= MAX_INITCODE_BYTES - 8_192
