"""Parameter types that several methods share, and their conversion into the exchange's integers.

Signed values are exact integers (µUSD, µcoin), as they stand in the EIP-712 struct. A client that would rather send
decimals gives `amount` and `limit_price` as text instead of `size` and `price`. Integers above 2⁵³ may be sent as text.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from rollup.sequencer.amounts import read_micro
from rollup.sequencer.rejections import BadAmount, BadSignature

Integer = int | Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,20}\Z")]
"""A natural number, as JSON number or as digits."""
Text = Annotated[str, msgspec.Meta(max_length=200)]
Hexadecimal = Annotated[str, msgspec.Meta(max_length=140)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1000)]


def integer(value: Integer) -> int:
    """The number meant."""
    return int(value)


def amount_of(exact: Integer | UnsetType, text: str | UnsetType, exact_name: str, text_name: str) -> int:
    """One number given in either of two ways; BadAmount if it is given twice or not at all."""
    if (exact is UNSET) == (text is UNSET):
        raise BadAmount(f"give either {exact_name} or {text_name}", field=exact_name)
    if not isinstance(exact, UnsetType):
        return integer(exact)
    assert not isinstance(text, UnsetType)
    return read_micro(text, text_name)


def read_hex(text: str, size: int, name: str) -> bytes:
    """Bytes of a hexadecimal text; BadSignature unless it is `0x` and exactly `size` bytes."""
    if len(text) == 2 + 2 * size and text.startswith("0x"):
        try:
            data = bytes.fromhex(text[2:])
        except ValueError:
            data = b""
        if len(data) == size:  # not if there were spaces, which `fromhex` skips
            return data
    raise BadSignature(f"{name} is not 0x and {2 * size} hexadecimal digits", field=name)


def read_signature(text: str) -> bytes:
    """A signature of 64 bytes (EIP-2098), or of the usual 65, whose last byte is 0, 1, 27 or 28."""
    if len(text) != 132:
        return read_hex(text, 64, "signature")
    long = read_hex(text, 65, "signature")
    if long[64] not in (0, 1, 27, 28) or long[32] & 0x80:
        raise BadSignature("the signature is not canonical", field="signature")
    return long[:32] + bytes([long[32] | (0x80 if long[64] in (1, 28) else 0)]) + long[33:64]


def show_bytes(data: bytes) -> str:
    """0x and hexadecimal digits."""
    return f"0x{data.hex()}"
