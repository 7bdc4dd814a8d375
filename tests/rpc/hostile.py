"""Hostile values of each kind of parameter: raw JSON, and the code that refuses it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

PARSE, INVALID = -32700, -32602
AMOUNT, SIGNATURE = 11104, 11106
UNKNOWN_INSTRUMENT, UNKNOWN_ACCOUNT, MALFORMED_SIGNATURE, INVALID_SIGNATURE = 11102, 11016, 11026, 11027

NO_JSON: Final[Mapping[str, bytes]] = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "hexadecimal number": b"0x10",
    "leading zero": b"007",
    "plus sign": b"+1",
    "bare point": b".5",
    "single quotes": b"'1'",
    "comment": b"1/**/",
    "nothing": b"",
    "lone surrogate": b'"\\ud800"',
    "raw control character": b'"\x01"',
    "not UTF-8": b'"\xff\xfe"',
    "overlong UTF-8": b'"\xc0\x80"',
    "endless nesting": b"[" * 60_000,
    "nesting": b"[" * 60_000 + b"]" * 60_000,
    "nested objects": b'{"a":' * 60_000 + b"0" + b"}" * 60_000,
}
"""Not JSON, or more of it than anybody reads."""

ODD_NUMBERS: Final[Mapping[str, bytes]] = {
    "fraction": b"1.5",
    "fraction that is whole": b"1.0",
    "exponent": b"1e3",
    "beyond a double": b"1e400",
    "negative beyond a double": b"-1e400",
    "tiny": b"1e-400",
    "5,000 digits": b"9" * 5_000,
}
CONTAINERS: Final[Mapping[str, bytes]] = {
    "list": b"[]",
    "list of one": b"[1]",
    "object": b"{}",
    "object with a value": b'{"value":1}',
    "nested": b"[" * 50 + b"]" * 50,
}
TEXTS: Final[Mapping[str, bytes]] = {
    "text": b'"x"',
    "empty text": b'""',
    "digits": b'"7"',
    "long text": b'"' + b"x" * 100_000 + b'"',
}
BOOLEANS: Final[Mapping[str, bytes]] = {"true": b"true", "false": b"false"}
NUMBERS: Final[Mapping[str, bytes]] = {"zero": b"0", "minus one": b"-1", "googol": b"1" + b"0" * 100}
NULL: Final[Mapping[str, bytes]] = {"null": b"null"}


def text(value: str) -> bytes:
    """A text as JSON, in UTF-8."""
    return json.dumps(value, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Kind:
    """Values that a parameter of one kind must not have, each with its code, and whether null stands for nothing."""

    hostile: Mapping[str, tuple[bytes, int]]
    nullable: bool = False
    missing: int | None = INVALID
    """The code of leaving it out; None if it may be left out."""

    def needed(self, code: int) -> Kind:
        """The same where leaving it out has a code of its own."""
        return Kind(self.hostile, self.nullable, code)

    def optional(self, *, nullable: bool = False) -> Kind:
        """The same where it may be left out."""
        return Kind(self.hostile, nullable, None)

    def beyond(self, code: int) -> Kind:
        """The same where what is out of range has another code."""
        changed = {name: (raw, code if code_ == AMOUNT else code_) for name, (raw, code_) in self.hostile.items()}
        return Kind(changed, self.nullable, self.missing)

    def without(self, *names: str) -> Kind:
        """The same where some values are good."""
        return Kind({n: v for n, v in self.hostile.items() if n not in names}, self.nullable, self.missing)

    def attacks(self) -> Mapping[str, tuple[bytes, int]]:
        """Every value."""
        null = {} if self.nullable else {"null": (b"null", INVALID)}
        return {**self.hostile, **null, **coded(PARSE, NO_JSON)}


def coded(code: int, *groups: Mapping[str, bytes]) -> dict[str, tuple[bytes, int]]:
    """Values that all have one code."""
    return {name: (raw, code) for group in groups for name, raw in group.items()}


SHAPES: Final[Mapping[str, tuple[bytes, int]]] = {
    **coded(INVALID, CONTAINERS, BOOLEANS, NUMBERS, TEXTS, NULL, {"fraction": b"1.5"}),
    **coded(PARSE, NO_JSON),
}
"""Instead of the parameters as a whole; a method without required ones takes the empty object."""


@dataclass(frozen=True, slots=True)
class Attack:
    """Parameters as raw JSON, and the code that must come back."""

    name: str
    params: bytes
    code: int
    is_text: bool = field(init=False, default=True)

    def __post_init__(self) -> None:
        try:
            self.params.decode()
        except UnicodeDecodeError:
            object.__setattr__(self, "is_text", False)  # no WebSocket text can carry it


def encode(params: Mapping[str, Any]) -> bytes:
    """Parameters as raw JSON; bytes among the values are raw JSON already."""
    members = [
        text(name) + b":" + (value if isinstance(value, bytes) else msgspec.json.encode(value))
        for name, value in params.items()
    ]
    return b"{" + b",".join(members) + b"}"
