"""Random sequences of blocks through both twins: equal reasons, indices and roots, block after block."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, settings

from challenger.execute import Verdict
from tests.differential.paths import PATHS
from tests.differential.play import Plan, Tally, plans, play
from tests.differential.twins import Proof, assert_agreement, fast_verifier, reference_verifier

TRANSACTIONS = 10_000
REFERENCE_BLOCKS = 300
OFTEN = 50
SOMETIMES = 5
KINDS = (
    "Bid", "Cancel", "ComboTrade", "Deleverage", "Deposit", "Flag", "List", "Open", "OracleUpdate", "SetSigner",
    "Settle", "SurfaceUpdate", "Trade of a call", "Trade of a future", "Trade of a perp", "Trade of a put", "Transfer",
    "Withdraw", "WriteOff", "forced Flag", "forced Trade of a perp", "forced Withdraw",
)  # fmt: skip
"""What must have been valid OFTEN in a run; each path must have been taken SOMETIMES."""
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)


def judge_fast(proof: Proof) -> Verdict:
    """The contract in pyrevm."""
    return assert_agreement(proof, fast_verifier())


def judge_both(proof: Proof) -> Verdict:
    """The contract in py-evm, which must also use the gas that pyrevm uses."""
    verdict = assert_agreement(proof, reference_verifier())
    assert verdict == assert_agreement(proof, fast_verifier())
    return verdict


def run_plans(examples: int, length: int, moves: int, judge: Callable[[Proof], Verdict]) -> Tally:
    """Play so many random games of `length` blocks."""
    tally = Tally()

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, phases=PHASES,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(plans(length, moves))
    def game(plan: Plan) -> None:
        play(plan, judge, tally)

    game()
    return tally


def report(name: str, tally: Tally) -> None:
    """What the run covered, in one line."""
    print(
        f"{name}: {tally.transactions:,} transactions in {tally.blocks:,} blocks, {tally.invalid:,} of them invalid, "
        f"{tally.gas:,} gas; {dict(tally.reasons.most_common())}\n{tally.shares()}\n"
        + "\n".join(f"  {path:<40} {tally.paths[path]:>6}" for path in PATHS)
    )


def test_ten_thousand_transactions_give_equal_roots_and_reasons() -> None:
    """In pyrevm, over at least 10,000 transactions, valid and invalid ones of all types, each valid many times."""
    tally = run_plans(240, 8, 14, judge_fast)
    report("pyrevm", tally)
    assert tally.transactions >= TRANSACTIONS
    assert tally.invalid > TRANSACTIONS // 50
    assert {kind: tally.valid[kind] for kind in KINDS if tally.valid[kind] < OFTEN} == {}
    assert {path: tally.paths[path] for path in PATHS if tally.paths[path] < SOMETIMES} == {}


def test_three_hundred_blocks_in_the_reference_evm() -> None:
    """In py-evm as well, over at least 300 blocks, with the gas that pyrevm counts."""
    tally = run_plans(45, 6, 3, judge_both)
    report("py-evm", tally)
    assert tally.blocks >= REFERENCE_BLOCKS
