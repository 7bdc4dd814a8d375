"""The pure reducer: L1 events in, the canonical chain of batches out.

Nothing in a log is believed that can be computed: headers are rebuilt from calldata, the inbox hash from the messages,
and the batch hash from the headers; a difference means that the L1 node lies (`L1Error`), for the contract computed
the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rollup.crypto.keccak import keccak
from rollup.crypto.merkle import merkle_root
from rollup.derive.events import BatchPosted, Event, Finalised, MessageAdded, Reverted
from rollup.errors import L1Error
from rollup.types.blocks import BatchBlock, Header, decode_batch

_WORD = 32
_SELECTOR = 4


@dataclass(frozen=True, slots=True)
class DerivedBlock:
    """One block as L1 fixes it: the header L1 built, the transactions posted, the messages it consumes."""

    header: Header
    txs: bytes
    messages: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class DerivedBatch:
    """A batch on L1: `hash` chains it to its parent, `blocks` are in order, `l1_block` is where it was posted."""

    index: int
    hash: bytes
    fork: int
    poster: bytes
    l1_block: int
    state_root: bytes
    last_number: int
    inbox_index: int
    blocks: tuple[DerivedBlock, ...]
    last_timestamp: int = 0


def posted_blocks(calldata: bytes) -> tuple[bytes, bytes]:
    """Return (parent batch hash, blocks) of a `postBatch(bytes32,bytes)` input, reading it just as Solidity does.

    A poster may encode the dynamic argument at an unusual offset; L1 accepts that, so it is read here the same way.
    Raises `L1Error` if the input could not have succeeded on L1.
    """
    body = calldata[_SELECTOR:]
    parent = body[:_WORD]
    offset = int.from_bytes(body[_WORD : 2 * _WORD])
    length = int.from_bytes(body[offset : offset + _WORD]) if offset < len(body) else 0
    blocks = body[offset + _WORD : offset + _WORD + length]
    if len(parent) != _WORD or len(blocks) != length or offset + _WORD > len(body):
        raise L1Error("the input of a posted batch is not a postBatch call", retryable=False)
    return parent, blocks


def batch_hash(  # noqa: PLR0917 - the fields in the order in which they are hashed
    parent: bytes, index: int, fork: int, blocks_root: bytes, state_root: bytes, inbox_index: int
) -> bytes:
    """Hash that chains a batch to its parent (SPEC §10)."""
    return keccak(parent + index.to_bytes(5) + fork.to_bytes(4) + blocks_root + state_root + inbox_index.to_bytes(5))


@dataclass(slots=True)
class Inbox:
    """Messages by number and the rolling hash after each; `hashes[i]` is the hash after i messages."""

    messages: list[bytes] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=lambda: [bytes(32)])

    def add(self, event: MessageAdded) -> None:
        """Append the next message; a gap or a wrong rolling hash is the node's lie."""
        expected = keccak(self.hashes[-1] + keccak(event.message))
        if event.index != len(self.messages) or event.rolling != expected:
            raise L1Error(f"inbox message {event.index} does not continue the inbox", retryable=True)
        self.messages.append(event.message)
        self.times.append(event.time)
        self.hashes.append(expected)

    def truncate(self, count: int) -> None:
        """Keep only the first `count` messages."""
        del self.messages[count:], self.times[count:], self.hashes[count + 1 :]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A chain at some point: how many messages it had, its batches, finality and fork."""

    messages: int
    batches: tuple[DerivedBatch, ...]
    finalised: int
    fork: int


class Chain:
    """The canonical batches and messages after the events applied so far."""

    def __init__(self, genesis: DerivedBatch) -> None:
        self.inbox = Inbox()
        self.batches: list[DerivedBatch] = [genesis]
        self.finalised = 0
        self.fork = 0

    @property
    def head(self) -> DerivedBatch:
        """The last batch that stands."""
        return self.batches[-1]

    def apply(self, event: Event) -> None:
        """Advance by one event; raises `L1Error` where the event contradicts what L1 must have computed."""
        match event:
            case MessageAdded():
                self.inbox.add(event)
            case BatchPosted():
                self.batches.append(self._derive(event))
            case Reverted():
                self._revert(event)
            case Finalised():
                if not self.finalised <= event.up_to <= self.head.index:
                    raise L1Error(f"finality of unknown batch {event.up_to}", retryable=True)
                self.finalised = event.up_to

    def trim(self, final: int) -> None:
        """Drop the blocks of executed final batches; what they led to is in the state, and nothing takes them back."""
        for index in range(final, 0, -1):
            if not self.batches[index].blocks:
                return
            self.batches[index] = replace(self.batches[index], blocks=())

    def _revert(self, event: Reverted) -> None:
        if not self.finalised < event.from_batch <= self.head.index:
            raise L1Error(f"reversion of batch {event.from_batch}, which is final or unknown", retryable=True)
        del self.batches[event.from_batch :]
        self.fork = event.fork

    def snapshot(self) -> Snapshot:
        """Freeze the chain as it is."""
        return Snapshot(len(self.inbox.messages), tuple(self.batches), self.finalised, self.fork)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to an earlier snapshot of this chain."""
        self.inbox.truncate(snapshot.messages)
        self.batches = list(snapshot.batches)
        self.finalised = snapshot.finalised
        self.fork = snapshot.fork

    def _derive(self, event: BatchPosted) -> DerivedBatch:
        parent = self.head
        parent_hash, raw = posted_blocks(event.calldata)
        if parent_hash != parent.hash or event.index != parent.index + 1 or event.fork != self.fork:
            raise L1Error(f"batch {event.index} does not continue batch {parent.index}", retryable=True)
        blocks = self._headers(parent, event.fork, decode_batch(raw))
        last = blocks[-1].header
        root = merkle_root([keccak(block.header.encode()) for block in blocks])
        derived_hash = batch_hash(parent.hash, event.index, event.fork, root, last.state_root, last.inbox_index)
        if derived_hash != event.batch_hash:
            raise L1Error(f"calldata of batch {event.index} does not hash to what L1 stored", retryable=True)
        return DerivedBatch(
            event.index,
            derived_hash,
            event.fork,
            event.poster,
            event.at.block_number,
            last.state_root,
            last.number,
            last.inbox_index,
            tuple(blocks),
            last.timestamp,
        )

    def _headers(self, parent: DerivedBatch, fork: int, posted: list[BatchBlock]) -> list[DerivedBlock]:
        """Rebuild the headers exactly as `Rollup.postBatch` does."""
        number, root, index = parent.last_number, parent.state_root, parent.inbox_index
        blocks: list[DerivedBlock] = []
        for block in posted:
            start, index = index, index + block.inbox_count
            if index > len(self.inbox.messages):
                raise L1Error(f"block {number + 1} consumes a message that the node did not show", retryable=True)
            number += 1
            header = Header(
                number=number,
                fork=fork,
                parent_root=root,
                timestamp=block.timestamp,
                inbox_index=index,
                inbox_hash=self.inbox.hashes[index],
                txs_hash=keccak(block.txs),
                state_root=block.state_root,
            )
            blocks.append(DerivedBlock(header, block.txs, tuple(self.inbox.messages[start:index])))
            root = block.state_root
        return blocks
