"""Addresses as people give them: 0x and 40 digits, or `dev:N` for a public development account."""

from __future__ import annotations

import re

from rollup.errors import ConfigError
from rollup.l1.devkeys import dev_address


def read_address(text: str, name: str) -> bytes:
    """20 bytes; `ConfigError` names the argument."""
    if re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        return bytes.fromhex(text[2:])
    if re.fullmatch(r"dev:\d{1,3}", text):
        return dev_address(int(text[4:]))
    raise ConfigError(f"{name}: an address is 0x and 40 hexadecimal digits, or dev:N; not {text[:60]!r}")
