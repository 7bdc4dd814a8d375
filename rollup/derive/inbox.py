"""The inbox as L1 has it: every message in order, and the rolling hash that commits to all before."""

from __future__ import annotations

from rollup.crypto.keccak import keccak
from rollup.derive.events import MessageAdded
from rollup.errors import L1Error, StoreError


class Inbox:
    """Messages by number; `hashes[i]` is the rolling hash after i messages."""

    def __init__(self) -> None:
        self.hashes: list[bytes] = [bytes(32)]
        self._messages: list[bytes] = []
        self._kept_from = 0

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, event: MessageAdded) -> None:
        """Append the next message; a gap or a wrong rolling hash is the node's lie (`L1Error`)."""
        expected = keccak(self.hashes[-1] + keccak(event.message))
        if event.index != len(self._messages) or event.rolling != expected:
            raise L1Error(f"inbox message {event.index} does not continue the inbox", retryable=True)
        self._messages.append(event.message)
        self.hashes.append(expected)

    def slice(self, start: int, count: int) -> tuple[bytes, ...]:
        """Messages `start` … `start + count - 1`. `L1Error` if the node did not show them all.

        `StoreError` if they were let go: then L1 took back a batch that was final.
        """
        if start + count > len(self._messages):
            raise L1Error(f"message {start + count - 1} is consumed, and the node did not show it", retryable=True)
        if count and start < self._kept_from:
            raise StoreError(f"L1 took back a final batch, which consumed message {start}: the replica is worthless")
        return tuple(self._messages[start : start + count])

    def truncate(self, count: int) -> None:
        """Keep only the first `count` messages."""
        del self._messages[count:], self.hashes[count + 1 :]
        self._kept_from = min(self._kept_from, count)

    def trim(self, count: int) -> None:
        """Let go of the first `count` messages; their hashes stay."""
        for index in range(self._kept_from, count):
            self._messages[index] = b""
        self._kept_from = max(self._kept_from, count)

    def held(self) -> int:
        """How many messages are in memory."""
        return len(self._messages) - self._kept_from
