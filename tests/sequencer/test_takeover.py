"""Who may take over from a sequencer that is gone, and when; what stops him, and what he is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from rollup.batcher.contracts import RollupContract
from rollup.l1 import dev
from rollup.l1.devkeys import dev_address
from rollup.sequencer.takeover import (
    RESERVE_GAS,
    ChainEnded,
    PostingClosed,
    StakeUnaffordable,
    Succession,
    await_turn,
    survey,
)
from tests.support.deployed import DISPUTE_WINDOW, ETHER, RIVAL, SEQUENCER, Site, open_site
from tests.support.orphans import pass_time
from tests.support.poster import Poster, start_poster
from tests.support.programs import running_program

HEIR = dev_address(RIVAL)
PATIENCE = 60.0


@pytest.fixture
async def honest() -> AsyncIterator[Poster]:
    """The designated sequencer, which is staked and has posted just now."""
    async with open_site() as opened:
        poster = await start_poster(opened)
        await poster.post(await poster.block())
        yield poster


@pytest.fixture
async def site(honest: Poster) -> Site:
    """The L1 on which it has."""
    return honest.site


def contract_of(site: Site) -> RollupContract:
    """The Rollup as a poster sees it."""
    return RollupContract(site.l1, site.deployment.rollup)


async def take_turn(site: Site, told: list[Succession], *, wait: bool = False) -> Succession:
    """The heir's turn."""
    return await await_turn(contract_of(site), HEIR, wait=wait, tell=told.append, poll=0.02)


async def test_while_the_sequencer_is_in_turn_a_stranger_is_told_until_when(site: Site) -> None:
    """To the second at which L1 lets him post."""
    told: list[Succession] = []
    with pytest.raises(PostingClosed, match="--wait") as caught:
        await take_turn(site, told)
    posted = await contract_of(site).last_post()
    assert caught.value.until == posted + DISPUTE_WINDOW
    assert [(each.is_open, each.open_since) for each in told] == [(False, posted + DISPUTE_WINDOW + 1)]
    assert told[0].designated == dev_address(SEQUENCER)
    await dev.set_next_timestamp(site.l1, posted + DISPUTE_WINDOW)
    await dev.mine(site.l1)
    with pytest.raises(PostingClosed):
        await take_turn(site, [])
    await dev.set_next_timestamp(site.l1, posted + DISPUTE_WINDOW + 1)
    await dev.mine(site.l1)
    found = await take_turn(site, [])
    assert (found.missing_stake, found.batch, found.block) == (ETHER, 1, 1)
    await site.contract("Rollup").transact(site.account(RIVAL), "stake", value=ETHER)
    assert await contract_of(site).may_post(HEIR), "L1 agrees"
    assert (await survey(contract_of(site), HEIR)).missing_stake == 0


async def test_waiting_ends_when_the_turn_comes_and_begins_anew_when_the_sequencer_posts(
    site: Site, honest: Poster
) -> None:
    """Each change is told once."""
    told: list[Succession] = []
    ended = trio.Event()

    async def wait() -> None:
        await take_turn(site, told, wait=True)
        ended.set()

    async def heard(count: int) -> None:
        with trio.fail_after(PATIENCE):
            while len(told) < count:  # noqa: ASYNC110 - it looks at the node
                await trio.sleep(0.01)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await heard(1)
        await pass_time(site, DISPUTE_WINDOW // 2)
        await honest.post(await honest.block())
        await heard(2)
        await pass_time(site, DISPUTE_WINDOW // 2)
        assert not ended.is_set()
        await pass_time(site)
        with trio.fail_after(PATIENCE):
            await ended.wait()
    assert [each.is_open for each in told] == [False, False, True]
    assert told[1].open_since == told[2].open_since > told[0].open_since
    assert told[2].batch == 2


async def test_a_sequencer_without_stake_is_nobodys_turn(site: Site) -> None:
    """Nobody has to wait for its silence."""
    await pass_time(site)
    await site.contract("Rollup").transact(site.account(SEQUENCER), "finalise", 1)
    await site.contract("Rollup").transact(site.account(SEQUENCER), "unstake")
    found = await take_turn(site, [])
    assert (found.is_open, found.open_since) == (True, 0)
    assert "stake" in found.turn()


async def test_the_designated_sequencer_itself_need_not_wait(site: Site) -> None:
    """It may always post."""
    found = await await_turn(contract_of(site), dev_address(SEQUENCER), wait=False, tell=lambda _: None)
    assert found.missing_stake == 0


@pytest.mark.parametrize("waits", [False, True])
async def test_a_wallet_that_cannot_pay_stake_and_batches_is_told_before_anything_is_done(
    site: Site, *, waits: bool
) -> None:
    """Also before a wait of hours; to the wei."""
    await pass_time(site)
    wallet = site.account(RIVAL)
    gas = RESERVE_GAS * (await site.l1.suggest_fees()).max_fee
    balance = await site.l1.get_balance(wallet.address)
    await wallet.transact(dev_address(SEQUENCER), value=balance - ETHER - gas // 2, gas=21_000)
    with pytest.raises(StakeUnaffordable) as caught:
        await take_turn(site, [], wait=waits)
    found = await survey(contract_of(site), HEIR)
    assert caught.value.missing == ETHER + found.gas_money - found.balance > 0
    assert await contract_of(site).stake_of(HEIR) == 0


async def test_nobody_takes_over_a_frozen_chain(site: Site, honest: Poster) -> None:
    """The way out is another one."""
    await honest.open()
    await pass_time(site, 4 * DISPUTE_WINDOW)
    await site.contract("Rollup").transact(site.account(RIVAL), "freeze")
    with pytest.raises(ChainEnded, match="escape"):
        await take_turn(site, [])


async def test_the_command_says_why_not_and_what_it_costs(site: Site, tmp_path: Path) -> None:
    """From the command line: refused with one line while another is in turn, then staked, serving."""
    site.deployment.save(tmp_path / "deployment.json")
    command = ["sequencer", "--l1", site.url, "--deployment", str(tmp_path / "deployment.json"), "--port", "0"]
    command += ["--data", str(tmp_path / "data"), "--key", f"dev:{RIVAL}", "--takeover"]
    with running_program(command, tmp_path) as early:
        assert await trio.to_thread.run_sync(early.wait, PATIENCE) == 1
        assert "others may post from" in early.errors.read_text()
    await pass_time(site)
    with running_program(command, tmp_path) as heir:
        event = await trio.to_thread.run_sync(heir.wait_for, lambda each: each["event"] == "takeover", PATIENCE)
        assert (event["stake"], event["batch"]) == (ETHER, 1)
        await trio.to_thread.run_sync(heir.wait_for, lambda each: each["event"] == "listening", PATIENCE)
        assert await contract_of(site).stake_of(HEIR) == ETHER
