"""Signature recovery as admission does it: many at a time, on one thread and on two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from rollup.bench.figures import RECOVERY, Report, Scale, timed
from rollup.crypto.keccak import keccak
from rollup.crypto.signatures import recover_many, sign

KEY: Final = keccak(b"a key for measurements, worth nothing")
BATCH: Final = 128
"""Signatures handed to a thread at once, as many as a busy sequencer gathers."""
THREADS: Final = 2


def measure_recovery(report: Report, scale: Scale) -> None:
    """Recover distinct signatures."""
    digests = [keccak(n.to_bytes(4, "big")) for n in range(scale.recoveries)]
    pairs = [(digest, sign(digest, KEY)) for digest in digests]
    batches = [pairs[start : start + BATCH] for start in range(0, len(pairs), BATCH)]
    alone = timed(lambda: [recover_many(batch) for batch in batches])
    report.rate(RECOVERY, "signatures recovered by coincurve on one thread", len(pairs), alone)
    with ThreadPoolExecutor(THREADS) as pool:
        together = timed(lambda: list(pool.map(recover_many, batches)))
    report.rate("recover_2_threads", "the same on two threads", len(pairs), together)
