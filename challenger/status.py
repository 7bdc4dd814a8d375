"""What a challenger knows, as one small file that `challenger status` and other programs read."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from rollup.errors import StoreError

FILE: Final = "status.json"


@dataclass(slots=True)
class Status:
    """A snapshot of the challenger; hashes and addresses as 0x-hex, `updated` in Unix seconds."""

    rollup: str
    mode: str
    updated: float = 0.0
    l1_block: int = 0
    l1_head: int = 0
    batch: int = 0
    block: int = 0
    state_root: str = ""
    finalised: int = 0
    fork: int = 0
    fraud: dict[str, Any] | None = None
    proofs: list[dict[str, Any]] = field(default_factory=list)
    audited: int = 0
    audit_gas: int = 0
    audit_waiting: int = 0
    audit_skipped: int = 0
    disagreements: list[int] = field(default_factory=list)
    alarm: str = ""

    def write(self, folder: Path) -> None:
        """Replace the file whole or not at all."""
        self.updated = time.time()
        draft = folder / f".{FILE}.new"
        draft.write_bytes(msgspec.json.encode(self))
        draft.replace(folder / FILE)


def read_status(folder: Path) -> dict[str, Any]:
    """The last snapshot; `StoreError` if there is none."""
    try:
        content = msgspec.json.decode((folder / FILE).read_bytes(), type=dict[str, Any])
    except FileNotFoundError as error:
        raise StoreError(f"no challenger has run on {folder}") from error
    except msgspec.DecodeError as error:
        raise StoreError(f"{folder / FILE} is torn: {error}") from error
    return content
