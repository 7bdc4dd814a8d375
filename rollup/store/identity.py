"""Which deployment a database belongs to, and in which layout it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rollup.errors import StoreError
from rollup.store import rooms
from rollup.store.database import Database

SCHEMA: Final = 1
"""Version of the layout and of the records; a database of another version is refused."""


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """The deployment that a store belongs to: the L1 chain's id and the Rollup contract's 20-byte address."""

    chain_id: int
    rollup: bytes

    def __str__(self) -> str:
        return f"rollup 0x{self.rollup.hex()} on chain {self.chain_id}"

    def encode(self) -> bytes:
        """Return the record that ties a database to this deployment and layout."""
        assert len(self.rollup) == 20, "an address has 20 bytes"
        return SCHEMA.to_bytes(2, "big") + self.chain_id.to_bytes(32, "big") + self.rollup


def identify(database: Database, identity: ChainIdentity, *, create: bool) -> None:
    """Raise StoreError unless the database belongs to `identity`; an empty one is given to it if `create`."""
    stored = database.get(rooms.IDENTITY)
    if stored is None:
        if not create or next(database.iterate(b"", b"\xff"), None) is not None:
            raise StoreError("the database does not say to which rollup it belongs")
        database.write({rooms.IDENTITY: identity.encode()})
        return
    schema = int.from_bytes(stored[:2], "big")
    if schema != SCHEMA:
        raise StoreError(f"the database has layout {schema}, this software reads layout {SCHEMA}")
    if stored != identity.encode():
        owner = ChainIdentity(int.from_bytes(stored[2:34], "big"), stored[34:])
        raise StoreError(f"the database belongs to {owner}, not to {identity}")
