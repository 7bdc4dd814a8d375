"""Revert data of contracts, decoded by the custom errors of every compiled contract."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from rollup.errors import ConfigError, L1Reverted
from rollup.l1.abi import AbiEntry, decode_values, parse_abi
from rollup.l1.artifacts import artifact_names, load_artifact
from rollup.l1.encoding import read_data

_BUILT_IN: Final = parse_abi(
    [
        {"type": "error", "name": "Error", "inputs": [{"name": "message", "type": "string"}]},
        {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
    ]
)


class ErrorRegistry:
    """Custom errors by selector. Knows Solidity's `Error(string)` and `Panic(uint256)` from the start."""

    def __init__(self, entries: Iterable[AbiEntry] = ()) -> None:
        self._by_selector: dict[bytes, AbiEntry] = {}
        self.add(_BUILT_IN)
        self.add(entries)

    def add(self, entries: Iterable[AbiEntry]) -> None:
        """Add the errors among `entries`. Contracts share errors, so the same signature may come again."""
        for entry in entries:
            if entry.kind == "error":
                self._by_selector.setdefault(entry.selector, entry)

    def decode(self, output: bytes, *, tx_hash: bytes | None = None) -> L1Reverted:
        """Make the typed error of revert data; data that no known error fits keeps an empty name."""
        entry = self._by_selector.get(output[:4])
        if entry is not None:
            try:
                arguments = decode_values(entry.input_types, output[4:])
            except ValueError:  # a selector may collide; then the bytes speak for themselves
                pass
            else:
                return L1Reverted(entry.name, arguments, output, tx_hash=tx_hash)
        return L1Reverted("", (), output, tx_hash=tx_hash)


@cache
def project_errors() -> tuple[AbiEntry, ...]:
    """Custom errors of all compiled contracts; none where no contracts are installed."""
    try:
        names = artifact_names()
    except ConfigError:
        return ()
    return tuple(e for name in names for e in parse_abi(load_artifact(name).abi) if e.kind == "error")


def revert_output(data: Any) -> bytes | None:
    """Find revert data in the `data` of a JSON-RPC error: nodes put it there as a string, or inside an object."""
    if isinstance(data, dict):
        data = data.get("data", data.get("result"))
    if not isinstance(data, str):
        return None
    text = data.removeprefix("Reverted ").strip()
    try:
        return read_data(text)
    except ValueError:
        return None
