"""Every finding of Slither is answered in contracts/analysis/slither.md."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.support.analysis import (
    ANSWERS,
    REPOSITORY,
    compare,
    copy_contracts,
    read_answers,
    require_tools,
    run_slither,
)

pytestmark = pytest.mark.analysis


@pytest.mark.slow
def test_every_finding_is_answered() -> None:
    """A finding without an answer, or an answer without a finding, is named."""
    require_tools()
    unanswered, stale = compare(run_slither(REPOSITORY), read_answers(ANSWERS.read_text()))
    assert not unanswered
    assert not stale


@pytest.mark.slow
def test_planted_fault_is_found(tmp_path: Path) -> None:
    """A vault that lets the transaction's origin past its guard, and sends ether to whom it is told, does not pass."""
    require_tools()
    copy_contracts(tmp_path)
    vault = tmp_path / "contracts" / "src" / "Vault.sol"
    fault = "function drain(address payable to) external { if (tx.origin == rollup) to.transfer(1); }"
    text = vault.read_text()
    end = text.rindex("}")
    vault.write_text(f"{text[:end]}    {fault}\n}}\n")
    unanswered, _ = compare(run_slither(tmp_path), read_answers(ANSWERS.read_text()))
    assert ("tx-origin", "Vault.drain") in unanswered
    assert ("arbitrary-send-eth", "Vault.drain") in unanswered


def test_answers_are_counted_by_place() -> None:
    """One finding more at an answered place is open; one less makes the answer stale."""
    answers = read_answers(
        "# T\n\n## a\n\n- `X.f` (2), `Y.g`: Because: so.\n\n## b\n\n- every: Fine.\n\n## c\n\n- every: No.\n"
    )
    assert answers == Counter({("a", "X.f"): 2, ("a", "Y.g"): 1, ("b", "every"): 1, ("c", "every"): 1})
    findings = Counter({("a", "X.f"): 3, ("b", "Z.h"): 9})
    assert compare(findings, answers) == (Counter({("a", "X.f"): 1}), Counter({("a", "Y.g"): 1, ("c", "every"): 1}))
