"""`rollup demo --scenario escape` as its users run it: each variant to its end, its figures held against each other."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
import trio

from rollup.cli.app import INTERRUPTED
from rollup.l1.anvil import find_anvil, run_anvil
from tests.support.programs import running_program

PATIENCE = 900.0
"""Seconds after which a run has hung; it takes a minute on an idle machine."""
HOUR = 3_600
DAY = [
    "l1",
    "deploy",
    "deposits",
    "sub-account",
    "insurance",
    "prices",
    "trades",
    "withdrawal",
    "positions",
    "finality",
]
SILENCE = ["batch", "kill", "force", "late-deposits", "overdue"]
LEAVING = ["freeze", "reckoning", "escape", "claim", "refund", "collect", "balance"]
FREEZE = [*DAY, "fall", *SILENCE, *LEAVING, "summary"]
SHORTFALL = [*DAY, "fall", *SILENCE, "shortfall", *LEAVING, "summary"]
AGAIN = ["takeover", "prices", "trades-again", "batch", "finality"]
TAKEOVER = [*DAY, *SILENCE, *AGAIN, "no-freeze", "outcome", "claim", "summary"]


def run_escape(folder: Path, variant: str, *options: str, code: int = 0) -> list[dict[str, Any]]:
    """All lines of a run, whose exit code must be `code`; nothing of it may be left."""
    arguments = ["demo", "--scenario", "escape", "--variant", variant, "--data", str(folder / "demo")]
    with running_program([*arguments, "--trades", "24", *options], folder) as program:
        assert program.wait(PATIENCE) == code, program.said()
        program.wait_until_gone(PATIENCE)
        return program.events


def by_name(steps: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The last step of each name."""
    return {step["step"]: step for step in steps}


def check_silence(step: dict[str, dict[str, Any]]) -> None:
    """The forced withdrawal is overdue: it came after the last batch, and none took it."""
    assert step["force"]["inbox_index"] == step["overdue"]["inbox_index"] == step["overdue"]["consumed"]
    assert step["overdue"]["skipped"] > HOUR - PATIENCE
    assert min(step["late-deposits"]["indices"]) > step["force"]["inbox_index"]
    assert 60_000 < step["force"]["gas"] < 200_000


def check_leaving(step: dict[str, dict[str, Any]]) -> None:
    """Registered, paid and left over add up; who owes is not paid; first comes what comes first."""
    reckoning, escape, collect, balance = (step[name] for name in ("reckoning", "escape", "collect", "balance"))
    equities, due = reckoning["equities"], reckoning["due"]
    debtor, other = str(step["fall"]["account"]), str(step["sub-account"]["account"])
    assert step["fall"]["owner"] == step["sub-account"]["owner"]
    assert equities[other] == step["sub-account"]["amount"]
    assert equities[debtor] < 0
    assert due[debtor] == 0
    assert escape["equities"] == {account: equity for account, equity in equities.items() if account != debtor}
    assert collect["shares"] == {account: share for account, share in due.items() if account != debtor}
    assert reckoning["total"] == sum(escape["equities"].values())
    assert escape["pot"] == reckoning["pot"] >= sum(collect["shares"].values())
    assert step["claim"]["amount"] == step["withdrawal"]["amount"]
    assert step["refund"]["amounts"] == step["late-deposits"]["amounts"]
    paid = sum(collect["shares"].values()) + step["claim"]["amount"] + sum(step["refund"]["amounts"])
    assert balance["paid"] == paid <= balance["vault_before"] == reckoning["vault_balance"]
    assert balance["vault_after"] == balance["vault_before"] - paid
    assert step["freeze"]["frozen_for"] == step["force"]["inbox_index"]
    assert step["freeze"]["skipped"] > 2 * HOUR - PATIENCE
    assert {market for held in step["positions"]["positions"].values() for market in held} == set("123456")
    assert all(gas < 400_000 for gas in escape["gas"].values())


