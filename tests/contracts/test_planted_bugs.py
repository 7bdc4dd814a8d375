"""The random stories find what they are there to find: each of these bugs, planted in the contracts' sources."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from rollup.l1.artifacts import Artifact, load_artifact
from tests.contracts.model.machine import Machine
from tests.support.compiler import Bug, compile_quickly

ROLLUP, ENDING, STAKES = "Rollup.sol", "rollup/Ending.sol", "rollup/Stakes.sol"
ESCAPE, REFUNDS, CLAIMS, INBOX = "escape/Escape.sol", "escape/Refunds.sol", "escape/Claims.sol", "Inbox.sol"
BUGS = {
    "finality a second early": Bug("Rollup", ROLLUP, "<= deadline) revert WindowOpen", "< deadline) revert WindowOpen"),
    "final batch reverted": Bug("Rollup", ROLLUP, "if (batch <= finalised) revert", "if (batch < finalised) revert"),
    "honest batch reverted": Bug("Rollup", ROLLUP, "reason == 0 && postRoot == header.stateRoot", "reason == 1"),
    "batch after the end": Bug("Rollup", ROLLUP, "_requireRunning();\n        _requireReadable", "_requireReadable"),
    "message left out": Bug("Rollup", ROLLUP, "uint256 deadline = added + ", "uint256 deadline = added + 1 + "),
    "freeze a second early": Bug(
        "Rollup", ENDING, "if (block.timestamp <= deadline)", "if (block.timestamp < deadline)"
    ),
    "freeze held back": Bug("Rollup", ENDING, "lastReversion < last ? lastReversion : last", "lastReversion"),
    "end before its time": Bug("Rollup", ENDING, "if (finalised_ != latest) return;", ""),
    "stake leaves too early": Bug("Rollup", STAKES, "if (bound > finalised_)", "if (bound > finalised_ + 1)"),
    "stake leaves before the end": Bug("Rollup", STAKES, "        _requireReleasable();\n", ""),
    "bounty paid twice": Bug("Rollup", STAKES, "delete _bounties[poster];", ""),
    "commitment after the proof": Bug("Rollup", STAKES, "made == 0 || made >= bounty.committedAt", "made == 0"),
    "claim paid whole again": Bug("Vault", CLAIMS, "amount = withdrawn - paid;", "amount = withdrawn;"),
    "claim before finality": Bug("Vault", CLAIMS, "if (!IRollup(rollup).isFinal(batch))", "if (batch == 0)"),
    "refund not marked": Bug("Vault", REFUNDS, "        refunded[index] = true;\n", ""),
    "refund of what was taken": Bug("Vault", REFUNDS, "if (index < consumed)", "if (index + 1 < consumed)"),
    "collected twice": Bug("Vault", ESCAPE, "        entry.equity = 0;\n", ""),
    "registered again": Bug("Vault", ESCAPE, "[account].owner != address(0)", "[account].equity != 0"),
    "claims forgotten": Bug("Vault", ESCAPE, "(held, withdrawn + late)", "(held, late)"),
    "late deposits forgotten": Bug("Vault", ESCAPE, "(held, withdrawn + late)", "(held, withdrawn)"),
    "paid claims held back": Bug("Vault", ESCAPE, "(_withdrawals, claimedTotal)", "(_withdrawals, 0)"),
    "late shares from nowhere": Bug("Vault", ESCAPE, "        spare -= amount;\n", ""),
    "window a second short": Bug("Vault", ESCAPE, "<= registrationDeadline()", "< registrationDeadline()"),
    "paid while others may come": Bug("Vault", ESCAPE, "block.timestamp <= deadline", "block.timestamp < deadline"),
    "shares rounded up": Bug("Vault", ESCAPE, "equity * _pot / r", "(equity * _pot + registeredEquity - 1) / r"),
    "token's fee overlooked": Bug("Inbox", INBOX, "holds < held || holds - held != amount", "holds < held"),
    "fee that ignores the queue": Bug("Inbox", INBOX, "return baseFee + feeSlope *", "return baseFee + 0 *"),
    "force after the end": Bug(
        "Inbox", INBOX, "payable nonReentrant {\n        _requireRunning();", "payable nonReentrant {"
    ),
}
STORIES = settings(
    max_examples=400,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def stories_of(load: Callable[[str], Artifact]) -> type[Machine]:
    """The machine on contracts found by `load`."""
    return type("Planted", (Machine,), {"load": staticmethod(load), "_stage": None})


@pytest.mark.slow
@pytest.mark.parametrize("name", BUGS)
def test_planted_bug_is_found(name: str) -> None:
    """Contracts and model disagree, or an invariant breaks."""
    bug = BUGS[name]
    mutant = compile_quickly(bug.contract, bug.plant())
    machine = stories_of(lambda wanted: mutant if wanted == bug.contract else load_artifact(wanted))
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=STORIES)


@pytest.mark.slow
def test_nothing_is_found_where_no_bug_is() -> None:
    """Compiled in the same way the contracts as they are tell no bad story, so it is the bugs that are found."""
    compiled = {name: compile_quickly(name, {}) for name in ("Rollup", "Vault", "Inbox")}
    machine = stories_of(lambda name: compiled.get(name) or load_artifact(name))
    run_state_machine_as_test(machine, settings=settings(STORIES, max_examples=40))
