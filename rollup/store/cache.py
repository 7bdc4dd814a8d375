"""A numbered room read through what is staged above it and a bounded cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rollup.store.database import Reader
from rollup.store.rooms import numbered


@dataclass(frozen=True, slots=True)
class RoomStatistics:
    """Entries staged and cached, and how the reads were served since the start."""

    staged: int
    cached: int
    misses: int
    generations: int


class StagedRoom:
    """Values by number: those of blocks not yet on disk, then cached ones, then the database's; `b""` is no value.

    The cache keeps two generations of at most `capacity` entries. A hit in the older one is copied to the newer, and
    when that is full the older is forgotten: nearly the least recently used, at the cost of a dictionary look-up.
    """

    def __init__(self, database: Reader, room: bytes, capacity: int) -> None:
        self._database = database
        self._room = room
        self._capacity = capacity
        self._staged: dict[int, tuple[int, bytes]] = {}
        self._young: dict[int, bytes] = {}
        self._old: dict[int, bytes] = {}
        self._misses = 0
        self._generations = 0

    def get(self, number: int) -> bytes:
        """Return the newest value."""
        staged = self._staged.get(number)
        if staged is not None:
            return staged[1]
        value = self._young.get(number)
        if value is not None:
            return value
        value = self._old.get(number)
        if value is None:
            self._misses += 1
            value = self._database.get(numbered(self._room, number)) or b""
        self._make_room(1)
        self._young[number] = value
        return value

    def stage(self, block: int, values: Mapping[int, bytes]) -> None:
        """Put the values of `block` above everything else, until it is settled or dropped."""
        self._staged.update({number: (block, value) for number, value in values.items()})

    def settle(self, block: int, values: Mapping[int, bytes]) -> None:
        """Take note that the database now has `values`, the last ones of all blocks up to `block`."""
        self._make_room(len(values))
        self._young.update(values)  # also below a newer staged one, which may yet be dropped
        staged = self._staged
        for number in values:
            entry = staged.get(number)
            if entry is not None and entry[0] <= block:
                del staged[number]

    def forget(self) -> None:
        """Forget everything staged and cached."""
        self._staged.clear()
        self._young.clear()
        self._old.clear()

    def statistics(self) -> RoomStatistics:
        """Return the room's counts."""
        return RoomStatistics(len(self._staged), len(self._young) + len(self._old), self._misses, self._generations)

    def _make_room(self, count: int) -> None:
        if len(self._young) + count > self._capacity:
            self._old, self._young = self._young, {}
            self._generations += 1
