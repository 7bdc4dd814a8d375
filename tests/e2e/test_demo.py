"""`rollup demo` as its users run it: every step verified, one transaction per fraud, no process left."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
import trio

from rollup.cli.app import INTERRUPTED
from rollup.l1.anvil import find_anvil, run_anvil
from rollup.sequencer.faults import FAULTS
from tests.support.programs import running_program

PATIENCE = 600.0
"""Seconds after which a run has hung; it takes a minute on an idle machine."""
MINING = 16_777_216
"""The cap of one transaction on L1 (EIP-7825)."""
DERIVATIVES = FAULTS.index("wrong-mark")
"""The first of the kinds around options, futures and liquidation."""
PROLOGUE = ["l1", "deploy", "challenger"]
HONEST = ["sequencer", "deposits", "prices", "trades", "batch", "withdrawal", "finality", "claim", "handover"]
FRAUD = ["deposit", "fraud", "reversion", "slashing", "queue", "sequencer", "recovery"]
LAST = ["continuation", "finality", "handover", "reward", "summary"]


def run_demo(folder: Path, *options: str, code: int = 0, data: Path | None = None) -> list[dict[str, Any]]:
    """All lines of a run, whose exit code must be `code`; nothing of it may be left."""
    arguments = ["demo", "--data", str(data or folder / "demo"), "--dispute-seconds", "20", *options]
    with running_program(arguments, folder) as program:
        assert program.wait(PATIENCE) == code, program.said()
        program.wait_until_gone(PATIENCE)
        return program.events


def check_summary(steps: list[dict[str, Any]], faults: list[str]) -> None:
    """The last line of a good run."""
    summary = steps[-1]
    assert all(step["ok"] for step in steps)
    assert summary["faults"] == faults
    assert summary["fraud_proof_transactions"] == 1
    assert 100_000 < summary["fraud_proof_gas"] < MINING
    assert 1_000 < summary["l1_gas_per_trade"] < 20_000
    assert summary["seconds_fraud_posted_to_reverted"] >= 0


def check_fraud(steps: list[dict[str, Any]], fault: str) -> None:
    """The steps of one fraud, in order."""
    by_name = {step["step"]: step for step in steps}
    deposit, fraud, reversion = by_name["deposit"], by_name["fraud"], by_name["reversion"]
    assert fraud["fault"] == fault
    assert fraud["inbox_index"] > deposit["inbox_index"] >= by_name["queue"]["inbox_index"]
    assert by_name["queue"]["waiting"] >= 1
    assert reversion["transactions"] == 1
    assert reversion["batch"] == reversion["batch_count"] == fraud["batch"]
    slashing = by_name["slashing"]
    assert slashing["poster"] == fraud["poster"]
    assert slashing["stake"] == slashing["burnt"] + slashing["bounty"] == 10**18
    recovery = by_name["recovery"]
    assert recovery["poster"] != fraud["poster"]
    assert recovery["fork"] == reversion["fork"]
    assert recovery["inbox_index"] > deposit["inbox_index"]


@pytest.mark.slow
def test_demo_verifies_every_step_on_the_embedded_l1(tmp_path: Path) -> None:
    """Deposits to claim, a wrong root reverted in one transaction, and an honest sequencer that goes on."""
    steps = run_demo(tmp_path, "--trades", "36")
    assert [step["step"] for step in steps] == [*PROLOGUE, *HONEST, *FRAUD, *LAST]
    check_summary(steps, ["wrong-root"])
    check_fraud(steps[len(PROLOGUE + HONEST) :], "wrong-root")
    by_name = {step["step"]: step for step in steps}
    assert by_name["claim"]["amount"] == by_name["withdrawal"]["amount"] == 1_234_567_890
    assert by_name["deposits"]["vault_balance"] == sum(by_name["deposits"]["amounts"])
    assert by_name["trades"]["trades"] >= 36
    assert by_name["reward"]["wei"] == 5 * 10**17


@pytest.mark.slow
@pytest.mark.parametrize("faults", [FAULTS[:DERIVATIVES], FAULTS[DERIVATIVES:]], ids=["basics", "derivatives"])
def test_demo_shows_every_kind_of_fraud_reverted(faults: tuple[str, ...], tmp_path: Path) -> None:
    """Each by another staked key, each in one transaction, the deposits of all credited in the end."""
    steps = run_demo(tmp_path, "--fault", ",".join(faults), "--trades", "24")
    check_summary(steps, list(faults))
    starts = [index for index, step in enumerate(steps) if step["step"] == "deposit"]
    assert len(starts) == len(faults)
    for start, fault in zip(starts, faults, strict=True):
        assert [step["step"] for step in steps[start : start + len(FRAUD)]] == FRAUD
        check_fraud(steps[start : start + len(FRAUD)], fault)
    posters = [step["poster"] for step in steps if step["step"] == "fraud"]
    assert len(set(posters)) == len(faults)


@pytest.mark.anvil
@pytest.mark.slow
@pytest.mark.skipif(find_anvil() is None, reason="anvil is not installed: run `npm ci`")
async def test_demo_runs_on_another_node_that_makes_blocks_for_transactions_only(tmp_path: Path) -> None:
    """The same steps on anvil, by its URL."""
    async with run_anvil() as url:
        steps = await trio.to_thread.run_sync(lambda: run_demo(tmp_path, "--l1", url, "--trades", "24"))
    assert [step["step"] for step in steps] == [*PROLOGUE, *HONEST, *FRAUD, *LAST]
    check_summary(steps, ["wrong-root"])
    assert steps[0]["url"] == url


def test_demo_says_which_step_failed(tmp_path: Path) -> None:
    """Without a node there is nothing to verify on, and the exit code says so."""
    steps = run_demo(tmp_path, "--l1", "http://127.0.0.1:9", code=1)
    assert [(step["step"], step["ok"]) for step in steps] == [("l1", False), ("summary", False)]
    assert "127.0.0.1:9" in steps[0]["error"]["message"]


def test_demo_refuses_an_unknown_fault_and_a_folder_that_is_not_its_own(tmp_path: Path) -> None:
    """Nothing is deleted by mistake."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "diary.txt").write_text("dear diary")
    for wish in ("telepathy", "wrong-root,telepathy", "wrong-root,wrong-root"):
        (refusal,) = run_demo(tmp_path, "--fault", wish, code=2)
        assert ("telepathy" if "telepathy" in wish else "twice") in refusal["error"]["message"]
    steps = run_demo(tmp_path, code=1, data=precious)
    assert not steps[-1]["ok"]
    assert "is not empty" in steps[0]["error"]["message"]
    assert (precious / "diary.txt").read_text() == "dear diary"


def test_a_demo_that_is_interrupted_leaves_no_process(tmp_path: Path) -> None:
    """Ctrl-C in the midst of it; it was not verified, and the exit code says so."""
    with running_program(["demo", "--data", str(tmp_path / "demo")], tmp_path) as program:
        program.wait_for(lambda step: bool(step["step"] == "sequencer"), PATIENCE)
        program.send(signal.SIGINT)
        assert program.wait(PATIENCE) == INTERRUPTED, program.said()
        assert not program.descendants()
