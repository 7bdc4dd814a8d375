"""`rollup escape` as a user runs it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

import pytest
import trio

from rollup.cli.exits import Consent, manner_of
from rollup.cli.output import Output
from rollup.cli.telling import Teller
from rollup.exit.errors import NotConfirmed
from rollup.exit.sending import Quote
from rollup.exit.situation import look
from rollup.exit.steps import Plan
from rollup.exit.walking import Planned
from tests.support.exits import LATE, WINDOW, Ending, open_ending
from tests.support.leavers import lines, run
from tests.support.poster import FIRST_OWNER


@pytest.fixture
async def ending() -> AsyncIterator[Ending]:
    """A chain with positions."""
    async with open_ending() as opened:
        yield opened


async def test_an_owner_gets_out_with_a_key_and_an_address(ending: Ending, tmp_path: Path) -> None:
    """Each step is planned, done and told as one object; what cannot be done yet is told with its time."""
    await ending.freeze()
    first = lines(await run(ending, tmp_path, "escape", "--yes", "--json", key=FIRST_OWNER + 1))
    told = [(line["step"], line.get("status")) for line in first]
    assert told == [
        ("finalise", "planned"), ("register", "later"), ("collect", "later"), ("refund", "later"),
        ("finalise", "done"), ("refund", "done"), ("register", "done"), ("end", None),
    ]  # fmt: skip
    assert (first[-1]["complete"], first[-1]["micro_paid"]) == (False, LATE)
    assert all(line["gas"] > 20_000 and line["cost_wei"] > 0 for line in first[:-1])
    await ending.travel(first[-1]["next_due"] + 1 - await ending.poster.now())
    second = lines(await run(ending, tmp_path, "escape", "--yes", "--json", key=FIRST_OWNER + 1))
    assert second[-1] | {"complete": True, "micro_paid": ending.equity(1), "remaining": 0} == second[-1]
    assert await ending.held(FIRST_OWNER + 1) == ending.equity(1) + LATE
    assert not await trio.to_thread.run_sync(lambda: list(tmp_path.iterdir()))


async def test_words_for_people_on_one_stream_and_costs_on_the_other(ending: Ending, tmp_path: Path) -> None:
    """A stranger gets everybody out, waiting through the window, and is told what that costs."""
    await ending.settle()
    async with trio.open_nursery() as nursery:

        async def pass_the_window() -> None:
            registered = 0
            while registered < 3:
                contract = ending.site.contract("Vault")
                registered = sum([(await contract.call("entryOf", account))[1] > 0 for account in ending.owners])
                await trio.sleep(0.1)
            await ending.travel(WINDOW + 1)

        nursery.start_soon(pass_the_window)
        done = await run(ending, tmp_path, "escape", "--all", "--yes", "--wait")
    assert done.returncode == 0, done.stderr
    said, aside = done.stdout.decode(), done.stderr.decode()
    assert "claim account 2: done, 2.50 USD" in said
    assert f"collect account 0: done, {ending.equity(0) / 10**6:,.2f} USD" in said
    assert said.endswith("nothing is left to do\n")
    assert "ETH now" in aside
    assert "waiting to collect account 0, possible after 20" in aside


async def test_nothing_is_sent_without_consent(ending: Ending, tmp_path: Path) -> None:
    """Without a terminal and --yes the plan is shown and that is all; --dry-run is the same on purpose."""
    await ending.settle()
    before = await ending.site.l1.get_nonce(ending.payer().address)
    refused = await run(ending, tmp_path, "escape", "--all", "--json")
    told = lines(refused, code=2)
    assert told[-1]["error"]["type"] == "NotConfirmed"
    assert {line.get("status") for line in told[:-1]} == {"planned", "later"}
    dry = lines(await run(ending, tmp_path, "escape", "--all", "--json", "--dry-run", "--wait"))
    assert (dry[-1]["complete"], dry[-1]["micro_paid"]) == (False, 0)
    assert await ending.site.l1.get_nonce(ending.payer().address) == before


async def test_refusals_have_a_type_and_a_code(ending: Ending, tmp_path: Path) -> None:
    """Not frozen; nobody's key; no such account; no Rollup there."""
    first = lines(await run(ending, tmp_path, "escape", "--yes", "--json"), code=1)
    assert first[-1]["error"]["type"] == "NotFrozen"
    await ending.settle()
    for arguments, kind in (((), "NothingToCollect"), (("--account", "77"), "NotInEndState")):
        told = lines(await run(ending, tmp_path, "escape", "--yes", "--json", *arguments), code=1)
        assert told[-1]["error"]["type"] == kind


async def test_who_sits_at_a_terminal_is_asked(
    ending: Ending, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the cost; anything but a yes sends nothing."""
    plan = Plan(await look(ending.site.l1, ending.site.deployment.rollup))
    planned = Planned(plan, Quote({}, 1_000_000, 10**9, 5 * 10**15, 10**18))
    agree = manner_of(Consent(), Teller(Output())).agree
    for answer in ("y\n", "Yes\n", "n\n", "\n", ""):
        terminal = StringIO(answer)
        monkeypatch.setattr(terminal, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", terminal)
        if answer[:1].lower() == "y":
            assert await agree(planned)
        else:
            with pytest.raises(NotConfirmed, match="as you wish"):
                await agree(planned)
        assert "about 0.006000 ETH in all (the key holds 1.000000)? [y/N]" in capsys.readouterr().err
