"""The sequencer's way to L1: the batcher with what it needs, and the rehearsals before it posts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from rollup.batcher.alarms import Alarms
from rollup.batcher.contracts import RollupContract
from rollup.batcher.post import Poster, Rhythm
from rollup.batcher.rehearsal import Rehearsal
from rollup.batcher.service import ensure_stake, run_batcher
from rollup.derive.worker import open_worker
from rollup.l1.account import L1Account
from rollup.sequencer.ledger import Ledger
from rollup.sequencer.options import SequencerOptions
from rollup.sequencer.stored import StoredBlocks
from rollup.sequencer.watch import Watcher
from rollup.store.writer import StoreWriter


class Posting:
    """What the rest of the sequencer sees of it."""

    def __init__(self, poster: Poster, rehearsal: Rehearsal | None) -> None:
        self._poster = poster
        self._rehearsal = rehearsal

    @property
    def stopped(self) -> bool:
        """Whether nothing can be posted until an operator has acted, or the sequencer in turn falls silent."""
        return self._poster.excluded or (self._rehearsal is not None and self._rehearsal.stopped)


async def run_posting(
    options: SequencerOptions,
    contract: RollupContract,
    account: L1Account,
    alarms: Alarms,
    writer: StoreWriter,
    watcher: Watcher,
    separator: bytes,
    ledger: Ledger,
    *,
    task_status: trio.TaskStatus[Posting] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Stake, then post until cancelled; started once staked. Raises `L1Error` if the stake cannot be brought."""
    await ensure_stake(contract, account)
    blocks = StoredBlocks(writer.store.records, lambda: watcher.messages)
    rhythm = Rhythm(options.batch_interval, options.batch_blocks, options.batch_bytes)
    async with _open_rehearsal(options, contract, alarms, writer, separator) as rehearsal:
        poster = Poster(contract, account, blocks, alarms, rhythm)
        if rehearsal is not None:
            poster.rehearse = rehearsal.admit
        async with trio.open_nursery() as nursery:
            await nursery.start(
                lambda task_status: run_batcher(
                    poster,
                    contract,
                    account,
                    alarms,
                    poll=options.poll_interval,
                    low_balance=options.low_balance,
                    finalise=options.finalise,
                    posting=lambda: watcher.may_post and ledger.posts,
                    verified=blocks.batch_hash,
                    task_status=task_status,
                )
            )
            task_status.started(Posting(poster, rehearsal))


@asynccontextmanager
async def _open_rehearsal(
    options: SequencerOptions, contract: RollupContract, alarms: Alarms, writer: StoreWriter, separator: bytes
) -> AsyncIterator[Rehearsal | None]:
    """None if the options ask for none, or for a dishonest sequencer, which knows that L1 will disagree."""
    if options.rehearsal_interval is None or options.fault is not None:
        yield None
        return
    code = await contract.l1.get_code((await contract.terms()).verifier)
    async with open_worker(code) as evm:
        yield Rehearsal(writer, evm, separator, alarms, options.rehearsal_interval)
