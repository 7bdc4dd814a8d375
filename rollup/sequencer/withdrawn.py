"""Signed blocks that were taken back: a promise made once is never made differently.

Two signed headers for one number and fork whose inbox hashes are both L1's cost the stake. So a signed block that has
to go, because L1 reorganised or another poster was first, is kept here. When L1 comes to where the block is right again
it is put back, the same bytes; while it could still become right, and something else stands in its place, no other
block may be signed with its number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import msgpack

from rollup.crypto.keccak import roll
from rollup.crypto.signatures import Recover
from rollup.derive.inbox import Inbox
from rollup.errors import StoreError
from rollup.stf.block import execute_block
from rollup.store.blocks import Records
from rollup.store.changes import BlockCommit, Notes
from rollup.store.records import BlockRecord
from rollup.store.state import StateStore
from rollup.types.reasons import Reason

WITHDRAWN: Final = b"w"
"""Prefix of the entries: fork (u32), number (u40), inbox hash."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A signed block with all that was committed with it; `before` is the inbox hash before its messages."""

    record: BlockRecord
    before: bytes
    receipts: bytes
    index: dict[bytes, bytes]

    @property
    def key(self) -> bytes:
        """Where it is kept."""
        header = self.record.header
        return _prefix(header.fork, header.number) + header.inbox_hash

    def encode(self) -> bytes:
        """The record for the database."""
        packed: bytes = msgpack.packb([self.record.encode(), self.before, self.receipts, self.index])
        return packed

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`; raises StoreError."""
        try:
            record, before, receipts, index = msgpack.unpackb(data)
        except (msgpack.UnpackException, ValueError, TypeError) as error:
            raise StoreError(f"a withdrawn block cannot be read: {error}") from error
        return cls(BlockRecord.decode(record), before, receipts, index)

    def may_stand(self, inbox: Inbox) -> bool:
        """Whether L1 has no other message where this block has its own or an earlier one."""
        return follows(self.record, self.before, inbox)


def follows(record: BlockRecord, before: bytes, inbox: Inbox) -> bool:
    """Whether a block's messages are L1's, as far as L1 has any; `before` is the inbox hash before them."""
    count = record.header.inbox_index - len(record.messages)
    if count > len(inbox):
        return True
    rolling = before
    if inbox.hash_at(count) != rolling:
        return False
    for message in record.messages:
        rolling, count = roll(rolling, message), count + 1
        if count > len(inbox):
            return True
        if inbox.hash_at(count) != rolling:
            return False
    return True


def withdraw(records: Records, after: int, last: int) -> dict[bytes, bytes | None]:
    """Entries that keep the signed blocks `after + 1` … `last`, which are about to be taken back."""
    entries: dict[bytes, bytes | None] = {}
    before = inbox_hash_after(records, after)
    for record in records.blocks(after + 1, last):
        if record.signature:
            number = record.header.number
            kept = Withdrawn(record, before, records.receipts(number) or b"", records.indexed(number))
            entries[kept.key] = kept.encode()
        before = record.header.inbox_hash
    return entries


def inbox_hash_after(records: Records, number: int) -> bytes:
    """The rolling inbox hash after a committed block; zero after the genesis."""
    if number == 0:
        return bytes(32)
    record = records.block(number)
    if record is None:
        raise StoreError(f"block {number} is missing")
    return record.header.inbox_hash


def promised(records: Records, inbox: Inbox, fork: int, after: int) -> int:
    """The highest number beyond `after` of a withdrawn block of this fork that may still stand; 0 if there is none."""
    found = (kept.record.header.number for _, kept in _kept(records, _prefix(fork)) if kept.may_stand(inbox))
    return max((number for number in found if number > after), default=0)


def is_withdrawn(records: Records, fork: int, first: int) -> bool:
    """Whether a block of this fork with number `first` or a later one was signed and taken back."""
    return any(kept.record.header.number >= first for _, kept in _kept(records, _prefix(fork)))


def reinstate(store: StateStore, inbox: Inbox, fork: int, separator: bytes, recover: Recover) -> int:
    """Put back the withdrawn blocks that continue the head; returns how many."""
    count = 0
    while (kept := _successor(store, inbox, fork)) is not None:
        record = kept.record
        result = execute_block(store.read, record.header, record.txs, record.messages, separator, recover)
        if result.reason is not Reason.NONE:
            break  # sealed by a dishonest sequencer
        before = store.number
        staged = store.stage(result.writes)
        if staged.root != record.header.state_root:
            store.rollback(before)
            break
        store.commit([BlockCommit(staged, record, kept.receipts, kept.index)], Notes(entries={kept.key: None}))
        count += 1
    return count


def outdated(records: Records, final: int) -> dict[bytes, bytes | None]:
    """Entries that delete the withdrawn blocks whose numbers are final."""
    return {key: None for key, kept in _kept(records, WITHDRAWN) if kept.record.header.number <= final}


def _successor(store: StateStore, inbox: Inbox, fork: int) -> Withdrawn | None:
    for _, kept in _kept(store.records, _prefix(fork, store.number + 1)):
        if kept.record.header.parent_root == store.root and kept.may_stand(inbox):
            return kept
    return None


def _kept(records: Records, prefix: bytes) -> Iterator[tuple[bytes, Withdrawn]]:
    for key, data in records.entries(prefix):
        yield key, Withdrawn.decode(data)


def _prefix(fork: int, number: int | None = None) -> bytes:
    return WITHDRAWN + fork.to_bytes(4, "big") + (b"" if number is None else number.to_bytes(5, "big"))
