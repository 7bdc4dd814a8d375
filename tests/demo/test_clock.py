"""The escape's hours: skipped on the node's clock, and never taken for passed where they are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from rollup.cli.demo import VARIANTS
from rollup.demo.escape.setting import AUCTION, FREEZE_GRACE, PROPOSER_TIMEOUT, Variant, pass_time, plan_escape
from rollup.demo.report import NotVerified
from rollup.demo.setting import Settings, Stage
from rollup.errors import L1Refused
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client

HOURS = 7_200


class At:
    """As much of a stage as has a clock."""

    def __init__(self, client: L1Client) -> None:
        self.l1 = client


def stage_of(client: L1Client) -> Stage:
    """A stage on this node."""
    return cast("Stage", At(client))


async def time_of(client: L1Client) -> int:
    """L1's time."""
    head = await client.get_block()
    assert head is not None
    return head.timestamp


async def test_hours_pass_at_once(l1: L1Client) -> None:
    """On both nodes, to just past what is asked for; what is past already skips nothing."""
    before = await time_of(l1)
    assert 0 < await pass_time(stage_of(l1), before + HOURS) <= HOURS + 1
    after = await time_of(l1)
    assert before + HOURS < after
    assert await pass_time(stage_of(l1), before) == 0


class Real(L1Client):
    """A node whose clock is its own."""

    async def request(self, method: str, *params: Any, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - as given
        """Refuse what no real network offers."""
        if method.startswith("evm_"):
            raise L1Refused(method, -32_601, "the method does not exist")
        return await super().request(method, *params, timeout=timeout)


async def test_a_node_whose_clock_is_its_own_is_told(embedded_url: str) -> None:
    """Rather than waiting for hours, or going on as if they had passed."""
    async with Real(embedded_url) as client:
        with pytest.raises(NotVerified, match="clock of this node cannot be moved"):
            await pass_time(stage_of(client), await time_of(client) + HOURS)


async def test_money_can_be_missing_only_where_it_is_meant_to(embedded: L1Client, tmp_path: Path) -> None:
    """The stablecoin that can be taken back is deployed for the shortfall alone; all variants have the same windows."""
    settings, now = Settings(tmp_path, None, (), 24, 10), await time_of(embedded)
    plans = {variant: await plan_escape(variant)(settings, embedded, now) for variant in Variant}
    for variant, plan in plans.items():
        assert (plan.token is None) == (variant is not Variant.SHORTFALL)
        assert plan.genesis.auction == AUCTION
        assert plan.freeze_grace == FREEZE_GRACE > PROPOSER_TIMEOUT
    token = plans[Variant.SHORTFALL].token
    assert token is not None
    assert await embedded.get_code(token) == load_artifact("RecallableUSD").deployed_bytecode


def test_the_command_offers_every_variant() -> None:
    """By the names that the scenario knows."""
    assert set(VARIANTS) == {str(variant) for variant in Variant}
