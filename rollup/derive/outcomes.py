"""What became of each inbox message, kept beside the blocks that a replica executes.

A forced transaction that is refused leaves no trace in the state, and the state before a final block is not kept: so
the verdict is written down when the block is executed, in the same atomic batch, and goes when the block is taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgpack

from rollup.derive.chain import DerivedBlock
from rollup.errors import StoreError
from rollup.stf.block import BlockResult
from rollup.stf.receipts import Withdrawn
from rollup.store.blocks import Records
from rollup.types.reasons import Reason

PREFIX: Final = b"inbox"
"""Of the keys in the store's index; behind it the message's number, u40."""


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """Message `index` was executed in block `block`, with this reason (NONE: it was done).

    `paid` and `haircut` (µUSD) are those of a withdrawal: what may be claimed, and the share of losses that was kept.
    """

    index: int
    message: bytes
    block: int
    reason: Reason
    paid: int = 0
    haircut: int = 0


def index_messages(block: DerivedBlock, result: BlockResult) -> dict[bytes, bytes]:
    """The store's index entries for the messages of a block that was found right."""
    first = block.header.inbox_index - len(block.messages)
    entries: dict[bytes, bytes] = {}
    for place, receipt in enumerate(result.receipts[: len(block.messages)]):
        detail = receipt.detail
        paid, haircut = (detail.paid, detail.haircut) if isinstance(detail, Withdrawn) else (0, 0)
        entries[_key(first + place)] = msgpack.packb([block.header.number, int(receipt.reason), paid, haircut])
    return entries


def find_message(records: Records, index: int) -> MessageRecord | None:
    """What became of a message; None if no block that stands has executed it."""
    value = records.index(_key(index))
    return None if value is None else _read(records, index, value)


def executed_messages(records: Records) -> Iterator[MessageRecord]:
    """All messages that were executed, in their order."""
    for key, value in records.indexes(PREFIX):
        yield _read(records, int.from_bytes(key[len(PREFIX) :], "big"), value)


def _key(index: int) -> bytes:
    return PREFIX + index.to_bytes(5, "big")


def _read(records: Records, index: int, value: bytes) -> MessageRecord:
    number, reason, paid, haircut = msgpack.unpackb(value)
    block = records.block(number)
    if block is None:
        raise StoreError(f"block {number}, which executed message {index}, is missing")
    place = index - (block.header.inbox_index - len(block.messages))
    return MessageRecord(index, block.messages[place], number, Reason(reason), paid, haircut)
