"""A disk that takes no more: nothing unwritten is acknowledged, and nothing acknowledged is lost."""

from __future__ import annotations

import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from rollup.errors import StoreError
from rollup.rpc.client import RpcError, connect_ws
from rollup.sequencer import service
from rollup.sequencer.rejections import StoppedServing
from rollup.sequencer.stored import STATE
from tests.support.deployed import Site, open_site
from tests.support.poster import FIRST_OWNER
from tests.support.served import Signatures, derive, funded, options, posted, serve
from tests.support.trader import USD, Trader, open_accounts

LOG = 100_000
"""Bytes of LevelDB's log before the disk fills: the limit holds for every file of this process."""


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """An L1 with the contracts."""
    async with open_site() as opened:
        yield opened


def log_size(folder: Path) -> int:
    """Bytes of the database's newest log."""
    return max(path.stat().st_size for path in (folder / STATE).glob("*.log"))


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def withdraw(rpc: Any, trader: Trader, nonce: int) -> None:
    """A block with a dollar's withdrawal."""
    await rpc.call("private/withdraw", trader.withdraw(0, FIRST_OWNER, USD, nonce))


async def test_a_full_disk_refuses_with_a_typed_error_and_a_restart_goes_on(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was acknowledged is there after the restart; what was refused may be there at most once."""
    monkeypatch.setattr(service, "LAST_WORDS", 5.0)  # a busy machine needs longer to ask a second time
    accounts = await open_accounts(site, [FIRST_OWNER, FIRST_OWNER + 1])
    signatures, nonce, refusals = Signatures(site), 0, list[int]()
    with pytest.raises(BaseExceptionGroup) as ended:  # noqa: PT012 - the end comes from within
        async with serve(options(site, tmp_path)) as node, connect_ws(node.address.ws_url) as rpc:
            trader = await funded(rpc, accounts)
            signatures.watch(node)
            while log_size(tmp_path) < LOG:
                await withdraw(rpc, trader, nonce := nonce + 1)
            with full_disk(log_size(tmp_path) + 2_000):
                try:
                    while True:
                        await withdraw(rpc, trader, nonce + 1)
                        nonce += 1
                except RpcError as refusal:
                    refusals.append(refusal.code)
                try:
                    await withdraw(rpc, trader, nonce + 2)
                except RpcError as refusal:
                    refusals.append(refusal.code)
                await trio.sleep_forever()  # the node ends by itself
    assert ended.value.split(StoreError)[1] is None, "nothing but the disk failed"
    assert refusals == [StoppedServing.code] * 2
    async with serve(options(site, tmp_path)) as node, connect_ws(node.address.ws_url) as rpc:
        signatures.watch(node)
        account = await rpc.call("private/get_subaccount", {"subaccount_id": 0})
        left = float(account["collaterals"][0]["amount"])
        assert 10_000 - left in (nonce, nonce + 1)
        await withdraw(rpc, trader, nonce + 3)
        await posted(node)
        root = node.sequencer.store.root
    assert (await derive(site)).root == root
    assert signatures.once()


async def test_a_folder_that_cannot_be_made_is_told_in_one_line(site: Site, tmp_path: Path) -> None:
    """A file stands where the data should go: typed, and the file is left alone."""
    (tmp_path / "data").write_text("not yours")
    with pytest.RaisesGroup(pytest.RaisesExc(StoreError, match="cannot be opened: .*data"), flatten_subgroups=True):
        async with serve(options(site, tmp_path / "data")):
            raise AssertionError("it started")
    assert (tmp_path / "data").read_text() == "not yours"
