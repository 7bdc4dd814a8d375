"""The reducer by itself: whatever events come, taking them back leads exactly to where the chain stood."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.crypto.keccak import keccak
from rollup.crypto.merkle import merkle_root
from rollup.derive.calldata import HEAD, SELECTOR, read_posted
from rollup.derive.chain import Chain, DerivedBatch, batch_hash
from rollup.derive.events import BatchPosted, Event, Finalised, MessageAdded, Position, Reverted
from rollup.derive.inbox import Inbox
from rollup.errors import L1Error, StoreError
from rollup.types.blocks import BatchBlock, Header, encode_batch

ROOT = keccak(b"genesis")
AT = Position(1, bytes(32), 0, bytes(32))
GENESIS = DerivedBatch(0, batch_hash(bytes(32), 0, 0, bytes(32), ROOT, 0), 0, bytes(20), 0, ROOT, 0, 0, ())
ACTIONS = st.lists(st.integers(0, 999), max_size=40)


def message(chain: Chain, data: bytes) -> MessageAdded:
    """The next message."""
    return MessageAdded(AT, len(chain.inbox), data, keccak(chain.inbox.hash_at(len(chain.inbox)) + keccak(data)), 0)


def batch(chain: Chain, *blocks: BatchBlock) -> BatchPosted:
    """The next batch, as L1 would log it."""
    parent = chain.head
    number, root, index = parent.last_number, parent.state_root, parent.inbox_index
    hashes = []
    for block in blocks:
        number, index = number + 1, index + block.inbox_count
        inbox_hash, txs_hash = chain.inbox.hash_at(index), keccak(block.txs)
        header = Header(
            number, chain.fork, root, block.timestamp, index, inbox_hash, txs_hash, root := block.state_root
        )
        hashes.append(keccak(header.encode()))
    data = encode_batch(blocks)
    head = [parent.hash, (96).to_bytes(32, "big"), chain.inbox.hash_at(index), len(data).to_bytes(32, "big")]
    calldata = SELECTOR + b"".join(head) + data + bytes(-len(data) % 32)
    identity = batch_hash(parent.hash, parent.index + 1, chain.fork, merkle_root(hashes), root, index)
    first = parent.last_number + 1
    return BatchPosted(
        AT, parent.index + 1, identity, chain.fork, bytes(20), first, number, index, root, calldata
    )  # fmt: skip


def act(chain: Chain, action: int) -> None:
    """Apply some event that is possible now."""
    kind, choice = action % 8, action // 8
    pending = chain.head.index - chain.finalised
    if kind == 0 and pending:
        chain.apply(Reverted(AT, chain.finalised + 1 + choice % pending, chain.fork + 1))
    elif kind == 1 and pending:
        chain.apply(Finalised(AT, chain.finalised + 1 + choice % pending))
    elif kind < 4:
        chain.apply(message(chain, action.to_bytes(2, "big")))
    else:
        waiting = len(chain.inbox) - chain.head.inbox_index
        taken = choice % (min(waiting, 32) + 1)
        root = keccak(action.to_bytes(2, "big"))
        chain.apply(batch(chain, BatchBlock(5, taken, root, bytes(choice)), BatchBlock(6, 0, ROOT, b"")))


def picture(chain: Chain) -> Any:
    """Everything a chain holds."""
    inbox = chain.inbox
    return list(chain.batches), inbox.slice(0, len(inbox)), list(inbox.hashes), chain.finalised, chain.fork


@given(ACTIONS, ACTIONS)
def test_taking_events_back_leads_to_where_the_chain_stood(before: list[int], after: list[int]) -> None:
    """Batches, messages, finality and fork, after any history; and the same events lead forward again."""
    chain = Chain(GENESIS)
    for action in before:
        act(chain, action)
    mark, seen = chain.mark(), picture(chain)
    for action in after:
        act(chain, action)
    end = picture(chain)
    chain.back_to(mark)
    assert picture(chain) == seen
    for action in after:
        act(chain, action)
    assert picture(chain) == end


@given(ACTIONS, st.integers(0, 40))
def test_what_is_forgotten_stays_and_the_rest_is_taken_back(actions: list[int], count: int) -> None:
    """Marks keep their meaning when older events are forgotten."""
    chain = Chain(GENESIS)
    for action in actions[:count]:
        act(chain, action)
    mark, seen = chain.mark(), picture(chain)
    for action in actions[count:]:
        act(chain, action)
    chain.forget(mark)
    chain.back_to(mark)
    assert picture(chain) == seen
    assert chain.mark() == mark


def test_an_event_that_is_refused_changes_nothing() -> None:
    """The chain is as it was before."""
    chain = Chain(GENESIS)
    for action in (2, 3, 4, 5, 1, 6):
        act(chain, action)
    seen, mark = picture(chain), chain.mark()
    good = batch(chain, BatchBlock(7, 0, ROOT, b""))
    bad: list[Event] = [
        Reverted(AT, chain.finalised, chain.fork + 1),
        Reverted(AT, chain.head.index + 1, chain.fork + 1),
        Reverted(AT, chain.head.index, chain.fork),
        Finalised(AT, chain.head.index + 1),
        Finalised(AT, chain.finalised - 1),
        MessageAdded(AT, len(chain.inbox), b"x", bytes(32), 0),
        BatchPosted(AT, good.index + 1, *(getattr(good, name) for name in BatchPosted.__slots__[2:])),
    ]
    for event in bad:
        with pytest.raises(L1Error):
            chain.apply(event)
        assert (picture(chain), chain.mark()) == (seen, mark)
    chain.apply(good)


def test_calldata_is_read_in_its_one_encoding_only() -> None:
    """What another ABI encoder could have written, the contract refuses, and so does the reader."""
    chain = Chain(GENESIS)
    good = batch(chain, BatchBlock(7, 0, ROOT, b"abc")).calldata
    posted = read_posted(good)
    assert (posted.parent_hash, posted.blocks) == (GENESIS.hash, [BatchBlock(7, 0, ROOT, b"abc")])
    shifted = good[:36] + (128).to_bytes(32, "big") + good[68:100] + bytes(32) + good[100:]
    bad = [b"", good[:4], good[:HEAD], good[:-1], good + bytes(32), good + b"\0", b"\0" + good[1:], shifted]
    for calldata in bad:
        with pytest.raises(L1Error):
            read_posted(calldata)


def test_messages_let_go_are_not_given_out() -> None:
    """Silence instead of a message would be a wrong state."""
    inbox, rolling = Inbox(), bytes(32)
    for number in range(3):
        rolling = keccak(rolling + keccak(b"m"))
        inbox.add(MessageAdded(AT, number, b"m", rolling, 0))
    inbox.trim(2)
    assert inbox.held() == 1
    assert inbox.slice(2, 1) == (b"m",)
    assert inbox.slice(1, 0) == ()
    with pytest.raises(StoreError):
        inbox.slice(1, 1)
    with pytest.raises(L1Error):
        inbox.slice(2, 2)
    inbox.truncate(1)
    assert (len(inbox), inbox.held()) == (1, 0)
