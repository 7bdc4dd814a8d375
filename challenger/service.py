"""The challenger process: its whole nursery tree on one screen.

L1 ─► pipeline (derive, replay) ─┬─► auditor ─► worker (py-evm)         every honest block, or a share
                                 └─► fraud ─► worker (py-evm) ─► L1     defend mode
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
import trio

from challenger.audit import Auditor
from challenger.commitment import BLOCKS, Commitments
from challenger.defence import Defender, Listener
from challenger.http import StatusServer
from challenger.rewards import Bounties
from challenger.status import Status
from challenger.target import REPLICA
from challenger.worker import WorkerDied, open_worker
from rollup.derive.ahead import Ahead
from rollup.derive.chain import DerivedBatch
from rollup.derive.follower import Follower
from rollup.derive.fraud import Fraud
from rollup.derive.origin import Origin
from rollup.derive.pipeline import Pipeline, Progress
from rollup.derive.replica import Replica
from rollup.derive.vetting import open_source
from rollup.errors import L1Error
from rollup.l1.account import L1Account
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import Contract
from rollup.l1.verdict import pricer_address
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Options:
    """How a challenger runs. `key` None is watch mode: it tells, and sends nothing."""

    url: str
    rollup: bytes
    data: Path
    key: bytes | None = None
    poll_seconds: float = 1.0
    confirmations: int = 0
    audit_ppm: int = 1_000_000
    timeout: float = 20.0
    commit: bool = False
    """Commit to a verdict before proving it, so that a copied proof earns nothing."""
    commit_blocks: int = BLOCKS
    export: Path | None = None
    """A watcher's export, where the node has dropped its old logs."""
    http: tuple[str, int] | None = None
    """Host and port of the read-only HTTP server, if there is to be one."""


@dataclass(slots=True)
class Challenger:
    """The parts of a running challenger."""

    options: Options
    pipeline: Pipeline
    auditor: Auditor
    defender: Defender | None
    status: Status
    listener: Listener
    told: Fraud | None = None
    """The fraud that the listener has heard of."""

    async def follow(self, on_ready: Callable[[Challenger], None]) -> None:
        """Derive, defend, report; then wait for more. L1 may fail for as long as it likes: nothing is lost.

        `on_ready` hears once that L1 was read to its head for the first time.
        """
        ready = False
        try:
            while True:
                if await self.try_step() and not ready:
                    ready = True
                    self.tell_ready()
                    on_ready(self)
                self.report()
                await trio.sleep(self.options.poll_seconds)
        finally:
            self.report()

    async def try_step(self) -> bool:
        """One round, if it succeeds; otherwise the alarm says why not."""
        try:
            await self.step()
        except (L1Error, WorkerDied) as error:
            self.status.alarm = str(error)
            log.warning("this round failed; trying again", error=str(error))
            return False
        return True

    async def step(self) -> None:
        """One round: everything L1 has new, and the answer to it."""
        await self.pipeline.advance()
        self.status.alarm = ""
        fraud = self.pipeline.replica.fraud
        self.tell(fraud)
        self.status.fraud = None if fraud is None else fraud.describe()
        self.report()  # a proof may take a while
        if self.defender is not None:
            await self.defender.act(fraud, finalised=self.pipeline.follower.chain.finalised)

    def tell_ready(self) -> None:
        """L1 was read to its head for the first time."""
        replica = self.pipeline.replica
        text = (
            f"at L1's head: batch {replica.batch}, block {replica.store.committed}, root 0x{replica.store.root.hex()}"
        )
        self.listener("ready", text, batch=replica.batch, block=replica.store.committed, root=replica.store.root)

    def tell(self, fraud: Fraud | None) -> None:
        """Say what has changed about fraud, once."""
        gone, self.told = self.told, fraud
        if fraud is gone:
            return
        if gone is not None and (self.defender is None or self.defender.removed is not gone):
            text = f"batch {gone.batch.index} is no longer on L1, not by our doing"
            self.listener("fraud_gone", text, batch=gone.batch.index)
        if fraud is not None:
            self.listener("fraud_found", f"FRAUD: {fraud}", **fraud.describe())

    def refresh(self) -> None:
        """Bring the status up to date."""
        replica, chain, tally = self.pipeline.replica, self.pipeline.follower.chain, self.auditor.tally
        status = self.status
        number, root = replica.store.records.head() or (0, b"")  # as committed; the store itself may be ahead
        status.batch, status.block, status.state_root = replica.batch, number, f"0x{root.hex()}"
        status.finalised, status.fork = chain.finalised, chain.fork
        status.audited, status.audit_skipped = tally.audited, tally.skipped + tally.failed
        status.audit_gas = tally.gas
        status.audit_waiting, status.disagreements = self.auditor.waiting(), tally.disagreements

    def report(self) -> None:
        """Write the status file."""
        self.refresh()
        self.status.write(self.options.data)


