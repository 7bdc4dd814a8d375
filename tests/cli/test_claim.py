"""`rollup claim` as a user runs it: it tells what it pays and costs before it sends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from rollup.l1.devkeys import dev_address
from tests.support.deployed import DISPUTE_WINDOW
from tests.support.exits import Ending, open_ending
from tests.support.leavers import lines, run
from tests.support.poster import FIRST_OWNER

WITHDRAWN = 2_500_000
"""µUSD that account 2 has withdrawn in `Ending`."""


@pytest.fixture
async def ending() -> AsyncIterator[Ending]:
    """A chain of which everything is final."""
    async with open_ending() as opened:
        await opened.travel(DISPUTE_WINDOW + 1)
        rollup = opened.site.contract("Rollup")
        await rollup.transact(opened.payer(), "finalise", await rollup.call("batchCount") - 1)
        yield opened


async def test_a_dry_run_tells_and_sends_nothing_and_then_it_is_paid_once(ending: Ending, tmp_path: Path) -> None:
    """The owner, the sum, gas and cost; the same sum is paid, and a second claim finds nothing."""
    words = ("claim", "--account", "2")
    (told,) = lines(await run(ending, tmp_path, *words, "--json", "--dry-run"))
    assert (told["status"], told["micro_amount"]) == ("planned", WITHDRAWN)
    assert told["owner"] == f"0x{dev_address(FIRST_OWNER + 2).hex()}"
    assert told["gas"] > 20_000
    assert told["cost_wei"] >= told["gas"]
    assert await ending.held(FIRST_OWNER + 2) == 0
    done = await run(ending, tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert b"claims 2.50 USD for 0x" in done.stderr
    assert b"costs about 0.0" in done.stderr
    assert await ending.held(FIRST_OWNER + 2) == WITHDRAWN
    again = lines(await run(ending, tmp_path, *words, "--json"), code=1)
    assert again[-1]["error"]["type"] == "NothingToClaim"


async def test_a_wallet_without_gas_is_told_before_anything_is_sent(ending: Ending, tmp_path: Path) -> None:
    """With what it holds and what is needed."""
    key = trio.Path(tmp_path / "key")
    await key.write_text(f"0x{'ab' * 32}\n")
    await key.chmod(0o600)
    refused = await run(ending, tmp_path, "claim", "--account", "2", "--json", key=f"file:{key}")
    told = lines(refused, code=1)
    assert told[-1]["error"]["type"] == "WalletEmpty"
    assert "nothing sent" in told[-1]["error"]["message"]
