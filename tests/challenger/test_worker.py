"""py-evm in its own process: same verdicts, survives its death, does not survive its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import trio
import trio.testing

from challenger.worker import EvmWorker, WorkerDied, open_worker
from rollup.crypto.eip712 import domain_separator
from rollup.crypto.keccak import keccak
from rollup.crypto.tree import MemoryNodes, Tree
from rollup.crypto.witness import build_witness
from rollup.derive.chain import DerivedBlock
from rollup.errors import ProofFault
from rollup.l1.artifacts import load_artifact
from rollup.l1.devkeys import dev_address
from rollup.stf.builder import BlockBuilder
from rollup.types.blocks import Header
from rollup.types.genesis import devnet_genesis
from rollup.types.messages import Open, encode_message
from tests.challenger.life import PATIENCE, until_gone

NOW = 1_700_000_000
SEPARATOR = domain_separator(31_337, b"\x11" * 20)
CODE = load_artifact("Verifier").deployed_bytecode


@dataclass(frozen=True, slots=True)
class Case:
    """An honest block, its witness, and the root it leads to."""

    block: DerivedBlock
    witness: bytes
    root: bytes


@pytest.fixture
def case() -> Case:
    """A block that opens an account on the devnet's genesis."""
    leaves = devnet_genesis(NOW, (dev_address(0),), 1).leaves()
    tree = Tree(MemoryNodes())
    before = tree.update(leaves)
    builder = BlockBuilder(lambda key: leaves.get(key, b""), NOW, SEPARATOR)
    builder.take_message(encode_message(Open(0, dev_address(1), 1_000_000)))
    sealed = builder.finish()
    witness = build_witness(tree, sealed.pre)
    root = tree.update(sealed.writes)
    header = Header(1, 0, before, NOW, 1, sealed.inbox_hash, keccak(b""), root)
    return Case(DerivedBlock(header, b"", sealed.messages), witness, root)


@pytest.fixture
async def worker() -> AsyncIterator[EvmWorker]:
    """A worker with the committed verifier."""
    async with open_worker(CODE) as opened:
        yield opened


async def judge(worker: EvmWorker, case: Case) -> None:
    """The worker must find the block right."""
    verdict = await worker.verify(case.block, case.witness, SEPARATOR)
    assert (verdict.reason, verdict.post_root) == (0, case.root)
    assert verdict.gas_used > 50_000


async def test_verdicts_and_faults_come_back(worker: EvmWorker, case: Case) -> None:
    """A wrong root is a verdict; a broken witness, or too little gas, is a fault that proves nothing."""
    await judge(worker, case)
    lying = replace(case.block, header=replace(case.block.header, state_root=b"\x22" * 32))
    assert (await worker.verify(lying, case.witness, SEPARATOR)).post_root == case.root
    with pytest.raises(ProofFault):
        await worker.verify(case.block, case.witness + b"\0", SEPARATOR)
    with pytest.raises(ProofFault):
        await worker.verify(case.block, case.witness, SEPARATOR, gas=30_000)
    await judge(worker, case)


async def test_callers_wait_their_turn(worker: EvmWorker, case: Case) -> None:
    """Concurrent questions do not mix their frames."""
    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(judge, worker, case)


async def test_a_killed_worker_is_replaced(worker: EvmWorker, case: Case) -> None:
    """Whether it dies between two questions or while it answers one, the caller gets the verdict."""
    await judge(worker, case)
    first = worker.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await judge(worker, case)
    second = worker.pid
    assert second is not None
    assert second != first
    os.kill(second, signal.SIGSTOP)  # so that it certainly has not answered yet
    async with trio.open_nursery() as nursery:
        nursery.start_soon(judge, worker, case)
        await trio.testing.wait_all_tasks_blocked(0.01)
        os.kill(second, signal.SIGKILL)
    assert worker.pid not in {None, second}


async def test_a_question_that_kills_every_worker_is_given_up(worker: EvmWorker, case: Case) -> None:
    """A frame of no possible proof ends the worker; the next question is answered by a new one."""
    with pytest.raises(WorkerDied):
        await worker.verify(case.block, bytes(5 << 20), SEPARATOR)
    await judge(worker, case)


async def test_a_cancelled_question_leaves_no_answer_behind(worker: EvmWorker, case: Case) -> None:
    """The next caller gets its own verdict, not that of the one who left."""
    await judge(worker, case)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(worker.verify, replace(case.block, txs=b"\xff"), case.witness, SEPARATOR)
            await trio.testing.wait_all_tasks_blocked(0.01)
            scope.cancel()
    await judge(worker, case)


PARENT = """
import signal
import trio
from challenger.worker import open_worker
from rollup.derive.chain import DerivedBlock
from rollup.types.blocks import Header

ZERO = bytes(32)
ENDLESS = bytes.fromhex("5b5f56")  # JUMPDEST, PUSH0, JUMP

async def main():
    async with open_worker(ENDLESS) as worker:
        print(worker.pid, flush=True)
        block = DerivedBlock(Header(1, 0, ZERO, 0, 0, ZERO, ZERO, ZERO), b"", ())
        await worker.verify(block, b"", ZERO, gas=10**15)

# Whoever runs the tests in the background of a shell script has them ignore interrupts, and their children too.
signal.signal(signal.SIGINT, signal.default_int_handler)
trio.run(main)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_a_worker_dies_with_its_parent(how: signal.Signals) -> None:
    """However the challenger ends, no process of its own stays, not even one that executes without end."""
    parent = await trio.lowlevel.open_process(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout is not None
    try:
        with trio.fail_after(PATIENCE):
            pid = int(await parent.stdout.receive_some())
            while cpu_seconds(pid) < 2:  # noqa: ASYNC110 - until it certainly executes
                await trio.sleep(0.02)
            parent.send_signal(how)
            await parent.wait()
            await until_gone(pid)
    finally:
        parent.kill()
        with trio.CancelScope(shield=True):
            await parent.wait()
            await parent.stdout.aclose()


def cpu_seconds(pid: int) -> float:
    """Processor time that the process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
