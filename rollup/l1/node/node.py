"""The embedded node: pool, miner, ledger and clock around the EVM.

All state of Python's own lives on the event loop; the EVM runs in worker threads, one that builds blocks and up to two
that answer calls, so that the server answers while a proof of sixteen million gas executes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog
import trio
from eth.abc import BlockHeaderAPI, StateAPI
from eth_typing import Address

from rollup.crypto.keccak import keccak
from rollup.l1.encoding import to_data
from rollup.l1.node.admission import Candidate, check_against_state, decode_transaction
from rollup.l1.node.clock import ChainClock
from rollup.l1.node.config import EmbeddedL1Config
from rollup.l1.node.evm import CallMessage, Evm, Outcome, base_fee_of
from rollup.l1.node.ledger import Ledger, MinedBlock
from rollup.l1.node.minting import mined_block
from rollup.l1.node.pool import Pool

T = TypeVar("T")

_log = structlog.get_logger(__name__)

INCLUSION_PATIENCE: Final = 5.0
"""Seconds that sending waits for the block of its transaction; a long proof goes on executing after that."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A point to return to: the head, and how far the clock was shifted."""

    number: int
    clock_offset: int


class EmbeddedNode:
    """An Ethereum chain of one producer."""

    def __init__(self, config: EmbeddedL1Config) -> None:
        self.config = config
        self.clock = ChainClock(config.wall_clock, config.genesis_time)
        self.evm = Evm(config, self.clock.now())
        self.ledger = Ledger(MinedBlock(self.evm.genesis.header, ()))
        self.pool = Pool()
        self.automine = True
        self._salt = itertools.count(1)
        self._snapshot_ids = itertools.count(1)
        self._snapshots: dict[int, Snapshot] = {}
        self._building = trio.CapacityLimiter(1)
        self._reading = trio.CapacityLimiter(2)
        self._producing = trio.Lock()
        self._wanted = trio.Event()
        self._rounds = 0
        self._in_round = False
        self._round_over = trio.Condition()

    @property
    def head(self) -> MinedBlock:
        """The newest block."""
        return self.ledger.head

    def pending_header(self) -> BlockHeaderAPI:
        """Header of the block that would be mined now."""
        parent = self.head.header
        return self.evm.next_header(parent, self.clock.peek(parent.timestamp))

    async def read_state(self, header: BlockHeaderAPI, question: Callable[[StateAPI], T]) -> T:
        """Ask the state after a block."""
        return await self._in_thread(lambda: question(self.evm.state_at(header)), self._reading)

    async def execute(self, header: BlockHeaderAPI, message: CallMessage) -> Outcome:
        """Execute a message in the environment of a header."""
        return await self._in_thread(lambda: self.evm.execute(header, message), self._reading)

    async def submit(self, raw: bytes) -> bytes:
        """Take a raw transaction in, wait a while for its block if automining, and return its hash."""
        header = self.head.header
        candidate = await self._in_thread(lambda: self._admit(raw, header), self._reading)
        self.pool.add(candidate)
        if self.automine:
            # A round that is under way has chosen its transactions already; ours is in the one after it.
            due = self._rounds + (2 if self._in_round else 1)
            self._wanted.set()
            with trio.move_on_after(INCLUSION_PATIENCE):
                await self._wait_for_round(due)
        return candidate.hash

    async def run_miner(self) -> None:
        """Mine whenever an automined transaction arrives. Never returns."""
        while True:
            await self._wanted.wait()
            self._wanted = trio.Event()
            self._in_round = True
            await self.mine(only_if_transactions=True)
            self._in_round = False
            async with self._round_over:
                self._rounds += 1
                self._round_over.notify_all()

    async def run_ticker(self, interval: float) -> None:
        """Mine a block every `interval` seconds, so that time passes on the chain. Never returns."""
        while True:
            await trio.sleep(interval)
            if self.automine:
                await self.mine()

    async def mine(self, *, only_if_transactions: bool = False, timestamp: int | None = None) -> None:
        """Mine one block of what the pool holds."""
        async with self._producing:
            chosen = await self._choose()
            if chosen or not only_if_transactions:
                if timestamp is not None:
                    self.clock.set_next(timestamp)
                await self._produce(chosen)
            if self.automine and chosen:
                self._wanted.set()  # what did not fit, or became ready by this block, goes into the next

    def take_snapshot(self) -> int:
        """Remember the head and the clock."""
        identifier = next(self._snapshot_ids)
        self._snapshots[identifier] = Snapshot(self.head.number, self.clock.offset)
        return identifier

    async def revert_to(self, identifier: int) -> bool:
        """Cut the chain back to a snapshot; it, later ones, and waiting transactions go. False if there is none."""
        async with self._producing:
            snapshot = self._snapshots.get(identifier)
            if snapshot is None:
                return False
            self._snapshots = {i: s for i, s in self._snapshots.items() if i < identifier}
            self.ledger.truncate(snapshot.number)
            self.clock.offset = snapshot.clock_offset
            self.pool.clear()
            return True

    async def _in_thread(self, work: Callable[[], T], limiter: trio.CapacityLimiter) -> T:
        """Run EVM work. Only shutdown cancels it; then the thread is left behind, for a proof takes seconds."""
        return await trio.to_thread.run_sync(work, limiter=limiter, abandon_on_cancel=True)

    def _admit(self, raw: bytes, header: BlockHeaderAPI) -> Candidate:
        candidate = decode_transaction(raw, self.config.chain_id)
        check_against_state(candidate, self.evm.state_at(header), 0)
        return candidate

    async def _choose(self) -> list[Candidate]:
        """Transactions of the next block."""
        if not len(self.pool):
            return []
        senders = self.pool.senders()
        nonces = await self.read_state(
            self.head.header, lambda state: {s: state.get_nonce(Address(s)) for s in senders}
        )
        self.pool.drop_stale(nonces)
        header = self.pending_header()
        return self.pool.select(nonces, base_fee_of(header), header.gas_limit)

    async def _produce(self, chosen: list[Candidate]) -> None:
        parent = self.head.header
        # The salt makes a block mined after a revert differ from the one it replaces, as after a real reorganisation.
        randomness = keccak(bytes(parent.hash) + next(self._salt).to_bytes(8, "big"))
        header = self.evm.next_header(parent, self.clock.take(parent.timestamp), randomness)
        transactions = [c.transaction for c in chosen]
        built = await self._in_thread(lambda: self.evm.build_block(header, transactions), self._building)
        self.ledger.append(mined_block(built))
        for transaction, reason in built.dropped:
            _log.warning("l1_transaction_dropped", hash=to_data(transaction.hash), reason=reason)
        for candidate in chosen:  # included, or found invalid: gone either way
            self.pool.remove(candidate)

    async def _wait_for_round(self, due: int) -> None:
        async with self._round_over:
            while self._rounds < due:
                await self._round_over.wait()
