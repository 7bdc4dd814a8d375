"""`rollup freeze` as a user runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from rollup.cli.funding import Bank
from rollup.exit.errors import AlreadyFrozen
from tests.support.deployed import DISPUTE_WINDOW
from tests.support.exits import GRACE, Ending, open_ending
from tests.support.leavers import lines, run


@pytest.fixture
async def ending() -> AsyncIterator[Ending]:
    """A chain with positions."""
    async with open_ending() as opened:
        yield opened


async def test_a_chain_is_frozen_when_it_is_due_and_not_before(ending: Ending, tmp_path: Path) -> None:
    """Nobody waits; too early; in time, with the cost told first; and once only."""
    told = lines(await run(ending, tmp_path, "freeze", "--yes", "--json"), code=1)
    assert told[-1]["error"]["type"] == "NoMessageWaits"
    await ending.starve(1)
    early = await run(ending, tmp_path, "freeze", "--yes", "--json")
    assert lines(early, code=1)[-1]["error"]["type"] == "TooEarly"
    assert b"freezing the chain is possible after 20" in early.stderr
    await ending.travel(DISPUTE_WINDOW + GRACE)
    assert lines(await run(ending, tmp_path, "freeze", "--json"), code=2)[-1]["error"]["type"] == "NotConfirmed"
    told = lines(await run(ending, tmp_path, "freeze", "--yes", "--json"))
    assert [(line["step"], line.get("status")) for line in told] == [
        ("freeze", "planned"), ("freeze", "done"), ("end", None)
    ]  # fmt: skip
    assert told[0]["message"] == 3
    assert any("rollup escape" in note for note in told[-1]["notes"]), "what comes next is told"
    assert await ending.site.contract("Rollup").call("frozen")
    again = lines(await run(ending, tmp_path, "freeze", "--yes", "--json"), code=1)
    assert again[-1]["error"]["type"] == "AlreadyFrozen"


async def test_waiting_for_the_time_freezes_then(ending: Ending, tmp_path: Path) -> None:
    """L1's clock is what counts."""
    await ending.starve(DISPUTE_WINDOW + GRACE - 3)
    told = lines(await run(ending, tmp_path, "freeze", "--yes", "--json", "--wait"))
    assert told[-1]["complete"]
    assert await ending.site.contract("Rollup").call("frozen")


async def test_a_deposit_into_a_frozen_chain_is_refused_in_words(ending: Ending) -> None:
    """Before anything leaves the wallet."""
    await ending.freeze()
    bank = Bank(ending.payer(), ending.site.deployment)
    await bank.mint(5_000_000)
    for deposit in (partial(bank.open, ending.payer().address, 5_000_000), partial(bank.deposit, 0, 5_000_000)):
        with pytest.raises(AlreadyFrozen, match="nothing deposited"):
            await deposit()
    assert await bank.balance() == 5_000_000
