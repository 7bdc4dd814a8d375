"""Everything L1 can tell of a rollup, checked at once."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from rollup.derive.pipeline import Progress
from rollup.derive.verification import _check, verify_from_l1
from rollup.errors import L1Error
from rollup.stf.invariants import check_invariants
from rollup.store.identity import ChainIdentity
from rollup.store.state import StateStore
from rollup.types.keys import account_key
from rollup.types.leaves import Account
from tests.derive.test_lying_nodes import MESSAGE, POSTED
from tests.support.deployed import Site
from tests.support.derived import Liar
from tests.support.frauds import LIE, fouls, post_variety
from tests.support.poster import Poster, with_root


async def test_an_honest_history_is_rebuilt_and_counted(site: Site, poster: Poster) -> None:
    """Root, counts and invariants are those of the poster's own state; progress is told up to the end."""
    await post_variety(poster)
    told: list[Progress] = []
    found = await verify_from_l1(site.l1, site.deployment.rollup, on_progress=told.append)
    assert found.ok
    assert found.state_root == found.l1_root == poster.root
    assert (found.batches, found.posted, found.blocks) == (3, 3, 6)
    assert (found.transactions, found.messages) == (poster.included, len(poster.messages))
    assert found.report == check_invariants(poster.leaves.items())
    assert (told[-1].batch, told[-1].last_batch, told[-1].l1_block) == (3, 3, found.l1_block)


async def test_a_deployment_without_batches_is_right(site: Site) -> None:
    """Nothing was posted yet; the genesis is what there is."""
    found = await verify_from_l1(site.l1, site.deployment.rollup)
    assert found.ok
    assert (found.batches, found.blocks, found.state_root) == (0, 0, site.deployment.genesis_root)


async def test_the_first_wrong_block_is_named(site: Site, poster: Poster) -> None:
    """Also while its batch can still be reverted; batches after it are not executed."""
    await poster.post(await poster.block())
    good = poster.root
    foul = (await fouls(poster))["overfill"]
    await poster.post(await poster.block(poster.withdraw(0, 1)), foul.block)
    await poster.post(await poster.forge(root=LIE))
    found = await verify_from_l1(site.l1, site.deployment.rollup)
    assert not found.ok
    assert found.fraud is not None
    assert str(found.fraud) == f"block 3 (batch 2, position 1): OVERFILL at transaction {foul.index}"
    assert (found.batches, found.posted, found.state_root, found.l1_root) == (1, 3, good, LIE)


async def test_a_wrong_root_is_named_with_the_right_one(site: Site, poster: Poster) -> None:
    """The description is fit for machines."""
    await poster.post(with_root(await poster.block(), LIE))
    found = await verify_from_l1(site.l1, site.deployment.rollup)
    assert found.fraud is not None
    described = found.fraud.describe()
    assert (described["reason"], described["right_root"]) == ("WRONG_ROOT", "0x" + poster.root.hex())


@pytest.mark.parametrize("hidden", [POSTED, MESSAGE])
async def test_a_node_that_hides_the_latest_news_is_found_out(site: Site, poster: Poster, hidden: str) -> None:
    """The contracts know how many batches and messages there are."""
    await poster.post(await poster.block())
    await poster.deposit(0, 5)

    def distort(method: str, _params: tuple[Any, ...], result: Any) -> Any:
        if method != "eth_getLogs":
            return result
        logs = copy.deepcopy(result)
        last = [log for log in logs if log["topics"][0] == hidden][-1:]
        return [log for log in logs if log not in last]

    async with Liar(site.url) as liar:
        liar.distort = distort
        with pytest.raises(L1Error, match="count different"):
            await verify_from_l1(liar, site.deployment.rollup)


async def test_money_from_nowhere_breaks_an_invariant(site: Site, poster: Poster) -> None:
    """A whole state is checked, however it came about."""
    await poster.block()
    key = account_key(0)
    account = Account.decode(poster.leaves[key])
    leaves = {**poster.leaves, key: replace(account, cash=account.cash + 1).encode()}
    store = StateStore.in_memory(ChainIdentity(1, site.deployment.rollup))
    store.initialise(leaves)
    report, broken = _check(store)
    assert report is None
    assert "pools" in broken
