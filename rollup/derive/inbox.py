"""The inbox as L1 has it: every message in order, and the rolling hash that commits to all before."""

from __future__ import annotations

from rollup.crypto.keccak import keccak
from rollup.derive.events import MessageAdded
from rollup.errors import L1Error, StoreError


class Inbox:
    """Messages by number, from some number on."""

    def __init__(self, first: int = 0, rolling: bytes = bytes(32)) -> None:
        """Begin before message `first`; `rolling` is the inbox hash there."""
        self._first = first
        self.hashes: list[bytes] = [rolling]
        """Rolling hashes, that before message `first` first; `hash_at` finds one by its number."""
        self._messages: list[bytes] = []
        self._times: list[int] = []
        self._kept_from = first

    def __len__(self) -> int:
        """How many messages the inbox has taken, those before `first` included."""
        return self._first + len(self._messages)

    def hash_at(self, count: int) -> bytes:
        """Rolling hash after `count` messages."""
        assert self._first <= count <= len(self), f"hash of {count} messages"
        return self.hashes[count - self._first]

    def time_at(self, index: int) -> int:
        """When L1 took in message `index` (s)."""
        assert self._first <= index < len(self), f"time of message {index}"
        return self._times[index - self._first]

    def add(self, event: MessageAdded) -> None:
        """Append the next message; a gap or a wrong rolling hash is the node's lie (`L1Error`)."""
        expected = keccak(self.hashes[-1] + keccak(event.message))
        if event.index != len(self) or event.rolling != expected:
            raise L1Error(f"inbox message {event.index} does not continue the inbox", retryable=True)
        self._messages.append(event.message)
        self._times.append(event.time)
        self.hashes.append(expected)

    def slice(self, start: int, count: int) -> tuple[bytes, ...]:
        """Messages `start` … `start + count - 1`. `L1Error` if the node did not show them all.

        `StoreError` if they were let go: then L1 took back a batch that was final.
        """
        if start + count > len(self):
            raise L1Error(f"message {start + count - 1} is consumed, and the node did not show it", retryable=True)
        if count and start < self._kept_from:
            raise StoreError(f"L1 took back a final batch, which consumed message {start}: the replica is worthless")
        start -= self._first
        return tuple(self._messages[start : start + count])

    def truncate(self, count: int) -> None:
        """Keep only the messages before number `count`."""
        first = count - self._first
        del self._messages[first:], self._times[first:], self.hashes[first + 1 :]
        self._kept_from = min(self._kept_from, count)

    def trim(self, count: int) -> None:
        """Let go of the messages before number `count`; their hashes stay."""
        for index in range(self._kept_from, count):
            self._messages[index - self._first] = b""
        self._kept_from = max(self._kept_from, count)

    def held(self) -> int:
        """How many messages are in memory."""
        return len(self) - self._kept_from
