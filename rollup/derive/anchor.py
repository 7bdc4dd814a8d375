"""A final batch to begin reading at, so that a restart need not read L1 again from the deployment.

Nothing that L1 says before a final batch can matter any more, but for the inbox messages which that batch left. An
anchor says where the batch stands on L1; if that block is not there any more, reading begins at the genesis instead.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final, Self

import msgpack

from rollup.derive.chain import DerivedBatch
from rollup.derive.events import BatchPosted, Event, Finalised, Forked, MessageAdded, Reverted
from rollup.errors import StoreError

META: Final = "anchor"
"""Name under which a store keeps its anchor."""
_FIELDS: Final = tuple(item.name for item in fields(DerivedBatch) if item.name != "blocks")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A batch without its blocks, and the inbox hash after it."""

    batch: DerivedBatch
    inbox_hash: bytes = bytes(32)

    def is_news(self, event: Event) -> bool:
        """Whether an event, of the batch's L1 block or later, is news to a chain that begins here.

        Numbers decide and not the event's place in the block: the batch is final, so nothing after it has its number or
        a lower fork, and an export knows no places.
        """
        match event:
            case MessageAdded():
                return event.index >= self.batch.inbox_index
            case BatchPosted():
                return event.index > self.batch.index and event.fork >= self.batch.fork
            case Reverted() | Forked():
                return event.fork > self.batch.fork
            case Finalised():
                return event.up_to >= self.batch.index

    def encode(self) -> bytes:
        """The record for a store."""
        values = [getattr(self.batch, name) for name in _FIELDS]
        packed: bytes = msgpack.packb([self.inbox_hash, *values])
        return packed

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`; raises StoreError."""
        try:
            inbox_hash, *values = msgpack.unpackb(data)
            named: dict[str, Any] = dict(zip(_FIELDS, values, strict=True))
            return cls(DerivedBatch(blocks=(), **named), inbox_hash)
        except (msgpack.UnpackException, ValueError, TypeError) as error:
            raise StoreError(f"the anchor cannot be read: {error}") from error
