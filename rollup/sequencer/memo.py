"""Signatures that admission has already recovered in a worker thread, so that execution need not do it again.

The state transition asks for every signature of a block through its injected `recover`. Here the answer is looked up;
what is not known (a restart, a forced message) is recovered on the spot. The answer depends on nothing but its
arguments, so remembering it cannot change a verdict.
"""

from __future__ import annotations

from typing import Final

from rollup.crypto.signatures import SignatureFault, recover

CAPACITY: Final = 1 << 16
"""Signatures remembered: several seconds of admission at full speed, about 15 MB."""


class Memo:
    """Digest and signature to the recovered address, or to the fault found instead; the oldest are forgotten."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._known: dict[tuple[bytes, bytes], bytes | SignatureFault] = {}
        self._capacity = capacity

    def put(self, digest: bytes, signature: bytes, answer: bytes | SignatureFault) -> None:
        """Remember one answer."""
        known = self._known
        known[digest, signature] = answer
        if len(known) > self._capacity:
            del known[next(iter(known))]

    def recover(self, digest: bytes, signature: bytes) -> bytes:
        """What `rollup.crypto.signatures.recover` would return or raise."""
        answer = self._known.get((digest, signature))
        if answer is None:
            return recover(digest, signature)
        if isinstance(answer, SignatureFault):
            raise type(answer)(*answer.args)
        return answer

    def __len__(self) -> int:
        return len(self._known)
