"""The deployment file, predicted addresses, and a whole deployment on the embedded L1."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_utils.address import to_canonical_address
from rlp import encode as rlp_encode  # type: ignore[import-untyped]

from rollup.crypto.keccak import keccak
from rollup.errors import ConfigError
from rollup.l1.deployment import Deployment, created_address

SAMPLE = Deployment(31_337, b"\1" * 20, b"\2" * 20, b"\3" * 20, b"\4" * 20, b"\5" * 20, 7, b"\6" * 32)


def test_a_deployment_file_reads_back_what_was_written(tmp_path: Path) -> None:
    """Folders are made, and no draft is left beside it."""
    path = tmp_path / "a" / "deployment.json"
    SAMPLE.save(path)
    assert Deployment.load(path) == SAMPLE
    assert [p.name for p in path.parent.iterdir()] == ["deployment.json"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"block": 7', '"block": "7"'),
        ('"block": 7', '"block": true'),
        ('"block": 7', '"blok": 7'),
        ("0x" + "01" * 20, "0x" + "01" * 19),
        ("0x" + "06" * 32, "06" * 32),
        ("{", "["),
    ],
)
def test_a_damaged_deployment_file_is_refused(tmp_path: Path, old: str, new: str) -> None:
    """The error names the file."""
    path = tmp_path / "deployment.json"
    SAMPLE.save(path)
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new))
    with pytest.raises(ConfigError, match=r"deployment file .*deployment\.json"):
        Deployment.load(path)


def test_a_missing_deployment_file_names_the_command_that_writes_it(tmp_path: Path) -> None:
    """The operator learns what to do."""
    with pytest.raises(ConfigError, match="`rollup deploy` writes it"):
        Deployment.load(tmp_path / "absent.json")


@pytest.mark.parametrize("nonce", [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 2**32, 2**64 - 2])
def test_a_predicted_address_is_that_of_the_creation_rule(nonce: int) -> None:
    """Compared with a general RLP encoder, at each length of the nonce."""
    creator = bytes(range(20))
    assert created_address(creator, nonce) == keccak(rlp_encode([creator, nonce]))[12:]


def test_a_known_address_is_predicted() -> None:
    """The first contract of the first public development account, as every devnet has it."""
    creator = to_canonical_address("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
    assert created_address(creator, 0) == to_canonical_address("0x5FbDB2315678afecb367f032d93F642f64180aa3")


def test_a_place_that_takes_no_file_is_found_before_and_after_deploying(tmp_path: Path) -> None:
    """One line for who deploys; and looking leaves nothing behind in a place that does."""
    (tmp_path / "file").write_text("in the way")
    for act in (Deployment.check_place, SAMPLE.save):
        with pytest.raises(ConfigError, match=r"deployment file .*deployment\.json: (Not a directory|File exists)"):
            act(tmp_path / "file" / "deployment.json")
    Deployment.check_place(tmp_path / "new" / "deployment.json")
    assert list((tmp_path / "new").iterdir()) == []
