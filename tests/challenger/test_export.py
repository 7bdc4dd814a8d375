"""`challenger export`, and a challenger that begins with one on a node that has dropped its old logs."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import trio

from challenger.export import copy_replica, tell_percent, write_export
from challenger.target import REPLICA
from rollup.derive.verification import verify_from_l1
from rollup.derive.vetting import vet_export
from rollup.errors import ConfigError, ExportRefused, L1Pruned, StoreError
from rollup.l1 import dev
from rollup.l1.client import L1Client
from tests.challenger.life import challenging, until
from tests.challenger.test_cli import address, run
from tests.support.deployed import CHALLENGER, DISPUTE_WINDOW, REWARD_DELAY, RIVAL, Site
from tests.support.frauds import LIE, post_variety, stake_again
from tests.support.poster import Poster, with_root
from tests.support.pruned import pruned_node


async def test_the_command_writes_a_file_that_the_other_commands_take(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """On a pruned node `prove` fails without it, by name, and finds the fraud with it."""
    await post_variety(poster)
    done = await run("export", "--l1", site.url, "--rollup", address(site), "--out", "past", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    told = msgspec.json.decode(done.stdout)
    assert (told["batches"], told["messages"]) == (3, len(poster.messages))
    assert told["bytes"] == (tmp_path / "past").stat().st_size
    assert told["l1_block"] == await site.l1.block_number()
    async with pruned_node(site) as url:
        await poster.post(with_root(await poster.block(), LIE))
        words = ("prove", "--dry-run", "--json", "--l1", url, "--rollup", address(site))
        without = await run(*words, folder=tmp_path)
        assert without.returncode == 1
        assert "challenger export --out FILE" in without.stderr.decode()
        found = await run(*words, "--export", "past", folder=tmp_path)
        assert found.returncode == 0, found.stderr
        assert msgspec.json.decode(found.stdout)["batch"] == 4


async def test_a_challenger_that_begins_with_an_export_watches_and_defends(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """It proves what is wrong after the export's end, and starts again without it."""
    await post_variety(poster)
    await dev.increase_time(site.l1, DISPUTE_WINDOW + 1)
    await site.contract("Rollup").transact(site.account(RIVAL), "finalise", 3)
    await write_export(site.l1, site.deployment.rollup, tmp_path / "past")
    async with pruned_node(site) as url:
        node = Site(url, site.l1, site.deployment)
        honest = dict(poster.leaves)
        await poster.post(with_root(await poster.block(), LIE))
        with pytest.raises(ExceptionGroup) as caught:
            async with challenging(node, tmp_path / "bare"):
                raise AssertionError("there are no logs to begin with")
        assert caught.group_contains(L1Pruned)
        async with challenging(node, tmp_path / "data", CHALLENGER, export=tmp_path / "past") as (challenger, heard):
            await heard.wait("fraud_reverted")
            poster.leaves = honest
            await dev.increase_time(site.l1, REWARD_DELAY + 1)
            await dev.mine(site.l1)
            await heard.wait("reward_claimed")
            await stake_again(site, poster)
            await poster.post(await poster.block(poster.trade()))
            await until(lambda: challenger.pipeline.replica.store.root == poster.root)


async def test_verification_takes_an_export_and_refuses_a_wrong_one(site: Site, poster: Poster, tmp_path: Path) -> None:
    """All checks are the same."""
    await post_variety(poster)
    path = tmp_path / "past"
    await write_export(site.l1, site.deployment.rollup, path)
    for politely in (True, False):
        async with pruned_node(site, politely=politely) as url, L1Client(url) as client:
            with pytest.raises(L1Pruned):
                await verify_from_l1(client, site.deployment.rollup)
            found = await verify_from_l1(client, site.deployment.rollup, export=path)
            assert (found.ok, found.batches, found.state_root) == (True, 3, poster.root)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ExportRefused):
        await verify_from_l1(site.l1, site.deployment.rollup, export=path)


async def test_what_a_challenger_has_kept_is_enough_when_no_node_has_logs(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """Made on a pruned node from the data folder alone, taken on a pruned node; reverted batches are left out."""
    await post_variety(poster)
    async with challenging(site, tmp_path / "data") as (challenger, _):
        await until(lambda: challenger.pipeline.replica.store.root == poster.root)
        with pytest.raises(StoreError):
            await copy_replica(site.l1, site.deployment.rollup, tmp_path / "data" / REPLICA, tmp_path / "past")
    await poster.deposit(1, 4_000_000)
    async with pruned_node(site) as url, L1Client(url) as client:
        words = ("export", "--l1", url, "--rollup", address(site), "--data", "data", "--out", "past", "--json")
        done = await run(*words, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        told = msgspec.json.decode(done.stdout)
        assert (told["batches"], told["messages"], told["l1_block"]) == (3, len(poster.messages) - 1, 0)
        export = await vet_export(client, site.deployment.rollup, tmp_path / "past")
        assert (export.cut, len(export.batches)) == (True, 3)
        await poster.post(await poster.block(poster.trade(), take=0))
        with pytest.raises(L1Pruned):
            await verify_from_l1(client, site.deployment.rollup, export=tmp_path / "past")  # the deposit was forgotten
    found = await verify_from_l1(site.l1, site.deployment.rollup, export=tmp_path / "past")
    assert (found.ok, found.batches, found.state_root) == (True, 4, poster.root)


async def test_a_file_that_cannot_be_written_is_an_error_and_an_interrupted_one_leaves_nothing(
    site: Site, poster: Poster, tmp_path: Path
) -> None:
    """No half export is ever there under its name."""
    await post_variety(poster)
    with pytest.raises(ConfigError, match="cannot be written"):
        await write_export(site.l1, site.deployment.rollup, tmp_path / "no" / "such" / "folder")

    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await write_export(site.l1, site.deployment.rollup, tmp_path / "past", on_progress=interrupt)
    assert [*await trio.Path(tmp_path).iterdir()] == []


def test_progress_is_told_in_steps() -> None:
    """However many blocks there are, some twenty lines; none twice."""
    told: list[str] = []
    hear = tell_percent(told.append)
    for done in range(0, 5_001, 7):
        hear(done, 5_000)
    hear(5_000, 5_000)
    assert len(told) == len(set(told)) == 20
    assert told[-1].startswith("100 %")
