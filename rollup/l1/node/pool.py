"""Transactions waiting for a block, by sender and nonce. Bounded; a full pool refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rollup.l1.node.admission import Candidate
from rollup.l1.node.errors import Refused

MAX_POOLED: Final = 1_024
"""At 128 KiB each this bounds the pool to 128 MiB."""

MAX_POOLED_PER_SENDER: Final = 64
REPLACEMENT_PERCENT: Final = 10


class Pool:
    """Waiting transactions. Used only from the event loop."""

    def __init__(self) -> None:
        self._by_sender: dict[bytes, dict[int, Candidate]] = {}
        self._by_hash: dict[bytes, Candidate] = {}

    def __len__(self) -> int:
        return len(self._by_hash)

    def get(self, tx_hash: bytes) -> Candidate | None:
        """Waiting transaction by hash."""
        return self._by_hash.get(tx_hash)

    def add(self, candidate: Candidate) -> None:
        """Take a transaction in, in place of one with the same nonce if it pays a tenth more; `Refused` otherwise."""
        if candidate.hash in self._by_hash:
            raise Refused("already known")
        queue = self._by_sender.get(candidate.sender, {})
        rival = queue.get(candidate.nonce)
        if rival is not None:
            if not _outbids(candidate, rival):
                raise Refused("replacement transaction underpriced")
            self.remove(rival)
        elif len(self) >= MAX_POOLED or len(queue) >= MAX_POOLED_PER_SENDER:
            raise Refused("txpool is full")
        self._by_sender.setdefault(candidate.sender, {})[candidate.nonce] = candidate
        self._by_hash[candidate.hash] = candidate

    def remove(self, candidate: Candidate) -> None:
        """Let go of a transaction, whether or not it is still there."""
        if self._by_hash.pop(candidate.hash, None) is None:
            return
        queue = self._by_sender[candidate.sender]
        del queue[candidate.nonce]
        if not queue:
            del self._by_sender[candidate.sender]

    def clear(self) -> None:
        """Forget everything."""
        self._by_sender.clear()
        self._by_hash.clear()

    def next_nonce(self, sender: bytes, nonce: int) -> int:
        """First nonce from `nonce` on that the sender has nothing waiting for."""
        queue = self._by_sender.get(sender, {})
        while nonce in queue:
            nonce += 1
        return nonce

    def senders(self) -> list[bytes]:
        """Everybody who waits for something."""
        return list(self._by_sender)

    def select(self, nonces: Mapping[bytes, int], base_fee: int, gas: int) -> list[Candidate]:
        """Transactions for the next block: each sender's from its nonce on, the best tip first, within `gas`."""
        ready = dict(nonces)
        chosen: list[Candidate] = []
        while fronts := self._fronts(ready, base_fee, gas):
            best = max(fronts, key=lambda c: c.tip(base_fee))
            chosen.append(best)
            gas -= best.transaction.gas
            ready[best.sender] += 1
        return chosen

    def drop_stale(self, nonces: Mapping[bytes, int]) -> None:
        """Forget transactions whose nonce the chain has passed."""
        for sender, nonce in nonces.items():
            for stale in [c for n, c in self._by_sender.get(sender, {}).items() if n < nonce]:
                self.remove(stale)

    def _fronts(self, ready: Mapping[bytes, int], base_fee: int, gas: int) -> list[Candidate]:
        """Of each sender the transaction that may go next, if its price and gas allow."""
        found = (self._by_sender.get(sender, {}).get(nonce) for sender, nonce in ready.items())
        return [c for c in found if c is not None and c.max_fee >= base_fee and c.transaction.gas <= gas]


def _outbids(candidate: Candidate, rival: Candidate) -> bool:
    """Nodes take a replacement only if both prices rise by a tenth."""
    percent = 100 + REPLACEMENT_PERCENT
    return (
        candidate.max_fee * 100 >= rival.max_fee * percent
        and candidate.max_priority_fee * 100 >= rival.max_priority_fee * percent
    )
