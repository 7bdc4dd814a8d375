"""Blocks for stores: random writes over the kinds of keys there are, with records around them."""

from __future__ import annotations

import random

from rollup.crypto.keccak import keccak
from rollup.store.changes import BlockCommit, Staged
from rollup.store.identity import ChainIdentity
from rollup.store.records import BlockRecord
from rollup.store.state import StateStore
from rollup.types.blocks import Header

IDENTITY = ChainIdentity(31337, b"\x11" * 20)
GENESIS = {0: b"globals", 1: b"oracle set", 1 << 32: b"underlying", 3 << 32: b"market"}


def account(index: int) -> int:
    """Key of an account."""
    return 1 << 38 | index << 14


def random_writes(source: random.Random, accounts: int = 30) -> dict[int, bytes]:
    """Writes like a block's: globals, accounts and order slots."""
    writes = {0: source.randbytes(77)}
    for _ in range(source.randrange(1, 8)):
        index = source.randrange(accounts)
        writes[account(index)] = source.randbytes(73)
        writes[account(index) | 8192 | source.randrange(16)] = source.randbytes(34)
    return writes


def seal(staged: Staged, parent: bytes = bytes(32)) -> BlockCommit:
    """A commit for a staged block, with data that depends on its number."""
    number = staged.number
    txs = f"transactions of {number}".encode()
    header = Header(number, 0, parent, 1_600_000_000 + number, 0, bytes(32), keccak(txs), staged.root)
    record = BlockRecord(header, txs, (b"message %d" % number,), bytes([number % 256]) * 64)
    index = {b"account/%d" % number: b"trade"}
    return BlockCommit(staged, record, b"receipts %d" % number, index)


def grow(store: StateStore, blocks: int, source: random.Random) -> None:
    """Commit blocks of random writes, one batch each."""
    for _ in range(blocks):
        store.commit([seal(store.stage(random_writes(source)), store.root)])


def content(store: StateStore) -> dict[bytes, bytes]:
    """Everything in the store's database."""
    return dict(store._database.iterate(b"", b"\xff"))


def state_content(store: StateStore) -> dict[bytes, bytes]:
    """Leaves and nodes in the store's database."""
    return {key: value for key, value in content(store).items() if key[:1] in {b"l", b"n"}}
