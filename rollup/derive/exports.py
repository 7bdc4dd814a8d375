"""The file of a watcher's export: all that L1's old logs and calldata hold, for when no node shows them any more.

A stream of msgpack arrays; the first item of each is its kind.

    [0, "plumbline-export", version, chain id, rollup]        first
    [1, genesis leaves]                                       second
    [2, message]                                              in the order of the inbox
    [3, fork, poster, L1 block, blocks]                       a batch that stands, behind the messages L1 had by then
    [4, messages, batches, L1 block, its hash]                last: counts, and the L1 block up to which all is here
                                                              (0 and nothing: what follows the last batch is not)

Nothing in it is believed: see `vetting`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

import msgpack

from rollup.errors import ExportRefused

MAGIC: Final = "plumbline-export"
VERSION: Final = 1
_HEAD, _GENESIS, _MESSAGE, _BATCH, _END = range(5)
_MAX_ITEM: Final = 1 << 26
"""Bytes of one item: far more than any L1 block can hold."""


@dataclass(frozen=True, slots=True)
class Head:
    """Which deployment the export is of."""

    chain_id: int
    rollup: bytes


@dataclass(frozen=True, slots=True)
class GenesisItem:
    """The leaves of the genesis, encoded."""

    leaves: bytes


@dataclass(frozen=True, slots=True)
class MessageItem:
    """The next inbox message."""

    message: bytes


@dataclass(frozen=True, slots=True)
class BatchItem:
    """The next batch that stands: its fork, who posted it, in which L1 block, and its bytes."""

    fork: int
    poster: bytes
    l1_block: int
    blocks: bytes


@dataclass(frozen=True, slots=True)
class End:
    """How much there is, and the L1 block (number, hash) up to which nothing is missing.

    Of an export that was made without L1's logs (0, nothing): what follows its last batch may be missing.
    """

    messages: int
    batches: int
    l1_block: int = 0
    l1_hash: bytes = b""

    @property
    def is_open(self) -> bool:
        """Whether what follows the last batch may be missing."""
        return self.l1_block == 0 and not self.l1_hash


Item = Head | GenesisItem | MessageItem | BatchItem | End
_KINDS: Final[tuple[type[Item], ...]] = (Head, GenesisItem, MessageItem, BatchItem, End)
_TYPES: Final[tuple[tuple[type, ...], ...]] = (
    (int, bytes),
    (bytes,),
    (bytes,),
    (int, bytes, int, bytes),
    (int, int, int, bytes),
)


class ExportWriter:
    """Writes an export in order. The file appears whole, when `finish` is called, or not at all."""

    def __init__(self, path: Path, head: Head, leaves: bytes) -> None:
        self._path = path
        self._draft = path.with_name(f".{path.name}.new")
        self._file: BinaryIO = self._draft.open("wb")
        self.messages = self.batches = 0
        self._put([_HEAD, MAGIC, VERSION, head.chain_id, head.rollup])
        self._put([_GENESIS, leaves])

    def add_message(self, message: bytes) -> None:
        """Append the next inbox message."""
        self.messages += 1
        self._put([_MESSAGE, message])

    def add_batch(self, item: BatchItem) -> None:
        """Append the next batch."""
        self.batches += 1
        self._put([_BATCH, item.fork, item.poster, item.l1_block, item.blocks])

    def finish(self, l1_block: int = 0, l1_hash: bytes = b"") -> int:
        """Close the file and give it its name; returns its size in bytes. Without a block its end is open."""
        self._put([_END, self.messages, self.batches, l1_block, l1_hash])
        self._file.flush()
        os.fsync(self._file.fileno())
        size = self._file.tell()
        self._file.close()
        self._draft.replace(self._path)
        return size

    def close(self) -> None:
        """Drop the draft, unless it was finished."""
        if not self._file.closed:
            self._file.close()
            self._draft.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, values: list[object]) -> None:
        self._file.write(msgpack.packb(values))


def read_items(path: Path, offset: int = 0) -> Iterator[tuple[int, Item]]:
    """Every item from `offset` on, each with the offset behind it; raises `ExportRefused` for what is no export."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise ExportRefused(path.name, f"the file cannot be read: {error.strerror}") from error
    with file:
        file.seek(offset)
        unpacker = msgpack.Unpacker(file, max_buffer_size=_MAX_ITEM, raw=False)
        place = 0
        while True:
            try:
                values = unpacker.unpack()
            except msgpack.OutOfData:
                return
            except (msgpack.UnpackException, ValueError) as error:
                where = offset + unpacker.tell()
                raise ExportRefused(f"byte {where}", f"this is not msgpack, or it is cut off: {error}") from error
            yield offset + unpacker.tell(), _item(values, place if offset == 0 else -1)
            place += 1


def _item(values: object, place: int) -> Item:
    """The item; `place` is its number in the file, so that the first can be checked to be the head."""
    named = "the file" if place < 1 else f"item {place}"
    if not isinstance(values, list) or not values or type(values[0]) is not int or not 0 <= values[0] < len(_KINDS):
        raise ExportRefused(named, "it is no item of an export")
    kind, fields = values[0], values[1:]
    if (kind == _HEAD) != (place == 0):
        raise ExportRefused(named, "an export begins with its head, and has one")
    if kind == _HEAD:
        if fields[:1] != [MAGIC]:
            raise ExportRefused("the head", "this is not an export")
        if fields[1:2] != [VERSION] or type(fields[1]) is not int:
            raise ExportRefused("the head", f"its version is {fields[1:2]}, and this software reads {VERSION}")
        fields = fields[2:]
    types = _TYPES[kind]
    if len(fields) != len(types) or any(type(value) is not wanted for value, wanted in zip(fields, types, strict=True)):
        raise ExportRefused(named, "its fields are not those of its kind")
    if any(isinstance(value, int) and value < 0 for value in fields):
        raise ExportRefused(named, "it has a negative number")
    return _KINDS[kind](*fields)
