"""The escape in order: an honest day, SIGKILL, and then either everybody leaves or a stranger goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rollup.cli.app import FAILED, OK, deliberate
from rollup.cli.output import Output
from rollup.demo.escape.forcing import force_withdrawal, freeze, let_it_lie
from rollup.demo.escape.holdings import fall, give_to_fund, open_sub_account, take_positions
from rollup.demo.escape.killing import NEWCOMER, killed_after, pay_in_late
from rollup.demo.escape.leaving import collect_all, reckon, register_all, see_claims_and_refunds, take_from_vault
from rollup.demo.escape.machine import Machine
from rollup.demo.escape.setting import STRANGER, EscapeSettings, Variant, plan_escape
from rollup.demo.escape.takeover import take_over
from rollup.demo.honest import open_accounts, publish_prices, see_all_posted, see_final, send_prices, trade, withdraw
from rollup.demo.party import OPENINGS, USERS, User
from rollup.demo.report import Report
from rollup.demo.script import open_l1
from rollup.demo.setting import Stage, fill_purse, open_stage
from rollup.devnet.client import Client
from rollup.devnet.folder import own_folder
from rollup.devnet.roles import SEQUENCER
from rollup.l1.client import L1Client


@dataclass(slots=True)
class Day:
    """What the honest day left: who withdrew and has not claimed."""

    withdrawer: User | None = None


async def run_escape(settings: EscapeSettings, output: Output) -> int:
    """Run a variant; the exit code is 0 only if each step was verified on L1. An interruption goes through."""
    report = Report(output)
    try:
        with own_folder(settings.base.folder):
            figures = await _play(settings, report)
    except BaseException as error:
        known = deliberate(error)
        if known is None or not isinstance(known, Exception):
            raise
        report.fail(known)
        report.summary(ok=False, steps=len(report.done))
        return FAILED
    gas = {step.name: step.figures["gas"] for step in report.done if "gas" in step.figures and step.name != "deploy"}
    report.summary(ok=True, steps=len(report.done), variant=str(settings.variant), **figures, gas=gas)
    return OK


async def _play(settings: EscapeSettings, report: Report) -> dict[str, Any]:
    base = settings.base
    async with (
        open_l1(base) as url,
        L1Client(url) as l1,
        open_stage(base, l1, report, plan_escape(settings.variant)) as stage,
    ):
        await _fill_purses(stage)
        day = Day()
        await killed_after(stage, lambda client: _honest_day(stage, client, settings.variant, day))
        machine = Machine(settings.machine, url, stage.deployment.rollup, settings.patience)
        user = stage.party.poor
        waiting = await force_withdrawal(stage, machine, user)
        late = await pay_in_late(stage)
        await let_it_lie(stage, waiting)
        if settings.variant is Variant.TAKEOVER:
            return await take_over(stage, machine, user, waiting, late)
        if settings.variant is Variant.SHORTFALL:
            await take_from_vault(stage)
        end = await freeze(stage, machine, user, waiting)
        assert day.withdrawer is not None, "the day has ended"
        leaving = await reckon(stage, day.withdrawer, late, end)
        await register_all(stage, machine, leaving)
        await see_claims_and_refunds(stage, leaving)
        return await collect_all(stage, machine, leaving)


async def _fill_purses(stage: Stage) -> None:
    """Ether for everybody: a stake for whoever posts, gas for whoever leaves."""
    for key in (SEQUENCER, STRANGER, NEWCOMER, *range(USERS, USERS + len(OPENINGS))):
        await fill_purse(stage, key)


async def _honest_day(stage: Stage, client: Client, variant: Variant, day: Day) -> None:
    await open_accounts(stage, client)
    await open_sub_account(stage, client)
    await give_to_fund(stage, client)
    await publish_prices(stage, client)
    await trade(stage, client)
    await send_prices(stage, client)  # who holds positions withdraws at fresh prices only
    day.withdrawer, _ = await withdraw(stage, client)
    await take_positions(stage, client, geared=variant is not Variant.TAKEOVER)
    await see_final(stage, stage.observer.mirror.batch)
    if variant is not Variant.TAKEOVER:
        await fall(stage, client)  # its batches are still pending when the sequencer is killed
    with stage.report.step("batch", "posting what is left") as step:
        head = await see_all_posted(stage, step, client)
        found = await stage.observer.replay()
        step.found(f"every block up to {head} is on L1; money and positions add up", head=head, cash=found.cash)