@pytest.mark.slow
def test_everybody_leaves_with_l1_alone(tmp_path: Path) -> None:
    """Perps, futures and options open, the sequencer killed: every account is paid its equity, to the unit."""
    steps = run_escape(tmp_path, "freeze")
    assert [step["step"] for step in steps] == FREEZE
    assert all(step["ok"] for step in steps)
    step = by_name(steps)
    check_silence(step)
    check_leaving(step)
    assert step["collect"]["shares"] == step["escape"]["equities"]
    assert step["reckoning"]["pot"] >= step["reckoning"]["total"]
    assert step["summary"]["paid"] == step["balance"]["paid"]


@pytest.mark.slow
def test_where_money_is_missing_everybody_is_paid_pro_rata(tmp_path: Path) -> None:
    """Withdrawals and late deposits in full, accounts their part of the rest, each rounded down."""
    steps = run_escape(tmp_path, "shortfall")
    assert [step["step"] for step in steps] == SHORTFALL
    assert all(step["ok"] for step in steps)
    step = by_name(steps)
    check_silence(step)
    check_leaving(step)
    pot, total = step["reckoning"]["pot"], step["reckoning"]["total"]
    assert pot < total
    assert pot == step["shortfall"]["vault_balance"] - step["claim"]["amount"] - sum(step["refund"]["amounts"])
    for account, equity in step["escape"]["equities"].items():
        assert step["collect"]["shares"][account] == equity * pot // total
    assert step["balance"]["vault_after"] < len(step["escape"]["equities"])


@pytest.mark.slow
def test_a_stranger_takes_over_and_trading_resumes(tmp_path: Path) -> None:
    """The forced withdrawal is in the first batches of the stranger, and its claim is paid."""
    steps = run_escape(tmp_path, "takeover")
    assert [step["step"] for step in steps] == TAKEOVER
    assert all(step["ok"] for step in steps)
    step = by_name(steps)
    check_silence(step)
    assert step["takeover"]["batch"] == step["overdue"]["batch_count"]
    assert step["takeover"]["inbox_index"] > max(step["late-deposits"]["indices"])
    assert step["takeover"]["stake"] >= 10**18
    assert step["outcome"]["batch"] >= step["takeover"]["batch"]
    assert step["trades-again"]["trades"] >= 24
    assert step["trades-again"]["batches"][0] > step["takeover"]["batch"]
    assert step["finality"]["finalised"] >= step["trades-again"]["batches"][1]
    assert step["claim"]["amount"] == step["force"]["amount"] == step["summary"]["paid"]


@pytest.mark.anvil
@pytest.mark.slow
@pytest.mark.skipif(find_anvil() is None, reason="anvil is not installed: run `npm ci`")
async def test_everybody_leaves_on_another_node(tmp_path: Path) -> None:
    """The same on anvil, whose clock is moved in the same way."""
    async with run_anvil() as url:
        steps = await trio.to_thread.run_sync(lambda: run_escape(tmp_path, "freeze", "--l1", url))
    assert [step["step"] for step in steps] == FREEZE
    check_leaving(by_name(steps))


def test_an_unknown_scenario_or_variant_is_refused(tmp_path: Path) -> None:
    """Before anything is started."""
    (refusal,) = run_escape(tmp_path, "levitation", code=2)
    assert "freeze, shortfall, takeover" in refusal["error"]["message"]
    with running_program(["demo", "--scenario", "opera"], tmp_path) as program:
        assert program.wait(PATIENCE) == 2, program.said()
        assert "loop and escape" in program.events[0]["error"]["message"]


@pytest.mark.slow
def test_an_escape_that_is_interrupted_leaves_no_process(tmp_path: Path) -> None:
    """Ctrl-C after the sequencer was killed, while a command of the way out runs."""
    with running_program(["demo", "--scenario", "escape", "--data", str(tmp_path / "demo")], tmp_path) as program:
        program.wait_for(lambda step: bool(step["step"] == "overdue"), PATIENCE)
        program.send(signal.SIGINT)
        assert program.wait(PATIENCE) == INTERRUPTED, program.said()
        assert not program.descendants()
