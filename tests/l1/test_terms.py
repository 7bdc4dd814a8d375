"""Terms of a deployment under which holders could be locked in are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rollup.cli.deploy import make_plan
from rollup.config import DeployConfig
from rollup.errors import ConfigError
from rollup.l1.deployment import DAY, LONGEST_WAIT, MAX_THRESHOLD, DeploymentPlan
from rollup.l1.devkeys import dev_address
from rollup.types.genesis import devnet_genesis
from tests.support.deployed import open_site


def plan(threshold: int = 2, **terms: Any) -> DeploymentPlan:
    """A deployment with eight feeders."""
    genesis = devnet_genesis(1, tuple(dev_address(key) for key in range(8)), threshold)
    return replace(DeploymentPlan(dev_address(0), genesis), **terms)


def test_prices_must_outlast_the_longest_wait_of_what_is_forced_with_them() -> None:
    """To the second, whether the sequencer is silent or dates its blocks back."""
    plan().check()
    left = LONGEST_WAIT - DAY
    plan(freeze_grace=left).check()
    plan(proposer_timeout=left // 2).check()
    plan(max_time_lag=left).check()
    for terms in ({"freeze_grace": left + 1}, {"proposer_timeout": left}, {"max_time_lag": left + 1}):
        with pytest.raises(ConfigError, match="force_deadline"):
            plan(**terms).check()
    with pytest.raises(ConfigError, match="force_deadline"):
        plan(force_deadline=LONGEST_WAIT).check()


def test_so_many_feeders_must_not_be_needed_that_a_slice_cannot_be_forced() -> None:
    """Six signatures fit."""
    assert MAX_THRESHOLD == 6
    plan(threshold=6).check()
    with pytest.raises(ConfigError, match="threshold 7"):
        plan(threshold=7).check()


async def test_the_command_refuses_such_terms_before_it_sends_anything() -> None:
    """By the configuration."""
    async with open_site() as site:
        await make_plan(site.l1, DeployConfig(), dev_address(0))
        with pytest.raises(ConfigError, match="force_deadline"):
            await make_plan(site.l1, DeployConfig(force_deadline=3 * DAY), dev_address(0))
