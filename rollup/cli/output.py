"""What a command prints: one JSON object per line for machines, text for people.

Standard output carries results only; progress and warnings go to standard error, so that a pipe stays clean.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from rich.console import Console

WIDE: Final = 4_096
"""Columns of text: more than any table of ours needs."""


def encode(value: object) -> str:
    """JSON on one line; bytes as 0x-hex, integers exact however big."""
    return msgspec.json.encode(value, enc_hook=_plain).decode()


def show(value: object) -> str:
    """A value for people: bytes as 0x-hex, everything else as it is."""
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command's results go; `json` says for whom."""

    json: bool = False

    def result(self, fields: Mapping[str, Any]) -> None:
        """One result: an object, or its fields as an aligned list."""
        if self.json:
            self._line(encode(_hex(fields)))
            return
        width = max((len(name) for name in fields), default=0)
        for name, value in fields.items():
            self._line(f"{name:<{width}}  {show(value)}")

    def event(self, name: str, text: str, /, **fields: Any) -> None:
        """One line of a running service: `text` for people, the name with its fields for machines."""
        self._line(encode(_hex({"event": name, **fields})) if self.json else text)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
        """Rows under headings; for machines one object per row."""
        if self.json:
            for row in rows:
                self._line(encode(_hex(dict(zip(columns, row, strict=True)))))
            return
        from rich.table import Table  # noqa: PLC0415 - machines do not pay for it

        table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
        for index, column in enumerate(columns):
            table.add_column(column, overflow="fold", no_wrap=index == 0)
        for row in rows:
            table.add_row(*map(show, row))
        console = self.console()
        if not console.is_terminal:  # a file has no width: nothing that is read from it later may be cut off
            console.width = max(
                console.width, console.measure(table, options=console.options.update(width=WIDE)).maximum
            )
        console.print(table)

    def note(self, text: str) -> None:
        """Something to know on the side: to standard error, and only for people."""
        if not self.json:
            print(text, file=sys.stderr, flush=True)

    def console(self) -> Console:
        """For what needs more than lines; never used for machines."""
        from rich.console import Console  # noqa: PLC0415 - machines do not pay for it

        return Console()

    @staticmethod
    def _line(text: str) -> None:
        print(text, flush=True)


def _hex(value: Any) -> Any:
    """Bytes as 0x-hex at every depth; msgspec would write base64."""
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, Mapping):
        return {key: _hex(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hex(inner) for inner in value]
    return value


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
