"""Recovery beside the sequencer: in a process, and without it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from rollup.crypto.keccak import keccak
from rollup.crypto.signatures import SignatureFault, recover_many, sign
from rollup.sequencer.recovery import LARGE, Recovery

KEY = keccak(b"a key that owns nothing")


def pairs_of(count: int) -> list[tuple[bytes, bytes]]:
    """So many signatures, of which every third is malformed and every fifth shows no address."""
    pairs = []
    for number in range(count):
        digest = keccak(number.to_bytes(4, "big"))
        signature = sign(digest, KEY)
        if number % 3 == 0:
            signature = signature[:32] + b"\x7f" + b"\xff" * 31
        elif number % 5 == 0:
            signature = b"\xff" * 32 + signature[32:]
        pairs.append((digest, signature))
    return pairs


def verdicts(answers: list[bytes | SignatureFault]) -> list[bytes | type[SignatureFault]]:
    """Answers that can be compared."""
    return [type(answer) if isinstance(answer, SignatureFault) else answer for answer in answers]


@asynccontextmanager
async def recovery() -> AsyncIterator[Recovery]:
    """One that is closed in the end."""
    made = Recovery()
    try:
        yield made
    finally:
        await made.close()


async def test_large_batches_are_answered_by_a_process_in_their_order() -> None:
    """Several batches at once, faults among them, get the answers that the library gives."""
    batches = [pairs_of(LARGE), pairs_of(LARGE + 7), pairs_of(1)]
    answers: dict[int, list[bytes | type[SignatureFault]]] = {}

    async def ask(number: int) -> None:
        answers[number] = verdicts(await made.recover(batches[number]))

    async with recovery() as made:
        async with trio.open_nursery() as nursery:
            for number in range(len(batches)):
                nursery.start_soon(ask, number)
        assert made.process is not None
    assert answers == {number: verdicts(recover_many(batch)) for number, batch in enumerate(batches)}


async def test_small_batch_starts_no_process() -> None:
    """A sequencer with little to do is one process."""
    async with recovery() as made:
        assert verdicts(await made.recover(pairs_of(LARGE - 1))) == verdicts(recover_many(pairs_of(LARGE - 1)))
        assert made.process is None


async def test_signature_of_another_length_is_refused_as_ever() -> None:
    """What does not fit a request's layout is recovered here."""
    pairs = [(keccak(b""), b"\x01" * 63)] * LARGE
    async with recovery() as made:
        assert verdicts(await made.recover(pairs)) == verdicts(recover_many(pairs))


async def test_killed_process_is_replaced_by_threads() -> None:
    """Nothing is lost when the process ends before it has answered, and nothing after it."""
    async with recovery() as made:
        await made.recover(pairs_of(LARGE))
        assert made.process is not None
        made.process.kill()
        await made.process.wait()
        for _ in range(2):
            assert verdicts(await made.recover(pairs_of(LARGE))) == verdicts(recover_many(pairs_of(LARGE)))


async def test_close_ends_the_process() -> None:
    """No process is left behind."""
    made = Recovery()
    await made.recover(pairs_of(LARGE))
    assert made.process is not None
    await made.close()
    assert made.process.returncode is not None
