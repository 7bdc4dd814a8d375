"""What a feeder has signed, in a file: whoever has it can bring a price through L1 that a sequencer leaves out.

One JSON object a line: `underlying`, `series` (0: the underlying's own price), `time` (s) and `hex`, the whole update
as it goes to L1. The file holds the newest; when it grows too long it becomes FILE.1, in the place of the one before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from rollup.errors import ConfigError
from rollup.feeder.statements import Statement, subject_of
from rollup.types.transactions import encode_transaction

MAX_BYTES: Final = 64 << 20
"""A journal is as long as this at most; at a price a second it then reaches back about four days."""


class Line(msgspec.Struct, frozen=True):
    """One update. What counts is `hex`; the rest is for those who search."""

    underlying: int
    series: int
    time: int
    hex: str


class Journal:
    """A journal open for writing; `ConfigError` if that cannot be."""

    def __init__(self, path: Path, limit: int = MAX_BYTES) -> None:
        self._path = path
        self._limit = limit
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise ConfigError(f"journal {path}: {error.strerror}") from error

    def keep(self, update: Statement) -> None:
        """Append a signed update; one write, so that no line is torn between two processes."""
        subject = subject_of(update)
        line = Line(subject.underlying, subject.series, update.time, f"0x{encode_transaction(update).hex()}")
        try:
            if self._file.tell() >= self._limit:
                self._turn()
            self._file.write(msgspec.json.encode(line) + b"\n")
        except OSError as error:
            raise ConfigError(f"journal {self._path}: {error.strerror}") from error

    def close(self) -> None:
        """Write nothing more."""
        self._file.close()

    def _turn(self) -> None:
        self._file.close()
        self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        self._file = self._path.open("ab", buffering=0)
