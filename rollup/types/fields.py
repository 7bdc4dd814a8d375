"""Fields of fixed width that `struct` does not check or does not know."""

from __future__ import annotations

from typing import Final

from rollup.errors import Undecodable, Unencodable

SIGNATURE_SIZE: Final = 64
LOW: Final = 0xFFFFFFFF
"""Mask of the low part of a u40, u48 or i48; the high part is what remains above 32 bits."""
_U24: Final = (1 << 24) - 1


def exact(data: bytes, size: int, name: str) -> None:
    """Raise Undecodable unless `data` has exactly `size` bytes."""
    if len(data) != size:
        raise Undecodable(f"{name} of {len(data)} bytes, not {size}")


def word(data: bytes, size: int) -> bytes:
    """`data` itself; raises Unencodable unless it has exactly `size` bytes (struct would pad or cut silently)."""
    if len(data) != size:
        raise Unencodable(f"{size} bytes expected, {len(data)} given")
    return data


def u24(value: int) -> tuple[int, int]:
    """An account number as `struct` takes it: u8 and u16."""
    if 0 <= value <= _U24:
        return value >> 16, value & 0xFFFF
    raise Unencodable(f"account {value}")


def signatures_at(data: bytes, start: int, count: int) -> tuple[tuple[bytes, ...], int]:
    """`count` signatures from `start` on, and the offset after them."""
    end = start + SIGNATURE_SIZE * count
    if end > len(data):
        raise Undecodable("signatures cut short")
    return tuple(data[at : at + SIGNATURE_SIZE] for at in range(start, end, SIGNATURE_SIZE)), end