@asynccontextmanager
async def open_challenger(options: Options, listener: Listener) -> AsyncIterator[Challenger]:
    """Open L1, the replica and the workers; the auditor runs until the block ends."""
    async with L1Client(options.url, timeout=options.timeout) as l1, trio.open_nursery() as nursery:
        source = await open_source(l1, options.rollup, options.export)
        origin = source.origin
        rollup = Contract(l1, options.rollup, load_artifact("Rollup"))
        code = await verifier_code(l1, origin)
        identity = ChainIdentity(origin.chain_id, options.rollup)
        store = StateStore.open(options.data / REPLICA, identity, create=True)
        ahead = Ahead(origin.separator)
        try:
            async with open_worker(code) as audits, open_worker(code) as proofs:
                auditor = Auditor(audits, origin.separator, share_ppm=options.audit_ppm)
                offer = auditor.offer if options.audit_ppm else None
                replica = Replica(store, origin, ahead=ahead, on_block=offer)
                follower = Follower(source, anchor=replica.anchor, confirmations=options.confirmations)
                status = Status(f"0x{options.rollup.hex()}", "watch" if options.key is None else "defend")
                pipeline = Pipeline(
                    follower,
                    replica,
                    on_batch=lambda batch: tell_verified(listener, batch),
                    on_progress=lambda progress: note(status, progress),
                )
                defender = None
                if options.key is not None:
                    account = L1Account(l1, options.key)
                    bounties = Bounties(store, rollup, account)
                    await bounties.find(source.logs_from)
                    commitments = Commitments(store, rollup, account, blocks=options.commit_blocks)
                    defender = Defender(
                        rollup,
                        account,
                        proofs,
                        origin.separator,
                        bounties,
                        status,
                        listener,
                        commitments if options.commit else None,
                    )
                nursery.start_soon(auditor.run)
                where = f"{options.url} from L1 block {origin.block} on"
                listener(
                    "watching", f"{status.mode}ing {status.rollup} at {where}", rollup=status.rollup, mode=status.mode
                )
                challenger = Challenger(options, pipeline, auditor, defender, status, listener)
                if options.http is not None:
                    server = StatusServer(status, store, challenger.refresh)
                    port = await nursery.start(server.run, *options.http)
                    listener("serving", f"status and proofs at http://{options.http[0]}:{port}", port=port)
                yield challenger
                nursery.cancel_scope.cancel()
        finally:
            ahead.close()
            store.close()


async def run_challenger(
    options: Options, listener: Listener, *, task_status: trio.TaskStatus[Challenger] = trio.TASK_STATUS_IGNORED
) -> None:
    """Watch a rollup until cancelled; started once L1 was read to its head for the first time."""
    async with open_challenger(options, listener) as challenger:
        await challenger.follow(task_status.started)


async def verifier_code(l1: L1Client, origin: Origin) -> bytes:
    """The verifier's code as it stands on L1; `L1Error` if that or its pricer is not this software's own."""
    code = await l1.get_code(origin.verifier)
    if code != load_artifact("Verifier").deployed_bytecode:
        raise L1Error(f"the verifier at 0x{origin.verifier.hex()} is not this version's", retryable=False)
    pricer = pricer_address(origin.verifier)
    if await l1.get_code(pricer) != load_artifact("Pricer").deployed_bytecode:
        raise L1Error(f"the pricer at 0x{pricer.hex()} is not this version's", retryable=False)
    return code


def tell_verified(listener: Listener, batch: DerivedBatch) -> None:
    """A batch that replay found right."""
    first, last = batch.blocks[0].header.number, batch.last_number
    text = f"batch {batch.index}: blocks {first} … {last} are right"
    listener("batch_verified", text, batch=batch.index, first=first, last=last, root=batch.state_root)


def note(status: Status, progress: Progress) -> None:
    """Copy progress into the status."""
    status.l1_block, status.l1_head = progress.l1_block, progress.l1_head
