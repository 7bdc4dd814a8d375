"""Windows and variants of the escape: an hour here passes in a moment, because the node's clock is moved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from rollup.demo.report import NotVerified, require
from rollup.demo.setting import HOUR, REWARD_SECONDS, Planner, Settings, Stage, demo_genesis
from rollup.devnet.roles import BANKER, SEQUENCER
from rollup.errors import L1Error
from rollup.l1.account import L1Account
from rollup.l1.artifacts import load_artifact
from rollup.l1.client import L1Client
from rollup.l1.contract import deploy
from rollup.l1.deployment import DeploymentPlan
from rollup.l1.dev import increase_time, mine
from rollup.l1.devkeys import dev_address, dev_key

FORCE_DEADLINE: Final = HOUR
PROPOSER_TIMEOUT: Final = HOUR
FREEZE_GRACE: Final = 2 * HOUR
REGISTRATION: Final = 4 * HOUR
"""Seconds, longer than any machine takes for what must be done within them: nothing here is a race."""
AUCTION: Final = 2 * HOUR
"""Seconds of a liquidation's auction: a debt that the fund covers stays open for so long."""
STRANGER: Final = 4
"""Development key of the stranger who takes over."""


class Variant(StrEnum):
    """How it ends."""

    FREEZE = "freeze"
    SHORTFALL = "shortfall"
    TAKEOVER = "takeover"


@dataclass(frozen=True, slots=True)
class EscapeSettings:
    """What one run does; `patience` (s) is how long one command may take on a busy machine."""

    base: Settings
    variant: Variant
    patience: float = 300.0

    @property
    def machine(self) -> Path:
        """The users' machine, which has nothing of the sequencer's."""
        return self.base.folder / "machine"


def plan_escape(variant: Variant) -> Planner:
    """Windows of hours; where money is to be missing, a stablecoin that can be taken back."""

    async def plan(settings: Settings, l1: L1Client, time: int) -> DeploymentPlan:
        token = None
        if variant is Variant.SHORTFALL:
            banker = L1Account(l1, dev_key(BANKER))
            contract, _ = await deploy(banker, load_artifact("RecallableUSD"))
            token = contract.address
        return DeploymentPlan(
            sequencer=dev_address(SEQUENCER),
            genesis=replace(demo_genesis(time), auction=AUCTION),
            token=token,
            dispute_window=settings.dispute_seconds,
            proposer_timeout=PROPOSER_TIMEOUT,
            force_deadline=FORCE_DEADLINE,
            freeze_grace=FREEZE_GRACE,
            registration_window=REGISTRATION,
            reward_delay=REWARD_SECONDS,
            market_admin=dev_address(BANKER),
            listing_delay=0,
        )

    return plan


async def pass_time(stage: Stage, until: int) -> int:
    """Move the node's clock on until a block is later than `until` (s); seconds skipped.

    `NotVerified` for a node that has no such control: on a real network these hours would have to be waited for.
    """
    head = await stage.l1.get_block()
    if head is None:
        raise L1Error("the node has no newest block", retryable=True)
    skipped = max(0, until + 1 - head.timestamp)
    try:
        await increase_time(stage.l1, skipped)
        await mine(stage.l1)
    except L1Error as error:
        if error.retryable:
            raise
        raise NotVerified(f"the clock of this node cannot be moved: {error}") from error
    head = await stage.l1.get_block()
    require(
        head is not None and head.timestamp > until, "time of L1", until + 1, None if head is None else head.timestamp
    )
    return skipped
