"""Logs of a range of blocks from a node that may refuse long ranges, or lie about what matches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from rollup.errors import L1Error, L1LimitExceeded, L1Refused
from rollup.l1.encoding import abridge, to_data, to_quantity
from rollup.l1.reading import read_log
from rollup.l1.values import Log

Request = Callable[..., Awaitable[Any]]

_SPLITTING_WORDS: Final = ("range", "limit", "too many", "too large", "too big", "more than", "exceed", "timed out")
"""Nodes have no common code for "ask for less"; these words are in the refusals of all of them."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which logs are wanted: of any of `addresses` (of all if empty), with each given topic set matched."""

    addresses: tuple[bytes, ...]
    topics: tuple[tuple[bytes, ...] | None, ...]

    @classmethod
    def make(cls, addresses: bytes | Sequence[bytes], topics: Sequence[bytes | Sequence[bytes] | None]) -> Self:
        """Take one or several addresses and topics in their loose forms."""
        sets = tuple((t,) if isinstance(t, bytes) else None if t is None else tuple(t) for t in topics)
        return cls((addresses,) if isinstance(addresses, bytes) else tuple(addresses), sets)

    def matches(self, address: bytes, topics: Sequence[bytes]) -> bool:
        """Whether a log of that address with those topics is wanted."""
        if self.addresses and address not in self.addresses:
            return False
        if len(topics) < len(self.topics):
            return False
        return all(s is None or t in s for s, t in zip(self.topics, topics, strict=False))

    def params(self, first: int, last: int) -> dict[str, Any]:
        """The filter object of eth_getLogs."""
        wanted: dict[str, Any] = {"fromBlock": to_quantity(first), "toBlock": to_quantity(last)}
        if self.addresses:
            wanted["address"] = [to_data(a) for a in self.addresses]
        if self.topics:
            wanted["topics"] = [None if s is None else [to_data(t) for t in s] for s in self.topics]
        return wanted


async def fetch_logs(request: Request, wanted: LogFilter, first: int, last: int, max_range: int) -> list[Log]:
    """All wanted logs of blocks `first..last` in chain order, asking for at most `max_range` blocks at once."""
    logs: list[Log] = []
    span = max_range
    while first <= last:
        end = min(last, first + span - 1)
        try:
            answer = await request("eth_getLogs", wanted.params(first, end))
        except L1Error as error:
            if end == first or not _asks_for_less(error):
                raise
            span = (end - first + 1) // 2
            continue
        logs += _checked(answer, wanted, first, end)
        first = end + 1
        span = min(max_range, span * 2)
    return logs


def _asks_for_less(error: L1Error) -> bool:
    if isinstance(error, L1Refused):
        return any(word in error.reason.lower() for word in _SPLITTING_WORDS)
    return isinstance(error, L1LimitExceeded)


def _checked(answer: Any, wanted: LogFilter, first: int, last: int) -> list[Log]:
    if not isinstance(answer, list):
        raise L1Error(f"the node returned {abridge(answer)} where logs are due", retryable=False)
    logs = [read_log(entry) for entry in answer]
    for log in logs:
        if not first <= log.block_number <= last or not wanted.matches(log.address, log.topics):
            raise L1Error("the node returned a log that was not asked for", retryable=False)
    positions = [(log.block_number, log.index) for log in logs]
    if positions != sorted(set(positions)):
        raise L1Error("the node returned logs out of order or twice", retryable=False)
    return logs
