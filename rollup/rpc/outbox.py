"""What waits to be sent on one WebSocket: frames in order, written many at a time by one task."""

from __future__ import annotations

import trio
from trio.abc import Stream


class Outbox:
    """Frames waiting to be sent, and the loop that sends them.

    `put` never blocks. Who can wait calls `wait_below` afterwards; who cannot looks at the sizes first.
    Once the peer is gone, or has taken nothing for too long, the outbox is `broken` and drops everything.
    """

    __slots__ = ("_ended", "_filled", "_frames", "_sent", "broken", "notifications", "size")

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self._filled: trio.Event | None = None
        self._sent: trio.Event | None = None
        self._ended = False
        self.size = 0
        """Bytes waiting or being sent."""
        self.notifications = 0
        """Notifications waiting, those being sent not counted."""
        self.broken = False

    def put(self, frame: bytes) -> None:
        """Queue a frame; dropped if the outbox has ended or broken."""
        if self._ended or self.broken:
            return
        self._frames.append(frame)
        self.size += len(frame)
        if self._filled is not None:
            self._filled.set()
            self._filled = None

    def put_notification(self, frame: bytes) -> None:
        """`put`, counting the frame among the `notifications`."""
        self.notifications += 1
        self.put(frame)

    def end(self, last: bytes = b"") -> None:
        """Queue the last frame and take no more; `run` returns when it is out."""
        self.put(last)
        self._ended = True

    def discard(self) -> None:
        """Forget what waits; what is being sent goes on."""
        self.size -= sum(map(len, self._frames))
        self._frames.clear()
        self.notifications = 0

    async def wait_below(self, size: int) -> None:
        """Wait until fewer than `size` bytes are unsent, or nothing will ever be sent."""
        while self.size >= size and not self.broken:
            if self._sent is None:
                self._sent = trio.Event()
            await self._sent.wait()

    async def run(self, stream: Stream, send_seconds: float) -> None:
        """Send until ended or broken; returns in either case, whatever the peer does."""
        try:
            while self._frames or not self._ended:
                if not self._frames:
                    self._filled = trio.Event()
                    await self._filled.wait()
                    continue
                data = b"".join(self._frames)
                self._frames.clear()
                self.notifications = 0
                with trio.fail_after(send_seconds):
                    await stream.send_all(data)
                self.size -= len(data)
                self._report()
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            self.broken = True
            self.discard()
            self._report()

    def _report(self) -> None:
        if self._sent is not None:
            self._sent.set()
            self._sent = None
