"""The layout of keys: one byte for the room, then big-endian numbers, so that ranges ascend as numbers do."""

from __future__ import annotations

from typing import Final

IDENTITY: Final = b"S"
GENESIS: Final = b"G"  # the root after block 0
HEAD: Final = b"H"  # root after the last block, its number u40
FINAL: Final = b"F"  # number u40 of the last final block

LEAF: Final = b"l"  # key u40 → value
NODE: Final = b"n"  # path u40 → record
BLOCK: Final = b"b"  # number u40 → BlockRecord
HASH: Final = b"h"  # block hash → number u40
RECEIPTS: Final = b"r"  # number u40 → the receipts' own bytes
UNDO: Final = b"u"  # number u40 → UndoRecord
INDEX: Final = b"i"  # caller's key → caller's value; undone with its block
BATCH: Final = b"t"  # index u40 → BatchRecord
BATCH_END: Final = b"e"  # number u40 of a batch's last block → index u40
META: Final = b"m"  # name → value
ENTRY: Final = b"x"  # caller's key → caller's value; never undone


def numbered(room: bytes, number: int) -> bytes:
    """Return the key of `number` in a room."""
    return room + number.to_bytes(5, "big")


def number_of(key: bytes) -> int:
    """Return the number at the end of a key (or value) of a numbered room."""
    return int.from_bytes(key[-5:], "big")


def prefix_range(prefix: bytes) -> tuple[bytes, bytes]:
    """Return the range of all keys that begin with `prefix` (never all 0xff: it begins with a room)."""
    stripped = prefix.rstrip(b"\xff")
    return prefix, stripped[:-1] + bytes([stripped[-1] + 1])
