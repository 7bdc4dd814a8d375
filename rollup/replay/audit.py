"""The end of a replay: everything final on L1, every promise checked to the unit, the state rebuilt by somebody else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rollup.batcher.contracts import RollupContract
from rollup.crypto.tree import MemoryNodes, Tree
from rollup.errors import BrokenInvariant, L1Error, PlumblineError
from rollup.l1.account import L1Account
from rollup.replay.settings import DISPUTE_WINDOW, Verified
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

    Raises BrokenInvariant or Diverged with the figures that disagree. `custody` is what the vault holds (µUSD); nobody has claimed.
    """
    state = dict(leaves)
    report = check_invariants(state.items())
    require_same("state root of all leaves", head.root, Tree(MemoryNodes()).update(state))
    if custody != report.deposits:
        raise BrokenInvariant("money in the vault", report.deposits, custody)
    return report


def check_verified(verified: Verified, head: Head) -> None:
    """Whoever knew only L1 must have found our head; raises Diverged or BrokenInvariant with what differs."""
    for name, ours, found in (("block", head.number, verified.number), ("batch", head.batch, verified.batch)):
        if ours != found:
            raise BrokenInvariant(f"last {name} rebuilt from L1", ours, found)
    require_same("state root rebuilt from L1", head.root, verified.root)


def require_same(what: str, expected: bytes, found: bytes) -> None:
    """Raise Diverged unless two roots are one."""
    if expected != found:
        raise Diverged(f"{what}: expected 0x{expected.hex()}, found 0x{found.hex()}")
