"""Private keys in configuration: where one is to be found, and never what it is.

A key is given as `file:PATH` (a file that holds 64 hexadecimal digits) or `dev:N` (a public development key, for
devnets only). Its plain digits are accepted from the environment alone: a command line is seen by every user of the
machine, and a configuration file ends up in version control.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rollup.errors import ConfigError

_DIGITS: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})\Z")
_CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
DEV_KEYS: Final = 1000
"""How many development keys `dev:N` may name."""


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where a private key comes from. Showing it shows `dev:N` or `file:PATH`, or `hidden` for digits."""

    shown: str
    _text: str = field(repr=False)

    def __str__(self) -> str:
        return self.shown

    def private_key(self) -> bytes:
        """The 32 bytes of the key; `ConfigError` if the file cannot be read or holds something else."""
        kind, _, rest = self._text.partition(":")
        if kind == "dev":
            from rollup.l1.devkeys import dev_key  # noqa: PLC0415 - half a second that only devnets pay

            return dev_key(int(rest))
        if kind == "file":
            try:
                return _read_digits(Path(rest).read_text(encoding="ascii").strip(), f"key file {rest}")
            except (OSError, UnicodeError) as error:
                reason = getattr(error, "strerror", None) or "not a text file"
                raise ConfigError(f"key file {rest}: {reason}") from error
        return _read_digits(self._text, "key")


def read_key(text: str, *, plain_allowed: bool) -> KeySource:
    """Read a key's source; `ValueError`, which never repeats the text, if it is none or lies open to others."""
    if re.fullmatch(r"dev:\d{1,4}", text) and int(text[4:]) < DEV_KEYS:
        return KeySource(text, text)
    if text.startswith("file:") and len(text) > len("file:"):
        return KeySource(text, f"file:{Path(text[5:]).expanduser()}")
    if _DIGITS.match(text) is None:
        raise ValueError("a key is given as file:PATH or dev:N")
    if not plain_allowed:
        raise ValueError("a plain private key is taken from the environment only; use file:PATH or dev:N here")
    return KeySource("hidden", text)


def _read_digits(text: str, source: str) -> bytes:
    match = _DIGITS.match(text)
    key = bytes.fromhex(match[1]) if match else b""
    if not 0 < int.from_bytes(key) < _CURVE_ORDER:
        raise ConfigError(f"{source} does not hold a private key of 64 hexadecimal digits")
    return key
