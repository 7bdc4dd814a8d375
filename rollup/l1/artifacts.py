"""The compiled contracts committed under `contracts/artifacts`, one JSON file per contract.

Format: `{"contractName", "abi", "bytecode", "deployedBytecode"}`, bytecode as 0x-hex. They are found in a checkout
beside the package, in an installation under `share/plumbline`, or where `PLUMBLINE_ARTIFACTS` points.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from rollup.errors import ConfigError
from rollup.l1.encoding import read_data


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract: its JSON ABI, its creation code and the code that ends up on chain."""

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes
    deployed_bytecode: bytes


def artifacts_directory() -> Path:
    """Folder of the compiled contracts; `ConfigError` with every place tried if there is none."""
    candidates = [
        Path(__file__).resolve().parents[2] / "contracts" / "artifacts",
        Path(sys.prefix) / "share" / "plumbline" / "artifacts",
    ]
    if override := os.environ.get("PLUMBLINE_ARTIFACTS"):
        candidates.insert(0, Path(override))
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise ConfigError(f"no compiled contracts: none of {', '.join(map(str, candidates))} exists")


def artifact_names() -> tuple[str, ...]:
    """Names of all compiled contracts, sorted."""
    return tuple(sorted(path.stem for path in artifacts_directory().glob("*.json")))


@cache
def load_artifact(name: str) -> Artifact:
    """Load one compiled contract by name; `ConfigError` if it is absent or malformed."""
    path = artifacts_directory() / f"{name}.json"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"compiled contract {name!r}: {error}") from error
    return parse_artifact(content, str(path))


def parse_artifact(content: bytes, source: str) -> Artifact:
    """Parse an artifact file; `source` names it in errors."""
    try:
        fields = msgspec.json.decode(content)
        return Artifact(
            name=str(fields["contractName"]),
            abi=tuple(dict(entry) for entry in fields["abi"]),
            bytecode=read_data(fields["bytecode"]),
            deployed_bytecode=read_data(fields["deployedBytecode"]),
        )
    except (KeyError, TypeError, ValueError, msgspec.DecodeError) as error:
        raise ConfigError(f"{source} is not a compiled contract: {error!r}") from error
