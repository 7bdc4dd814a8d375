"""What is proven of the contracts holds, for every input within the bounds that the proofs state."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.analysis import (
    PASSED,
    PROOFS,
    copy_contracts,
    list_proofs,
    prove,
    prove_integers,
    require_patience,
    require_tools,
)

pytestmark = pytest.mark.analysis


@pytest.mark.slow
@pytest.mark.parametrize("contract", list_proofs())
def test_proof_holds(contract: str, tmp_path: Path) -> None:
    """Every proof in the contract passes, and none is left out."""
    require_patience()
    copy_contracts(tmp_path, proofs=[contract])
    assert prove(tmp_path, contract) == dict.fromkeys(list_proofs()[contract], PASSED)


def test_shares_of_any_number_of_accounts_stay_within_the_pot() -> None:
    """The induction over payments has no counterexample among the integers."""
    require_tools()
    assert prove_integers(PROOFS / "shares.smt2") == ["unsat"] * 4


def test_shares_rounded_up_exceed_the_pot(tmp_path: Path) -> None:
    """The same induction fails if shares are rounded up, so it can fail."""
    require_tools()
    quotient = "(and (<= (* q sum) (* equity pot)) (< (* equity pot) (* (+ q 1) sum)))"
    text = (PROOFS / "shares.smt2").read_text()
    assert quotient in text
    file = tmp_path / "shares.smt2"
    file.write_text(text.replace(quotient, "(and (<= (* equity pot) (* q sum)) (< (* (- q 1) sum) (* equity pot)))"))
    assert prove_integers(file)[:2] == ["unsat", "sat"]
