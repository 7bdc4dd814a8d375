"""The second opinion: every difference between the twins is an alarm, and what is left out is counted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
import trio

from challenger import audit
from challenger.audit import Auditor
from challenger.worker import EvmWorker, open_worker
from rollup.crypto.eip712 import domain_separator
from rollup.derive.chain import DerivedBlock
from rollup.l1.artifacts import load_artifact
from rollup.stf.block import BlockResult
from tests.challenger.life import until
from tests.support.deployed import Site
from tests.support.derived import derive
from tests.support.frauds import post_variety
from tests.support.poster import Poster

Found = tuple[DerivedBlock, BlockResult, bytes]


@dataclass
class Blocks:
    """Honest blocks with their witnesses, as replay hands them on."""

    separator: bytes
    found: list[Found] = field(default_factory=list)


@pytest.fixture
async def blocks(site: Site, poster: Poster) -> Blocks:
    """The six blocks of a varied history."""
    heard = Blocks(domain_separator(site.deployment.chain_id, site.deployment.rollup))
    await post_variety(poster)
    pipeline = await derive(site, on_block=lambda *found: heard.found.append(found))
    await pipeline.advance()
    return heard


@pytest.fixture
async def worker() -> AsyncIterator[EvmWorker]:
    """A worker with the committed verifier."""
    async with open_worker(load_artifact("Verifier").deployed_bytecode) as opened:
        yield opened


async def offer(auditor: Auditor, *found: Found) -> None:
    """Offer blocks from a thread, as replay does."""
    for each in found:
        await trio.to_thread.run_sync(auditor.offer, *each)


async def test_only_a_difference_between_the_twins_is_an_alarm(worker: EvmWorker, blocks: Blocks) -> None:
    """A wrong root, an invalid block taken for a good one and a witness that is refused; good blocks are none."""
    auditor = Auditor(worker, blocks.separator, share_ppm=1_000_000)
    block, result, witness = blocks.found[1]
    lying = replace(block, header=replace(block.header, state_root=b"\x44" * 32))
    late = replace(block, header=replace(block.header, timestamp=block.header.timestamp - 1_000))
    cases = [(lying, result, witness), (late, result, witness), (block, result, witness + b"\0"), blocks.found[0]]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(auditor.run)
        await offer(auditor, *cases, blocks.found[1])
        await until(lambda: auditor.tally.audited + len(auditor.tally.disagreements) >= 6)
        nursery.cancel_scope.cancel()
    assert auditor.tally.disagreements == [2, 2, 2]
    assert auditor.tally.audited == 3


async def test_a_share_is_chosen_by_block_hash(worker: EvmWorker, blocks: Blocks) -> None:
    """Every auditor with the same share audits the same blocks; a larger share includes the smaller."""
    chosen: dict[int, list[int]] = {}
    for share in (0, 200_000, 600_000, 1_000_000):
        auditor = Auditor(worker, blocks.separator, share_ppm=share)
        for found in blocks.found:
            before = auditor.waiting()
            await offer(auditor, found)
            if auditor.waiting() > before:
                chosen.setdefault(share, []).append(found[0].header.number)
    assert 0 not in chosen
    assert chosen[1_000_000] == [1, 2, 3, 4, 5, 6]
    assert set(chosen.get(200_000, [])) <= set(chosen.get(600_000, [])) <= set(chosen[1_000_000])


async def test_blocks_that_do_not_fit_the_queue_are_counted(
    worker: EvmWorker, blocks: Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replay never waits for py-evm."""
    monkeypatch.setattr(audit, "QUEUE", 2)
    auditor = Auditor(worker, blocks.separator, share_ppm=1_000_000)
    await offer(auditor, *blocks.found)
    assert (auditor.waiting(), auditor.tally.skipped) == (2, 4)


async def test_a_block_that_no_worker_survives_is_counted(worker: EvmWorker, blocks: Blocks) -> None:
    """The auditor goes on with the next one."""
    auditor = Auditor(worker, blocks.separator, share_ppm=1_000_000)
    block, result, _ = blocks.found[0]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(auditor.run)
        await offer(auditor, (block, result, bytes(5 << 20)), blocks.found[0])
        await until(lambda: auditor.tally.audited)
        nursery.cancel_scope.cancel()
    assert (auditor.tally.failed, auditor.tally.disagreements) == (1, [])
