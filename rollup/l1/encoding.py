"""JSON-RPC hexadecimal: quantities ("0x1f") and byte strings ("0x001f").

Reading is strict, because both sides of the wire may be hostile: `ValueError` says what is wrong, and the caller
turns it into its own error.
"""

from __future__ import annotations

import binascii
import re
from typing import Final

_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}\Z")


def to_quantity(value: int) -> str:
    """Encode a non-negative integer."""
    if value < 0:
        raise ValueError(f"a quantity cannot be negative: {value}")
    return hex(value)


def to_data(value: bytes) -> str:
    """Encode bytes."""
    return f"0x{value.hex()}"


def read_quantity(value: object, *, bits: int = 256) -> int:
    """Decode an unsigned integer of at most `bits` bits; `ValueError` otherwise."""
    if not isinstance(value, str) or _QUANTITY.match(value) is None:
        raise ValueError(f"not a quantity: {abridge(value)}")
    number = int(value, 16)
    if number.bit_length() > bits:
        raise ValueError(f"more than {bits} bits: {abridge(value)}")
    return number


def read_data(value: object, *, length: int | None = None) -> bytes:
    """Decode a byte string, of exactly `length` bytes if given; `ValueError` otherwise."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ValueError(f"not a byte string: {abridge(value)}")
    try:
        decoded = binascii.unhexlify(value[2:])
    except ValueError as error:  # binascii.Error is one; so is the error for characters beyond ASCII
        raise ValueError(f"not a byte string: {abridge(value)}") from error
    if length is not None and len(decoded) != length:
        raise ValueError(f"{len(decoded)} bytes where {length} are due: {abridge(value)}")
    return decoded


def abridge(value: object) -> str:
    """Show a value in an error message without letting it flood the log."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:76]}...'"
