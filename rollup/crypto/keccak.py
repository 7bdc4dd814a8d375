"""Keccak-256, the only hash of the protocol, bound to the C implementation.

The general façade of the ecosystem chooses a backend at run time and may silently choose one seven times slower; every
root and every signature passes through here, so the fast one is named outright.
"""

from __future__ import annotations

from typing import Final

import sha3  # type: ignore[import-untyped]

ZERO_HASH: Final = bytes(32)
"""The hash of an empty leaf and of an empty subtree, and the first value of a rolling hash."""

new_keccak = sha3.keccak_256
"""`new_keccak(data).digest()` is `keccak(data)`, without a call that is felt where a block has a thousand hashes."""

if new_keccak(b"").hexdigest() != "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470":
    raise ImportError("sha3.keccak_256 is not Keccak-256 (the standardised SHA-3 pads differently)")


def keccak(data: bytes) -> bytes:
    """Return the 32-byte Keccak-256 digest of `data`."""
    digest: bytes = new_keccak(data).digest()
    return digest


def roll(rolling: bytes, message: bytes) -> bytes:
    """Return the inbox's rolling hash after `message`: keccak(rolling ‖ keccak(message))."""
    return keccak(rolling + keccak(message))
