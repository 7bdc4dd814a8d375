"""How every replay ends: final on L1, paid for, sound to the unit, audited in py-evm, rebuilt from outside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rollup.replay.audit import Head, check_rebuilt, check_state, finalise_all, rebuild
from rollup.replay.challenger import Sample, audit
from rollup.replay.figures import audit_figures, posting_figures, state_figures, verification_figures
from rollup.replay.posting import Posting, measure_posting
from rollup.replay.settings import Observer
from rollup.replay.stage import Stage, stored_state
from rollup.replay.tally import Tally
from rollup.replay.timekeeping import Timekeeper
from rollup.stf.invariants import Report


@dataclass(frozen=True, slots=True)
class Ending:
    """What the end needs of a replay; `folder` holds the stopped sequencer's state."""

    stage: Stage
    timekeeper: Timekeeper
    observer: Observer
    folder: Path
    tally: Tally
    sample: Sample


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found. `seconds` is what rebuilding took."""

    head: Head
    posting: Posting
    report: Report
    seconds: float
    audited: int


async def conclude(ending: Ending, number: int, root: bytes) -> Outcome:
    """Check everything about the chain that ends with block `number`; raises BrokenInvariant, Diverged, TwinsDisagree.

    Each part is told to the observer when it is done.
    """
    stage, observer = ending.stage, ending.observer
    head = Head(number, root, await finalise_all(stage, ending.timekeeper))
    posting = await measure_posting(stage.l1, stage.deployment)
    observer.step("posting", posting_figures(posting, ending.tally, head))
    with stored_state(stage, ending.folder) as leaves:
        report = check_state(leaves, head, await stage.treasury.custody())
    observer.step("invariants", state_figures(report))
    audited = await _audit(ending)
    found = await rebuild(
        stage.l1.url,
        stage.deployment.rollup,
        lambda seen: observer.progress("rebuilding from L1", seen.batch, seen.last_batch),
    )
    check_rebuilt(found, head, report)
    observer.step("verification", verification_figures(found))
    return Outcome(head, posting, report, found.seconds, audited.get("audited", 0))


async def _audit(ending: Ending) -> dict[str, Any]:
    if not ending.sample.share_ppm:
        return {}
    found = audit_figures(await audit(ending.stage, ending.folder, ending.sample, ending.observer))
    ending.observer.step("audit", found)
    return found
