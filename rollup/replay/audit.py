"""The end of a replay: all of it final on L1, every promise checked to the unit, the state rebuilt from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rollup.batcher.contracts import RollupContract
from rollup.crypto.tree import MemoryNodes, Tree
from rollup.derive.pipeline import Progress
from rollup.derive.verification import Verification, verify_from_l1
from rollup.errors import BrokenInvariant, L1Error, PlumblineError
from rollup.l1.account import L1Account
from rollup.l1.client import L1Client
from rollup.replay.settings import DISPUTE_WINDOW
from rollup.replay.stage import PAYER, Stage
from rollup.replay.timekeeping import Timekeeper
from rollup.stf.invariants import Report, check_invariants


class Diverged(PlumblineError):  # noqa: N818 - a verdict, with its roots
    """Two ways to the same state end in different roots."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last block: its number, state root, and the batch that holds it."""

    number: int
    root: bytes
    batch: int


async def finalise_all(stage: Stage, timekeeper: Timekeeper) -> int:
    """Let the dispute window pass on L1 and make every batch final; returns the last."""
    contract = RollupContract(stage.l1, stage.deployment.rollup)
    tip = await contract.tip()
    await timekeeper.move_l1(max(timekeeper(), tip.posted_at) + DISPUTE_WINDOW + 1)
    if await contract.finalised() < tip.index:
        await contract.finalise(L1Account(stage.l1, PAYER), tip.index)
    final = await contract.finalised()
    if final != tip.index:
        raise L1Error(f"batch {tip.index} is not final, but {final} is", retryable=False)
    return final


def check_state(leaves: Iterable[tuple[int, bytes]], head: Head, custody: int) -> Report:
    """Check the promises of the whole state, that it is the state of `head`, and that L1 holds the money for it.

    Raises BrokenInvariant or Diverged with the figures that disagree. `custody` is what the vault holds (µUSD); nobody
    has claimed anything.
    """
    state = dict(leaves)
    report = check_invariants(state.items())
    require_same("state root of all leaves", head.root, Tree(MemoryNodes()).update(state))
    if custody != report.deposits:
        raise BrokenInvariant("money in the vault", report.deposits, custody)
    return report


async def rebuild(url: str, rollup: bytes, on_progress: Callable[[Progress], None]) -> Verification:
    """Rebuild everything from an L1 endpoint and an address, and from nothing else."""
    async with L1Client(url) as l1:
        return await verify_from_l1(l1, rollup, on_progress=on_progress)


def check_rebuilt(found: Verification, head: Head, report: Report) -> None:
    """Whoever knew only L1 must have found our state; raises Diverged or BrokenInvariant with what differs."""
    if found.fraud is not None:
        raise Diverged(f"L1 has a wrong block: {found.fraud}")
    if found.broken or found.report != report:
        raise Diverged(f"the state rebuilt from L1 has other sums: {found.broken or found.report}")
    for name, ours, theirs in (("block", head.number, found.blocks), ("batch", head.batch, found.finalised)):
        if ours != theirs:
            raise BrokenInvariant(f"last {name} rebuilt from L1", ours, theirs)
    require_same("state root on L1", head.root, found.l1_root)
    require_same("state root rebuilt from L1", head.root, found.state_root)


def require_same(what: str, expected: bytes, found: bytes) -> None:
    """Raise Diverged unless two roots are one."""
    if expected != found:
        raise Diverged(f"{what}: expected 0x{expected.hex()}, found 0x{found.hex()}")
