"""Everybody leaves a chain that has ended, by nothing but L1."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rollup.exit.holdings import Whose
from rollup.exit.leaving import leave
from tests.support.exits import LATE, WINDOW, WITHDRAWN, Ending, open_ending


@pytest.fixture
async def ending() -> AsyncIterator[Ending]:
    """A chain with positions."""
    async with open_ending() as opened:
        yield opened


async def test_everybody_is_paid_to_the_unit(ending: Ending) -> None:
    """Each owner gets what the rules of trading say the account is worth, what was withdrawn, and late deposits."""
    await ending.freeze()
    equities = {account: ending.equity(account) for account in ending.owners}
    assert all(equities.values()), equities
    contracts = await ending.contracts()
    async with ending.mirror() as mirror:
        first = await leave(ending.payer(), contracts, mirror, Whose(everyone=True))
        assert not first.complete
        assert [later.kind for later in first.plan.later] == ["collect"] * 3
        await ending.travel(WINDOW + 1)
        last = await leave(ending.payer(), contracts, mirror, Whose(everyone=True))
    assert last.complete
    for account, key in ending.owners.items():
        extra = {1: LATE, 2: WITHDRAWN}.get(account, 0)
        assert await ending.held(key) == equities[account] + extra
    assert first.paid == LATE + WITHDRAWN
    assert last.paid == sum(equities.values())
