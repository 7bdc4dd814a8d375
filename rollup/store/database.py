"""Ordered key-value databases with atomic, synced write batches: LevelDB in a directory, or a dictionary in memory.

Keys begin with one byte that names their room (`rooms.py`). Whatever goes wrong is a `StoreError`: a lock held by
another process, a full disk, a torn or corrupt file. After a failed write the database refuses all others until it is
opened again, because what reached the disk is unknown; nothing of a failed batch has been acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

import plyvel  # type: ignore[import-untyped]

from rollup.errors import StoreError

_BLOCK_CACHE: Final = 64 << 20
_WRITE_BUFFER: Final = 32 << 20
"""Bytes that LevelDB keeps in memory before it writes a table; the log is what makes them durable."""
_BLOOM_BITS: Final = 10
"""Per key; makes 99 of 100 look-ups of absent keys cost no read."""

_FAILURES: Final = (plyvel.Error, OSError, RuntimeError)  # plyvel raises RuntimeError once closed

Puts = Mapping[bytes, bytes | None]
"""What a batch writes, by key; None deletes."""


class Reader(Protocol):
    """Something to read keys from, as of now or as of a moment."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, None if it has none."""
        ...

    def iterate(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys and values with start ≤ key < stop, ascending or descending, as of the first step."""
        ...


class Snapshot(Reader, Protocol):
    """The database at one moment, undisturbed by later writes and usable from any thread, until closed."""

    def close(self) -> None:
        """Let the database forget what only this snapshot still needs."""
        ...


class Database(Reader, Protocol):
    """One ordered key-value store with a single writer."""

    def write(self, puts: Puts) -> None:
        """Write all of it or nothing, and return only when it will survive a crash; raises StoreError."""
        ...

    def snapshot(self) -> Snapshot:
        """Return the database as it is now."""
        ...

    def size(self) -> int:
        """Return roughly the bytes that it takes."""
        ...

    def close(self) -> None:
        """Give up the directory; a closed database refuses everything."""
        ...


class LevelDatabase:
    """A LevelDB directory, owned by this process while it is open."""

    def __init__(self, path: Path, *, create: bool) -> None:
        if not create and not (path / "CURRENT").exists():
            raise StoreError(f"{path} holds no database")
        self._path = path
        self._failed = False
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._db = plyvel.DB(
                str(path),
                create_if_missing=create,
                paranoid_checks=True,
                lru_cache_size=_BLOCK_CACHE,
                write_buffer_size=_WRITE_BUFFER,
                bloom_filter_bits=_BLOOM_BITS,
            )
        except _FAILURES as error:
            reason = "is in use by another process" if "lock" in str(error).lower() else f"cannot be opened: {error}"
            raise StoreError(f"{path} {reason}") from error

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, its checksum verified."""
        return _get(self._db, key)

    def iterate(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys and values of a range; LevelDB iterators see one moment."""
        return _iterate(self._db, start, stop, reverse=reverse)

    def write(self, puts: Puts) -> None:
        """Write one LevelDB batch and wait until the disk has it."""
        if self._failed:
            raise StoreError(f"{self._path} failed an earlier write; open it again")
        try:
            batch = self._db.write_batch(sync=True)
            put, delete = batch.put, batch.delete
            for key, value in puts.items():
                if value is None:
                    delete(key)
                else:
                    put(key, value)
            batch.write()
        except _FAILURES as error:
            self._failed = True
            raise StoreError(f"{self._path} cannot be written: {error}") from error

    def snapshot(self) -> LevelSnapshot:
        """Return LevelDB's own snapshot."""
        try:
            return LevelSnapshot(self._db.snapshot())
        except _FAILURES as error:
            raise StoreError(f"{self._path}: {error}") from error

    def size(self) -> int:
        """Bytes of the tables on disk (not the log)."""
        return int(self._db.approximate_size(b"", b"\xff"))

    def close(self) -> None:
        """Release the directory's lock."""
        self._db.close()


class LevelSnapshot:
    """A LevelDB snapshot."""

    def __init__(self, snapshot: plyvel.Snapshot) -> None:
        self._snapshot = snapshot

    def get(self, key: bytes) -> bytes | None:
        """Return the value at the moment of the snapshot."""
        return _get(self._snapshot, key)

    def iterate(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys and values of a range at the moment of the snapshot."""
        return _iterate(self._snapshot, start, stop, reverse=reverse)

    def close(self) -> None:
        """Release it."""
        self._snapshot.close()


class MemoryDatabase:
    """The same in a dictionary, for tests and for states rebuilt only to be looked at."""

    def __init__(self, content: dict[bytes, bytes] | None = None) -> None:
        self._content = content if content is not None else {}

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`."""
        return self._content.get(key)

    def iterate(self, start: bytes, stop: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys and values of a range as they are now."""
        keys = sorted((key for key in self._content if start <= key < stop), reverse=reverse)
        return iter([(key, self._content[key]) for key in keys])

    def write(self, puts: Puts) -> None:
        """Write everything at once; nothing here survives the process."""
        for key, value in puts.items():
            if value is None:
                self._content.pop(key, None)
            else:
                self._content[key] = value

    def snapshot(self) -> MemoryDatabase:
        """Return a copy."""
        return MemoryDatabase(dict(self._content))

    def size(self) -> int:
        """Bytes of keys and values."""
        return sum(len(key) + len(value) for key, value in self._content.items())

    def close(self) -> None:
        """Nothing is held."""


def _get(source: plyvel.DB | plyvel.Snapshot, key: bytes) -> bytes | None:
    try:
        value: bytes | None = source.get(key, verify_checksums=True)
    except _FAILURES as error:
        raise StoreError(f"the database cannot be read: {error}") from error
    return value


def _iterate(
    source: plyvel.DB | plyvel.Snapshot, start: bytes, stop: bytes, *, reverse: bool
) -> Iterator[tuple[bytes, bytes]]:
    # Backwards, plyvel 1.5 finds nothing in a range whose only key is its start: the lower end is watched here.
    lower = None if reverse else start
    try:
        with source.iterator(start=lower, stop=stop, reverse=reverse, verify_checksums=True) as iterator:
            for key, value in iterator:
                if key < start:
                    return
                yield key, value
    except _FAILURES as error:
        raise StoreError(f"the database cannot be read: {error}") from error
