"""The pure reducer: L1 events in, the canonical chain of batches out.

Nothing in a log is believed that can be computed: headers are rebuilt from calldata, the inbox hash from the messages,
and the batch hash from the headers; a difference means that the L1 node lies (`L1Error`), for the contract computed
the same. Every event can be taken back, for L1 itself may take it back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from rollup.crypto.keccak import keccak
from rollup.crypto.merkle import merkle_root
from rollup.derive.calldata import read_posted
from rollup.derive.events import BatchPosted, Event, Finalised, Forked, MessageAdded, Reverted
from rollup.derive.inbox import Inbox
from rollup.errors import L1Error
from rollup.types.blocks import BatchBlock, Header


@dataclass(frozen=True, slots=True)
class DerivedBlock:
    """One block as L1 fixes it: the header L1 built, the transactions posted, the messages it consumes."""

    header: Header
    txs: bytes
    messages: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class DerivedBatch:
    """A batch on L1: `hash` chains it to its parent, `blocks` are in order, `l1_…` is where it was posted.

    `blocks` is empty in the genesis batch, and in one that was executed and let go (`Chain.trim`).
    """

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
    l1_hash: bytes = bytes(32)
    l1_log: int = -1


def batch_hash(
    parent: bytes, index: int, fork: int, blocks_root: bytes, state_root: bytes, inbox_index: int
) -> bytes:  # fmt: skip
    """Hash that chains a batch to its parent (SPEC §10)."""
    return keccak(
        parent
        + index.to_bytes(5, "big")
        + fork.to_bytes(4, "big")
        + blocks_root
        + state_root
        + inbox_index.to_bytes(5, "big")
    )


class Chain:
    """The canonical batches and messages after the events applied so far, from a final batch on (`base`)."""

    def __init__(self, base: DerivedBatch, inbox_hash: bytes = bytes(32)) -> None:
        """Begin with the batch `base`, normally the genesis, and the inbox hash after it."""
        self.inbox = Inbox(base.inbox_index, inbox_hash)
        self.base = base.index
        self.batches: list[DerivedBatch] = [base]
        """Those that stand, `base` first; `batch` finds one by its index."""
        self.finalised = 0
        self.fork = base.fork
        self._undo: list[Callable[[], None]] = []
        self._forgotten = 0

    @property
    def head(self) -> DerivedBatch:
        """The last batch that stands."""
        return self.batches[-1]

    def batch(self, index: int) -> DerivedBatch:
        """A batch that stands, `base` or later."""
        assert self.base <= index <= self.head.index, f"batch {index} is not on the chain"
        return self.batches[index - self.base]

    def apply(self, event: Event) -> None:
        """Advance by one event; raises `L1Error` where the event contradicts what L1 must have computed."""
        match event:
            case MessageAdded():
                self.inbox.add(event)
                undo: Callable[[], None] = partial(self.inbox.truncate, event.index)
            case BatchPosted():
                self.batches.append(self._derive(event))
                undo = partial(self.batches.__delitem__, -1)
            case Reverted():
                undo = self._revert(event)
            case Forked():
                if event.fork < self.fork:
                    raise L1Error(f"fork {event.fork} after fork {self.fork}", retryable=True)
                undo = partial(setattr, self, "fork", self.fork)
                self.fork = event.fork
            case Finalised():
                if not self.finalised <= event.up_to <= self.head.index:
                    raise L1Error(f"finality of unknown batch {event.up_to}", retryable=True)
                undo = partial(setattr, self, "finalised", self.finalised)
                self.finalised = event.up_to
        self._undo.append(undo)

    def mark(self) -> int:
        """Name the present point, for `back_to`."""
        return self._forgotten + len(self._undo)

    def back_to(self, mark: int) -> None:
        """Take back every event since `mark`, newest first."""
        assert mark >= self._forgotten, "what was forgotten cannot be taken back"
        while self.mark() > mark:
            self._undo.pop()()

    def forget(self, mark: int) -> None:
        """Events before `mark` will not be taken back any more."""
        del self._undo[: max(0, mark - self._forgotten)]
        self._forgotten = max(mark, self._forgotten)

    def trim(self, executed: int) -> None:
        """Drop the blocks of batches that were executed, and the messages of final ones; the state holds their effect.

        A batch that is taken back comes with its blocks again if it comes again, for then its calldata is read again.
        """
        for index in range(executed - self.base, 0, -1):
            if not self.batches[index].blocks:
                break
            self.batches[index] = replace(self.batches[index], blocks=())
        self.inbox.trim(self.batch(max(self.base, min(executed, self.finalised))).inbox_index)

    def _revert(self, event: Reverted) -> Callable[[], None]:
        final = max(self.finalised, self.base)
        if not final < event.from_batch <= self.head.index or event.fork != self.fork + 1:
            raise L1Error(f"reversion of batch {event.from_batch}, which is final or unknown", retryable=True)
        first = event.from_batch - self.base
        gone = self.batches[first:]
        del self.batches[first:]
        self.fork = event.fork

        def undo() -> None:
            self.batches.extend(gone)
            self.fork -= 1

        return undo

    def _derive(self, event: BatchPosted) -> DerivedBatch:
        parent = self.head
        posted = read_posted(event.calldata)
        if posted.parent_hash != parent.hash or event.index != parent.index + 1 or event.fork != self.fork:
            raise L1Error(f"batch {event.index} does not continue batch {parent.index}", retryable=True)
        blocks = self._headers(parent, event.fork, posted.blocks)
        last = blocks[-1].header
        if posted.inbox_hash != last.inbox_hash:
            raise L1Error(f"batch {event.index} was built on other messages than the node's", retryable=True)
        root = merkle_root([keccak(block.header.encode()) for block in blocks])
        derived_hash = batch_hash(parent.hash, event.index, event.fork, root, last.state_root, last.inbox_index)
        if derived_hash != event.batch_hash:
            raise L1Error(f"calldata of batch {event.index} does not hash to what L1 stored", retryable=True)
        told = (event.first_number, event.last_number, event.inbox_index, event.state_root)
        if told != (blocks[0].header.number, last.number, last.inbox_index, last.state_root):
            raise L1Error(f"the log of batch {event.index} contradicts its calldata", retryable=True)
        return DerivedBatch(
            index=event.index,
            hash=derived_hash,
            fork=event.fork,
            poster=event.poster,
            l1_block=event.at.block_number,
            state_root=last.state_root,
            last_number=last.number,
            inbox_index=last.inbox_index,
            blocks=tuple(blocks),
            last_timestamp=last.timestamp,
            l1_hash=event.at.block_hash,
            l1_log=event.at.log_index,
        )

    def _headers(self, parent: DerivedBatch, fork: int, posted: list[BatchBlock]) -> list[DerivedBlock]:
        """Rebuild the headers exactly as `Rollup.postBatch` does."""
        number, root, index = parent.last_number, parent.state_root, parent.inbox_index
        blocks: list[DerivedBlock] = []
        for block in posted:
            messages = self.inbox.slice(index, block.inbox_count)
            index += block.inbox_count
            number += 1
            header = Header(
                number=number,
                fork=fork,
                parent_root=root,
                timestamp=block.timestamp,
                inbox_index=index,
                inbox_hash=self.inbox.hash_at(index),
                txs_hash=keccak(block.txs),
                state_root=block.state_root,
            )
            blocks.append(DerivedBlock(header, block.txs, messages))
            root = block.state_root
        return blocks
