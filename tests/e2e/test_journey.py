"""A user's way through a devnet by the commands alone: money in, an order, a look around, money out, a proof."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.programs import running_program

PATIENCE = 300.0
KEY = "dev:19"
"""Funded on development chains, and used by nobody else in a devnet."""
TWICE = 2


class User:
    """Runs commands against one devnet."""

    def __init__(self, folder: Path, ready: Mapping[str, Any]) -> None:
        self._folder = folder
        self._environment = {
            "PLUMBLINE_L1_URL": ready["l1"],
            "PLUMBLINE_L1_DEPLOYMENT": ready["deployment"],
            "PLUMBLINE_CLIENT_RPC": ready["ws"],
            "PLUMBLINE_CLIENT_KEY": KEY,
        }

    def run(self, *arguments: str, code: int = 0, module: str = "rollup") -> list[dict[str, Any]]:
        """All lines of a command that must end with `code`."""
        with running_program(arguments, self._folder, module, self._environment) as program:
            assert program.wait(PATIENCE) == code, program.said()
            return program.events

    def answer(self, *arguments: str) -> dict[str, Any]:
        """The only line of a command that succeeds."""
        (line,) = self.run(*arguments)
        return line

    def await_account(self, account: int) -> dict[str, Any]:
        """The account as soon as the sequencer has it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with running_program(["account", str(account)], self._folder, environment=self._environment) as program:
                if program.wait(PATIENCE) == 0:
                    return program.events[0]
            assert time.monotonic() < deadline, f"account {account} does not appear"


@pytest.mark.slow
def test_a_user_goes_from_deposit_to_claim_by_commands_alone(tmp_path: Path) -> None:
    """Exact balances on the way, and at the end L1 alone proves the state."""
    options = ["--data", str(tmp_path / "devnet"), "--l1-port", "0", "--rpc-port", "0", "--dispute-seconds", "3"]
    with running_program(["devnet", *options], tmp_path) as devnet:
        ready = devnet.wait_for(lambda event: bool(event["event"] == "ready"), PATIENCE)
        user = User(tmp_path, ready)
        (poor,) = user.run("deposit", "5000", code=1)
        assert "holds 0.00 USD on L1, less than 5,000.00" in poor["error"]["message"]
        (second,) = user.run("devnet", "--data", str(tmp_path / "devnet"), code=2)
        assert "is in use by another run" in second["error"]["message"]
        opened = user.answer("deposit", "5000", "--mint")
        assert (opened["amount"], opened["micro_amount"]) == ("5000.00", 5_000_000_000)
        account = str(opened["account"])
        assert user.await_account(opened["account"])["cash"] == "5000"
        user.answer("deposit", "250.5", "--mint", "--account", account)
        devnet.wait_for(lambda event: bool(event["event"] == "trade"), PATIENCE)
        assert user.answer("book", "ETH-PERP")["instrument_name"] == "ETH-PERP"
        bought = user.answer("order", "buy", "ETH-PERP", "0.1", "--account", account)
        assert bought["order"]["order_status"] in {"filled", "cancelled"}
        resting = user.answer("order", "buy", "ETH-PERP", "0.1", "1000", "--account", account)["order"]
        assert resting["order_status"] == "open"
        cancelled = user.answer("cancel", resting["nonce"], "--account", account)
        assert cancelled["cancelled_orders"] == 1
        withdrawn = user.answer("withdraw", "100.25", "--account", account)
        assert user.answer("block", str(withdrawn["block_number"]))["number"] == withdrawn["block_number"]
        claimed = user.answer("claim", account, "--wait", str(PATIENCE))
        assert claimed["micro_amount"] == 100_250_000
        assert user.answer("batch")["number"] >= claimed["batch"]
        (refused,) = user.run("claim", account, code=1)
        assert "nothing to claim" in refused["error"]["message"]
        verified = user.run("verify")[-1]
        assert verified["ok"]
        (status,) = user.run("status", "--data", str(tmp_path / "devnet" / "challenger"), module="challenger.cli")
        assert status["fraud"] is None
        assert status["batch"] >= claimed["batch"]
