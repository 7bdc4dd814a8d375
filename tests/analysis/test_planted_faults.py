"""The proofs can fail: each fault planted in a copy of the contracts gives a counterexample."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.analysis import COUNTEREXAMPLE, copy_contracts, prove, require_patience

pytestmark = [pytest.mark.analysis, pytest.mark.slow]


@dataclass(frozen=True, slots=True)
class Fault:
    """A line of a contract, what stands there instead, and the proof that must notice."""

    file: str
    right: str
    wrong: str
    contract: str
    proof: str


FAULTS = {
    "claim_forgets_what_it_paid": Fault(
        "escape/Claims.sol",
        "claimed[account] = withdrawn;",
        "",
        "ClaimProof",
        "check_claim_again_reverts",
    ),
    "claim_pays_the_total": Fault(
        "escape/Claims.sol",
        "amount = withdrawn - paid;",
        "amount = withdrawn;",
        "ClaimProof",
        "check_claim_pays_withdrawn_less_claimed",
    ),
    "claim_is_not_counted": Fault(
        "escape/Claims.sol", "claimedTotal += amount;", "", "ClaimProof", "check_claim_leaves_the_pot"
    ),
    "claim_on_a_pending_batch": Fault(
        "escape/Claims.sol", "!IRollup(rollup).isFinal(batch)", "false", "ClaimProof", "check_claim_needs_a_final_state"
    ),
    "share_is_rounded_up": Fault(
        "escape/Escape.sol",
        "equity * _pot / registeredEquity",
        "(equity * _pot + registeredEquity - 1) / registeredEquity",
        "ShareProof",
        "check_collect_pays_the_share",
    ),
    "share_is_paid_again": Fault(
        "escape/Escape.sol", "entry.equity = 0;", "", "ShareProof", "check_collect_twice_reverts"
    ),
    "late_one_takes_all": Fault(
        "escape/Escape.sol", "spare -= amount;", "", "LateProof", "check_register_late_takes_from_the_spare"
    ),
    "spare_forgets_those_in_time": Fault(
        "escape/Escape.sol",
        "amount > registeredEquity ? amount - registeredEquity : 0",
        "amount",
        "LateProof",
        "check_register_late_takes_from_the_spare",
    ),
    "equity_is_cut_off_not_capped": Fault(
        "escape/Escape.sol",
        "uint256(found.equity) < type(uint96).max ? uint256(found.equity) : type(uint96).max",
        "uint96(uint256(found.equity))",
        "LateProof",
        "check_register_in_time_counts_the_equity",
    ),
    "refund_of_what_was_credited": Fault(
        "escape/Refunds.sol", "index < consumed", "index + 1 < consumed", "RefundProof", "check_refund_pays_the_deposit"
    ),
    "refund_is_not_held_back": Fault(
        "escape/Escape.sol", "_deposits + refundedTotal", "_deposits", "RefundProof", "check_refund_leaves_the_pot"
    ),
    "fee_overflows": Fault(
        "Inbox.sol",
        "feeSlope_ > type(uint128).max",
        "feeSlope_ > type(uint248).max",
        "FeeProof",
        "check_fee_never_overflows",
    ),
    "fee_stays_with_the_inbox": Fault(
        "Inbox.sol", "SafeTransferLib.safeTransferETH(address(0), fee);", "", "FeeProof", "check_force_burns_the_fee"
    ),
    "reversions_hold_back_for_ever": Fault(
        "rollup/Ending.sol",
        "deadline = lastReversion < last ? lastReversion : last;",
        "deadline = lastReversion;",
        "FreezeProof",
        "check_freeze_comes_between_its_bounds",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_planted_fault_has_a_counterexample(name: str, tmp_path: Path) -> None:
    """The fault changes one line, and the proof that guards it fails by an example."""
    require_patience()
    fault = FAULTS[name]
    copy_contracts(tmp_path, proofs=[fault.contract])
    file = tmp_path / "contracts" / "src" / fault.file
    text = file.read_text()
    assert text.count(fault.right) == 1
    file.write_text(text.replace(fault.right, fault.wrong))
    assert prove(tmp_path, fault.contract, rf"{fault.proof}\(") == {fault.proof: COUNTEREXAMPLE}
