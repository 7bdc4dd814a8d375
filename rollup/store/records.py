"""What stands in the rooms of blocks, batches and undo, as values and as msgpack.

Records never reach L1, so they may grow fields: an encoding is a list in the order of the fields, and `rooms.SCHEMA` is
raised when it changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import msgpack

from rollup.crypto.keccak import keccak
from rollup.errors import PlumblineError, StoreError
from rollup.types.blocks import Header


@dataclass(frozen=True)
class BlockRecord:
    """A sealed block whole: header, transactions, the inbox messages it consumed, the sealer's signature (or `b""`)."""

    header: Header
    txs: bytes
    messages: tuple[bytes, ...] = ()
    signature: bytes = b""

    @property
    def number(self) -> int:
        """The block's number."""
        return self.header.number

    @cached_property
    def hash(self) -> bytes:
        """The header's hash, which names the block."""
        return keccak(self.header.encode())

    def encode(self) -> bytes:
        """Return the msgpack record."""
        return _pack([self.header.encode(), self.txs, list(self.messages), self.signature])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`; raises StoreError."""
        header, txs, messages, signature = _unpack(data, 4)
        try:
            return cls(Header.decode(header), txs, tuple(messages), signature)
        except (PlumblineError, TypeError) as error:
            raise StoreError(f"a block record cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A batch posted on L1: blocks `first` to `last`, where L1 has it, and whatever its writer adds in `extra`."""

    index: int
    first: int
    last: int
    batch_hash: bytes
    state_root: bytes
    l1_block: int = 0
    tx_hash: bytes = b""
    extra: bytes = b""

    def encode(self) -> bytes:
        """Return the msgpack record."""
        return _pack([
            self.index, self.first, self.last, self.batch_hash, self.state_root, self.l1_block, self.tx_hash, self.extra
        ])  # fmt: skip

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`; raises StoreError."""
        return cls(*_unpack(data, 8))


@dataclass(frozen=True, slots=True)
class UndoRecord:
    """What takes a block back: the values before it of the leaves it wrote, and the index keys it added."""

    leaves: dict[int, bytes]
    index: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """Return the msgpack record."""
        return _pack([list(self.leaves), list(self.leaves.values()), list(self.index)])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`; raises StoreError."""
        keys, values, index = _unpack(data, 3)
        try:
            return cls(dict(zip(keys, values, strict=True)), tuple(index))
        except (TypeError, ValueError) as error:
            raise StoreError(f"an undo record cannot be read: {error}") from error


def _pack(fields: list[Any]) -> bytes:
    packed: bytes = msgpack.packb(fields)
    return packed


def _unpack(data: bytes, count: int) -> list[Any]:
    try:
        fields = msgpack.unpackb(data)
    except (msgpack.UnpackException, ValueError) as error:
        raise StoreError(f"a record cannot be read: {error}") from error
    if not isinstance(fields, list) or len(fields) != count:
        raise StoreError(f"a record does not have its {count} fields")
    return fields
