"""`rollup rescue` as a user runs it, from a living chain to the last payment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.deployed import DISPUTE_WINDOW
from tests.support.exits import GRACE, WINDOW, Ending, open_ending
from tests.support.leavers import lines, run
from tests.support.poster import FIRST_OWNER


@pytest.fixture
async def ending() -> AsyncIterator[Ending]:
    """A chain with positions."""
    async with open_ending() as opened:
        yield opened


async def test_the_same_command_again_and_again_leads_out(ending: Ending, tmp_path: Path) -> None:
    """It forces, freezes, registers, collects, each when L1 is ready for it, and tells the phase each time."""
    worth = ending.equity(0)
    seen: list[tuple[str, list[str]]] = []
    for seconds in (0, DISPUTE_WINDOW + 10, GRACE, WINDOW + 10):
        await ending.travel(seconds)
        told = lines(await run(ending, tmp_path, "rescue", "--yes", "--json", key=FIRST_OWNER))
        phase = next(line["situation"] for line in told if "situation" in line)
        seen.append((phase, [line["step"] for line in told if line.get("status") == "done"]))
    assert seen == [
        ("alive", ["force"]),
        ("overdue", []),
        ("freezable", ["freeze", "finalise", "register"]),
        ("closed", ["collect"]),
    ]
    assert told[-1] | {"complete": True, "micro_paid": worth} == told[-1]
    assert await ending.held(FIRST_OWNER) == worth


async def test_people_are_told_the_ways_in_words(ending: Ending, tmp_path: Path) -> None:
    """Before anything is sent, and without sending anything if there is nobody to agree."""
    done = await run(ending, tmp_path, "rescue", key=FIRST_OWNER)
    assert done.returncode == 2
    said = done.stdout.decode()
    assert said.startswith("The chain goes on: batch 1 was posted")
    assert "`rollup withdraw` and then `rollup claim`" in said
    assert "USD through L1; the rest of" in said
    assert b"--yes sends without asking" in done.stderr


async def test_who_does_not_own_the_account_cannot_force_for_it(ending: Ending, tmp_path: Path) -> None:
    """It is told so; what anybody can do is done."""
    await ending.travel(DISPUTE_WINDOW + 1)
    told = lines(await run(ending, tmp_path, "rescue", "--account", "2", "--yes", "--json"))
    assert [line["step"] for line in told if line.get("status") == "done"] == ["finalise", "claim"]
    assert any("account 2: only its owner" in note for note in told[-1]["notes"])
