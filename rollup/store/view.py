"""Committed states, frozen: the head's, or an older one down to the last final block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from threading import Lock

from rollup.crypto.tree import OverlayNodes, Tree
from rollup.crypto.witness import build_witness
from rollup.errors import StoreError
from rollup.store import rooms
from rollup.store.blocks import Records
from rollup.store.database import Reader, Snapshot
from rollup.store.rooms import number_of, numbered
from rollup.store.undo import undo_records


class View:
    """The committed state after block `number`, readable from any thread while the store goes on.

    Opening one takes time and memory in proportion to the leaves changed since `number`; each proof is then cheap.
    """

    def __init__(self, snapshot: Snapshot, number: int | None = None) -> None:
        self._snapshot = snapshot
        self.records = Records(snapshot)
        head = self.records.head()
        if head is None:
            raise StoreError("the store holds no state yet")
        self.number = head[0] if number is None else number
        if not 0 <= self.number <= head[0]:
            raise StoreError(f"there is no state after block {number}; the head is {head[0]}")
        self._changed: dict[int, bytes] = {}
        for _, undo in undo_records(snapshot, head[0], self.number):
            self._changed.update(undo.leaves)
        self.tree = Tree(OverlayNodes(_Nodes(snapshot)), head[1])
        self.tree.update(self._changed)
        if self.root != self.records.root_after(self.number):
            raise StoreError(f"the stored state does not lead to the root after block {self.number}")

    @property
    def root(self) -> bytes:
        """The state root."""
        return self.tree.root

    def read(self, key: int) -> bytes:
        """Return a leaf's value, `b""` if it is absent."""
        value = self._changed.get(key)
        return self._snapshot.get(numbered(rooms.LEAF, key)) or b"" if value is None else value

    def proof(self, keys: Iterable[int]) -> bytes:
        """Return the witness of these leaves under this state's root."""
        return build_witness(self.tree, {key: self.read(key) for key in keys})

    def leaves(self) -> Iterator[tuple[int, bytes]]:
        """Yield every leaf, ascending by key."""
        changed = sorted(self._changed, reverse=True)
        for stored, value in self._snapshot.iterate(*rooms.prefix_range(rooms.LEAF)):
            key = number_of(stored)
            while changed and changed[-1] < key:
                yield from self._leaf(changed.pop())
            if changed and changed[-1] == key:
                yield from self._leaf(changed.pop())
            else:
                yield key, value
        while changed:
            yield from self._leaf(changed.pop())

    def close(self) -> None:
        """Release the snapshot."""
        self._snapshot.close()

    def _leaf(self, key: int) -> Iterator[tuple[int, bytes]]:
        if self._changed[key]:
            yield key, self._changed[key]


class ProofKeeper:
    """The view of the number last asked for, kept: proofs are mostly asked for at the last final root.

    A kept view holds on to what the database has replaced since, so it is let go when another block becomes final.
    """

    def __init__(self, open_view: Callable[[int], View]) -> None:
        self._open = open_view
        self._view: View | None = None
        self._lock = Lock()
        self._expired = False

    def proof(self, number: int, keys: Iterable[int]) -> bytes:
        """Return the witness of these leaves under the root after block `number`. Any thread may call it."""
        with self._lock:
            if self._expired or (self._view is not None and self._view.number != number):
                self._drop()
            if self._view is None:
                self._view = self._open(number)
            return self._view.proof(keys)

    def expire(self) -> None:
        """Use the view no more; never waits for a proof in another thread, which lets go of it instead."""
        self._expired = True
        if self._lock.acquire(blocking=False):
            try:
                self._drop()
            finally:
                self._lock.release()

    def close(self) -> None:
        """Let go of the view."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._view is not None:
            self._view.close()
        self._view = None
        self._expired = False


class _Nodes:
    """Node records as a reader has them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def get(self, path: int, /) -> bytes:
        return self._reader.get(numbered(rooms.NODE, path)) or b""
