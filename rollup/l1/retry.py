"""Trying again, a bounded number of times, when that can help."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import trio

from rollup.errors import L1Error

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`attempts` in all; the pause starts at `first_pause` seconds and doubles up to `longest_pause`."""

    attempts: int = 4
    first_pause: float = 0.1
    longest_pause: float = 2.0

    def pause(self, failures: int) -> float:
        """Seconds to wait after that many failures."""
        return min(self.first_pause * 2.0 ** min(failures - 1, 32), self.longest_pause)


async def retry(operation: Callable[[], Awaitable[T]], policy: RetryPolicy) -> T:
    """Run `operation` until it succeeds, fails for good, or the attempts are used up; then its last `L1Error` rises."""
    failures = 0
    while True:
        try:
            return await operation()
        except L1Error as error:
            failures += 1
            if not error.retryable or failures >= policy.attempts:
                raise
        await trio.sleep(policy.pause(failures))
